"""What rows miss while no batch uses them, in closed form.

A row that was last updated at step s moves by itself in every later step, until
it is used again: its momentum goes on, its moments fade, weight decay goes on.
With d_i what weight decay keeps at step i, and a drift (see `Drift`) of

    rate_i * first ** j * sum over p of (delta_j q) ** p,    j = i - s,

the row has moved, k steps later, by a function of its slots and of

    C_p(s, k) = sum over j = 1 ... k of
                rate_{s+j} * first ** j * delta_j ** p * d_{s+j+1} * ... * d_{s+k},

which does not depend on the row. C_p is kept for every s since rows were last
settled, divided by the product of all d so far, so that a step only adds to the
newest of them: first ** j has died out after K steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.nn.optimizer import Optimizer

__all__ = ["History", "Rows"]

Ids = npt.NDArray[np.int32]
_TOLERANCE = 1e-7  # what may be left out of a sum whose terms add up to about 1 / (1 - first)


class History:
    """The steps since rows were settled, as far as resting rows feel them."""

    def __init__(self, optimizer: Optimizer, step: int) -> None:
        self.optimizer, self.step = optimizer, step
        self.decays = bool(optimizer.weight_decay)
        self.drift, self.fading = optimizer.drift(), optimizer.fading()
        # Whether a row without a gradient moves at all: under plain SGD it does not.
        self.moves = self.decays or self.drift is not None or bool(self.fading)
        self._weights = np.zeros((0, 0))  # [K, P]
        if self.drift is not None:
            first, second = self.drift.first, math.sqrt(self.drift.second)
            n = math.ceil(math.log(_TOLERANCE * (1 - first)) / math.log(first))
            j = np.arange(1, n + 1)
            powers = np.arange(self.drift.n_terms)
            self._weights = (first**j)[:, None] * (1 - second**j)[:, None] ** powers
        self.settle()

    def settle(self) -> None:
        """Begin anew: every row is up to date."""
        self.settled = self.step
        self.rates: list[float] = []
        self.keeps: list[float] = []
        self._sums = np.zeros((64, self._weights.shape[1]))  # [s - settled, p]
        self._kept = np.ones(64)  # [s - settled]: the product of all d up to s
        self._fades = {slot: np.ones(64) for slot in self.fading}  # [k]

    def add(self, numbers: Mapping[str, float]) -> None:
        """Learn that a step was taken with these numbers."""
        self.add_step(self.drift_rate(numbers), numbers["keep"])

    def drift_rate(self, numbers: Mapping[str, float]) -> float:
        """Return what scales the drift of a step: Adam's alpha; 1 for momentum, which has none."""
        return numbers.get("alpha", 1.0)

    def add_step(self, rate: float, keep: float) -> None:
        """Learn that a step was taken."""
        self.step += 1
        self.rates.append(rate)
        self.keeps.append(keep)
        n = self.step - self.settled
        if n >= self._kept.size:
            self._grow()
        self._kept[n] = self._kept[n - 1] * keep
        for slot, share in self.fading.items():
            self._fades[slot][n] = share**n
        if self.drift is not None:
            reach = min(n, len(self._weights))
            self._sums[n - reach : n] += rate / self._kept[n] * self._weights[:reach][::-1]

    def away(self, last: Ids) -> dict[str, Any]:
        """Return what `Optimizer.catch_up` needs for rows last updated at these steps: float32."""
        now = self.step - self.settled
        since = np.maximum(last - self.settled, 0)
        missed = now - since
        found: dict[str, Any] = {
            "fade": {
                slot: power[: now + 1].astype(np.float32).take(missed)
                for slot, power in self._fades.items()
            }
        }
        if self.decays:
            found["keep"] = (self._kept[now] / self._kept[since]).astype(np.float32)
        if self.drift is not None:
            terms = (self._kept[now] * self._sums[: now + 1]).astype(np.float32)
            found["terms"] = terms.take(since, axis=0)
        return found

    @property
    def is_long(self) -> bool:
        """Whether weight decay has made the numbers kept so small that rows should be settled."""
        return bool(abs(self._kept[self.step - self.settled]) < 1e-100)

    def _grow(self) -> None:
        self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        self._kept = np.concatenate([self._kept, np.ones_like(self._kept)])
        self._fades = {
            slot: np.concatenate([power, np.ones_like(power)])
            for slot, power in self._fades.items()
        }


class Rows:
    """The step that last updated each row of one table; 0 for rows that never were."""

    def __init__(self, n_rows: int) -> None:
        self.last = np.zeros(n_rows, np.int32)
        self._first_at = np.zeros(n_rows, np.int32)  # where an id stands in a batch; scratch

    def unique(self, ids: Ids, capacity: int) -> tuple[Ids, Ids]:
        """Return (unique ids [capacity], where each id stands in them, of the ids' shape).

        Id 0 always stands first, so that what masks id 0 masks it here too.
        Behind the last unique id come numbers that are no rows. Takes a time
        that depends on the batch alone.
        """
        found = np.arange(len(self.last), len(self.last) + capacity, dtype=np.int32)
        found[0] = 0
        flat = np.ascontiguousarray(ids.reshape(-1))
        where = _core.find_unique(flat, self._first_at, found, n_known=1)
        return found, where.reshape(ids.shape)

    def away(self, ids: Ids, history: History) -> dict[str, Any]:
        """Return what rows missed; ids that are no rows missed nothing."""
        last = np.where(ids < len(self.last), self.last.take(ids, mode="clip"), history.step)
        return history.away(last)

    def touch(self, ids: Ids, step: int) -> None:
        """Learn that rows were updated at a step."""
        self.last[ids[ids < len(self.last)]] = step

    def resting(self, history: History) -> Ids:
        """Return the rows that are not up to date."""
        if not history.moves:
            return np.zeros(0, np.int32)
        behind = self.last < history.step
        if not history.decays:
            behind &= self.last > 0  # a row that was never updated has nothing to move it
        return np.flatnonzero(behind).astype(np.int32)
