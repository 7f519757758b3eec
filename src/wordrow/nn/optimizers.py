"""Optimizers: pure functions over one weight and its slots, with Keras's formulas.

    init(w) -> slots
    update(w, gradient, slots, numbers) -> w, slots
    catch_up(w, slots, away) -> w, slots

`update` serves whole weights and the rows of a table alike. A row that a batch
does not use has a gradient of zero, and most optimizers would still move it;
`catch_up` does in one go what the steps that it missed would have done (see
away.py), so that training touches only the rows in use and equals dense
training. `numbers` are what changes from step to step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np

from wordrow import _core
from wordrow.errors import show
from wordrow.nn.named import Named, config_of
from wordrow.nn.ops import namespace
from wordrow.nn.schedules import SCHEDULES, Schedule

__all__ = [
    "OPTIMIZERS", "SGD", "Adagrad", "Adam", "AdamW", "Drift", "LazyAdam", "LazyRMSprop", "LazySGD",
    "Optimizer", "RMSprop",
]  # fmt: skip

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
        if not decay >= 0:
            raise ValueError(f"`decay` must not be below 0; received {show(decay)}.")
        self.decay = float(decay)
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


class SGD(Optimizer):
    """w -= learning_rate * gradient; with momentum, w += m, m = momentum * m - rate * gradient.

    nesterov: look one step of momentum ahead (Sutskever et al. 2013).

    >>> SGD(0.1, momentum=0.9).learning_rate
    0.1
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum, self.nesterov = _share("momentum", momentum), bool(nesterov)
        self.slots = ("momentum",) if self.momentum else ()

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        step = -numbers["rate"] * gradient
        if not self.momentum:
            return step, slots
        m = self.momentum * slots["momentum"] + step
        return (self.momentum * m + step if self.nesterov else m), {"momentum": m}

    def drift(self) -> Drift | None:
        """Return the geometric sum of the momentum."""
        return Drift(self.momentum) if self.momentum else None

    def fading(self) -> dict[str, float]:
        """Return what becomes of the momentum."""
        return {"momentum": self.momentum} if self.momentum else {}

    def drifted(self, slots: Slots, terms: Any) -> Any:
        """Return how far the momentum has carried a row."""
        return slots["momentum"] * terms[:, :1] * (self.momentum if self.nesterov else 1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return super().get_config() | {"momentum": self.momentum, "nesterov": self.nesterov}


class RMSprop(Optimizer):
    """w -= learning_rate * gradient / sqrt(v + epsilon), v the mean of gradients squared.

    rho: what each step keeps of that mean. centered: less the square of the mean
    gradient. momentum: of the steps. Tieleman & Hinton 2012; Graves 2013.

    >>> RMSprop().learning_rate
    0.001
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.momentum = _share("rho", rho), _share("momentum", momentum)
        self.epsilon, self.centered = float(epsilon), bool(centered)
        self.slots = ("velocity",) + ("momentum",) * bool(momentum) + ("mean",) * self.centered

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        velocity = self.rho * slots["velocity"] + (1 - self.rho) * gradient * gradient
        new, spread = {"velocity": velocity}, velocity
        if self.centered:
            new["mean"] = self.rho * slots["mean"] + (1 - self.rho) * gradient
            spread = velocity - new["mean"] * new["mean"]
        step = numbers["rate"] * gradient / namespace(gradient).sqrt(spread + self.epsilon)
        if self.momentum:
            step = new["momentum"] = self.momentum * slots["momentum"] + step
        return -step, new

    def drift(self) -> Drift | None:
        """Return the geometric sum of the momentum."""
        return Drift(self.momentum) if self.momentum else None

    def fading(self) -> dict[str, float]:
        """Return what becomes of the means and the momentum."""
        shares = {"velocity": self.rho, "mean": self.rho, "momentum": self.momentum}
        return {slot: shares[slot] for slot in self.slots}

    def drifted(self, slots: Slots, terms: Any) -> Any:
        """Return how far the momentum has carried a row."""
        return -slots["momentum"] * terms[:, :1]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        names = ("rho", "momentum", "epsilon", "centered")
        return super().get_config() | {name: vars(self)[name] for name in names}


class Adagrad(Optimizer):
    """w -= learning_rate * gradient / sqrt(the sum of gradients squared + epsilon).

    Duchi et al. 2011.

    >>> Adagrad().learning_rate
    0.001
    """

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = float(initial_accumulator_value)
        self.epsilon = float(epsilon)

    def init(self, w: Any) -> Slots:
        """Return the slots of a weight, for the first step."""
        return {"accumulator": namespace(w).full_like(w, self.initial_accumulator_value)}

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        total = slots["accumulator"] + gradient * gradient
        root = namespace(gradient).sqrt(total + self.epsilon)
        return -numbers["rate"] * gradient / root, {"accumulator": total}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        names = ("initial_accumulator_value", "epsilon")
        return super().get_config() | {name: vars(self)[name] for name in names}


class Adam(Optimizer):
    """w -= alpha * m / (sqrt(v) + epsilon), with running means m and v of gradient and square.

    alpha = learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t). amsgrad: v
    never falls. Kingma & Ba 2015, the form before section 2.1; Reddi et al. 2018.

    >>> Adam().learning_rate
    0.001
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2 = _share("beta_1", beta_1), _share("beta_2", beta_2)
        self.epsilon, self.amsgrad = float(epsilon), bool(amsgrad)
        self.slots = ("m", "v", "largest") if self.amsgrad else ("m", "v")

    def numbers(self, step: int) -> dict[str, float]:
        """Return the rate, what is kept, and alpha."""
        numbers, t = super().numbers(step), step + 1
        scale = math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return numbers | {"alpha": numbers["rate"] * scale}

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        xp = namespace(gradient)
        m = slots["m"] + (1 - self.beta_1) * (gradient - slots["m"])
        v = slots["v"] + (1 - self.beta_2) * (gradient * gradient - slots["v"])
        new, spread = {"m": m, "v": v}, v
        if self.amsgrad:
            spread = new["largest"] = xp.maximum(slots["largest"], v)
        return -numbers["alpha"] * m / (xp.sqrt(spread) + self.epsilon), new

    @property
    def can_rest(self) -> bool:
        """Whether few terms of the series are enough for these betas."""
        return not self.beta_1 or self.amsgrad or self._n_terms() > 0

    def _n_terms(self) -> int:
        if self.beta_2 == 0 or self.beta_1 > 0.9999 or self.epsilon < 1e-37:
            return 0
        return _n_terms(self.beta_1, self.beta_2, self.epsilon)

    def drift(self) -> Drift | None:
        """Return the series of optimizer.h; with amsgrad v does not fade, and one term is all."""
        if not self.beta_1:
            return None
        if self.amsgrad:
            return Drift(self.beta_1)
        return Drift(self.beta_1, self.beta_2, self._n_terms())

    def fading(self) -> dict[str, float]:
        """Return what becomes of the means."""
        return {"m": self.beta_1, "v": self.beta_2}

    def drifted(self, slots: Slots, terms: Any) -> Any:
        """Return -m / (x + epsilon) * sum over p of q ** p * terms[:, p]."""
        x = namespace(slots["m"]).sqrt(slots["largest" if self.amsgrad else "v"])
        share = 1 / (x + self.epsilon)
        q, n = x * share, terms.shape[1]
        total = terms[:, n - 1 :]
        for p in range(n - 2, -1, -1):
            total = terms[:, p : p + 1] + q * total
        return -slots["m"] * share * total

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        names = ("beta_1", "beta_2", "epsilon", "amsgrad")
        return super().get_config() | {name: vars(self)[name] for name in names}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    >>> AdamW().weight_decay
    0.004
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options
        )


@functools.cache
def _n_terms(beta_1: float, beta_2: float, epsilon: float) -> int:
    return _core.RowOptimizer(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, step=0).n_terms


class _Lazy(Optimizer):
    """An optimizer that leaves rows alone which a batch does not use; other weights as ever.

    Not what Keras does: without a gradient, momentum goes on there, and moments fade.
    """

    drift = Optimizer.drift  # none: rows stay
    fading = Optimizer.fading  # none: slots stay

    @property
    def can_rest(self) -> bool:
        """Whether rows may miss steps: they miss nothing. Weight decay would move them all."""
        return not self.weight_decay


class LazyAdam(_Lazy, Adam):
    """Adam whose rows stay as they are where a batch does not use them.

    >>> LazyAdam(0.01).learning_rate
    0.01
    """


class LazySGD(_Lazy, SGD):
    """SGD whose rows stay as they are where a batch does not use them, in spite of momentum.

    >>> LazySGD(0.1, momentum=0.9).momentum
    0.9
    """


class LazyRMSprop(_Lazy, RMSprop):
    """RMSprop whose rows and means stay as they are where a batch does not use them.

    >>> LazyRMSprop().rho
    0.9
    """


def _share(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must be from 0 to below 1; received {show(value)}.")
    return float(value)


def _shortened(gradient: Any, square: Any, most: float) -> Any:
    """Return a gradient scaled so that a norm, given as its square, is at most `most`."""
    xp = namespace(gradient)
    norm = xp.sqrt(xp.where(square > 0, square, np.float32(1)))
    return gradient * (most / xp.maximum(xp.where(square > 0, norm, 0), most))


_CLASSES: tuple[type[Optimizer], ...] = (
    SGD, RMSprop, Adagrad, Adam, AdamW, LazyAdam, LazySGD, LazyRMSprop,
)  # fmt: skip
OPTIMIZERS = Named(
    "`optimizer`",
    kind="an optimizer",
    classes={cls.__name__: cls for cls in _CLASSES}
    | {cls.__name__.lower(): cls for cls in _CLASSES},
    names={},
)
