"""The losses that `compile` or a saved model may name: functions, and Keras's classes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wordrow.nn.functions.loss_functions import (
    Loss,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from wordrow.nn.registry import Registry
from wordrow.nn.spec import Array

__all__ = [
    "LOSSES",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
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


@dataclass(frozen=True)
class BinaryCrossentropy:
    """`binary_crossentropy` with settings.

    >>> BinaryCrossentropy(from_logits=True).from_logits
    True
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def __call__(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


@dataclass(frozen=True)
class CategoricalCrossentropy:
    """`categorical_crossentropy` with settings.

    >>> CategoricalCrossentropy(label_smoothing=0.1).label_smoothing
    0.1
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def __call__(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


@dataclass(frozen=True)
class SparseCategoricalCrossentropy:
    """`sparse_categorical_crossentropy` with settings.

    >>> SparseCategoricalCrossentropy(from_logits=True).from_logits
    True
    """

    from_logits: bool = False

    def __call__(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)


class _Plain:
    """A loss without settings, as an object."""

    function: Loss

    def __call__(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
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

    def __call__(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return huber(y_true, y_pred, self.delta)


LOSSES = Registry(
    "`loss`",
    kind="a loss",
    classes={
        cls.__name__: cls
        for cls in (
            BinaryCrossentropy,
            CategoricalCrossentropy,
            CategoricalHinge,
            CosineSimilarity,
            Hinge,
            Huber,
            KLDivergence,
            LogCosh,
            MeanAbsoluteError,
            MeanAbsolutePercentageError,
            MeanSquaredError,
            MeanSquaredLogarithmicError,
            Poisson,
            SparseCategoricalCrossentropy,
            SquaredHinge,
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
)
