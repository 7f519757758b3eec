"""Losses: (labels, outputs) to one number an example (or a step), with Keras's formulas.

Outputs are [B, ..., D], labels as the loss says; each function returns [B, ...],
without the last axis. Own losses are functions of the same two arguments; they
are differentiated by JAX, so they are written with operators, methods and
jax.numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wordrow.nn.named import Named
from wordrow.nn.ops import log_softmax, namespace, of_length_one

__all__ = [
    "LOSSES", "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge",
    "CosineSimilarity", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "binary_crossentropy",
    "categorical_crossentropy", "categorical_hinge", "cosine_similarity", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
    "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip

Loss = Callable[[Any, Any], Any]
EPSILON = 1e-7  # Keras's


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Any:
    """Return -(y ln p + (1 - y) ln(1 - p)), the mean of the last axis.

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


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Any:
    """Return -sum of y ln p over the classes. y_true: a share of each class, [B, ..., classes].

    >>> import numpy as np
    >>> categorical_crossentropy(np.eye(2), np.full((2, 2), 0.5)).round(4).tolist()
    [0.6931, 0.6931]
    """
    y = y_true.astype(y_pred.dtype)
    if label_smoothing:
        y = y * (1 - label_smoothing) + label_smoothing / y.shape[-1]
    return -(y * _log_probabilities(y_pred, from_logits)).sum(axis=-1)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False) -> Any:
    """Return -ln p of the right class. y_true: its number, [B, ...] or [B, ..., 1].

    >>> import numpy as np
    >>> y_pred = np.array([[0.5, 0.5], [0.9, 0.1]])
    >>> sparse_categorical_crossentropy(np.array([1, 0]), y_pred).round(4).tolist()
    [0.6931, 0.1054]
    """
    xp = namespace(y_pred)
    y = y_true if y_true.ndim == y_pred.ndim else y_true[..., None]
    log_p = _log_probabilities(y_pred, from_logits)
    return -xp.take_along_axis(log_p, y.astype(xp.int32), axis=-1)[..., 0]


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of (y - p) squared over the last axis.

    >>> import numpy as np
    >>> mean_squared_error(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])).tolist()
    [2.0]
    """
    difference = y_pred - y_true.astype(y_pred.dtype)
    return (difference * difference).mean(axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of |y - p| over the last axis.

    >>> import numpy as np
    >>> mean_absolute_error(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])).tolist()
    [1.0]
    """
    return abs(y_pred - y_true.astype(y_pred.dtype)).mean(axis=-1)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of max(1 - y p, 0). y_true: -1 or 1; 0 counts as -1 where all are 0 or 1.

    >>> import numpy as np
    >>> hinge(np.array([[1.0], [-1.0]]), np.array([[0.5], [0.5]])).tolist()
    [0.5, 1.5]
    """
    return namespace(y_pred).maximum(1 - _signs(y_true, y_pred) * y_pred, 0).mean(axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of max(1 - y p, 0) squared; see `hinge`.

    >>> import numpy as np
    >>> squared_hinge(np.array([[1.0], [-1.0]]), np.array([[0.5], [0.5]])).tolist()
    [0.25, 2.25]
    """
    xp = namespace(y_pred)
    return xp.square(xp.maximum(1 - _signs(y_true, y_pred) * y_pred, 0)).mean(axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return max(largest wrong score - right score + 1, 0). y_true: [B, ..., classes] of 0 and 1.

    >>> import numpy as np
    >>> categorical_hinge(np.array([[0.0, 1.0]]), np.array([[0.5, 0.75]])).tolist()
    [0.75]
    """
    y = y_true.astype(y_pred.dtype)
    wrong = ((1 - y) * y_pred).max(axis=-1)
    return namespace(y_pred).maximum(wrong - (y * y_pred).sum(axis=-1) + 1, 0)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return the sum of y ln(y / p) over the last axis (Kullback & Leibler 1951).

    >>> import numpy as np
    >>> kl_divergence(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])).round(4).tolist()
    [0.1438]
    """
    xp = namespace(y_pred)
    y = y_true.astype(y_pred.dtype).clip(EPSILON, 1)
    return (y * xp.log(y / y_pred.clip(EPSILON, 1))).sum(axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of 100 |y - p| / |y|.

    >>> import numpy as np
    >>> mean_absolute_percentage_error(np.array([[2.0]]), np.array([[1.0]])).tolist()
    [50.0]
    """
    y = y_true.astype(y_pred.dtype)
    return 100 * abs((y - y_pred) / abs(y).clip(EPSILON)).mean(axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of (ln(1 + y) - ln(1 + p)) squared; what is below 0 counts as 0.

    >>> import numpy as np
    >>> mean_squared_logarithmic_error(np.array([[1.0]]), np.array([[1.0]])).tolist()
    [0.0]
    """
    xp = namespace(y_pred)
    first = xp.log(y_pred.clip(EPSILON) + 1)
    second = xp.log(y_true.astype(y_pred.dtype).clip(EPSILON) + 1)
    return xp.square(first - second).mean(axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ln(cosh(p - y)).

    >>> import numpy as np
    >>> log_cosh(np.array([[1.0]]), np.array([[1.0]])).round(6).tolist()
    [0.0]
    """
    xp = namespace(y_pred)
    x = y_pred - y_true.astype(y_pred.dtype)
    return (x + xp.logaddexp(0 * x, -2 * x) - math.log(2)).mean(axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of p - y ln p.

    >>> import numpy as np
    >>> poisson(np.array([[2.0]]), np.array([[1.0]])).round(4).tolist()
    [1.0]
    """
    y = y_true.astype(y_pred.dtype)
    return (y_pred - y * namespace(y_pred).log(y_pred + EPSILON)).mean(axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any) -> Any:
    """Return minus the cosine between labels and outputs, along the last axis.

    >>> import numpy as np
    >>> cosine_similarity(np.array([[2.0, 0.0]]), np.array([[1.0, 0.0]])).tolist()
    [-1.0]
    """
    y = y_true.astype(y_pred.dtype)
    return -(of_length_one(y) * of_length_one(y_pred)).sum(axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the mean of e squared / 2 where |e| <= delta, delta |e| - delta squared / 2 beyond.

    e = y - p. Huber 1964.

    >>> import numpy as np
    >>> huber(np.array([[0.0]]), np.array([[3.0]])).tolist()
    [2.5]
    """
    xp = namespace(y_pred)
    e = abs(y_true.astype(y_pred.dtype) - y_pred)
    return xp.where(e <= delta, e * e / 2, delta * e - delta * delta / 2).mean(axis=-1)


def _log_probabilities(y_pred: Any, from_logits: bool) -> Any:
    if from_logits:
        return log_softmax(y_pred)
    shares = y_pred / y_pred.sum(axis=-1, keepdims=True)
    return namespace(y_pred).log(shares.clip(EPSILON, 1 - EPSILON))


def _signs(y_true: Any, y_pred: Any) -> Any:
    xp = namespace(y_pred)
    y = y_true.astype(y_pred.dtype)
    binary = ((y == 0) | (y == 1)).all()
    return xp.where(binary, 2 * y - 1, y)


# The same as objects, for those that take settings: Keras's classes.


@dataclass(frozen=True)
class BinaryCrossentropy:
    """`binary_crossentropy` with settings.

    >>> BinaryCrossentropy(from_logits=True).from_logits
    True
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number an example."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


@dataclass(frozen=True)
class CategoricalCrossentropy:
    """`categorical_crossentropy` with settings.

    >>> CategoricalCrossentropy(label_smoothing=0.1).label_smoothing
    0.1
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number an example."""
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


@dataclass(frozen=True)
class SparseCategoricalCrossentropy:
    """`sparse_categorical_crossentropy` with settings.

    >>> SparseCategoricalCrossentropy(from_logits=True).from_logits
    True
    """

    from_logits: bool = False

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number an example."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)


class _Plain:
    """A loss without settings, as an object."""

    function: Loss

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number an example."""
        return type(self).function(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return no settings."""
        return {}


class MeanSquaredError(_Plain):
    """`mean_squared_error` as an object."""

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_Plain):
    """`mean_absolute_error` as an object."""

    function = staticmethod(mean_absolute_error)


class Hinge(_Plain):
    """`hinge` as an object."""

    function = staticmethod(hinge)


class SquaredHinge(_Plain):
    """`squared_hinge` as an object."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(_Plain):
    """`categorical_hinge` as an object."""

    function = staticmethod(categorical_hinge)


class KLDivergence(_Plain):
    """`kl_divergence` as an object."""

    function = staticmethod(kl_divergence)


class MeanAbsolutePercentageError(_Plain):
    """`mean_absolute_percentage_error` as an object."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_Plain):
    """`mean_squared_logarithmic_error` as an object."""

    function = staticmethod(mean_squared_logarithmic_error)


class LogCosh(_Plain):
    """`log_cosh` as an object."""

    function = staticmethod(log_cosh)


class Poisson(_Plain):
    """`poisson` as an object."""

    function = staticmethod(poisson)


class CosineSimilarity(_Plain):
    """`cosine_similarity` as an object."""

    function = staticmethod(cosine_similarity)


@dataclass(frozen=True)
class Huber:
    """`huber` with its delta.

    >>> Huber(2.0).delta
    2.0
    """

    delta: float = 1.0

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number an example."""
        return huber(y_true, y_pred, self.delta)


LOSSES = Named(
    "`loss`",
    kind="a loss",
    classes={
        cls.__name__: cls
        for cls in (
            BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, CosineSimilarity,
            Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError,
            MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
            SparseCategoricalCrossentropy, SquaredHinge,
        )
    },
    names={
        "binary_crossentropy": binary_crossentropy,
        "bce": binary_crossentropy,
        "categorical_crossentropy": categorical_crossentropy,
        "categorical_hinge": categorical_hinge,
        "cosine_similarity": cosine_similarity,
        "hinge": hinge,
        "huber": huber,
        "kl_divergence": kl_divergence,
        "kld": kl_divergence,
        "kullback_leibler_divergence": kl_divergence,
        "log_cosh": log_cosh,
        "logcosh": log_cosh,
        "mae": mean_absolute_error,
        "mape": mean_absolute_percentage_error,
        "mean_absolute_percentage_error": mean_absolute_percentage_error,
        "mean_squared_logarithmic_error": mean_squared_logarithmic_error,
        "msle": mean_squared_logarithmic_error,
        "poisson": poisson,
        "mean_absolute_error": mean_absolute_error,
        "mean_squared_error": mean_squared_error,
        "mse": mean_squared_error,
        "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
        "squared_hinge": squared_hinge,
    },
)  # fmt: skip
