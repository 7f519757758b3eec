"""Losses: functions of (labels, outputs) with Keras's formulas.

Outputs are [B, ..., D]; the labels' shape depends on the loss. Each function returns one value
per example or step, [B, ...]. A user-defined loss is a function of the same two arguments. JAX
differentiates it, so it must use operators, array methods and jax.numpy.
"""

from __future__ import annotations

import math

from wordrow.nn.functions.labels import of_labels
from wordrow.nn.ops import l2_normalize, log_softmax, namespace
from wordrow.nn.spec import Array

__all__ = [
    "EPSILON",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

EPSILON = 1e-7  # Keras's


@of_labels
def binary_crossentropy(
    y_true: Array, y_pred: Array, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """Return -(y ln p + (1 - y) ln(1 - p)), averaged over the last axis.

    y_true: 0 or 1, of the outputs' shape. from_logits: y_pred is before the sigmoid.

    >>> import numpy as np
    >>> binary_crossentropy(np.array([[1.0]]), np.array([[0.5]])).round(4).tolist()
    [0.6931]
    """
    xp = namespace(y_pred)
    y = y_true.astype(y_pred.dtype)
    if label_smoothing:
        y = y * (1 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        each = xp.logaddexp(0 * y_pred, y_pred) - y * y_pred
    else:
        p = y_pred.clip(EPSILON, 1 - EPSILON)
        each = -(y * xp.log(p) + (1 - y) * xp.log(1 - p))
    return each.mean(axis=-1)


@of_labels
def categorical_crossentropy(
    y_true: Array, y_pred: Array, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """Return -sum of y ln p over the classes. y_true: probabilities, [B, ..., classes].

    >>> import numpy as np
    >>> categorical_crossentropy(np.eye(2), np.full((2, 2), 0.5)).round(4).tolist()
    [0.6931, 0.6931]
    """
    y = y_true.astype(y_pred.dtype)
    if label_smoothing:
        y = y * (1 - label_smoothing) + label_smoothing / y.shape[-1]
    return -(y * _log_probabilities(y_pred, from_logits)).sum(axis=-1)


@of_labels
def sparse_categorical_crossentropy(
    y_true: Array, y_pred: Array, from_logits: bool = False
) -> Array:
    """Return -ln p of the true class. y_true: its index, [B, ...] or [B, ..., 1].

    >>> import numpy as np
    >>> y_pred = np.array([[0.5, 0.5], [0.9, 0.1]])
    >>> sparse_categorical_crossentropy(np.array([1, 0]), y_pred).round(4).tolist()
    [0.6931, 0.1054]
    """
    xp = namespace(y_pred)
    y = y_true if y_true.ndim == y_pred.ndim else y_true[..., None]
    log_p = _log_probabilities(y_pred, from_logits)
    return -xp.take_along_axis(log_p, y.astype(xp.int32), axis=-1)[..., 0]


@of_labels
def mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of (y - p) squared over the last axis.

    >>> import numpy as np
    >>> mean_squared_error(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])).tolist()
    [2.0]
    """
    difference = y_pred - y_true.astype(y_pred.dtype)
    return (difference * difference).mean(axis=-1)


@of_labels
def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of |y - p| over the last axis.

    >>> import numpy as np
    >>> mean_absolute_error(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])).tolist()
    [1.0]
    """
    return abs(y_pred - y_true.astype(y_pred.dtype)).mean(axis=-1)


@of_labels
def hinge(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of max(1 - y p, 0). y_true: -1 or 1; 0 counts as -1 where all are 0 or 1.

    >>> import numpy as np
    >>> hinge(np.array([[1.0], [-1.0]]), np.array([[0.5], [0.5]])).tolist()
    [0.5, 1.5]
    """
    return namespace(y_pred).maximum(1 - _signs(y_true, y_pred) * y_pred, 0).mean(axis=-1)


@of_labels
def squared_hinge(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of max(1 - y p, 0) squared; see `hinge`.

    >>> import numpy as np
    >>> squared_hinge(np.array([[1.0], [-1.0]]), np.array([[0.5], [0.5]])).tolist()
    [0.25, 2.25]
    """
    xp = namespace(y_pred)
    return xp.square(xp.maximum(1 - _signs(y_true, y_pred) * y_pred, 0)).mean(axis=-1)


@of_labels
def categorical_hinge(y_true: Array, y_pred: Array) -> Array:
    """Return max(largest wrong score - right score + 1, 0). y_true: [B, ..., classes] of 0 and 1.

    >>> import numpy as np
    >>> categorical_hinge(np.array([[0.0, 1.0]]), np.array([[0.5, 0.75]])).tolist()
    [0.75]
    """
    y = y_true.astype(y_pred.dtype)
    wrong = ((1 - y) * y_pred).max(axis=-1)
    return namespace(y_pred).maximum(wrong - (y * y_pred).sum(axis=-1) + 1, 0)


@of_labels
def kl_divergence(y_true: Array, y_pred: Array) -> Array:
    """Return the sum of y ln(y / p) over the last axis (Kullback & Leibler 1951).

    >>> import numpy as np
    >>> kl_divergence(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])).round(4).tolist()
    [0.1438]
    """
    xp = namespace(y_pred)
    y = y_true.astype(y_pred.dtype).clip(EPSILON, 1)
    return (y * xp.log(y / y_pred.clip(EPSILON, 1))).sum(axis=-1)


@of_labels
def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of 100 |y - p| / |y|.

    >>> import numpy as np
    >>> mean_absolute_percentage_error(np.array([[2.0]]), np.array([[1.0]])).tolist()
    [50.0]
    """
    y = y_true.astype(y_pred.dtype)
    return 100 * abs((y - y_pred) / abs(y).clip(EPSILON)).mean(axis=-1)


@of_labels
def mean_squared_logarithmic_error(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of (ln(1 + y) - ln(1 + p)) squared; values below 0 count as 0.

    >>> import numpy as np
    >>> mean_squared_logarithmic_error(np.array([[1.0]]), np.array([[1.0]])).tolist()
    [0.0]
    """
    xp = namespace(y_pred)
    first = xp.log(y_pred.clip(EPSILON) + 1)
    second = xp.log(y_true.astype(y_pred.dtype).clip(EPSILON) + 1)
    return xp.square(first - second).mean(axis=-1)


@of_labels
def log_cosh(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of ln(cosh(p - y)).

    >>> import numpy as np
    >>> log_cosh(np.array([[1.0]]), np.array([[1.0]])).round(6).tolist()
    [0.0]
    """
    xp = namespace(y_pred)
    x = y_pred - y_true.astype(y_pred.dtype)
    return (x + xp.logaddexp(0 * x, -2 * x) - math.log(2)).mean(axis=-1)


@of_labels
def poisson(y_true: Array, y_pred: Array) -> Array:
    """Return the mean of p - y ln p.

    >>> import numpy as np
    >>> poisson(np.array([[2.0]]), np.array([[1.0]])).round(4).tolist()
    [1.0]
    """
    y = y_true.astype(y_pred.dtype)
    return (y_pred - y * namespace(y_pred).log(y_pred + EPSILON)).mean(axis=-1)


@of_labels
def cosine_similarity(y_true: Array, y_pred: Array) -> Array:
    """Return minus the cosine similarity of labels and outputs, along the last axis.

    >>> import numpy as np
    >>> cosine_similarity(np.array([[2.0, 0.0]]), np.array([[1.0, 0.0]])).tolist()
    [-1.0]
    """
    y = y_true.astype(y_pred.dtype)
    return -(l2_normalize(y) * l2_normalize(y_pred)).sum(axis=-1)


@of_labels
def huber(y_true: Array, y_pred: Array, delta: float = 1.0) -> Array:
    """Return the mean of e squared / 2 where |e| <= delta, delta |e| - delta squared / 2 beyond.

    e = y - p. Huber 1964.

    >>> import numpy as np
    >>> huber(np.array([[0.0]]), np.array([[3.0]])).tolist()
    [2.5]
    """
    xp = namespace(y_pred)
    e = abs(y_true.astype(y_pred.dtype) - y_pred)
    return xp.where(e <= delta, e * e / 2, delta * e - delta * delta / 2).mean(axis=-1)


def _log_probabilities(y_pred: Array, from_logits: bool) -> Array:
    if from_logits:
        return log_softmax(y_pred)
    probabilities = y_pred / y_pred.sum(axis=-1, keepdims=True)
    return namespace(y_pred).log(probabilities.clip(EPSILON, 1 - EPSILON))


def _signs(y_true: Array, y_pred: Array) -> Array:
    xp = namespace(y_pred)
    y = y_true.astype(y_pred.dtype)
    binary = ((y == 0) | (y == 1)).all()
    return xp.where(binary, 2 * y - 1, y)
