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
from typing import Any, Unpack

from wordrow import _core
from wordrow.arguments import share
from wordrow.nn.named import Named
from wordrow.nn.ops import namespace
from wordrow.nn.optimizer import Drift, Optimizer, OptimizerOptions, Slots

__all__ = [
    "OPTIMIZERS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "LazyAdam",
    "LazyRMSprop", "LazySGD", "Nadam", "Optimizer", "RMSprop",
]  # fmt: skip


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
        self.momentum, self.nesterov = share("momentum", momentum), bool(nesterov)
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
        self.rho, self.momentum = share("rho", rho), share("momentum", momentum)
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


class _TwoBetas(Optimizer):
    """What Adam's kin share: the shares of two running means that are kept, and epsilon."""

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, **options: Unpack[OptimizerOptions],
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2 = share("beta_1", beta_1), share("beta_2", beta_2)
        self.epsilon = float(epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        names = ("beta_1", "beta_2", "epsilon")
        return super().get_config() | {name: vars(self)[name] for name in names}


class Adam(_TwoBetas):
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
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)
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
        return super().get_config() | {"amsgrad": self.amsgrad}


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


class Adadelta(Optimizer):
    """w -= learning_rate * g * sqrt(d + epsilon) / sqrt(a + epsilon), by the means of squares.

    a and d: running means of the squared gradient and of the squared change. Zeiler 2012.

    >>> Adadelta().rho
    0.95
    """

    slots = ("accumulator", "change")

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7,
        **options: Unpack[OptimizerOptions],
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **options)
        self.rho, self.epsilon = share("rho", rho), float(epsilon)

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        xp, new = namespace(gradient), 1 - self.rho
        squares = self.rho * slots["accumulator"] + new * gradient * gradient
        root = xp.sqrt(slots["change"] + self.epsilon) / xp.sqrt(squares + self.epsilon)
        step = -gradient * root
        changes = self.rho * slots["change"] + new * step * step
        return numbers["rate"] * step, {"accumulator": squares, "change": changes}

    def fading(self) -> dict[str, float]:
        """Return what becomes of both means."""
        return {"accumulator": self.rho, "change": self.rho}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return super().get_config() | {"rho": self.rho, "epsilon": self.epsilon}


class Adamax(_TwoBetas):
    """w -= learning_rate / (1 - beta_1 ** t) * m / (u + epsilon), u the fading largest gradient.

    Kingma & Ba 2015, section 7. Tables are updated whole.

    >>> Adamax().learning_rate
    0.001
    """

    slots = ("m", "u")

    def numbers(self, step: int) -> dict[str, float]:
        """Return the rate, what is kept, and alpha."""
        numbers = super().numbers(step)
        return numbers | {"alpha": numbers["rate"] / (1 - self.beta_1 ** (step + 1))}

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        m = slots["m"] + (1 - self.beta_1) * (gradient - slots["m"])
        u = namespace(gradient).maximum(self.beta_2 * slots["u"], abs(gradient))
        return -numbers["alpha"] * m / (u + self.epsilon), {"m": m, "u": u}

    @property
    def can_rest(self) -> bool:
        """No: how a row drifts without a gradient has no short series."""
        return False


class Nadam(_TwoBetas):
    """Adam that looks a step of its momentum ahead (Dozat 2016), with Keras's momenta.

    beta_1 * (1 - 0.96 ** t / 2) is the momentum of step t. Tables are updated whole.

    >>> Nadam().learning_rate
    0.001
    """

    slots = ("m", "v")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, **options: Unpack[OptimizerOptions],
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self._products = [1.0]  # of the momenta of the first steps

    def _momentum(self, t: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96**t))

    def product(self, n: int) -> float:
        """Return the product of the momenta of the first n steps."""
        while len(self._products) <= n:
            self._products.append(self._products[-1] * self._momentum(len(self._products)))
        return self._products[n]

    def numbers(self, step: int) -> dict[str, float]:
        """Return the rate, what is kept, and the shares of momentum and gradient."""
        numbers, t = super().numbers(step), step + 1
        now, ahead, product = self._momentum(t), self._momentum(t + 1), self.product(t)
        return numbers | {
            "of_m": numbers["rate"] * ahead / (1 - product * ahead),
            "of_g": numbers["rate"] * (1 - now) / (1 - product),
            "of_v": 1 / (1 - self.beta_2**t),
        }

    def change(self, gradient: Any, slots: Slots, numbers: Any) -> tuple[Any, Slots]:
        """Return (what is added to a weight, slots) for a gradient."""
        m = slots["m"] + (1 - self.beta_1) * (gradient - slots["m"])
        v = slots["v"] + (1 - self.beta_2) * (gradient * gradient - slots["v"])
        ahead = numbers["of_m"] * m + numbers["of_g"] * gradient
        root = namespace(gradient).sqrt(v * numbers["of_v"]) + self.epsilon
        return -ahead / root, {"m": m, "v": v}

    @property
    def can_rest(self) -> bool:
        """No: its momentum changes from step to step."""
        return False


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


_CLASSES: tuple[type[Optimizer], ...] = (
    SGD, RMSprop, Adagrad, Adam, AdamW, Adadelta, Adamax, Nadam, LazyAdam, LazySGD, LazyRMSprop,
)  # fmt: skip
OPTIMIZERS = Named(
    "`optimizer`",
    kind="an optimizer",
    classes={cls.__name__: cls for cls in _CLASSES}
    | {cls.__name__.lower(): cls for cls in _CLASSES},
    names={},
)
