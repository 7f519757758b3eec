"""Labels as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["to_categorical"]


def to_categorical(
    x: npt.ArrayLike | None = None,
    num_classes: int | None = None,
    dtype: npt.DTypeLike = "float64",
    *,
    y: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Return class indices as one-hot rows: [...] -> [..., num_classes].

    A last axis of length 1 is dropped; `num_classes=None` means the largest
    index + 1. `y` is Keras 2's name for `x` (there the default dtype was float32).

    Raises ValueError for empty input, IndexError for an index that is too large.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    indices = np.array(y if x is None else x, dtype="int64")
    shape = indices.shape[:-1] if indices.ndim > 1 and indices.shape[-1] == 1 else indices.shape
    indices = indices.reshape(-1)
    if not num_classes:
        if not indices.size:
            raise ValueError("to_categorical needs at least one label, or `num_classes`.")
        num_classes = int(indices.max()) + 1
    if indices.size and indices.max() >= num_classes:
        raise IndexError(
            f"class {indices.max()} is out of bounds: num_classes={num_classes} means classes 0 to "
            f"{num_classes - 1}. Use num_classes={indices.max() + 1}, or leave it out."
        )
    rows = np.zeros((indices.size, num_classes), dtype)
    rows[np.arange(indices.size), indices] = 1
    return rows.reshape((*shape, num_classes))
