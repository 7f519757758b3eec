"""Regularizers: functions of weights that return a scalar penalty, which is added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wordrow.nn.ops import namespace
from wordrow.nn.registry import Registry
from wordrow.nn.spec import Array

__all__ = ["L1", "L1L2", "L2", "REGULARIZERS", "Regularizer", "l1", "l1_l2", "l2"]

Regularizer = Callable[[Array], Array]


@dataclass(frozen=True)
class L1:
    """l1 times the sum of |w|.

    >>> import numpy as np
    >>> round(float(L1(0.5)(np.array([1.0, -2.0]))), 2)
    1.5
    """

    l1: float = 0.01

    def __call__(self, w: Array) -> Array:
        """Return the penalty."""
        return self.l1 * abs(w).sum()


@dataclass(frozen=True)
class L2:
    """l2 times the sum of w squared.

    >>> import numpy as np
    >>> round(float(L2(0.5)(np.array([1.0, -2.0]))), 2)
    2.5
    """

    l2: float = 0.01

    def __call__(self, w: Array) -> Array:
        """Return the penalty."""
        return self.l2 * namespace(w).square(w).sum()


@dataclass(frozen=True)
class L1L2:
    """The sum of L1 and L2.

    >>> import numpy as np
    >>> round(float(L1L2(0.5, 0.5)(np.array([1.0, -2.0]))), 2)
    4.0
    """

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, w: Array) -> Array:
        """Return the penalty."""
        return L1(self.l1)(w) + L2(self.l2)(w)


def l1(l1: float = 0.01) -> L1:
    """Return an L1, under Keras's other name.

    >>> l1(0.5)
    L1(l1=0.5)
    """
    return L1(l1)


def l2(l2: float = 0.01) -> L2:
    """Return an L2, under Keras's other name.

    >>> l2(0.5)
    L2(l2=0.5)
    """
    return L2(l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return an L1L2, under Keras 2's name.

    >>> l1_l2(0.5)
    L1L2(l1=0.5, l2=0.01)
    """
    return L1L2(l1, l2)


REGULARIZERS = Registry(
    "a regularizer",
    classes={cls.__name__: cls for cls in (L1, L2, L1L2)},
    names={"l1": L1(), "l2": L2(), "l1_l2": L1L2()},
)
