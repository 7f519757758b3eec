"""A model in training: what it shares with no other model, and how it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordrow.nn.graph.graph import Graph
from wordrow.nn.optimizers.optimizer import Optimizer
from wordrow.nn.optimizers.run import OptimizerRun
from wordrow.nn.spec import Arrays
from wordrow.nn.table.table import Table
from wordrow.nn.table.weight import Path, Weight
from wordrow.nn.train.objective import Objective

__all__ = ["SavedTraining", "Training"]


@dataclass(frozen=True, kw_only=True)
class SavedTraining:
    """A training's state as a file keeps it: JSON-able values, and arrays by name."""

    config: dict[str, Any]
    tensors: Mapping[str, Any]


class Training:
    """An optimizer's run on a model, with its objective.

    The weights themselves, and what the optimizer knows of each, stay with the weights.
    seed: all that is random in training follows from it and the number of the step.
    """

    def __init__(
        self, graph: Graph, optimizer: Optimizer, objective: Objective, seed: int, step: int = 0
    ) -> None:
        self.graph, self.objective, self.seed = graph, objective, seed
        self.run = OptimizerRun(optimizer, step)
        self.jax_engine: Any = None  # made when it is first needed

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer."""
        return self.run.optimizer

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return self.run.step

    def weights(self) -> dict[Path, Weight]:
        """Return all weights of the model by path."""
        return {
            (layer.name, name): weight
            for layer in self.graph.layers
            for name, weight in layer.named_weights().items()
        }

    def sync(self) -> None:
        """Bring all weights up to date."""
        for weight in self.weights().values():
            if weight.follows(self.run):
                weight.flush()
        self.run.missed.flush()

    def end(self) -> None:
        """Bring all weights up to date, and follow none of them any more."""
        for weight in self.weights().values():
            if weight.follows(self.run):
                weight.pause()

    def optimizer_state(self) -> dict[Path, Arrays]:
        """Return the optimizer state of each weight trained so far, all rows up to date."""
        self.sync()
        return {
            path: {name: np.array(array) for name, array in state.items()}
            for path, weight in self.weights().items()
            if (state := weight.state_of(self.run)) is not None
        }

    def restore_state(self, states: Mapping[Path, Arrays]) -> None:
        """Go on with the optimizer state of each weight, all rows up to date and met before."""
        weights = self.weights()
        for path, state in states.items():
            weight = weights[path]
            if isinstance(weight, Table):
                weight.restore(self.run, state, np.full(weight.shape[0], self.step, np.int32))
            else:
                weight.restore(self.run, state)

    # ---- files ---------------------------------------------------------

    def save(self) -> SavedTraining:
        """Return the exact state. Stale rows are saved as they are, or going on would differ."""
        missed = self.run.missed
        config: dict[str, Any] = {
            "seed": self.seed,
            "step": self.step,
            "settled": missed.flushed,
            "slots": [],
            "rows": [],
        }
        tensors: dict[str, Any] = {"rates": missed.rates, "keeps": missed.kept}
        for path, weight in sorted(self.weights().items()):
            if (state := weight.state_of(self.run)) is None:
                continue
            i = len(config["slots"])
            config["slots"].append(list(path))
            tensors |= {f"slots/{i}/{name}": np.array(array) for name, array in state.items()}
            if isinstance(weight, Table) and (last := weight.last_of(self.run)) is not None:
                i = len(config["rows"])
                config["rows"].append(list(path))
                tensors[f"rows/{i}/last"] = last.copy()
                if (stale := weight.stale_array(self.run)) is not None:
                    tensors[f"rows/{i}/raw"] = np.array(stale)
        return SavedTraining(config=config, tensors=tensors)

    def restore(self, saved: SavedTraining) -> None:
        """Go on from a saved state.

        Raises ValueError, or KeyError, where the state does not fit the model.
        """
        config, tensors, weights = saved.config, saved.tensors, self.weights()
        self.run.jump(int(config["settled"]))
        for rate, kept in zip(tensors["rates"], tensors["keeps"], strict=True):
            self.run.missed.add_step(float(rate), float(kept))
        rows = {(pair[0], pair[1]): i for i, pair in enumerate(config["rows"])}
        for i, pair in enumerate(config["slots"]):
            path = (pair[0], pair[1])
            weight = weights[path]
            state = {name: tensors[f"slots/{i}/{name}"] for name in self.optimizer.state_names}
            if any(array.shape != weight.shape for array in state.values()):
                raise ValueError(f"the optimizer's state of {path} has another shape")
            if not isinstance(weight, Table):
                weight.restore(self.run, state)
                continue
            last = None
            if path in rows:
                last = np.array(tensors[f"rows/{rows[path]}/last"])
                if last.shape != weight.shape[:1] or last.min() < 0 or last.max() > self.step:
                    raise ValueError("the optimizer's steps do not fit together")
            weight.restore(self.run, state, last, tensors.get(f"rows/{rows.get(path)}/raw"))
        if self.step != config["step"] or not 0 <= self.seed < 2**32:
            raise ValueError("the optimizer's steps do not fit together")
