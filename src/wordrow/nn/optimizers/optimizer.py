"""What all optimizers share: the learning rate, clipping and weight decay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

import numpy as np

from wordrow.arguments import not_negative
from wordrow.errors import show
from wordrow.nn.ops import namespace
from wordrow.nn.optimizers.missed_updates import ZeroGradient
from wordrow.nn.optimizers.schedules import SCHEDULES, Schedule
from wordrow.nn.registry import config_of
from wordrow.nn.spec import Array, Arrays

__all__ = ["CoreRule", "Hyperparameters", "Optimizer", "OptimizerOptions", "Rate"]

Key = TypeVar("Key")
Hyperparameters: TypeAlias = Mapping[str, Any]
Rate: TypeAlias = float | Schedule | Mapping[str, Any]  # a schedule may be given as its config


class LearningRate(float):
    """A learning rate that knows its optimizer, so that `keras.backend.set_value` can set it."""

    optimizer: Optimizer

    @classmethod
    def of(cls, optimizer: Optimizer) -> LearningRate:
        """Return an optimizer's learning rate."""
        rate = cls(optimizer.learning_rate)
        rate.optimizer = optimizer
        return rate


class OptimizerOptions(TypedDict, total=False):
    """What every optimizer takes by keyword: see `Optimizer`."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    decay: float
    name: str | None


@dataclass(frozen=True)
class CoreRule:
    """An optimizer that the core implements: its settings, and the names of its state arrays.

    m, v: the state arrays that hold the core's first and second moment. lazy: a step skips the
    rows that its batch does not use.
    """

    name: Literal["adam", "sgd", "adagrad", "rmsprop"]
    m: str | None = None
    v: str | None = None
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    nesterov: bool = False
    lazy: bool = False


class Optimizer:
    """What all optimizers share.

    learning_rate: a number, or a function of the step (from 0), such as
    a schedule. weight_decay: each step subtracts learning_rate * weight_decay times
    the weight. clipvalue bounds each gradient, clipnorm the norm of each
    weight's gradient, global_clipnorm the norm of all together; at most one
    of them. decay (Keras 1 and 2): the rate, if a number, is divided by 1 + decay * step.
    """

    state_names: tuple[str, ...] = ()
    iterations = 0  # the steps taken on the model that was trained last

    def __init__(
        self,
        learning_rate: Rate,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        decay: float = 0.0,
        name: str | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = None if not weight_decay else float(weight_decay)
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(clip is not None for clip in clips.values()) > 1:
            raise ValueError(f"only one of {sorted(clips)} may be given; received {clips}.")
        for clip, value in clips.items():
            if value is not None and not value > 0:
                raise ValueError(f"`{clip}` must be above 0; received {show(value)}.")
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.decay = not_negative("decay", decay)
        self.name = name or type(self).__name__.lower()

    # ---- the learning rate ----------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate, or the schedule that gives it; may be set at any time."""
        return self._rate

    @learning_rate.setter
    def learning_rate(self, rate: Rate) -> None:
        given: Any = SCHEDULES.get(rate) if isinstance(rate, Mapping) else rate
        if not callable(given):
            number = float(given)
            if not (math.isfinite(number) and number >= 0):
                raise ValueError(
                    f"`learning_rate` must be a number from 0 on, or a schedule; received "
                    f"{show(rate)}."
                )
            given = number
        self._rate = given

    @property
    def lr(self) -> Any:
        """The learning rate, under Keras 1 and 2's name."""
        return self._rate if callable(self._rate) else LearningRate.of(self)

    @lr.setter
    def lr(self, rate: Rate) -> None:
        self.learning_rate = rate

    def rate(self, step: int) -> float:
        """Return the learning rate of a step (from 0)."""
        if callable(self._rate):
            return float(self._rate(step))
        return float(self._rate / (1 + self.decay * step))

    # ---- pure functions -------------------------------------------------

    def init(self, weight: Array) -> Arrays:
        """Return the optimizer state of a weight, before the first step."""
        return {name: namespace(weight).zeros_like(weight) for name in self.state_names}

    def hyperparameters(self, step: int) -> dict[str, float]:
        """Return the hyperparameters of a step (from 0).

        "kept" is the factor that weight decay leaves of a weight.
        """
        rate = self.rate(step)
        return {"learning_rate": rate, "kept": 1 - rate * (self.weight_decay or 0.0)}

    def update(
        self, weight: Array, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (weight, its state) after a step; weight decay comes first, as in Keras."""
        if self.weight_decay:
            weight = weight * hyperparameters["kept"]
        change, state = self.change(gradient, state, hyperparameters)
        return weight + change, state

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        raise TypeError(f"{type(self).__name__} must define `change`.")

    def clip(self, gradients: Mapping[Key, Array]) -> Mapping[Key, Array]:
        """Return the clipped gradients, by name."""
        if self.clipvalue is not None:
            return {k: g.clip(-self.clipvalue, self.clipvalue) for k, g in gradients.items()}
        squares = {k: (g * g).sum() for k, g in gradients.items()}
        if self.clipnorm is not None:
            most = self.clipnorm
            return {k: _shortened(g, squares[k], most) for k, g in gradients.items()}
        if self.global_clipnorm is not None:
            square = sum(squares.values())
            return {k: _shortened(g, square, self.global_clipnorm) for k, g in gradients.items()}
        return gradients

    # ---- rows that a batch does not use -----------------------------------

    @property
    def zero_gradient(self) -> ZeroGradient | None:
        """What a step with a zero gradient does; None if many such steps have no closed form."""
        return ZeroGradient()

    @property
    def can_skip_rows(self) -> bool:
        """Whether rows may miss steps, because the missed updates can be applied exactly later."""
        description = self.zero_gradient
        return description is not None and description.has_closed_form

    @property
    def core_rule(self) -> CoreRule | None:
        """The same optimizer in the core; None if the core does not implement it."""
        return None

    def updates_as(self, cls: type[Optimizer]) -> bool:
        """Return whether weights are updated as in `cls`, not overridden by a subclass."""
        own = type(self)
        return own.change is cls.change and own.update is Optimizer.update

    # ---- settings -------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer.

        Raises ValueError for a user-defined schedule, which cannot be saved.
        """
        rate = self._rate
        config = {
            "learning_rate": SCHEDULES.config(rate) if callable(rate) else rate,
            "weight_decay": self.weight_decay,
        }
        for name in ("clipnorm", "clipvalue", "global_clipnorm", "decay"):
            if vars(self)[name]:
                config[name] = vars(self)[name]
        return config

    def __repr__(self) -> str:
        entry = config_of(self)
        arguments = ", ".join(f"{k}={v!r}" for k, v in entry["config"].items())
        return f"{entry['class_name']}({arguments})"


def _shortened(gradient: Array, square: Array, most: float) -> Array:
    """Return a gradient scaled down to a norm of at most `most`; square: the squared norm."""
    xp = namespace(gradient)
    norm = xp.sqrt(xp.where(square > 0, square, np.float32(1)))
    return gradient * (most / xp.maximum(xp.where(square > 0, norm, 0), most))
