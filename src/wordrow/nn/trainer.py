"""The weights of a model while it is trained: on the device, rows and moments as they are.

Layers ask the trainer for their weights (see `Lender`). Looking never changes
training: rows are brought up to date in place at the end of an epoch only, and
for a look in between in a copy.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordrow.nn.away import History, Rows
from wordrow.nn.compiled import Objective
from wordrow.nn.feed import Batch
from wordrow.nn.graph import Graph
from wordrow.nn.layers import Embedding, Layer
from wordrow.nn.optimizer import Optimizer
from wordrow.nn.train import Engine, Path, uninterrupted

__all__ = ["Saved", "Trainer"]

_LARGE_TABLE = 4_000_000  # numbers in a table whose whole update takes longer than most steps
_ROWS_AT_ONCE = 1 << 15  # how many rows are brought up to date in one call


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A trainer's state as a file keeps it: JSON-able values, and arrays by name."""

    config: dict[str, Any]
    tensors: Mapping[str, Any]


class Trainer:
    """Takes training steps for one model.

    seed: all that is random in training follows from it and the number of the step.
    """

    def __init__(self, graph: Graph, optimizer: Optimizer, objective: Objective, seed: int) -> None:
        self.graph, self.optimizer, self.objective, self.seed = graph, optimizer, objective, seed
        self.step = 0
        self._told: set[str] = set()  # tables that the user knows are updated whole
        self.slots: dict[Path, dict[str, Any]] = {}
        self.rows: dict[Path, Rows] = {}  # of the tables that are trained by rows now
        self._all_rows: dict[Path, Rows] = {}  # of those that are frozen meanwhile too
        self.history = History(optimizer, 0)
        self.engine: Engine | None = None
        self.core: Any = None  # what has trained these weights in the core, if it has
        self._carry: dict[str, Any] = {}
        self._frozen: dict[Path, Any] = {}
        # Loaded tables whose rows rest, and the same up to date as the layers got them.
        self._resting: dict[Path, tuple[Any, Any]] = {}
        self._holds = False  # whether the weights here are newer than the layers'
        self._shown = True  # whether the layers have seen the latest
        self._fixed: dict[Path, Any] = {}  # of tables, which rows are not trained
        self._trained: tuple[list[Path], list[Path], list[Path]] = ([], [], [])

    # ---- which weights are trained, and how ------------------------------

    def _plan(self) -> tuple[list[Path], list[Path], list[Path]]:
        """Return the paths of tables trained by rows, of whole weights, of frozen ones."""
        by_rows, whole, frozen = [], [], []
        found = self.graph.lookups()
        for layer in self.graph.layers:
            nodes = [i for i, node in enumerate(self.graph.nodes) if node.layer is layer]
            for name in layer._held or {}:
                path = (layer.name, name)
                if layer.trainable and name in layer.fixed:
                    continue  # part of the state while training
                if not layer.trainable:
                    frozen.append(path)
                elif (
                    isinstance(layer, Embedding)
                    and all(node in found for node in nodes)
                    and not layer.rule(name, "regularizer")
                    and not layer.rule(name, "constraint")
                    and self.optimizer.can_rest
                    and not (layer.fixed_rows is not None and self.optimizer.weight_decay)
                ):
                    by_rows.append(path)
                else:
                    whole.append(path)
                    self._warn_of_whole(layer, found, nodes)
        return by_rows, whole, frozen

    def _warn_of_whole(self, layer: Layer, found: dict[int, int], nodes: list[int]) -> None:
        """Say once that a large table is updated whole at every step."""
        if not isinstance(layer, Embedding) or layer.name in self._told:
            return
        if layer.input_dim * layer.output_dim < _LARGE_TABLE:
            return
        self._told.add(layer.name)
        if not all(node in found for node in nodes):
            reason = "its ids are made inside the model"
        elif not self.optimizer.can_rest:
            reason = f"{self.optimizer!r} cannot leave rows alone exactly"
        elif layer.fixed_rows is not None and self.optimizer.weight_decay:
            reason = "weight decay moves all rows but those that are fixed"
        else:
            reason = "a regularizer or constraint moves every row"
        warnings.warn(
            f"the table of layer {layer.name!r}, {layer.input_dim} x {layer.output_dim}, is "
            f"updated whole at every step, since {reason}; training by rows would be faster.",
            UserWarning,
            stacklevel=5,
        )

    def begin(self) -> None:
        """Take the weights from the layers, and compile for what is trainable now."""
        plan = self._plan()
        if not plan[0] and not plan[1]:
            raise ValueError(
                "there is nothing to train: every layer is frozen. Set trainable=True."
            )
        fixed = {
            (layer.name, name): layer.fixed_rows
            for layer in self.graph.layers
            if isinstance(layer, Embedding) and layer.fixed_rows is not None
            for name in layer._held or {}
        }
        same = fixed.keys() == self._fixed.keys() and all(
            np.array_equal(fixed[path], self._fixed[path]) for path in fixed
        )
        if self.engine is None or plan != self._trained or not same:
            self.release()
            self._trained, self._fixed = plan, fixed
            self.engine = Engine(
                self.graph, self.optimizer, self.objective, rows=plan[0], whole=plan[1],
                fixed_rows=fixed,
            )  # fmt: skip
        self.resume()

    def resume(self) -> None:
        """Take the weights from the layers, where these are newer."""
        if self._holds:
            return
        jnp = sys.modules["jax.numpy"]
        by_rows, whole, frozen = self._trained
        layers = {layer.name: layer for layer in self.graph.layers}
        for layer in layers.values():
            if layer._lender not in (None, self):  # another model has trained it
                assert layer._lender is not None
                layer._lender.give_back()
                layer._lender.take_over()
        self.lengthen()

        def array(path: Path) -> Any:
            held = (layers[path[0]]._held or {})[path[1]]
            raw, settled = self._resting.pop(path, (None, None))
            if raw is not None and held is settled:
                held = raw
            elif raw is not None:
                self._settle_slots(path)
            return jnp.array(held)  # a copy: it is used up

        weights = {path: array(path) for path in (*by_rows, *whole)}
        slots = {path: self._slots_of(path, weights[path]) for path in weights}
        for path in by_rows:
            if path not in self._all_rows:
                self._all_rows[path] = Rows(len(weights[path]))
        self.rows = {path: self._all_rows[path] for path in by_rows}
        state = {name: dict(layer._state) for name, layer in layers.items()}
        for name, layer in layers.items():
            if layer.trainable:
                state[name] |= {one: jnp.array((layer._held or {})[one]) for one in layer.fixed}
        totals = self._carry.get("totals") or self._zero_totals()
        self._carry = {"weights": weights, "slots": slots, "state": state, "totals": totals}
        self._frozen = {path: array(path) for path in frozen}
        self._holds = self._shown = True
        for layer in layers.values():
            layer._lender = self

    def _slots_of(self, path: Path, weight: Any) -> dict[str, Any]:
        jnp = sys.modules["jax.numpy"]
        own = self.slots.pop(path, None) or self.optimizer.init(weight)
        if path in self._fixed:  # a row that is fixed has no moments that could move it
            fixed, first = self._fixed[path][:, None], self.optimizer.init(weight)
            own = {name: np.where(fixed, first[name], own[name]) for name in own}
        return {name: jnp.array(own[name]) for name in self.optimizer.slots}

    def _zero_totals(self) -> Any:
        return sys.modules["jax"].tree.map(
            lambda x: np.asarray(x, np.float32), self.objective.init()
        )

    # ---- steps -----------------------------------------------------------

    def take_step(self, batch: Batch) -> tuple[float, bool]:
        """Train on a batch; return (loss, whether all was finite). If not, nothing has changed."""
        assert self.engine is not None
        if self.history.is_long:
            self.settle()
        numbers = self.optimizer.numbers(self.step)
        arrays, packed, seed = self.arrays(batch, numbers)
        with uninterrupted():
            self._shown = False
            self._carry, loss, fine = self.engine.take_step(
                self._carry, self._frozen, arrays, packed, seed
            )
            if bool(fine):
                self.history.add(numbers)
                self.step += 1
                for path, rows in self.rows.items():
                    rows.touch(batch.ids[path], self.step)
        return float(loss), bool(fine)

    def arrays(
        self, batch: Batch, numbers: Mapping[str, float] | None = None
    ) -> tuple[dict[str, Any], Any, Any]:
        """Return what the compiled step takes for a batch: its arrays, numbers, and seed."""
        away = {path: rows.away(batch.ids[path], self.history) for path, rows in self.rows.items()}
        arrays = {
            "inputs": batch.inputs, "masks": batch.masks, "labels": batch.labels,
            "weights": batch.weights, "valid": batch.valid, "ids": batch.ids, "away": away,
            "places": batch.places,
            "free": {
                path: ~self._fixed[path].take(ids, mode="clip")
                for path, ids in batch.ids.items() if path in self._fixed
            },
        }  # fmt: skip
        numbers = numbers or self.optimizer.numbers(self.step)
        return (
            arrays,
            np.array(list(numbers.values()), np.float32),
            np.array([self.seed, self.step], np.uint32),
        )

    def totals(self) -> dict[str, float]:
        """Return what was counted since `reset_totals`, by name."""
        return self.objective.results(self._carry["totals"])

    def reset_totals(self) -> None:
        """Count from nothing."""
        self._carry["totals"] = self._zero_totals()

    # ---- rows up to date ---------------------------------------------------

    def settle(self) -> None:
        """Bring all rows up to date, in place."""
        if not self._holds:
            return
        for path, rows in self.rows.items():
            with uninterrupted():
                table, slots = self._carry["weights"][path], self._carry["slots"][path]
                table, slots = self._settled(path, table, slots)
                self._carry["weights"][path], self._carry["slots"][path] = table, slots
                rows.last[rows.resting(self.history)] = self.step
        self.history.settle()

    def _settled(self, path: Path, table: Any, slots: Any) -> tuple[Any, Any]:
        """Return (table, slots) with all rows up to date; the ones given are used up."""
        assert self.engine is not None
        rows, n_rows = self.rows[path], len(table)
        resting = rows.resting(self.history)
        size = min(_ROWS_AT_ONCE, n_rows)
        for start in range(0, len(resting), size):
            part = resting[start : start + size]
            ids = np.arange(n_rows, n_rows + size, dtype=np.int32)
            ids[: len(part)] = part
            away = rows.away(ids, self.history)
            table, slots = self.engine.settle(table, slots, ids, away)
        return table, slots

    def _is_settled(self, path: Path) -> bool:
        return not len(self.rows[path].resting(self.history))

    # ---- the layers' weights -------------------------------------------

    def weights(self) -> dict[Path, Any]:
        """Return the trained weights on the device, all rows up to date, without changing any."""
        jnp = sys.modules["jax.numpy"]
        found = dict(self._carry["weights"])
        for path in self.rows:
            if not self._is_settled(path):
                copies = {k: jnp.array(s) for k, s in self._carry["slots"][path].items()}
                found[path], _ = self._settled(path, jnp.array(found[path]), copies)
        return found

    def give_back(self) -> None:
        """Put the weights, as they are now, into the layers."""
        if self._shown or not self._holds:
            return
        self._shown = True
        layers = {layer.name: layer for layer in self.graph.layers}
        for (name, weight), array in self.weights().items():
            held = layers[name]._held
            assert held is not None
            layers[name]._held = held | {weight: np.array(array)}
        for name, layer in layers.items():
            state = {k: np.array(v) for k, v in self._carry["state"][name].items()}
            fixed = {k: state.pop(k) for k in layer.fixed if k in state}
            layer._state = state
            if fixed:
                layer._held = (layer._held or {}) | fixed

    def take_over(self) -> None:
        """Learn that weights were changed from outside: they are loaded before the next step."""
        if self._holds:
            self.settle()
            self._keep_slots()
            self._holds = False

    def _keep_slots(self) -> None:
        for path, slots in self._carry["slots"].items():
            self.slots[path] = dict(slots)

    def release(self) -> None:
        """Bring all up to date, and give the layers their weights back for good."""
        if self._holds:
            self.settle()
            self.give_back()
            self._keep_slots()
            self._holds = False
        for layer in self.graph.layers:
            if layer._lender is self:
                layer._lender = None

    def _settle_slots(self, path: Path) -> None:
        """Bring loaded slots up to date, for a table that was changed since."""
        rows = self._all_rows[path]
        away = rows.away(np.arange(len(rows.last), dtype=np.int32), self.history)
        slots = self.slots[path]
        _, self.slots[path] = self.optimizer.catch_up(slots[self.optimizer.slots[0]], slots, away)
        rows.last[:] = self.step

    def lengthen(self) -> None:
        """Give rows that tables have got since (`Model.grow_vocabulary`) the state of new ones."""
        for layer in self.graph.layers:
            if not isinstance(layer, Embedding) or layer._held is None:
                continue
            path, table = (layer.name, "embeddings"), layer._held["embeddings"]
            if path in self._all_rows and len(last := self._all_rows[path].last) < len(table):
                if self._resting.pop(path, None):
                    self._settle_slots(path)
                self._all_rows[path] = rows = Rows(len(table))
                rows.last[: len(last)] = last
            own = self.slots.get(path)
            if own and (n := len(next(iter(own.values())))) < len(table):
                more = self.optimizer.init(table[n:])
                self.slots[path] = {
                    name: np.concatenate([np.asarray(own[name]), np.asarray(more[name])])
                    for name in own
                }

    # ---- steps that were taken elsewhere ---------------------------------

    @property
    def has_resting_rows(self) -> bool:
        """Whether a loaded model's rows rest, and go on as they are only in the compiled step."""
        return bool(self._resting)

    def last_of(self, path: Path) -> Any:
        """Return the step that last updated each row of a table, 0 for none; all are up to date."""
        rows = self._all_rows.get(path)
        return None if rows is None else np.where(rows.last > 0, self.step, 0).astype(np.int32)

    def take_over_steps(
        self, n: int, slots: Mapping[Path, dict[str, Any]], last: Mapping[Path, Any]
    ) -> None:
        """Learn that the layers' weights are those n steps later, all rows up to date."""
        self.step += n
        self.history = History(self.optimizer, self.step)
        self.slots.update(slots)
        for path, own in last.items():
            rows = self._all_rows.setdefault(path, Rows(len(own)))
            rows.last[:] = own

    def slots_in_full(self) -> dict[Path, dict[str, Any]]:
        """Return the optimizer's state of all weights trained so far, all rows up to date."""
        self.lengthen()
        if self._resting:
            self.begin()
        self.settle()
        slots = self.slots | (self._carry["slots"] if self._holds else {})
        return {path: {k: np.array(v) for k, v in own.items()} for path, own in slots.items()}

    # ---- files ---------------------------------------------------------

    def save(self) -> Saved:
        """Return the state; resting rows stay as they are, or going on would differ."""
        self.lengthen()
        config: dict[str, Any] = {
            "seed": self.seed, "step": self.step, "settled": self.history.settled,
            "slots": [], "rows": [],
        }  # fmt: skip
        tensors: dict[str, Any] = {
            "rates": np.array(self.history.rates), "keeps": np.array(self.history.keeps),
        }  # fmt: skip
        slots = self.slots | (self._carry["slots"] if self._holds else {})
        for i, (path, own) in enumerate(sorted(slots.items())):
            config["slots"].append(list(path))
            tensors |= {f"slots/{i}/{name}": np.array(slot) for name, slot in own.items()}
        for i, (path, rows) in enumerate(sorted(self._all_rows.items())):
            config["rows"].append(list(path))
            tensors[f"rows/{i}/last"] = rows.last.copy()
            if self._holds and path in self.rows and not self._is_settled(path):
                tensors[f"rows/{i}/raw"] = np.array(self._carry["weights"][path])
            elif path in self._resting:
                tensors[f"rows/{i}/raw"] = np.array(self._resting[path][0])
        return Saved(config=config, tensors=tensors)

    @classmethod
    def restored(
        cls, graph: Graph, optimizer: Optimizer, objective: Objective, saved: Saved
    ) -> Trainer:
        """Return a trainer that goes on from a saved state.

        Raises ValueError, or KeyError, where the state does not fit the model.
        """
        config, tensors = saved.config, saved.tensors
        trainer = cls(graph, optimizer, objective, int(config["seed"]))
        held = {
            (layer.name, k): w for layer in graph.layers for k, w in (layer._held or {}).items()
        }
        for i, pair in enumerate(config["slots"]):
            path = (pair[0], pair[1])
            own = {name: tensors[f"slots/{i}/{name}"] for name in optimizer.slots}
            if any(slot.shape != held[path].shape for slot in own.values()):
                raise ValueError(f"the optimizer's state of {path} is of another shape")
            trainer.slots[path] = own
        for i, pair in enumerate(config["rows"]):
            path = (pair[0], pair[1])
            trainer._all_rows[path] = rows = Rows(len(held[path]))
            rows.last[:] = tensors[f"rows/{i}/last"]
            if f"rows/{i}/raw" in tensors:
                trainer._resting[path] = tensors[f"rows/{i}/raw"], held[path]
        trainer.history = History(optimizer, int(config["settled"]))
        for rate, keep in zip(tensors["rates"], tensors["keeps"], strict=True):
            trainer.history.add_step(float(rate), float(keep))
        trainer.step = trainer.history.step
        lasts = [rows.last for rows in trainer._all_rows.values()]
        fits = all(last.min() >= 0 and last.max() <= trainer.step for last in lasts)
        if not fits or trainer.step != config["step"] or not 0 <= trainer.seed < 2**32:
            raise ValueError("the optimizer's steps do not fit together")
        return trainer
