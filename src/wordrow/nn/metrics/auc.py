"""The area under a curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from wordrow.errors import show
from wordrow.nn.metrics.metric import Metric, State, ratio, spread_over
from wordrow.nn.ops import namespace, segment_sum, sigmoid
from wordrow.nn.spec import Array

__all__ = ["AUC"]


class AUC(Metric):
    """The area under the ROC or the precision-recall curve, from counts at many thresholds.

    summation_method: "interpolation", "minoring" or "majoring", as in Keras;
    interpolation of "PR" is that of Davis & Goadrich 2006.

    >>> import numpy as np
    >>> metric = AUC()
    >>> y_true, y_pred = np.array([[0], [0], [1], [1]]), np.array([[0.0], [0.5], [0.3], [0.9]])
    >>> round(float(metric.result(metric.update(metric.init(), y_true, y_pred, None))), 2)
    0.75
    """

    default_name = "auc"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name)
        if curve not in ("ROC", "PR"):
            raise ValueError(f"`curve` must be 'ROC' or 'PR'; received {show(curve)}.")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                "`summation_method` must be 'interpolation', 'minoring' or 'majoring'; "
                f"received {show(summation_method)}."
            )
        if num_thresholds < 2:
            raise ValueError(f"`num_thresholds` must be above 1; received {show(num_thresholds)}.")
        self.num_thresholds, self.curve = int(num_thresholds), curve
        self.summation_method, self.from_logits = summation_method, bool(from_logits)

    def init(self) -> State:
        """Return zero counts of positives and negatives in each bucket of outputs."""
        n = self.num_thresholds
        return {"positive": np.zeros(n), "negative": np.zeros(n)}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Count a batch."""
        xp = namespace(y_pred)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        top = self.num_thresholds - 1
        bucket = (xp.ceil(p * top) - 1).clip(0, top - 1).astype(xp.int32).reshape(-1)
        weight = xp.broadcast_to(spread_over(weight, y_pred), y_pred.shape).reshape(-1)
        real = (y_true > 0.5).reshape(-1)
        counts = {"positive": real * weight, "negative": ~real * weight}
        return {k: state[k] + segment_sum(counts[k], bucket, top + 1) for k in state}

    def result(self, state: State | None = None) -> Array:
        """Return the area."""
        state = self.now(state)
        xp = namespace(state["positive"])
        above = {k: xp.flip(xp.cumsum(xp.flip(state[k]))) for k in state}
        tp, fp = above["positive"], above["negative"]
        positives, negatives = tp[0], fp[0]
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _area_of_precision(tp, fp, positives)
        recall = ratio(tp, positives)
        x, y = (
            (ratio(fp, negatives), recall) if self.curve == "ROC" else (recall, ratio(tp, tp + fp))
        )
        heights = {
            "interpolation": (y[:-1] + y[1:]) / 2,
            "minoring": xp.minimum(y[:-1], y[1:]),
            "majoring": xp.maximum(y[:-1], y[1:]),
        }[self.summation_method]
        return ((x[:-1] - x[1:]) * heights).sum()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        names = ("num_thresholds", "curve", "summation_method", "from_logits")
        return super().get_config() | {name: vars(self)[name] for name in names}


def _area_of_precision(tp: Array, fp: Array, positives: Array) -> Array:
    """Return the area under precision, with tp and fp linear between thresholds."""
    xp = namespace(tp)
    predicted = tp + fp
    slope = ratio(tp[:-1] - tp[1:], xp.maximum(predicted[:-1] - predicted[1:], 0))
    intercept = tp[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    growth = xp.where(both, ratio(predicted[:-1], predicted[1:]), 1)
    gained = slope * (tp[:-1] - tp[1:] + intercept * xp.log(growth))
    return ratio(gained, positives).sum()
