"""Labels as arrays, and beside outputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from wordrow.nn.spec import Array

__all__ = ["of_labels", "same_rank", "to_categorical"]

Function = TypeVar("Function", bound=Callable[..., Any])


def same_rank(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Return both with as many axes, where one has a last axis of length 1 too many.

    [B] beside [B, 1] becomes [B, 1]; else the axis is dropped, as in Keras. Without this, the two
    would be broadcast to [B, B].

    >>> [y.shape for y in same_rank(np.zeros(4), np.zeros((4, 1)))]
    [(4, 1), (4, 1)]
    """
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        if y_true.ndim == 1:
            return y_true[:, None], y_pred
        return y_true, y_pred[..., 0]
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        if y_pred.ndim == 1:
            return y_true, y_pred[:, None]
        return y_true[..., 0], y_pred
    return y_true, y_pred


def of_labels(function: Function) -> Function:
    """Let a function of (y_true, y_pred) take lists, and the two shapes of `same_rank`."""

    @functools.wraps(function)
    def aligned(y_true: Any, y_pred: Any, *settings: Any, **named: Any) -> Any:
        y_true, y_pred = same_rank(_array(y_true), _array(y_pred))
        return function(y_true, y_pred, *settings, **named)

    return cast(Function, aligned)


def _array(y: Any) -> Array:
    return y if hasattr(y, "ndim") else np.asarray(y, np.float32)


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
