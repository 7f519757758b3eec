"""Weights of examples by their class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn.ops import with_axes
from wordrow.nn.spec import Shape

__all__ = ["class_weights"]


def class_weights(
    given: Mapping[int, float] | str,
    labels: list[npt.NDArray[Any]],
    weights: list[npt.NDArray[np.float32] | None],
    shapes: list[Shape],
) -> npt.NDArray[np.float32]:
    """Return sample weights that include the weight of each class: of examples or steps.

    given: class -> weight, 1 for classes that it lacks; or "balanced", by which every class
    counts as much as any other. shapes: of the outputs, which tell an axis of classes from one
    of steps.

    Raises ValueError for a model with several outputs, and for labels that name no class.
    """
    if not isinstance(given, Mapping) and given != "balanced":
        raise TypeError(
            "`class_weight` must be a dict from class to weight, such as {0: 1.0, 1: 2.5}, or "
            f"'balanced'; received {show(given)}."
        )
    if len(labels) != 1:
        raise ValueError("`class_weight` is for models with one output; use sample_weight.")
    classes = _classes(labels[0], len(shapes[0]))
    found, where, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if isinstance(given, Mapping):
        table = {int(k): float(v) for k, v in given.items()}
        of_each = np.array([table.get(int(k), 1.0) for k in found], np.float32)
    else:
        of_each = (classes.size / (len(found) * counts)).astype(np.float32)
    own = of_each[where.reshape(classes.shape)]
    if (before := weights[0]) is None:
        return own
    n_axes = max(own.ndim, before.ndim)
    product: npt.NDArray[np.float32] = with_axes(own, n_axes) * with_axes(before, n_axes)
    return product


def _classes(label: npt.NDArray[Any], n_axes: int) -> npt.NDArray[np.int64]:
    """Return the class of each example, or step, of an output with so many axes."""
    if label.ndim == n_axes and label.shape[-1] > 1:  # an axis of classes
        largest = label.max(axis=-1, keepdims=True)
        several = ((label == largest).sum(axis=-1) != 1).reshape(len(label), -1).any(axis=1)
        if several.any():
            bad = int(several.argmax())
            raise ValueError(
                "`class_weight` needs one class for each example; the labels of example "
                f"{bad} are {show(label[bad].tolist())}. Use sample_weight."
            )
        found: npt.NDArray[np.int64] = label.argmax(axis=-1)
        return found
    if label.ndim == n_axes:
        label = label[..., 0]
    classes = label.astype(np.int64)
    wrong = (classes != label).reshape(len(label), -1).any(axis=1)
    if wrong.any():
        bad = int(wrong.argmax())
        raise ValueError(
            "`class_weight` needs labels that are numbers of classes; example "
            f"{bad} has {show(label[bad].tolist())}. Use sample_weight."
        )
    return classes
