"""Labels as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["to_categorical"]


def to_categorical(
    x: Any = None, num_classes: int | None = None, dtype: Any = "float64", *, y: Any = None
) -> npt.NDArray[Any]:
    """Return class numbers as rows of zeros with a one: [...] -> [..., num_classes].

    A last axis of length 1 is dropped; `num_classes=None` means the largest
    number + 1. `y` is Keras 2's name for `x` (there the default dtype was float32).

    Raises ValueError for empty input, IndexError for a number too large.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    numbers = np.array(y if x is None else x, dtype="int64")
    shape = numbers.shape[:-1] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers.shape
    numbers = numbers.reshape(-1)
    if not num_classes:
        if not numbers.size:
            raise ValueError("to_categorical needs at least one label, or `num_classes`.")
        num_classes = int(numbers.max()) + 1
    if numbers.size and numbers.max() >= num_classes:
        raise IndexError(
            f"class {numbers.max()} is out of bounds: num_classes={num_classes} means classes 0 to "
            f"{num_classes - 1}. Use num_classes={numbers.max() + 1}, or leave it out."
        )
    rows = np.zeros((numbers.size, num_classes), dtype)
    rows[np.arange(numbers.size), numbers] = 1
    return rows.reshape((*shape, num_classes))
