"""Metrics: what `fit` and `evaluate` report.

A metric is three pure functions over a small dict of arrays:

    init() -> state
    update(state, y_true, y_pred, weight) -> state
    result(state) -> number

weight: [B] or [B, T], 0 for examples or steps that do not count. A user-defined metric is a
function of (y_true, y_pred) that returns one value per example; their mean is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import numpy as np

from wordrow.nn.functions.labels import same_rank
from wordrow.nn.ops import namespace, with_axes
from wordrow.nn.spec import Array, Arrays

__all__ = ["Mean", "MeanMetric", "Metric", "State", "Sum", "ratio", "spread_over"]

State: TypeAlias = Arrays


class Metric:
    """What all metrics share: a name, under which `fit` and `evaluate` report it."""

    default_name: ClassVar[str] = "metric"
    aligns: ClassVar[bool] = True  # labels and outputs that differ by a last axis of length 1
    _own: State | None = None  # what `update_state` has counted

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.default_name

    # ---- stateful use, as in Keras ------------------------

    def update_state(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> None:
        """Count a batch, outside of `fit`; `result()` returns the result so far."""
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if self.aligns:
            y_true, y_pred = same_rank(y_true, y_pred)
        if self._own is None:
            if hasattr(self, "n_outputs"):
                self.n_outputs = y_pred.shape[-1]
            self._own = self.init()
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float32)
        self._own = self.update(self._own, y_true, y_pred, weight)

    def reset_state(self) -> None:
        """Forget what `update_state` has counted."""
        self._own = None

    reset_states = reset_state

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> Array:
        """Count a batch, and return the result so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def now(self, state: State | None) -> State:
        """Return the given state, or else what `update_state` has counted."""
        if state is not None:
            return state
        return self.init() if self._own is None else self._own

    # ---- pure functions ----------------------------------------------------

    def init(self) -> State:
        """Return the state before anything is counted."""
        raise TypeError(f"{type(self).__name__} does not say what it counts: define `init`.")

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Return the state with a batch counted."""
        raise TypeError(f"{type(self).__name__} does not say how it counts: define `update`.")

    def result(self, state: State | None = None) -> Array:
        """Return the result of a state."""
        raise TypeError(f"{type(self).__name__} does not say what it comes to: define `result`.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        return {"name": self.name}


class MeanMetric(Metric):
    """The mean of a function of (y_true, y_pred), over examples or steps.

    >>> import numpy as np
    >>> metric = MeanMetric(lambda y_true, y_pred: abs(y_true - y_pred), "distance")
    >>> state = metric.update(metric.init(), np.array([1.0, 3.0]), np.array([1.0, 1.0]), None)
    >>> float(metric.result(state))
    1.0
    """

    aligns = False  # user-defined functions see what they are given; the others do it themselves

    def __init__(self, function: Callable[[Array, Array], Array], name: str | None = None) -> None:
        super().__init__(name or getattr(function, "__name__", type(function).__name__))
        self.function = function

    def init(self) -> State:
        """Return zero counts."""
        return {"total": np.zeros(()), "count": np.zeros(())}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Add a batch."""
        values = self.function(y_true, y_pred)
        xp = namespace(y_pred)
        if weight is None:
            weight = xp.ones(np.shape(y_pred)[:1])
        values = xp.asarray(values)
        while values.ndim > weight.ndim:
            values = values.mean(axis=-1)
        if values.ndim == 0:  # one value for the batch
            weight = weight.max()
        elif values.ndim < weight.ndim:  # one value per example, and a weight per step
            weight = weight.reshape(*weight.shape[: values.ndim], -1).mean(axis=-1)
        return {
            "total": state["total"] + (values * weight).sum(),
            "count": state["count"] + (weight + 0 * values).sum(),
        }

    def result(self, state: State | None = None) -> Array:
        """Return the mean; 0 if nothing was counted."""
        state = self.now(state)
        return ratio(state["total"], state["count"])


class Mean(Metric):
    """The mean of values, counted by hand: update_state(values, sample_weight=None).

    >>> metric = Mean()
    >>> metric.update_state([1.0, 3.0])
    >>> float(metric.result())
    2.0
    """

    default_name = "mean"

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name)

    def update_state(self, values: Array, sample_weight: Array | None = None) -> None:  # type: ignore[override]
        """Count values, each with its weight."""
        values = np.asarray(values, np.float64)
        weight = np.ones(()) if sample_weight is None else np.asarray(sample_weight, np.float64)
        weight = np.broadcast_to(with_axes(weight, values.ndim), values.shape)
        before = self.now(None)
        self._own = {
            "total": before["total"] + (values * weight).sum(),
            "count": before["count"] + weight.sum(),
        }

    def __call__(self, values: Array, sample_weight: Array | None = None) -> Array:  # type: ignore[override]
        """Count values, and return the result so far."""
        self.update_state(values, sample_weight)
        return self.result()

    def init(self) -> State:
        """Return zero counts."""
        return {"total": np.zeros(()), "count": np.zeros(())}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Raise TypeError: there are no labels to compare with."""
        raise TypeError(
            f"{type(self).__name__} takes values alone, so `compile` cannot use it: call its "
            "update_state(values), or give `compile` a function of (y_true, y_pred)."
        )

    def result(self, state: State | None = None) -> Array:
        """Return the mean; 0 if nothing was counted."""
        state = self.now(state)
        return ratio(state["total"], state["count"])


class Sum(Mean):
    """The sum of values, counted by hand: update_state(values, sample_weight=None).

    >>> metric = Sum()
    >>> metric.update_state([1.0, 3.0])
    >>> float(metric.result())
    4.0
    """

    default_name = "sum"

    def result(self, state: State | None = None) -> Array:
        """Return the sum."""
        return self.now(state)["total"]


def ratio(part: Array, whole: Array) -> Array:
    """Return part / whole; 0 where whole is 0."""
    xp = namespace(whole)
    return xp.where(whole != 0, part / xp.where(whole != 0, whole, 1), 0)


def spread_over(weight: Array | None, y_pred: Array) -> Array:
    """Return weights [B] or [B, T], with axes added to match the outputs."""
    if weight is None:
        return namespace(y_pred).ones((1,) * y_pred.ndim, np.float32)
    return with_axes(weight, y_pred.ndim)
