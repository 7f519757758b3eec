"""The updates that rows miss while no batch uses them, in closed form.

Under most optimizers a row without a gradient still changes, by momentum and weight decay, and
its moments decay. An optimizer describes such a step once, as a `ZeroGradient`; everything that
training by rows needs is derived from it here. core/missed_updates.h sums the series.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.nn.ops import namespace
from wordrow.nn.spec import Array, Arrays

__all__ = ["MissedUpdates", "ZeroGradient", "apply_missed_updates"]


@dataclass(frozen=True)
class ZeroGradient:
    """What a step with a gradient of zero does to a weight and its optimizer state.

    Each state array named in `decay` is multiplied by its factor. Then the weight changes by
    scale * rate * numerator / (sqrt(denominator) + epsilon), where `numerator` and `denominator`
    name state arrays; without a denominator, by scale * numerator. `rate` names the
    hyperparameter. The default: nothing changes.
    """

    decay: Mapping[str, float] = field(default_factory=dict)
    numerator: str | None = None
    denominator: str | None = None
    epsilon: float = 0.0
    rate: str | None = None
    scale: float = 1.0

    @property
    def momentum(self) -> float:
        """The decay of the numerator; 0 if no weight moves."""
        return self.decay.get(self.numerator, 0.0) if self.numerator else 0.0

    @property
    def denominator_decay(self) -> float:
        """The decay of the denominator."""
        return self.decay.get(self.denominator, 1.0) if self.denominator else 1.0

    @property
    def has_closed_form(self) -> bool:
        """Whether a few terms of the series are enough for these factors."""
        if not self.momentum or self.denominator_decay == 1:
            return True
        if self.denominator_decay == 0 or self.momentum > 0.9999 or self.epsilon < 1e-37:
            return False
        return _has_closed_form(self.momentum, self.denominator_decay)


@functools.cache
def _has_closed_form(momentum: float, denominator_decay: float) -> bool:
    return _core.MissedUpdates(beta_1=momentum, beta_2=denominator_decay).has_closed_form


class MissedUpdates:
    """The steps since all rows were last up to date, as stale rows need them.

    step: the number of steps taken so far.
    """

    def __init__(self, description: ZeroGradient, *, weight_decay: bool, step: int) -> None:
        self.description, self.weight_decay = description, weight_decay
        has_series = description.denominator_decay < 1
        self._history = _core.MissedUpdates(
            step=step,
            beta_1=description.momentum if description.has_closed_form else 0.0,
            beta_2=description.denominator_decay if has_series else None,
            decays=list(description.decay.values()),
            weight_decay=weight_decay,
        )

    @property
    def moves_rows(self) -> bool:
        """Whether rows, or their optimizer state, change without a gradient."""
        return self.weight_decay or bool(self.description.decay)

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return self._history.step

    @property
    def flushed(self) -> int:
        """The step at which all rows were last up to date."""
        return self._history.flushed

    @property
    def is_long(self) -> bool:
        """Whether weight decay has made the kept products so small that rows should be flushed."""
        return self._history.is_long

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """The rate of each step since the last flush."""
        return self._history.rates

    @property
    def kept(self) -> npt.NDArray[np.float64]:
        """The factor that weight decay left of a weight at each step since the last flush."""
        return self._history.keeps

    def add(self, hyperparameters: Mapping[str, float]) -> None:
        """Record a step, with its hyperparameters."""
        rate = self.description.rate
        self.add_step(hyperparameters.get(rate, 1.0) if rate else 1.0, hyperparameters["kept"])

    def add_step(self, rate: float, kept: float) -> None:
        """Record a step."""
        self._history.add_step(rate, kept)

    def flush(self) -> None:
        """Forget the history: all rows are up to date."""
        self._history.flush()

    def since(
        self, last: npt.NDArray[np.int32], ids: npt.NDArray[np.int32] | None = None
    ) -> dict[str, Any]:
        """Return what rows last updated at these steps [U] have missed, as float32.

        ids: those of a table, [U], if `last` is of all its rows; ids that are no rows missed
        nothing.

        "decay": state array -> [U]; "terms" [U, P]; "kept" [U]; the latter two only where they
        change anything.
        """
        terms, decay, kept = self._history.since(last, ids)
        missed: dict[str, Any] = {"decay": dict(zip(self.description.decay, decay, strict=True))}
        if kept is not None:
            missed["kept"] = kept
        if terms is not None:
            missed["terms"] = terms
        return missed


def apply_missed_updates(
    description: ZeroGradient, rows: Array, state: Arrays, missed: Mapping[str, Any]
) -> tuple[Array, Arrays]:
    """Return (rows [U, D], optimizer state) after the steps that they missed.

    missed: what `MissedUpdates.since` returned.
    """
    if "kept" in missed:
        rows = rows * missed["kept"][:, None]
    if "terms" in missed:
        rows = rows + _movement(description, state, missed["terms"])
    decayed = {name: state[name] * factor[:, None] for name, factor in missed["decay"].items()}
    return rows, state | decayed


def _movement(description: ZeroGradient, state: Arrays, terms: Array) -> Array:
    """Return scale * numerator / (x + epsilon) * sum over p of q ** p * terms[:, p].

    x = sqrt(denominator), q = x / (x + epsilon); see core/missed_updates.h.
    """
    assert description.numerator is not None
    numerator = state[description.numerator]
    if description.denominator is None:
        return numerator * terms[:, :1] * description.scale
    x = namespace(numerator).sqrt(state[description.denominator])
    inverse = 1 / (x + description.epsilon)
    q, n = x * inverse, terms.shape[1]
    total = terms[:, n - 1 :]
    for p in range(n - 2, -1, -1):
        total = terms[:, p : p + 1] + q * total
    return description.scale * numerator * inverse * total
