"""Metrics: what is counted while a model learns or is evaluated.

A metric is three pure functions over a small dict of numbers:

    init() -> state
    update(state, y_true, y_pred, weight) -> state
    result(state) -> number

weight: [B] or [B, T], 0 for what does not count. Own metrics are functions of
(y_true, y_pred) that return a number an example; their mean is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from wordrow.errors import show
from wordrow.nn import losses
from wordrow.nn.named import Named
from wordrow.nn.ops import namespace, sigmoid, total_of

__all__ = [
    "AUC", "METRICS", "BinaryAccuracy", "CategoricalAccuracy", "MeanMetric", "Metric", "Precision",
    "Recall", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy", "binary_accuracy", "categorical_accuracy",
    "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]  # fmt: skip

State = dict[str, Any]


class Metric:
    """What all metrics share: a name, under which `fit` and `evaluate` report it."""

    default_name: ClassVar[str] = "metric"

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.default_name

    def init(self) -> State:
        """Return the state before anything is counted."""
        raise TypeError(f"{type(self).__name__} does not say what it counts: define `init`.")

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Return the state with a batch counted."""
        raise TypeError(f"{type(self).__name__} does not say how it counts: define `update`.")

    def result(self, state: State) -> Any:
        """Return the number that a state stands for."""
        raise TypeError(f"{type(self).__name__} does not say what it comes to: define `result`.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {"name": self.name}


class MeanMetric(Metric):
    """The mean of a function of (y_true, y_pred), over examples or steps.

    >>> import numpy as np
    >>> metric = MeanMetric(lambda y_true, y_pred: abs(y_true - y_pred), "distance")
    >>> state = metric.update(metric.init(), np.array([1.0, 3.0]), np.array([1.0, 1.0]), None)
    >>> float(metric.result(state))
    1.0
    """

    def __init__(self, function: Callable[[Any, Any], Any], name: str | None = None) -> None:
        super().__init__(name or getattr(function, "__name__", type(function).__name__))
        self.function = function

    def init(self) -> State:
        """Return nothing counted."""
        return {"total": np.zeros(()), "count": np.zeros(())}

    def update(self, state: State, y_true: Any, y_pred: Any, weight: Any) -> State:
        """Add a batch."""
        values = self.function(y_true, y_pred)
        xp = namespace(y_pred)
        if weight is None:
            weight = xp.ones(np.shape(y_pred)[:1])
        values = xp.asarray(values)
        while values.ndim > weight.ndim:
            values = values.mean(axis=-1)
        if values.ndim < weight.ndim:  # one number for the batch, or an example
            weight = weight.reshape(*weight.shape[: values.ndim], -1).mean(axis=-1) \
                if values.ndim else weight.max()  # fmt: skip
        return {
            "total": state["total"] + (values * weight).sum(),
            "count": state["count"] + (weight + 0 * values).sum(),
        }

    def result(self, state: State) -> Any:
        """Return the mean; 0 where nothing was counted."""
        return _share(state["total"], state["count"])


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Return whether y_pred is on the side of the threshold that y_true (0 or 1) says.

    >>> import numpy as np
    >>> binary_accuracy(np.array([[1], [1]]), np.array([[0.7], [0.4]])).tolist()
    [1.0, 0.0]
    """
    right = (y_pred > threshold) == (y_true > 0.5)
    return right.astype(np.float32).mean(axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return whether the largest output is the right class. y_true: [B, ..., classes].

    >>> import numpy as np
    >>> categorical_accuracy(np.eye(2), np.array([[0.9, 0.1], [0.8, 0.2]])).tolist()
    [1.0, 0.0]
    """
    return (y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)).astype(np.float32)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return whether the largest output is the right class. y_true: its number.

    >>> import numpy as np
    >>> y_pred = np.array([[0.9, 0.1], [0.8, 0.2]])
    >>> sparse_categorical_accuracy(np.array([0, 1]), y_pred).tolist()
    [1.0, 0.0]
    """
    return (_numbers(y_true, y_pred) == y_pred.argmax(axis=-1)).astype(np.float32)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Return whether the right class is among the k largest outputs. y_true: its number.

    >>> import numpy as np
    >>> y_pred = np.array([[0.5, 0.3, 0.2]])
    >>> sparse_top_k_categorical_accuracy(np.array([1]), y_pred, k=2).tolist()
    [1.0]
    """
    numbers = _numbers(y_true, y_pred)[..., None]
    own = namespace(y_pred).take_along_axis(y_pred, numbers, axis=-1)
    return ((y_pred > own).sum(axis=-1) < k).astype(np.float32)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Return whether the right class is among the k largest outputs. y_true: [B, ..., classes].

    >>> import numpy as np
    >>> top_k_categorical_accuracy(np.eye(3)[:1], np.array([[0.2, 0.3, 0.5]]), k=2).tolist()
    [0.0]
    """
    return sparse_top_k_categorical_accuracy(y_true.argmax(axis=-1), y_pred, k)


def _numbers(y_true: Any, y_pred: Any) -> Any:
    """Return class numbers without a last axis of length 1."""
    numbers = y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true
    return numbers.astype(np.int32)


class _Accuracy(MeanMetric):
    of: Callable[..., Any]

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
        """Return the arguments that make this metric again."""
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
    of: Callable[..., Any]

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        self.k = int(k)
        of = type(self).of
        super().__init__(
            lambda y_true, y_pred: of(y_true, y_pred, self.k), name or self.default_name
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return super().get_config() | {"k": self.k}


class TopKCategoricalAccuracy(_TopK):
    """`top_k_categorical_accuracy` with its k."""

    default_name = "top_k_categorical_accuracy"
    of = staticmethod(top_k_categorical_accuracy)


class SparseTopKCategoricalAccuracy(_TopK):
    """`sparse_top_k_categorical_accuracy` with its k."""

    default_name = "sparse_top_k_categorical_accuracy"
    of = staticmethod(sparse_top_k_categorical_accuracy)


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
        weight = _spread(weight, y_pred)
        wrong = said & ~real if self.wrong == "said" else real & ~said
        return {
            "right": state["right"] + ((real & said) * weight).sum(),
            "wrong": state["wrong"] + (wrong * weight).sum(),
        }

    def result(self, state: State) -> Any:
        """Return the share of right ones; 0 where there are none."""
        return _share(state["right"], state["right"] + state["wrong"])

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
        weight = xp.broadcast_to(_spread(weight, y_pred), y_pred.shape).reshape(-1)
        real = (y_true > 0.5).reshape(-1)
        counts = {"positive": real * weight, "negative": ~real * weight}
        return {k: state[k] + total_of(counts[k], bucket, top + 1) for k in state}

    def result(self, state: State) -> Any:
        """Return the area."""
        xp = namespace(state["positive"])
        above = {k: xp.flip(xp.cumsum(xp.flip(state[k]))) for k in state}
        tp, fp = above["positive"], above["negative"]
        positives, negatives = tp[0], fp[0]
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _area_of_precision(tp, fp, positives)
        recall = _share(tp, positives)
        x, y = (
            (_share(fp, negatives), recall)
            if self.curve == "ROC"
            else (recall, _share(tp, tp + fp))
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
    slope = _share(tp[:-1] - tp[1:], xp.maximum(said[:-1] - said[1:], 0))
    intercept = tp[1:] - slope * said[1:]
    both = (said[:-1] > 0) & (said[1:] > 0)
    ratio = xp.where(both, _share(said[:-1], said[1:]), 1)
    gained = slope * (tp[:-1] - tp[1:] + intercept * xp.log(ratio))
    return _share(gained, positives).sum()


def _share(part: Any, whole: Any) -> Any:
    """Return part / whole, 0 where whole is 0."""
    xp = namespace(whole)
    return xp.where(whole != 0, part / xp.where(whole != 0, whole, 1), 0)


def _spread(weight: Any, y_pred: Any) -> Any:
    """Return weights [B] or [B, T] with as many axes as the outputs."""
    if weight is None:
        return namespace(y_pred).ones((1,) * y_pred.ndim, np.float32)
    return weight.reshape(weight.shape + (1,) * (y_pred.ndim - weight.ndim))


_CLASSES = (
    AUC, BinaryAccuracy, CategoricalAccuracy, Precision, Recall, SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
)  # fmt: skip
_FUNCTIONS = {
    "binary_accuracy": binary_accuracy,
    "categorical_accuracy": categorical_accuracy,
    "sparse_categorical_accuracy": sparse_categorical_accuracy,
    "sparse_top_k_categorical_accuracy": sparse_top_k_categorical_accuracy,
    "top_k_categorical_accuracy": top_k_categorical_accuracy,
}
METRICS = Named(
    "a metric",
    classes={cls.__name__: cls for cls in _CLASSES}
    | {"auc": AUC, "precision": Precision, "recall": Recall},
    names=losses.LOSSES.names | _FUNCTIONS,
)
