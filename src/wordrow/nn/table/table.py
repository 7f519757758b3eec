"""A table of rows: the weight of an Embedding, trained by the rows that a batch uses."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.nn.interrupt import uninterrupted
from wordrow.nn.ops import is_jax
from wordrow.nn.optimizers.missed_updates import apply_missed_updates
from wordrow.nn.optimizers.optimizer import Hyperparameters, Optimizer
from wordrow.nn.optimizers.run import OptimizerRun
from wordrow.nn.spec import Array, Arrays
from wordrow.nn.table import sparse_update
from wordrow.nn.table.weight import TracedWeight, Weight

__all__ = ["Table", "TracedTable"]

Ids = npt.NDArray[np.int32]
_ROWS_AT_ONCE = 1 << 15  # how many rows are brought up to date in one call


class Table(Weight):
    """A weight of [V, D] whose rows are looked up by id.

    A step touches only the rows in use. Those that it does not use become stale: what they miss
    is known in closed form (optimizers/missed_updates.py), and applied when they are next used, or
    to all by `flush`. `read` brings a copy up to date, so that looking never changes training.
    frozen: bool [V], rows that are not trained.
    """

    def __init__(
        self,
        array: Array,
        name: str = "embeddings",
        frozen: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        super().__init__(array, name)
        self._frozen = frozen
        self.last: Ids = np.zeros(len(array), np.int32)  # the step that last updated each row, or 0
        self._first_at: Ids | None = None  # where each id stands in a batch; scratch
        self._by_rows = False  # whether steps update only the rows in use
        self._interleaved: _Interleaved | None = None

    @property
    def frozen(self) -> npt.NDArray[np.bool_] | None:
        """The rows that are not trained: bool [V]; None where all are."""
        return self._frozen

    @frozen.setter
    def frozen(self, rows: npt.NDArray[np.bool_] | None) -> None:
        self.flush()
        self._frozen = rows
        self._array = np.array(self._array)  # they are moved to JAX again, without moments
        self._state = {name: np.array(array) for name, array in self._state.items()}
        self._interleaved = None

    def __reduce__(self) -> Any:
        return type(self), (self.numpy(), self.name, self.frozen)

    # ---- the rows of a batch ------------------------------------------------

    def unique(self, ids: Ids) -> tuple[Ids, Ids]:
        """Return (the unique ids, padded to a fixed capacity; where each id stands among them).

        Id 0 always stands first, so that what masks id 0 masks it here too. Behind the last
        unique id come numbers that are no rows. Takes a time that depends on the batch alone.
        """
        n_rows = len(self.last)
        if self._first_at is None or len(self._first_at) != n_rows:
            self._first_at = np.zeros(n_rows, np.int32)
        capacity = min(n_rows, ids.size + 1)
        unique = np.arange(n_rows, n_rows + capacity, dtype=np.int32)
        unique[0] = 0
        flat = np.ascontiguousarray(ids.reshape(-1))
        where = _core.find_unique(flat, self._first_at, unique, n_known=1)
        return unique, where.reshape(ids.shape)

    def batch_rows(self, ids: Ids) -> dict[str, Any]:
        """Return what a step needs to know of these rows [U], as a tree of arrays.

        "ids"; "missed", what they missed; "trainable", bool [U], None where all are.
        """
        trainable = None if self.frozen is None else ~self.frozen.take(ids, mode="clip")
        return {"ids": ids, "missed": self._missed(ids), "trainable": trainable}

    def gather(self, ids: Ids) -> tuple[npt.NDArray[np.float32], Arrays]:
        """Return copies of rows [U, D] and of their optimizer state, up to date.

        `gather` and `update` are for arrays of NumPy; a compiled step has its own (`traced`).
        """
        rows, state = self._up_to_date(ids)
        return np.asarray(rows), state

    def update(self, ids: Ids, rows: npt.NDArray[np.float32], state: Arrays) -> None:
        """Take rows and their optimizer state after a step, as `gather` gave them before it."""
        self._array = np.require(self._array, requirements="W")
        self._array[ids] = rows
        for name, array in state.items():
            self._state[name] = np.require(self._state[name], requirements="W")
            self._state[name][ids] = array
        self._readable = None

    def touch(self, ids: Ids) -> None:
        """Record that the step just taken has updated these rows."""
        assert self._run is not None
        _core.touch(self.last, ids, self._run.step)

    def traced(
        self,
        optimizer: Optimizer,
        array: Array,
        state: Arrays,
        rows: Any = None,
        constraint: Any = None,
    ) -> TracedWeight | Any:
        """Return this table within a compiled step; rows: those of the batch, None for all."""
        if rows is None:
            return TracedWeight(optimizer, array, state, constraint, self.frozen)
        table = array, state, rows["ids"], rows["missed"]
        return TracedTable(
            optimizer, table, rows["trainable"], sparse_update.gather_rows(optimizer, *table)
        )

    # ---- stale rows ---------------------------------------------------------

    def stale_rows(self) -> Ids:
        """Return the rows that are not up to date."""
        run = self._run
        if run is None or self._is_paused or not self._by_rows or not run.missed.moves_rows:
            return np.zeros(0, np.int32)
        behind = self.last < run.step
        if not run.missed.weight_decay:
            behind &= self.last > 0  # a row that was never updated has nothing that moves it
        return np.flatnonzero(behind).astype(np.int32)

    def flush(self) -> None:
        """Bring all rows up to date, in place."""
        stale = self.stale_rows()
        if not len(stale):
            return
        assert self._run is not None
        with uninterrupted():
            if is_jax(self._array):
                flush = _flush_program(self._run.optimizer)
                for ids, _ in self._chunks(stale):
                    self._array, self._state = flush(
                        self._array, self._state, ids, self._missed(ids)
                    )
            else:
                for ids, n in self._chunks(stale):
                    self.update(ids[:n], *self._up_to_date(ids[:n]))
            self.last[stale] = self._run.step
            self._readable = None

    def _read(self) -> npt.NDArray[Any]:
        array = np.array(self._array)
        for ids, n in self._chunks(self.stale_rows()):
            array[ids[:n]] = self._up_to_date(ids)[0][:n]
        return array

    def _up_to_date(self, ids: Ids) -> tuple[Array, Arrays]:
        """Return copies of some rows and of their optimizer state, up to date."""
        assert self._run is not None
        optimizer = self._run.optimizer
        if is_jax(self._array):
            found = _read_program(optimizer)(self._array, self._state, ids, self._missed(ids))
            return np.asarray(found), {}
        description = optimizer.zero_gradient
        assert description is not None
        own = ids[ids < len(self.last)]
        rows = self._array[own], {name: array[own] for name, array in self._state.items()}
        return apply_missed_updates(description, *rows, self._missed(own))

    def _missed(self, ids: Ids) -> dict[str, Any]:
        """Return what rows missed; ids that are no rows missed nothing."""
        assert self._run is not None
        return self._run.missed.since(self.last, ids)

    def _chunks(self, rows: Ids) -> Iterator[tuple[Ids, int]]:
        """Yield (ids of a fixed number, how many of them are rows)."""
        n_rows = len(self.last)
        size = min(_ROWS_AT_ONCE, n_rows)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            ids = np.arange(n_rows, n_rows + size, dtype=np.int32)
            ids[: len(part)] = part
            yield ids, len(part)

    # ---- where the rows are ---------------------------------------------------

    def resume(self, run: OptimizerRun, *, by_rows: bool = False) -> None:
        """Let a run train this table from now on; no row missed the steps meanwhile.

        by_rows: steps update only the rows in use, not the whole table.
        """
        if self.follows(run) and by_rows == self._by_rows:
            return
        self.flush()
        self._by_rows = by_rows
        super().resume(run)
        self.last[self.last > 0] = run.step

    def put(self, array: Array, state: Arrays) -> None:
        """Take the array and the optimizer state after a step."""
        super().put(array, state)
        self._interleaved = None

    def replace(self, array: npt.NDArray[Any]) -> None:
        """Take an array as it is, without a copy."""
        super().replace(array)
        self._interleaved = None

    def grow(
        self, rows: npt.NDArray[np.float32], frozen: npt.NDArray[np.bool_] | None = None
    ) -> None:
        """Append rows that no optimizer has met; frozen: which of them are not trained."""
        n_before, n_new = len(self.last), len(rows)
        self.replace(np.concatenate([self.read(), rows]).astype(np.float32))
        self._lengthen(n_before)
        if self.frozen is not None or frozen is not None:
            none = np.zeros(n_before, bool), np.zeros(n_new, bool)
            self.frozen = np.concatenate(
                [
                    none[0] if self.frozen is None else self.frozen,
                    none[1] if frozen is None else frozen,
                ]
            )

    def to_device(self) -> None:
        """Move array and optimizer state to JAX; frozen rows get no moments to move them."""
        if not is_jax(self._array):
            self._reset_frozen_state()
            self._interleaved = None
        super().to_device()

    def to_interleaved(self, m: str | None, v: str | None) -> npt.NDArray[np.float32]:
        """Return the rows, each with its two moments behind it: [V, 3, D].

        That is one place in memory to fetch for a row, not three, and it begins at a cache line.
        m, v: the names of the two in the optimizer state, or None. What is changed in the array
        is changed in the table: call `changed_in_place` after.
        """
        names = (m, v)
        if self._interleaved is None or self._interleaved.names != names:
            self.mark_up_to_date()
            self._reset_frozen_state()
            moments = (None if name is None else _plain(self._state[name]) for name in names)
            rows = _core.interleave(_plain(self._array), *moments)
            self._interleaved = _Interleaved(rows, names)
            self._array = rows[:, 0]
            self._state = {name: rows[:, i] for i, name in enumerate(names, 1) if name}
        return self._interleaved.rows

    def mark_up_to_date(self) -> None:
        """Bring all rows up to date, and let none of them be older than the run's step."""
        self.flush()
        if self._run is not None:
            self.last[self.last > 0] = self._run.step

    def _reset_frozen_state(self) -> None:
        if self.frozen is None or self._run is None:
            return
        first, frozen = self._run.optimizer.init(self._array), self.frozen[:, None]
        self._state = {
            name: np.where(frozen, first[name], array) for name, array in self._state.items()
        }

    def _lengthen(self, n_before: int) -> None:
        """Give new rows the optimizer state of rows that were never updated."""
        n_new = len(self._array) - n_before

        def longer(last: Ids, run: OptimizerRun, state: Arrays) -> tuple[Ids, Arrays]:
            more = run.optimizer.init(self._array[n_before:])
            return np.append(last, np.zeros(n_new, np.int32)), {
                name: np.concatenate([np.asarray(array), np.asarray(more[name])])
                for name, array in state.items()
            }

        if self._run is not None:
            self.last, self._state = longer(self.last, self._run, self._state)
        else:
            self.last = np.zeros(len(self._array), np.int32)
        for run, kept in self._states.items():
            kept["last"], kept["state"] = longer(kept["last"], run, kept["state"])

    # ---- what one run knows of it -------------------------------------------

    def last_of(self, run: OptimizerRun) -> Ids | None:
        """Return the step at which a run last updated each row; None where it never did."""
        if self._run is run:
            return self.last
        kept = self._states.get(run)
        return None if kept is None else kept["last"]

    def stale_array(self, run: OptimizerRun) -> Array | None:
        """Return the rows as they are where some are stale under a run; else None."""
        return self._array if self._run is run and len(self.stale_rows()) else None

    def restore(
        self,
        run: OptimizerRun,
        state: Arrays,
        last: Ids | None = None,
        stale: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Take what a run knew of the table.

        stale: the rows before what they missed is applied; the table holds them up to date.
        """
        super().restore(run, state)
        self.last = np.zeros(self.shape[0], np.int32) if last is None else last
        if stale is not None:
            self._array = stale
            self._is_paused, self._by_rows = False, True

    def _pack(self) -> dict[str, Any]:
        return super()._pack() | {"last": self.last}

    def _unpack(self, kept: dict[str, Any] | None) -> None:
        super()._unpack(kept)
        self._interleaved = None
        self.last = np.zeros(self.shape[0], np.int32) if kept is None else kept["last"]


@dataclass(frozen=True)
class TracedTable:
    """Some rows of a table, within a compiled step."""

    optimizer: Optimizer
    table: tuple[Array, Arrays, Array, dict[str, Any]]  # rows, state, ids, what they missed
    trainable: Array | None
    gathered: tuple[Array, Any]

    def gather(self) -> Array:
        """Return the rows, up to date: [U, D]."""
        return self.gathered[0]

    def mask_gradient(self, gradient: Array) -> Array:
        """Return the gradient, with zeros for frozen rows."""
        if self.trainable is None:
            return gradient
        return sys.modules["jax.numpy"].where(self.trainable[:, None], gradient, 0)

    def update(
        self, gradient: Array, apply_update: Array, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (rows, state) after a step, or as they are where apply_update is false."""
        return sparse_update.update_rows(
            self.optimizer,
            self.table,
            self.gathered,
            gradient,
            apply_update,
            hyperparameters,
            self.trainable,
        )


@dataclass(frozen=True)
class _Interleaved:
    rows: npt.NDArray[np.float32]  # [V, 3, D]
    names: tuple[str | None, str | None]


def _plain(array: Array) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32)


@functools.lru_cache(maxsize=16)
def _flush_program(optimizer: Optimizer) -> Any:
    flush = functools.partial(sparse_update.flush_rows, optimizer)
    return sys.modules["jax"].jit(flush, donate_argnums=(0, 1))


@functools.lru_cache(maxsize=16)
def _read_program(optimizer: Optimizer) -> Any:
    def read(table: Array, state: Arrays, ids: Array, missed: dict[str, Any]) -> Array:
        return sparse_update.read_rows(optimizer, table, state, ids, missed)

    return sys.modules["jax"].jit(read)
