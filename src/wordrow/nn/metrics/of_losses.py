"""Losses as metrics: their means over all examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wordrow.nn.functions import losses
from wordrow.nn.metrics.metric import MeanMetric, Metric, State
from wordrow.nn.spec import Array

__all__ = ["OF_LOSSES", "RootMeanSquaredError"]


class _OfLoss(MeanMetric):
    """The mean of a loss, as a metric."""

    of: Callable[..., Array]

    def __init__(self, name: str | None = None, **options: Any) -> None:
        self.options = options
        function = type(self).of
        super().__init__(
            lambda y_true, y_pred: function(y_true, y_pred, **options), name or self.default_name
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        return super().get_config() | self.options


def _of_loss(kind: str, function: Callable[..., Array], name: str) -> type[Metric]:
    about = {
        "__doc__": f"The mean of `{function.__name__}`, as a metric.",
        "__module__": __name__,
        "default_name": name,
        "of": staticmethod(function),
    }
    return type(kind, (_OfLoss,), about)


class RootMeanSquaredError(MeanMetric):
    """The root of the mean squared error.

    >>> metric = RootMeanSquaredError()
    >>> metric.update_state([[0.0], [0.0]], [[3.0], [3.0]])
    >>> float(metric.result())
    3.0
    """

    default_name = "root_mean_squared_error"

    def __init__(self, name: str | None = None) -> None:
        super().__init__(losses.mean_squared_error, name or self.default_name)

    def result(self, state: State | None = None) -> Array:
        """Return the root of the mean."""
        return super().result(state) ** 0.5


def _cosine(y_true: Array, y_pred: Array) -> Array:
    """Return the cosine similarity of labels and outputs."""
    return -losses.cosine_similarity(y_true, y_pred)


OF_LOSSES: dict[str, type[Metric]] = {
    kind: _of_loss(kind, function, name or function.__name__)
    for kind, function, name in (
        ("BinaryCrossentropy", losses.binary_crossentropy, None),
        ("CategoricalCrossentropy", losses.categorical_crossentropy, None),
        ("SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy, None),
        ("CategoricalHinge", losses.categorical_hinge, None),
        ("Hinge", losses.hinge, None),
        ("SquaredHinge", losses.squared_hinge, None),
        ("KLDivergence", losses.kl_divergence, None),
        ("LogCoshError", losses.log_cosh, "logcosh"),
        ("MeanAbsoluteError", losses.mean_absolute_error, None),
        ("MeanAbsolutePercentageError", losses.mean_absolute_percentage_error, None),
        ("MeanSquaredError", losses.mean_squared_error, None),
        ("MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error, None),
        ("Poisson", losses.poisson, None),
        ("CosineSimilarity", _cosine, "cosine_similarity"),
    )
}
