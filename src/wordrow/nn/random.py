"""The global random generator for initial weights and training seeds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

__all__ = ["drawing_from", "generator", "set_random_seed"]

_generator = np.random.default_rng()


def generator() -> np.random.Generator:
    """Return the generator that `set_random_seed` seeds."""
    return _generator


def set_random_seed(seed: int) -> None:
    """Make randomness reproducible from here on: initial weights, shuffling, dropout.

    >>> set_random_seed(7)
    """
    global _generator
    _generator = np.random.default_rng(seed)


@contextlib.contextmanager
def drawing_from(rng: np.random.Generator) -> Iterator[None]:
    """Use another generator inside this block."""
    global _generator
    before, _generator = _generator, rng
    try:
        yield
    finally:
        _generator = before
