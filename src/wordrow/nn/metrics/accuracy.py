"""Accuracies: functions of (labels, outputs), and metrics of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wordrow.nn.functions.labels import of_labels
from wordrow.nn.metrics.metric import MeanMetric
from wordrow.nn.ops import namespace
from wordrow.nn.spec import Array

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


@of_labels
def binary_accuracy(y_true: Array, y_pred: Array, threshold: float = 0.5) -> Array:
    """Return whether y_pred is on the right side of the threshold. y_true: 0 or 1.

    >>> import numpy as np
    >>> binary_accuracy(np.array([[1], [1]]), np.array([[0.7], [0.4]])).tolist()
    [1.0, 0.0]
    """
    right = (y_pred > threshold) == (y_true > 0.5)
    return right.astype(np.float32).mean(axis=-1)


@of_labels
def categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    """Return whether the largest output is the true class. y_true: [B, ..., classes].

    >>> import numpy as np
    >>> categorical_accuracy(np.eye(2), np.array([[0.9, 0.1], [0.8, 0.2]])).tolist()
    [1.0, 0.0]
    """
    return (y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)).astype(np.float32)


@of_labels
def sparse_categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    """Return whether the largest output is the true class. y_true: its index.

    >>> import numpy as np
    >>> y_pred = np.array([[0.9, 0.1], [0.8, 0.2]])
    >>> sparse_categorical_accuracy(np.array([0, 1]), y_pred).tolist()
    [1.0, 0.0]
    """
    return (_class_indices(y_true, y_pred) == y_pred.argmax(axis=-1)).astype(np.float32)


@of_labels
def sparse_top_k_categorical_accuracy(y_true: Array, y_pred: Array, k: int = 5) -> Array:
    """Return whether the true class is among the k largest outputs. y_true: its index.

    >>> import numpy as np
    >>> y_pred = np.array([[0.5, 0.3, 0.2]])
    >>> sparse_top_k_categorical_accuracy(np.array([1]), y_pred, k=2).tolist()
    [1.0]
    """
    indices = _class_indices(y_true, y_pred)[..., None]
    own = namespace(y_pred).take_along_axis(y_pred, indices, axis=-1)
    return ((y_pred > own).sum(axis=-1) < k).astype(np.float32)


@of_labels
def top_k_categorical_accuracy(y_true: Array, y_pred: Array, k: int = 5) -> Array:
    """Return whether the true class is among the k largest outputs. y_true: [B, ..., classes].

    >>> import numpy as np
    >>> top_k_categorical_accuracy(np.eye(3)[:1], np.array([[0.2, 0.3, 0.5]]), k=2).tolist()
    [0.0]
    """
    return sparse_top_k_categorical_accuracy(y_true.argmax(axis=-1), y_pred, k)


def _class_indices(y_true: Array, y_pred: Array) -> Array:
    """Return class indices without a last axis of length 1."""
    indices = y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true
    return indices.astype(np.int32)


class _Accuracy(MeanMetric):
    of: Callable[..., Array]

    def __init__(self, name: str | None = None) -> None:
        super().__init__(type(self).of, name or self.default_name)


class BinaryAccuracy(_Accuracy):
    """`binary_accuracy` with a threshold."""

    default_name = "binary_accuracy"
    of = staticmethod(binary_accuracy)

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = float(threshold)
        self.function = lambda y_true, y_pred: binary_accuracy(y_true, y_pred, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        return super().get_config() | {"threshold": self.threshold}


class CategoricalAccuracy(_Accuracy):
    """`categorical_accuracy` as an object."""

    default_name = "categorical_accuracy"
    of = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(_Accuracy):
    """`sparse_categorical_accuracy` as an object."""

    default_name = "sparse_categorical_accuracy"
    of = staticmethod(sparse_categorical_accuracy)


class _TopK(MeanMetric):
    of: Callable[..., Array]

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        self.k = int(k)
        of = type(self).of
        super().__init__(
            lambda y_true, y_pred: of(y_true, y_pred, self.k), name or self.default_name
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        return super().get_config() | {"k": self.k}


class TopKCategoricalAccuracy(_TopK):
    """`top_k_categorical_accuracy` with its k."""

    default_name = "top_k_categorical_accuracy"
    of = staticmethod(top_k_categorical_accuracy)


class SparseTopKCategoricalAccuracy(_TopK):
    """`sparse_top_k_categorical_accuracy` with its k."""

    default_name = "sparse_top_k_categorical_accuracy"
    of = staticmethod(sparse_top_k_categorical_accuracy)


class Accuracy(MeanMetric):
    """How often outputs equal the labels.

    >>> metric = Accuracy()
    >>> metric.update_state([[1], [2]], [[1], [3]])
    >>> float(metric.result())
    0.5
    """

    default_name = "accuracy"

    def __init__(self, name: str | None = None) -> None:
        super().__init__(
            lambda y_true, y_pred: (y_true == y_pred).astype(np.float32).mean(axis=-1),
            name or self.default_name,
        )
