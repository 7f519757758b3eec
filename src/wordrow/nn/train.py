"""One training step under JAX: the only jax.jit, over the layers' own `apply`.

A step reads the rows that its batch uses, brings them up to date, takes the
gradient of the loss with respect to those rows and the whole weights, and
updates both. All that it changes (the carry) is donated: tables are changed in
place, and no step makes a second array of a table's size. Nothing is changed
where the loss or a gradient is not finite.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wordrow import _core
from wordrow.errors import MissingExtraError
from wordrow.nn import ops, updates
from wordrow.nn.compiled import Objective
from wordrow.nn.graph import Graph
from wordrow.nn.layers.layer import Layer
from wordrow.nn.optimizer import Optimizer

__all__ = [
    "Engine", "Path", "answering", "load_jax", "on_accelerator", "uninterrupted",
]  # fmt: skip

Carry = dict[str, Any]
Path = tuple[str, str]


def load_jax(what: str) -> Any:
    """Return JAX, imported when it is first needed.

    Programs that took over a second to compile are kept for later processes, in
    JAX's own way: JAX_COMPILATION_CACHE_DIR says where, and
    JAX_ENABLE_COMPILATION_CACHE=0 keeps none.

    Raises MissingExtraError where it is not installed.
    """
    if "jax" not in sys.modules and (n := os.environ.get("WORDROW_THREADS")):
        os.environ.setdefault("NPROC", n)  # what XLA takes as the number of processors
    try:
        import jax
    except ImportError as error:
        raise MissingExtraError(what, package="jax", extra="train") from error
    import jax.numpy

    if jax.config.jax_compilation_cache_dir is None:
        folder = _cache_folder()
        with contextlib.suppress(OSError):  # without it, programs are compiled in every process
            os.makedirs(folder, exist_ok=True)
            jax.config.update("jax_compilation_cache_dir", folder)
    return jax


def _cache_folder() -> str:
    """Return the folder that compiled programs are kept in, in the user's cache."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", os.path.join(home, "AppData", "Local"))
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "wordrow", "compiled")


class Engine:
    """The compiled functions for one model, one optimizer, one objective.

    rows: (layer name, weight name) of the tables that are trained by rows;
    whole: of the other weights that are trained. The rest is frozen. fixed_rows: of
    tables, which rows are not trained: bool [V].
    `compiled` has one entry for each time that something was compiled.
    """

    def __init__(
        self, graph: Graph, optimizer: Optimizer, objective: Objective, *,
        rows: Sequence[Path], whole: Sequence[Path], fixed_rows: Mapping[Path, Any],
    ) -> None:  # fmt: skip
        jax = load_jax("training this model")
        _core.keep_memory()
        self.graph, self.optimizer, self.objective = graph, optimizer, objective
        self.rows, self.whole = tuple(rows), tuple(whole)
        self.fixed_rows = fixed_rows
        self.number_names = tuple(optimizer.numbers(0))
        self.compiled: list[str] = []
        self._layers = {layer.name: layer for layer in graph.layers}
        self.step = jax.jit(self._step, donate_argnums=0)
        self.settle = jax.jit(self._settle, donate_argnums=(0, 1))

    def take_step(self, *arguments: Any) -> Any:
        """Call the compiled step.

        Raises TypeError for a function of your own that JAX cannot trace.
        """
        try:
            return self.step(*arguments)
        except sys.modules["jax"].errors.JAXTypeError as error:
            raise TypeError(
                "a loss, metric, activation or regularizer of your own cannot be compiled: write "
                "it with operators, methods of its arrays and jax.numpy, without numpy functions, "
                f"float() or `if` on their values ({str(error).splitlines()[0]})"
            ) from error

    # ---- pure functions, traced by JAX ----------------------------------

    def _step(
        self, carry: Carry, frozen: dict[str, Any], batch: dict[str, Any], numbers: Any, seed: Any
    ) -> tuple[Carry, Any, Any]:
        """Return (carry, loss, whether it and all gradients are finite)."""
        self.compiled.append("step")
        jax, jnp = sys.modules["jax"], sys.modules["jax.numpy"]
        named = dict(zip(self.number_names, numbers, strict=True))
        key = jax.random.fold_in(jax.random.key(seed[0]), seed[1])
        tables = {path: self._table(carry, batch, path) for path in self.rows}
        read = {path: updates.read_rows(self.optimizer, *tables[path]) for path in self.rows}
        trained = {path: rows for path, (rows, _) in read.items()}
        trained |= {path: carry["weights"][path] for path in self.whole}

        def loss_of(trained: dict[Any, Any]) -> Any:
            return self._loss(trained, frozen, carry["state"], batch, key)

        (loss, (parts, outputs, masks, state)), gradients = jax.value_and_grad(
            loss_of, has_aux=True
        )(trained)
        fine = jnp.isfinite(loss)
        for gradient in gradients.values():
            fine &= ops.all_finite(gradient)
        for path in self.fixed_rows.keys() & gradients.keys():
            free = batch["free"].get(path, ~self.fixed_rows[path])  # the batch's rows, or all
            gradients[path] = jnp.where(free[:, None], gradients[path], 0)
        gradients = self.optimizer.clip(gradients)
        new: Carry = {"weights": {}, "slots": {}, "state": ops.choose(fine, state, carry["state"])}
        for path in self.whole:
            w, slots = carry["weights"][path], carry["slots"][path]
            after = updates.step_whole(self.optimizer, w, slots, gradients[path], fine, named)
            if (constraint := self._rule(path, "constraint")) is not None:
                after = ops.choose(fine, constraint(after[0]), w), after[1]
            if path in self.fixed_rows:
                after = jnp.where(self.fixed_rows[path][:, None], w, after[0]), after[1]
            new["weights"][path], new["slots"][path] = after
        for path in self.rows:
            new["weights"][path], new["slots"][path] = updates.step_rows(
                self.optimizer,
                *tables[path],
                read[path],
                gradients[path],
                fine,
                named,
                batch["free"].get(path),
            )
        totals = self.objective.count(
            carry["totals"], loss, parts, batch["labels"], outputs, masks, batch["weights"],
            batch["valid"],
        )  # fmt: skip
        new["totals"] = ops.choose(fine, totals, carry["totals"])
        return new, loss, fine

    def _loss(
        self, trained: dict[Any, Any], frozen: Any, state: Any, batch: dict[str, Any], key: Any
    ) -> tuple[Any, Any]:
        weights = _by_layer(frozen | trained)
        penalties: list[Any] = []

        def watch(layer: Layer, outputs: Any) -> None:
            if layer.activity_regularizer is not None:
                first = outputs[0] if isinstance(outputs, list) else outputs
                valid = batch["valid"].reshape((-1,) + (1,) * (first.ndim - 1))
                penalties.append(layer.activity_regularizer(first * valid) / batch["valid"].sum())

        outputs, masks, state = self.graph.apply(
            weights, state, batch["inputs"], batch["masks"], training=True, rng=key,
            places=batch["places"], watch=watch,
        )  # fmt: skip
        loss, parts = self.objective.loss(
            batch["labels"], outputs, masks, batch["weights"], batch["valid"]
        )
        for path in self.whole:
            if (regularizer := self._rule(path, "regularizer")) is not None:
                loss = loss + regularizer(trained[path])
        return loss + sum(penalties), (parts, outputs, masks, state)

    def _table(self, carry: Carry, batch: dict[str, Any], path: Path) -> tuple[Any, Any, Any, Any]:
        """Return a table, its slots, the ids of a batch and what their rows missed."""
        own = carry["weights"][path], carry["slots"][path]
        return *own, batch["ids"][path], batch["away"][path]

    def _settle(self, table: Any, slots: Any, ids: Any, away: Any) -> tuple[Any, Any]:
        """Return (table, slots) with some rows up to date."""
        self.compiled.append("settle")
        return updates.settle_rows(self.optimizer, table, slots, ids, away)

    def _rule(self, path: Path, role: Any) -> Any:
        return self._layers[path[0]].rule(path[1], role)


def _by_layer(weights: dict[Any, Any]) -> dict[str, Any]:
    layers: dict[str, dict[str, Any]] = {}
    for (layer, name), array in weights.items():
        layers.setdefault(layer, {})[name] = array
    return layers


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done.

    A step takes its arrays and gives new ones; between the two there are none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield
        return
    held: list[Any] = []
    signal.signal(signal.SIGINT, lambda *signal_and_frame: held.append(signal_and_frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            before(*held[0])


def on_accelerator() -> bool:
    """Return whether JAX is in use and has chosen a GPU or TPU."""
    jax = sys.modules.get("jax")
    return jax is not None and jax.default_backend() != "cpu"


@functools.lru_cache(maxsize=16)
def answering(graph: Graph) -> Any:
    """Return a graph's compiled function: what `Graph.apply` does while not training."""
    return load_jax("answering on a GPU").jit(
        lambda weights, state, inputs, masks: graph.apply(
            weights, state, inputs, masks, training=False, rng=None
        )
    )
