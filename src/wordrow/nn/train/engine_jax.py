"""The JAX engine: any model, one compiled step a batch."""

from __future__ import annotations

import contextlib
import sys
import warnings
from typing import Any

import numpy as np

from wordrow.nn.data.batches import Batch, prefetch
from wordrow.nn.interrupt import uninterrupted
from wordrow.nn.table.table import Table
from wordrow.nn.table.weight import Path
from wordrow.nn.train.engine import BatchSource, EpochHooks
from wordrow.nn.train.plan import TrainedWeights, plan_weights
from wordrow.nn.train.step import Carry, CompiledStep
from wordrow.nn.train.training import Training

__all__ = ["JaxEngine"]


class JaxEngine:
    """Trains by compiled steps. The arrays stay with the weights between two steps."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.plan: TrainedWeights | None = None
        self.step_program: CompiledStep | None = None
        self._totals: Any = None
        self._zeros: Any = None  # what they start from
        self._key: Any = None
        self._signature: Any = None  # what the plan was made for
        self._warned: set[str] = set()

    @property
    def tables(self) -> dict[Path, Table]:
        """The tables that are trained by rows."""
        return {} if self.plan is None else self.plan.tables

    def begin(self) -> None:
        """Plan for what is trainable now, and compile where that has changed.

        Warns once if nothing is.
        """
        training = self.training
        signature = [
            (layer.trained, [(weight, getattr(weight, "frozen", None)) for weight in layer.weights])
            for layer in training.graph.layers
        ]
        if self.plan is None or not _are_same(signature, self._signature):
            self._make_plan()
            self._signature = signature
        self.load()
        if self._totals is None:
            self.reset_totals()

    def _make_plan(self) -> None:
        training = self.training
        plan = plan_weights(training.graph, training.optimizer, self._warned)
        if not plan.trained and "nothing" not in self._warned:
            self._warned.add("nothing")
            warnings.warn(
                "nothing is learned: the model has no trainable weights. Set trainable=True.",
                stacklevel=2,
            )
        if self.step_program is None or plan.key != self._key:
            self.step_program = CompiledStep(
                training.graph, training.optimizer, training.objective, plan
            )
            self._key = plan.key
        self.plan = plan

    def load(self) -> None:
        """Take the weights, wherever they were changed since."""
        assert self.plan is not None
        run = self.training.run
        for path, weight in self.plan.trained.items():
            weight.resume(run, by_rows=path in self.plan.tables)
            weight.to_device()
        for weight in self.plan.frozen.values():
            if weight.follows(run):
                weight.pause()
            weight.to_device()
        for weights in self.plan.state.values():
            for weight in weights.values():
                weight.to_device()

    def run_epoch(
        self, source: BatchSource, rng: np.random.Generator, hooks: EpochHooks
    ) -> tuple[dict[str, float], int]:
        """Take an epoch's steps; return (its numbers by name, texts seen)."""
        self.begin()
        source.batcher.tables = self.tables
        self.reset_totals()
        n_texts = 0
        with contextlib.closing(prefetch(source.epoch(rng))) as batches:
            for number, batch in enumerate(batches):
                hooks.on_batch_begin(number)
                self.load()  # a callback may have set weights
                loss, is_finite = self.step(batch)
                n_texts += batch.n
                if is_finite:
                    hooks.on_batch_end(number, batch, loss, self.totals)
                else:
                    hooks.on_not_finite(number, batch, loss)
                hooks.on_progress(n_texts, self.totals)
                if hooks.is_stopped:
                    break
        self.sync()
        return self.totals(), n_texts

    def step(self, batch: Batch) -> tuple[float, bool]:
        """Train on a batch; return (loss, whether all was finite). If not, nothing has changed."""
        assert self.step_program is not None
        assert self.plan is not None
        run = self.training.run
        if run.missed.is_long:
            self.sync()
        hyperparameters = run.optimizer.hyperparameters(run.step)
        arguments = self.arguments(batch, hyperparameters)
        with uninterrupted():
            carry, loss, is_finite = self.step_program(self.carry(), *arguments)
            self._put(carry)
            if bool(is_finite):
                run.advance(hyperparameters)
                for path, table in self.plan.tables.items():
                    table.touch(batch.ids[path])
        return float(loss), bool(is_finite)

    def arguments(self, batch: Batch, hyperparameters: dict[str, float]) -> tuple[Any, ...]:
        """Return what the compiled step takes beside the carry."""
        assert self.plan is not None
        arrays = {
            "inputs": batch.inputs,
            "masks": batch.masks,
            "labels": batch.labels,
            "weights": batch.weights,
            "valid": batch.valid,
            "row_indices": batch.row_indices,
            "rows": {
                path: table.batch_rows(batch.ids[path]) for path, table in self.plan.tables.items()
            },
        }
        frozen = {path: weight.array for path, weight in self.plan.frozen.items()}
        packed = np.array(list(hyperparameters.values()), np.float32)
        seed = np.array([self.training.seed, self.training.step], np.uint32)
        return frozen, arrays, packed, seed

    def carry(self) -> Carry:
        """Return the arrays that a step uses up."""
        assert self.plan is not None
        trained = self.plan.trained
        return {
            "weights": {path: weight.array for path, weight in trained.items()},
            "optimizer": {path: weight.state for path, weight in trained.items()},
            "state": {
                layer: {name: weight.array for name, weight in weights.items()}
                for layer, weights in self.plan.state.items()
            },
            "totals": self._totals,
        }

    def _put(self, carry: Carry) -> None:
        """Give the weights their arrays after a step."""
        assert self.plan is not None
        for path, weight in self.plan.trained.items():
            weight.put(carry["weights"][path], carry["optimizer"][path])
        for layer, weights in self.plan.state.items():
            for name, weight in weights.items():
                weight.put(carry["state"][layer][name], {})
        self._totals = carry["totals"]

    def totals(self) -> dict[str, float]:
        """Return what was counted since `reset_totals`, by name."""
        return self.training.objective.results(self._totals)

    def reset_totals(self) -> None:
        """Count from zero."""
        if self._zeros is None:
            self._zeros = sys.modules["jax"].tree.map(
                lambda x: np.asarray(x, np.float32), self.training.objective.init()
            )
        self._totals = self._zeros

    def sync(self) -> None:
        """Bring all weights up to date."""
        self.training.sync()


def _are_same(one: Any, other: Any) -> bool:
    """Return whether two signatures name the same weights, trained alike."""
    return (
        other is not None
        and len(one) == len(other)
        and all(
            a[0] == b[0]
            and len(a[1]) == len(b[1])
            and all(x[0] is y[0] and x[1] is y[1] for x, y in zip(a[1], b[1], strict=True))
            for a, b in zip(one, other, strict=True)
        )
    )
