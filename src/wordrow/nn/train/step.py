"""One training step under JAX: the layers' own `apply`, differentiated and compiled.

A step gathers the rows that its batch uses, brings them up to date, takes the gradient of the loss
with respect to those rows and the whole weights, and updates both. The arrays that it changes are
donated: tables are changed in place, and no step makes a second array of a table's size. Nothing
is changed where the loss or a gradient is not finite.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

from wordrow import _core
from wordrow.nn import ops
from wordrow.nn.graph.graph import Graph
from wordrow.nn.layers.shell import PureLayer
from wordrow.nn.ops.jax import load_jax
from wordrow.nn.optimizers.optimizer import Optimizer
from wordrow.nn.spec import Array, Arrays
from wordrow.nn.table.weight import Path
from wordrow.nn.train.objective import Objective
from wordrow.nn.train.plan import TrainedWeights

__all__ = ["Carry", "CompiledStep"]

# What a step changes: "weights" and "optimizer" by path, "state" by layer, "totals".
Carry: TypeAlias = dict[str, Any]


class CompiledStep:
    """The compiled step of one model, for one optimizer, one objective and one plan of weights.

    `compiled` has one entry for each time that the step was compiled.
    """

    def __init__(
        self, graph: Graph, optimizer: Optimizer, objective: Objective, plan: TrainedWeights
    ) -> None:
        jax = load_jax("training this model")
        _core.keep_memory()
        self.graph, self.optimizer, self.objective, self.plan = graph, optimizer, objective, plan
        self.compiled: list[str] = []
        self._names = tuple(optimizer.hyperparameters(0))
        self._layers = {layer.name: layer for layer in graph.layers}
        self.program = jax.jit(self._step, donate_argnums=0)

    def __call__(self, *arguments: Any) -> tuple[Carry, Array, Array]:
        """Return (carry, loss, whether it and all gradients are finite).

        Raises TypeError for a user's function that JAX cannot trace.
        """
        try:
            found: tuple[Carry, Array, Array] = self.program(*arguments)
        except sys.modules["jax"].errors.JAXTypeError as error:
            raise TypeError(
                "a custom loss, metric, activation or regularizer cannot be compiled: write "
                "it with operators, methods of its arrays and jax.numpy, without numpy functions, "
                f"float() or `if` on their values ({str(error).splitlines()[0]})"
            ) from error
        return found

    # ---- pure functions, traced by JAX ----------------------------------

    def _step(
        self,
        carry: Carry,
        frozen: dict[Path, Array],
        batch: dict[str, Any],
        hyperparameters: Array,
        seed: Array,
    ) -> tuple[Carry, Array, Array]:
        self.compiled.append("step")
        jax, jnp = sys.modules["jax"], sys.modules["jax.numpy"]
        named = dict(zip(self._names, hyperparameters, strict=True))
        key = jax.random.fold_in(jax.random.key(seed[0]), seed[1])
        parts = {
            path: weight.traced(
                self.optimizer,
                carry["weights"][path],
                carry["optimizer"][path],
                batch["rows"].get(path),
                self._rule(path, "constraint"),
            )
            for path, weight in self.plan.trained.items()
        }

        def loss_of(trained: dict[Path, Array]) -> Any:
            return self._loss(trained, frozen, carry["state"], batch, key)

        gathered = {path: part.gather() for path, part in parts.items()}
        (loss, aux), gradients = jax.value_and_grad(loss_of, has_aux=True)(gathered)
        losses, outputs, masks, state = aux
        apply_update = jnp.isfinite(loss)
        for gradient in gradients.values():
            apply_update &= ops.all_finite(gradient)
        gradients = {path: parts[path].mask_gradient(one) for path, one in gradients.items()}
        gradients = self.optimizer.clip(gradients)
        new: Carry = {"weights": {}, "optimizer": {}}
        for path, part in parts.items():
            after = part.update(gradients[path], apply_update, named)
            new["weights"][path], new["optimizer"][path] = after
        totals = self.objective.count(
            carry["totals"],
            loss,
            losses,
            batch["labels"],
            outputs,
            masks,
            batch["weights"],
            batch["valid"],
        )
        new["state"] = ops.select(apply_update, state, carry["state"])
        new["totals"] = ops.select(apply_update, totals, carry["totals"])
        return new, loss, apply_update

    def _loss(
        self,
        trained: dict[Path, Array],
        frozen: dict[Path, Array],
        state: dict[str, Arrays],
        batch: dict[str, Any],
        key: Array,
    ) -> tuple[Array, Any]:
        penalties: list[Array] = []
        valid = batch["valid"]

        def watch(layer: PureLayer, outputs: Any) -> None:
            penalties.extend(layer.take_losses())
            if layer.activity_regularizer is not None:
                first = outputs[0] if isinstance(outputs, list) else outputs
                real = valid.reshape((-1,) + (1,) * (first.ndim - 1))
                penalties.append(layer.activity_regularizer(first * real) / valid.sum())

        outputs, masks, state = self.graph.apply(
            self._by_layer(frozen | trained),
            state,
            batch["inputs"],
            batch["masks"],
            training=True,
            rng=key,
            row_indices=batch["row_indices"],
            watch=watch,
        )
        loss, losses = self.objective.loss(batch["labels"], outputs, masks, batch["weights"], valid)
        for path in self.plan.whole:
            if (regularizer := self._rule(path, "regularizer")) is not None:
                loss = loss + regularizer(trained[path])
        return loss + sum(penalties), (losses, outputs, masks, state)

    def _rule(self, path: Path, role: Any) -> Any:
        return self._layers[path[0]].rule(path[1], role)

    def _by_layer(self, weights: Mapping[Path, Array]) -> dict[str, Arrays]:
        layers: dict[str, Arrays] = {}
        for (layer, name), array in weights.items():
            layers.setdefault(layer, {})[name] = array
        for (layer, name), path in self.plan.aliases.items():
            if path in weights:
                layers.setdefault(layer, {})[name] = weights[path]
        return layers
