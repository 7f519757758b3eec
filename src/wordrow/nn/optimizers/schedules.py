"""Learning-rate schedules: functions of the step (from 0)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wordrow.nn.registry import Registry

__all__ = [
    "SCHEDULES",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Schedule",
]

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class ExponentialDecay:
    """initial * decay_rate ** (step / decay_steps); staircase: with whole powers only.

    >>> ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20)
    0.25
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        rate: float = self.initial_learning_rate * self.decay_rate ** _periods(self, step)
        return rate


@dataclass(frozen=True)
class InverseTimeDecay:
    """initial / (1 + decay_rate * step / decay_steps); staircase: with the quotient rounded down.

    >>> InverseTimeDecay(1.0, decay_steps=10, decay_rate=0.5)(20)
    0.5
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        return self.initial_learning_rate / (1 + self.decay_rate * _periods(self, step))


@dataclass(frozen=True)
class PiecewiseConstantDecay:
    """values[i] up to and including step boundaries[i]; then the last value.

    >>> schedule = PiecewiseConstantDecay([10], [1.0, 0.1])
    >>> schedule(10), schedule(11)
    (1.0, 0.1)
    """

    boundaries: Sequence[int]
    values: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                "`values` must have one number more than `boundaries`; received "
                f"{len(self.values)} values and {len(self.boundaries)} boundaries."
            )

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        for boundary, value in zip(self.boundaries, self.values, strict=False):
            if step <= boundary:
                return value
        return self.values[-1]


@dataclass(frozen=True)
class PolynomialDecay:
    """From the initial to the end rate in decay_steps, by (1 - step / decay_steps) ** power.

    cycle: restart with a longer decay, instead of staying at the end rate.

    >>> PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)(5)
    0.5
    """

    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        n_cycles = max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1
        whole = self.decay_steps * n_cycles
        left = 1 - min(step, whole) / whole
        span = self.initial_learning_rate - self.end_learning_rate
        rate: float = span * left**self.power + self.end_learning_rate
        return rate


@dataclass(frozen=True)
class CosineDecay:
    """Half a cosine from the initial rate to alpha of it (Loshchilov & Hutter 2016).

    warmup_target: rise to it linearly in warmup_steps first, and decay from there.

    >>> round(CosineDecay(1.0, decay_steps=10)(5), 4)
    0.5
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            step, top = step - self.warmup_steps, self.warmup_target
        return top * _half_cosine(min(step, self.decay_steps) / self.decay_steps, self.alpha)


@dataclass(frozen=True)
class CosineDecayRestarts:
    """CosineDecay with restarts: each period is t_mul times as long, from m_mul times the rate.

    >>> round(CosineDecayRestarts(1.0, first_decay_steps=10)(10), 4)
    1.0
    """

    initial_learning_rate: float
    first_decay_steps: int
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0

    def __call__(self, step: int) -> float:
        """Return the rate of a step."""
        done, length, scale = float(step), float(self.first_decay_steps), 1.0
        while done >= length:
            done, length, scale = done - length, length * self.t_mul, scale * self.m_mul
        fraction = 0.5 * scale * (1 + math.cos(math.pi * done / length))
        return self.initial_learning_rate * ((1 - self.alpha) * fraction + self.alpha)


def _periods(schedule: ExponentialDecay | InverseTimeDecay, step: int) -> float:
    periods = step / schedule.decay_steps
    return math.floor(periods) if schedule.staircase else periods


def _half_cosine(done: float, alpha: float) -> float:
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * done)) + alpha


SCHEDULES = Registry(
    "a learning-rate schedule",
    classes={
        cls.__name__: cls
        for cls in (
            CosineDecay,
            CosineDecayRestarts,
            ExponentialDecay,
            InverseTimeDecay,
            PiecewiseConstantDecay,
            PolynomialDecay,
        )
    },
    names={},
)
