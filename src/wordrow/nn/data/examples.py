"""Weights of examples by their class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["class_weights"]


def class_weights(
    given: Mapping[int, float],
    labels: list[npt.NDArray[Any]],
    weights: list[npt.NDArray[np.float32] | None],
) -> npt.NDArray[np.float32]:
    """Return sample weights that include the weight of each example's class.

    Raises ValueError for a model with several outputs.
    """
    if len(labels) != 1:
        raise ValueError("`class_weight` is for models with one output; use sample_weight.")
    y = labels[0]
    if y.ndim > 1:
        y = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0]
    table = {int(k): float(v) for k, v in given.items()}
    classes, where = np.unique(y.astype(np.int64), return_inverse=True)
    own = np.array([table.get(int(k), 1.0) for k in classes], np.float32)[where.reshape(y.shape)]
    return own if weights[0] is None else own * weights[0]
