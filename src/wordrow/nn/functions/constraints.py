"""Constraints: functions of weights that are applied to them after each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wordrow.nn.ops import namespace
from wordrow.nn.registry import Registry
from wordrow.nn.spec import Array

__all__ = [
    "CONSTRAINTS",
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "unit_norm",
]

Constraint = Callable[[Array], Array]
_EPSILON = 1e-7


def _norms(w: Array, axis: int | Sequence[int]) -> Array:
    xp = namespace(w)
    axes = tuple(axis) if isinstance(axis, list | tuple) else axis
    return xp.sqrt(xp.square(w).sum(axis=axes, keepdims=True))


@dataclass(frozen=True)
class MaxNorm:
    """Norms along an axis at most max_value (Srivastava et al. 2014).

    >>> import numpy as np
    >>> MaxNorm(1.0)(np.array([[3.0], [4.0]])).round(2).tolist()
    [[0.6], [0.8]]
    """

    max_value: float = 2.0
    axis: int | Sequence[int] = 0

    def __call__(self, w: Array) -> Array:
        """Return the constrained weights."""
        norms = _norms(w, self.axis)
        return w * (norms.clip(0, self.max_value) / (norms + _EPSILON))


@dataclass(frozen=True)
class NonNeg:
    """No weight below zero.

    >>> import numpy as np
    >>> NonNeg()(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Array) -> Array:
        """Return the constrained weights."""
        return namespace(w).maximum(w, 0)


@dataclass(frozen=True)
class UnitNorm:
    """Norms along an axis of 1.

    >>> import numpy as np
    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(2).tolist()
    [[0.6], [0.8]]
    """

    axis: int | Sequence[int] = 0

    def __call__(self, w: Array) -> Array:
        """Return the constrained weights."""
        return w / (_norms(w, self.axis) + _EPSILON)


@dataclass(frozen=True)
class MinMaxNorm:
    """Norms along an axis between two values; each step moves `rate` of the way.

    >>> import numpy as np
    >>> MinMaxNorm(0.0, 1.0)(np.array([[3.0], [4.0]])).round(2).tolist()
    [[0.6], [0.8]]
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: int | Sequence[int] = 0

    def __call__(self, w: Array) -> Array:
        """Return the constrained weights."""
        norms = _norms(w, self.axis)
        wanted = norms.clip(self.min_value, self.max_value)
        return w * ((self.rate * wanted + (1 - self.rate) * norms) / (norms + _EPSILON))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

CONSTRAINTS = Registry(
    "a constraint",
    classes={cls.__name__: cls for cls in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)},
    names={
        "max_norm": MaxNorm(),
        "non_neg": NonNeg(),
        "unit_norm": UnitNorm(),
        "min_max_norm": MinMaxNorm(),
        "maxnorm": MaxNorm(),  # Keras 1's names
        "nonneg": NonNeg(),
        "unitnorm": UnitNorm(),
    },
)
