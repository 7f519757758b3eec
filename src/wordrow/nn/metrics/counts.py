"""Metrics of counts at one threshold: precision, recall, and the counts themselves."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wordrow.errors import show
from wordrow.nn.metrics.metric import Metric, State, ratio, spread_over
from wordrow.nn.spec import Array

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]


class _Confusion(Metric):
    """What precision and recall share: counts of right and wrong predictions."""

    wrong: ClassVar[str]

    def __init__(
        self,
        thresholds: float | None = None,
        top_k: None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if top_k is not None or isinstance(thresholds, list | tuple):
            raise ValueError(
                f"{type(self).__name__} takes one threshold, and no top_k; received "
                f"thresholds={show(thresholds)}, top_k={show(top_k)}."
            )
        self.thresholds = 0.5 if thresholds is None else float(thresholds)
        self.class_id = class_id

    def init(self) -> State:
        """Return zero counts."""
        return {"right": np.zeros(()), "wrong": np.zeros(())}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Count a batch."""
        if self.class_id is not None:
            y_true, y_pred = (y[..., self.class_id : self.class_id + 1] for y in (y_true, y_pred))
        real, predicted = y_true > 0.5, y_pred > self.thresholds
        weight = spread_over(weight, y_pred)
        wrong = predicted & ~real if self.wrong == "predicted" else real & ~predicted
        return {
            "right": state["right"] + ((real & predicted) * weight).sum(),
            "wrong": state["wrong"] + (wrong * weight).sum(),
        }

    def result(self, state: State | None = None) -> Array:
        """Return the fraction of right predictions; 0 if there are none."""
        state = self.now(state)
        return ratio(state["right"], state["right"] + state["wrong"])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        own = {"thresholds": self.thresholds, "class_id": self.class_id}
        return super().get_config() | own


class Precision(_Confusion):
    """The fraction of predicted positives (outputs above the threshold) that are positive.

    >>> import numpy as np
    >>> metric = Precision()
    >>> y_true, y_pred = np.array([[1], [0], [1]]), np.array([[0.9], [0.8], [0.1]])
    >>> float(metric.result(metric.update(metric.init(), y_true, y_pred, None)))
    0.5
    """

    default_name = "precision"
    wrong = "predicted"


class Recall(_Confusion):
    """The fraction of positives that are predicted (outputs above the threshold).

    >>> import numpy as np
    >>> metric = Recall()
    >>> y_true, y_pred = np.array([[1], [0], [1]]), np.array([[0.9], [0.8], [0.1]])
    >>> float(metric.result(metric.update(metric.init(), y_true, y_pred, None)))
    0.5
    """

    default_name = "recall"
    wrong = "real"


class _Counted(Metric):
    """A count of one kind of predictions, at a threshold."""

    real: ClassVar[bool]
    predicted: ClassVar[bool]

    def __init__(self, thresholds: float | None = None, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(thresholds, list | tuple):
            raise ValueError(
                f"{type(self).__name__} takes one threshold; received {show(thresholds)}."
            )
        self.thresholds = 0.5 if thresholds is None else float(thresholds)

    def init(self) -> State:
        """Return zero counts."""
        return {"n": np.zeros(())}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Count a batch."""
        fits = ((y_true > 0.5) == self.real) & ((y_pred > self.thresholds) == self.predicted)
        return {"n": state["n"] + (fits * spread_over(weight, y_pred)).sum()}

    def result(self, state: State | None = None) -> Array:
        """Return the count."""
        return self.now(state)["n"]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        return super().get_config() | {"thresholds": self.thresholds}


class TruePositives(_Counted):
    """The number of positives predicted as positive."""

    default_name, real, predicted = "true_positives", True, True


class TrueNegatives(_Counted):
    """The number of negatives predicted as negative."""

    default_name, real, predicted = "true_negatives", False, False


class FalsePositives(_Counted):
    """The number of negatives predicted as positive."""

    default_name, real, predicted = "false_positives", False, True


class FalseNegatives(_Counted):
    """The number of positives predicted as negative."""

    default_name, real, predicted = "false_negatives", True, False
