"""Metrics of counts: precision, recall, areas, F scores, and the counts themselves."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from wordrow.errors import show
from wordrow.nn.metrics.metric import Metric, State, share_of, spread_over
from wordrow.nn.ops import namespace, sigmoid, total_of

__all__ = [
    "AUC", "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives", "Precision", "R2Score",
    "Recall", "TrueNegatives", "TruePositives",
]  # fmt: skip


class _Confusion(Metric):
    """What precision and recall share: right and wrong answers above a threshold."""

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
        """Return nothing counted."""
        return {"right": np.zeros(()), "wrong": np.zeros(())}

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Count a batch."""
        if self.class_id is not None:
            y_true, y_pred = (y[..., self.class_id : self.class_id + 1] for y in (y_true, y_pred))
        real, said = y_true > 0.5, y_pred > self.thresholds
        weight = spread_over(weight, y_pred)
        wrong = said & ~real if self.wrong == "said" else real & ~said
        return {
            "right": state["right"] + ((real & said) * weight).sum(),
            "wrong": state["wrong"] + (wrong * weight).sum(),
        }

    def result(self, state: State | None = None) -> Any:
        """Return the share of right ones; 0 where there are none."""
        state = self.now(state)
        return share_of(state["right"], state["right"] + state["wrong"])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        own = {"thresholds": self.thresholds, "class_id": self.class_id}
        return super().get_config() | own


class Precision(_Confusion):
    """Of what is said to be positive (above the threshold), the share that is.

    >>> import numpy as np
    >>> metric = Precision()
    >>> y_true, y_pred = np.array([[1], [0], [1]]), np.array([[0.9], [0.8], [0.1]])
    >>> float(metric.result(metric.update(metric.init(), y_true, y_pred, None)))
    0.5
    """

    default_name = "precision"
    wrong = "said"


class Recall(_Confusion):
    """Of what is positive, the share that is said to be (above the threshold).

    >>> import numpy as np
    >>> metric = Recall()
    >>> y_true, y_pred = np.array([[1], [0], [1]]), np.array([[0.9], [0.8], [0.1]])
    >>> float(metric.result(metric.update(metric.init(), y_true, y_pred, None)))
    0.5
    """

    default_name = "recall"
    wrong = "real"


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
        """Return nothing counted: positives and negatives whose output is in each bucket."""
        n = self.num_thresholds
        return {"positive": np.zeros(n), "negative": np.zeros(n)}

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Count a batch."""
        xp = namespace(y_pred)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        top = self.num_thresholds - 1
        bucket = (xp.ceil(p * top) - 1).clip(0, top - 1).astype(xp.int32).reshape(-1)
        weight = xp.broadcast_to(spread_over(weight, y_pred), y_pred.shape).reshape(-1)
        real = (y_true > 0.5).reshape(-1)
        counts = {"positive": real * weight, "negative": ~real * weight}
        return {k: state[k] + total_of(counts[k], bucket, top + 1) for k in state}

    def result(self, state: State | None = None) -> Any:
        """Return the area."""
        state = self.now(state)
        xp = namespace(state["positive"])
        above = {k: xp.flip(xp.cumsum(xp.flip(state[k]))) for k in state}
        tp, fp = above["positive"], above["negative"]
        positives, negatives = tp[0], fp[0]
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _area_of_precision(tp, fp, positives)
        recall = share_of(tp, positives)
        x, y = (
            (share_of(fp, negatives), recall)
            if self.curve == "ROC"
            else (recall, share_of(tp, tp + fp))
        )
        heights = {
            "interpolation": (y[:-1] + y[1:]) / 2,
            "minoring": xp.minimum(y[:-1], y[1:]),
            "majoring": xp.maximum(y[:-1], y[1:]),
        }[self.summation_method]
        return ((x[:-1] - x[1:]) * heights).sum()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        names = ("num_thresholds", "curve", "summation_method", "from_logits")
        return super().get_config() | {name: vars(self)[name] for name in names}


def _area_of_precision(tp: Any, fp: Any, positives: Any) -> Any:
    """Return the area under precision, with tp and fp linear between thresholds."""
    xp = namespace(tp)
    said = tp + fp
    slope = share_of(tp[:-1] - tp[1:], xp.maximum(said[:-1] - said[1:], 0))
    intercept = tp[1:] - slope * said[1:]
    both = (said[:-1] > 0) & (said[1:] > 0)
    ratio = xp.where(both, share_of(said[:-1], said[1:]), 1)
    gained = slope * (tp[:-1] - tp[1:] + intercept * xp.log(ratio))
    return share_of(gained, positives).sum()


class _Counted(Metric):
    """The number of answers of one kind, above a threshold."""

    real: ClassVar[bool]
    said: ClassVar[bool]

    def __init__(self, thresholds: float | None = None, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(thresholds, list | tuple):
            raise ValueError(
                f"{type(self).__name__} takes one threshold; received {show(thresholds)}."
            )
        self.thresholds = 0.5 if thresholds is None else float(thresholds)

    def init(self) -> State:
        """Return nothing counted."""
        return {"n": np.zeros(())}

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Count a batch."""
        fits = ((y_true > 0.5) == self.real) & ((y_pred > self.thresholds) == self.said)
        return {"n": state["n"] + (fits * spread_over(weight, y_pred)).sum()}

    def result(self, state: State | None = None) -> Any:
        """Return the number."""
        return self.now(state)["n"]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return super().get_config() | {"thresholds": self.thresholds}


class TruePositives(_Counted):
    """How many are positive and are said to be."""

    default_name, real, said = "true_positives", True, True


class TrueNegatives(_Counted):
    """How many are negative and are said to be."""

    default_name, real, said = "true_negatives", False, False


class FalsePositives(_Counted):
    """How many are negative and are said to be positive."""

    default_name, real, said = "false_positives", False, True


class FalseNegatives(_Counted):
    """How many are positive and are said to be negative."""

    default_name, real, said = "false_negatives", True, False


class FBetaScore(Metric):
    """(1 + beta ** 2) * precision * recall / (beta ** 2 * precision + recall), of each class.

    y_true: [B, classes] of 0 and 1. threshold: above it a class is said to be there; without
    one, the likeliest alone is. average: "macro" (the mean of the classes), "micro" (all answers
    as one), "weighted" (by how often a class is there), or None for each class's own, which
    `fit` cannot show for several classes.

    >>> metric = FBetaScore(average="micro", beta=2.0)
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]])
    >>> float(metric.result())
    0.5
    """

    default_name = "fbeta_score"
    n_outputs = 1

    def __init__(
        self, average: Literal["micro", "macro", "weighted"] | None = None, beta: float = 1.0,
        threshold: float | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name)
        if average not in ("micro", "macro", "weighted", None):
            raise ValueError(
                f"`average` must be 'micro', 'macro', 'weighted' or None; received {show(average)}."
            )
        if not beta > 0:
            raise ValueError(f"`beta` must be above 0; received {show(beta)}.")
        self.average, self.beta, self.threshold = average, float(beta), threshold

    def fit_outputs(self, n: int) -> None:
        """Learn how many classes there are.

        Raises ValueError where the answer would be several numbers.
        """
        if n > 1 and self.average is None:
            raise ValueError(
                f"{type(self).__name__} gives {n} numbers for {n} classes: choose average='macro', "
                "'micro' or 'weighted'."
            )
        self.n_outputs = n

    def init(self) -> State:
        """Return nothing counted."""
        zeros = np.zeros(() if self.average == "micro" else self.n_outputs)
        return {"right": zeros, "said": zeros, "real": zeros}

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Count a batch."""
        if self.threshold is None:
            xp = namespace(y_pred)
            best = y_pred.argmax(axis=-1)[..., None]
            said = xp.arange(y_pred.shape[-1]) == best
        else:
            said = y_pred > self.threshold
        real, weight = y_true > 0.5, spread_over(weight, y_pred)
        axes = None if self.average == "micro" else tuple(range(y_pred.ndim - 1))
        counts = {"right": said & real, "said": said, "real": real}
        return {k: state[k] + (v * weight).sum(axis=axes) for k, v in counts.items()}

    def result(self, state: State | None = None) -> Any:
        """Return the score; 0 where there is nothing."""
        state, square = self.now(state), self.beta**2
        score = share_of((1 + square) * state["right"], square * state["real"] + state["said"])
        if self.average == "macro":
            return score.mean()
        if self.average == "weighted":
            return share_of((score * state["real"]).sum(), state["real"].sum())
        return score

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return super().get_config() | own


class F1Score(FBetaScore):
    """`FBetaScore` with beta 1: the harmonic mean of precision and recall.

    >>> metric = F1Score(threshold=0.5)
    >>> metric.update_state([[1], [1], [0]], [[0.9], [0.2], [0.1]])
    >>> metric.result().round(4).tolist()
    [0.6667]
    """

    default_name = "f1_score"

    def __init__(
        self, average: Literal["micro", "macro", "weighted"] | None = None,
        threshold: float | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(average, 1.0, threshold, name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {k: v for k, v in super().get_config().items() if k != "beta"}


class R2Score(Metric):
    """1 - squared errors / squared distances from the mean, the mean of the outputs' own.

    >>> metric = R2Score()
    >>> metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    >>> float(metric.result())
    0.5
    """

    default_name = "r2_score"
    n_outputs = 1

    def fit_outputs(self, n: int) -> None:
        """Learn how many outputs there are."""
        self.n_outputs = n

    def init(self) -> State:
        """Return nothing counted."""
        zeros = np.zeros(self.n_outputs)
        return {"sum": zeros, "squares": zeros, "errors": zeros, "n": np.zeros(())}

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Add a batch."""
        weight = spread_over(weight, y_pred)
        axes = tuple(range(y_pred.ndim - 1))
        return {
            "sum": state["sum"] + (y_true * weight).sum(axis=axes),
            "squares": state["squares"] + (y_true**2 * weight).sum(axis=axes),
            "errors": state["errors"] + ((y_true - y_pred) ** 2 * weight).sum(axis=axes),
            "n": state["n"] + (weight * namespace(y_pred).ones_like(y_pred[..., :1])).sum(),
        }

    def result(self, state: State | None = None) -> Any:
        """Return the share of the variance that is explained."""
        state = self.now(state)
        mean = share_of(state["sum"], state["n"])
        distances = state["squares"] - state["sum"] * mean
        return (1 - share_of(state["errors"], distances)).mean()
