"""What all optimizers share: the learning rate, clipping, weight decay, and rows at rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from wordrow.arguments import not_negative
from wordrow.errors import show
from wordrow.nn.named import config_of
from wordrow.nn.ops import namespace
from wordrow.nn.schedules import SCHEDULES, Schedule

__all__ = ["Drift", "Optimizer", "OptimizerOptions", "Slots"]

Slots = dict[str, Any]


class OptimizerOptions(TypedDict, total=False):
    """What every optimizer takes by keyword: see `Optimizer`."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    decay: float
    name: str | None


@dataclass(frozen=True)
class Drift:
    """How a weight moves by itself at step j without a gradient.

    By rate_j * first ** j / (1 - delta_j q) times something of its slots, where
    delta_j = 1 - second ** (j / 2), as a series of n_terms in q.
    """

    first: float
    second: float = 1.0
    n_terms: int = 1


class Optimizer:
    """What all optimizers share.

    learning_rate: a number, or a function of the step's number (from 0), such as
    a schedule. weight_decay: each step takes learning_rate * weight_decay of
    every weight away. clipvalue bounds each gradient, clipnorm the norm of each
    weight's gradient, global_clipnorm the norm of all together; one at most.
    decay (Keras 1 and 2): a number's rate is divided by 1 + decay * step.
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: float | Schedule | Mapping[str, Any],
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
    def learning_rate(self, rate: Any) -> None:
        if isinstance(rate, Mapping):
            rate = SCHEDULES.get(rate)
        if not callable(rate):
            number = float(rate)
            if not (math.isfinite(number) and number >= 0):
                raise ValueError(
                    f"`learning_rate` must be a number from 0 on, or a schedule; received "
                    f"{show(rate)}."
                )
            rate = number
        self._rate = rate

    lr = learning_rate  # Keras 1 and 2's name

    def rate(self, step: int) -> float:
        """Return the learning rate of a step (from 0)."""
        if callable(self._rate):
            return float(self._rate(step))
        return float(self._rate / (1 + self.decay * step))

    # ---- pure functions -------------------------------------------------

    def init(self, w: Any) -> Slots:
        """Return the slots of a weight, for the first step."""
        return {slot: namespace(w).zeros_like(w) for slot in self.slots}

    def numbers(self, step: int) -> dict[str, float]:
        """Return what changes from step to step, for a step (from 0)."""
        rate = self.rate(step)
        return {"rate": rate, "keep": 1 - rate * (self.weight_decay or 0.0)}

    def update(self, w: Any, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (w, slots) after a step; weight decay comes first, as in Keras."""
        if self.weight_decay:
            w = w * numbers["keep"]
        change, slots = self.change(gradient, slots, numbers)
        return w + change, slots

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `change`.")

    def clip(self, gradients: Any) -> Any:
        """Return gradients by name, within the bounds."""
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

    # ---- rows at rest ---------------------------------------------------

    def drift(self) -> Drift | None:
        """Return how rows move without a gradient; None where they stay."""
        return None

    def fading(self) -> dict[str, float]:
        """Return what a slot is multiplied with at each step without a gradient."""
        return {}

    @property
    def can_rest(self) -> bool:
        """Whether rows may miss steps: what they missed can be made up for exactly."""
        return True

    def drifted(self, slots: Slots, terms: Any) -> Any:
        """Return how far a row has moved, from the sums of its drift: [U, D], [U, P] -> [U, D]."""
        raise TypeError(f"{type(self).__name__} does not say how rows drift: define `drifted`.")

    def catch_up(self, w: Any, slots: Slots, away: Mapping[str, Any]) -> tuple[Any, Slots]:
        """Return (w, slots) of rows after steps without a gradient.

        away: "keep" [U], what weight decay leaves; "terms" [U, P], sums of the
        drift; "fade" slot -> [U].
        """
        if "keep" in away:
            w = w * away["keep"][:, None]
        if "terms" in away:
            w = w + self.drifted(slots, away["terms"])
        faded = {slot: slots[slot] * share[:, None] for slot, share in away["fade"].items()}
        return w, slots | faded

    # ---- settings -------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again.

        Raises ValueError for a schedule of your own, which cannot be saved.
        """
        rate = self._rate
        config = {"learning_rate": SCHEDULES.config(rate) if callable(rate) else rate,
                  "weight_decay": self.weight_decay}  # fmt: skip
        for name in ("clipnorm", "clipvalue", "global_clipnorm", "decay"):
            if vars(self)[name]:
                config[name] = vars(self)[name]
        return config

    def __repr__(self) -> str:
        entry = config_of(self)
        arguments = ", ".join(f"{k}={v!r}" for k, v in entry["config"].items())
        return f"{entry['class_name']}({arguments})"


def _shortened(gradient: Any, square: Any, most: float) -> Any:
    """Return a gradient scaled so that a norm, given as its square, is at most `most`."""
    xp = namespace(gradient)
    norm = xp.sqrt(xp.where(square > 0, square, np.float32(1)))
    return gradient * (most / xp.maximum(xp.where(square > 0, norm, 0), most))
