"""The losses that `compile` or a saved model may name: functions, and Keras's classes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from wordrow.errors import show
from wordrow.nn.functions.labels import same_rank
from wordrow.nn.functions.loss_functions import (
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
from wordrow.nn.ops import with_axes
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


Reduction: TypeAlias = Literal["sum_over_batch_size", "mean", "sum", "none"] | None
_MEANS = ("sum_over_batch_size", "mean", "auto")  # "auto" is Keras 2's


class Loss:
    """A loss as an object. To write one's own, subclass it and define `call`.

    `call(y_true, y_pred)` returns one value per example or step; calling the object returns one
    number. reduction: "sum_over_batch_size" or "mean", the mean of the values; "sum"; "none" or
    None, all of them.

    >>> class Squared(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ((y_pred - y_true) ** 2).mean(axis=-1)
    >>> float(Squared()(np.array([[1.0], [2.0]]), np.array([[1.0], [4.0]])))
    2.0
    """

    settings: ClassVar[tuple[str, ...]] = ()  # the arguments of a subclass, for files

    def __init__(
        self,
        name: str | None = None,
        reduction: Reduction = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        if reduction not in (*_MEANS, "sum", "none", None):
            raise ValueError(
                "`reduction` must be 'sum_over_batch_size', 'mean', 'sum', 'none' or None; "
                f"received {show(reduction)}."
            )
        self.name, self.reduction = name, reduction

    @property
    def is_mean(self) -> bool:
        """Whether the loss of a batch is the mean over it."""
        return self.reduction in _MEANS

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example or step."""
        raise TypeError(f"{type(self).__name__} must define `call(y_true, y_pred)`.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Array:
        """Return the loss of a batch, as `reduction` says. sample_weight: [B] or [B, T]."""
        y_true, y_pred = (y if hasattr(y, "ndim") else np.asarray(y) for y in (y_true, y_pred))
        values = self.call(*same_rank(y_true, y_pred))
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float32)
            if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
                weight = weight[..., 0]
            values = values * with_axes(weight, values.ndim)
        if self.reduction in ("none", None) or values.ndim == 0:
            return values
        return values.mean() if self.is_mean else values.sum()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this loss, those that are not the usual ones."""
        config: dict[str, Any] = {name: vars(self)[name] for name in self.settings}
        if self.name is not None:
            config["name"] = self.name
        if not self.is_mean:
            config["reduction"] = self.reduction
        return config


class BinaryCrossentropy(Loss):
    """`binary_crossentropy` as an object.

    >>> BinaryCrossentropy(from_logits=True).from_logits
    True
    """

    settings = ("from_logits", "label_smoothing")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        *,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class CategoricalCrossentropy(BinaryCrossentropy):
    """`categorical_crossentropy` as an object.

    >>> CategoricalCrossentropy(label_smoothing=0.1).label_smoothing
    0.1
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class SparseCategoricalCrossentropy(Loss):
    """`sparse_categorical_crossentropy` as an object.

    >>> SparseCategoricalCrossentropy(from_logits=True).from_logits
    True
    """

    settings = ("from_logits",)

    def __init__(
        self,
        from_logits: bool = False,
        *,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)


class Huber(Loss):
    """`huber` as an object.

    >>> Huber(2.0).delta
    2.0
    """

    settings = ("delta",)

    def __init__(
        self,
        delta: float = 1.0,
        *,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return huber(y_true, y_pred, self.delta)


class _Plain(Loss):
    """A loss without settings, as an object."""

    function: Callable[[Array, Array], Array]

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per example."""
        return type(self).function(y_true, y_pred)


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
        "cosine_proximity": cosine_similarity,  # Keras 2's name
        "MSE": mean_squared_error,
        "MAE": mean_absolute_error,
        "MAPE": mean_absolute_percentage_error,
        "MSLE": mean_squared_logarithmic_error,
        "KLD": kl_divergence,
    },
)
