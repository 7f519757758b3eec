"""Penalties on weights, added to the loss: weights [...] in, one number out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wordrow.nn.named import Named
from wordrow.nn.ops import namespace

__all__ = ["L1", "L1L2", "L2", "REGULARIZERS", "Regularizer", "l1", "l1_l2", "l2"]

Regularizer = Callable[[Any], Any]


@dataclass(frozen=True)
class L1:
    """l1 times the sum of |w|.

    >>> import numpy as np
    >>> round(float(L1(0.5)(np.array([1.0, -2.0]))), 2)
    1.5
    """

    l1: float = 0.01

    def __call__(self, w: Any) -> Any:
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

    def __call__(self, w: Any) -> Any:
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

    def __call__(self, w: Any) -> Any:
        """Return the penalty."""
        return L1(self.l1)(w) + L2(self.l2)(w)


def l1(l1: float = 0.01) -> L1:
    """Return an L1, under the name that Keras also gives it.

    >>> l1(0.5)
    L1(l1=0.5)
    """
    return L1(l1)


def l2(l2: float = 0.01) -> L2:
    """Return an L2, under the name that Keras also gives it.

    >>> l2(0.5)
    L2(l2=0.5)
    """
    return L2(l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return an L1L2, under the name that Keras 2 gives it.

    >>> l1_l2(0.5)
    L1L2(l1=0.5, l2=0.01)
    """
    return L1L2(l1, l2)


REGULARIZERS = Named(
    "a regularizer",
    classes={cls.__name__: cls for cls in (L1, L2, L1L2)},
    names={"l1": L1(), "l2": L2(), "l1_l2": L1L2()},
)
