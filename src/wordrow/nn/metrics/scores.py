"""F scores, and the coefficient of determination."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from wordrow.errors import show
from wordrow.nn.metrics.metric import Metric, State, ratio, spread_over
from wordrow.nn.ops import namespace
from wordrow.nn.spec import Array

__all__ = ["F1Score", "FBetaScore", "R2Score"]


class FBetaScore(Metric):
    """(1 + beta ** 2) * precision * recall / (beta ** 2 * precision + recall), of each class.

    y_true: [B, classes] of 0 and 1. threshold: outputs above it count as predicted; without
    one, only the largest output does. average: "macro" (the mean over classes), "micro" (all
    predictions together), "weighted" (by the classes' frequencies), or None for one score per
    class, which `fit` cannot show for several classes.

    >>> metric = FBetaScore(average="micro", beta=2.0)
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]])
    >>> float(metric.result())
    0.5
    """

    default_name = "fbeta_score"
    n_outputs = 1

    def __init__(
        self,
        average: Literal["micro", "macro", "weighted"] | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if average not in ("micro", "macro", "weighted", None):
            raise ValueError(
                f"`average` must be 'micro', 'macro', 'weighted' or None; received {show(average)}."
            )
        if not beta > 0:
            raise ValueError(f"`beta` must be above 0; received {show(beta)}.")
        self.average, self.beta, self.threshold = average, float(beta), threshold

    def fit_outputs(self, n: int) -> None:
        """Set the number of classes.

        Raises ValueError if the result would be several numbers.
        """
        if n > 1 and self.average is None:
            raise ValueError(
                f"{type(self).__name__} gives {n} numbers for {n} classes: choose average='macro', "
                "'micro' or 'weighted'."
            )
        self.n_outputs = n

    def init(self) -> State:
        """Return zero counts."""
        zeros = np.zeros(() if self.average == "micro" else self.n_outputs)
        return {"right": zeros, "predicted": zeros, "real": zeros}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Count a batch."""
        if self.threshold is None:
            xp = namespace(y_pred)
            best = y_pred.argmax(axis=-1)[..., None]
            predicted = xp.arange(y_pred.shape[-1]) == best
        else:
            predicted = y_pred > self.threshold
        real, weight = y_true > 0.5, spread_over(weight, y_pred)
        axes = None if self.average == "micro" else tuple(range(y_pred.ndim - 1))
        counts = {"right": predicted & real, "predicted": predicted, "real": real}
        return {k: state[k] + (v * weight).sum(axis=axes) for k, v in counts.items()}

    def result(self, state: State | None = None) -> Array:
        """Return the score; 0 if nothing was counted."""
        state, square = self.now(state), self.beta**2
        score = ratio((1 + square) * state["right"], square * state["real"] + state["predicted"])
        if self.average == "macro":
            return score.mean()
        if self.average == "weighted":
            return ratio((score * state["real"]).sum(), state["real"].sum())
        return score

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
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
        self,
        average: Literal["micro", "macro", "weighted"] | None = None,
        threshold: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this metric."""
        return {k: v for k, v in super().get_config().items() if k != "beta"}


class R2Score(Metric):
    """1 - squared errors / squared deviations from the mean, averaged over the outputs.

    >>> metric = R2Score()
    >>> metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    >>> float(metric.result())
    0.5
    """

    default_name = "r2_score"
    n_outputs = 1

    def fit_outputs(self, n: int) -> None:
        """Set the number of outputs."""
        self.n_outputs = n

    def init(self) -> State:
        """Return zero counts."""
        zeros = np.zeros(self.n_outputs)
        return {"sum": zeros, "squares": zeros, "errors": zeros, "n": np.zeros(())}

    def update(self, state: State, y_true: Array, y_pred: Array, weight: Array | None) -> State:
        """Add a batch."""
        weight = spread_over(weight, y_pred)
        axes = tuple(range(y_pred.ndim - 1))
        return {
            "sum": state["sum"] + (y_true * weight).sum(axis=axes),
            "squares": state["squares"] + (y_true**2 * weight).sum(axis=axes),
            "errors": state["errors"] + ((y_true - y_pred) ** 2 * weight).sum(axis=axes),
            "n": state["n"] + (weight * namespace(y_pred).ones_like(y_pred[..., :1])).sum(),
        }

    def result(self, state: State | None = None) -> Array:
        """Return the fraction of the variance that is explained."""
        state = self.now(state)
        mean = ratio(state["sum"], state["n"])
        deviations = state["squares"] - state["sum"] * mean
        return (1 - ratio(state["errors"], deviations)).mean()
