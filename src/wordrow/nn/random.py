"""The one generator that initial weights are drawn from when no seed is given."""

from __future__ import annotations

import numpy as np

__all__ = ["generator", "set_random_seed"]

_generator = np.random.default_rng()


def generator() -> np.random.Generator:
    """Return the generator that `set_random_seed` seeds."""
    return _generator


def set_random_seed(seed: int) -> None:
    """Make the initial weights of everything built after this repeatable.

    >>> set_random_seed(7)
    """
    global _generator
    _generator = np.random.default_rng(seed)
