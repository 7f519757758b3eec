"""Activation functions, by name. Each maps [..., D] to [..., D]."""

from __future__ import annotations

from collections.abc import Callable

from wordrow.nn.ops import erf, log_softmax, namespace, sigmoid, softmax
from wordrow.nn.registry import Registry
from wordrow.nn.spec import Array

__all__ = ["ACTIVATIONS", "Activation", "get_activation"]

Activation = Callable[[Array], Array]


def linear(x: Array) -> Array:
    """Return x."""
    return x


def relu(x: Array) -> Array:
    """Return max(x, 0)."""
    return namespace(x).maximum(x, 0)


def tanh(x: Array) -> Array:
    """Return tanh(x)."""
    return namespace(x).tanh(x)


def softplus(x: Array) -> Array:
    """Return ln(1 + exp(x))."""
    return namespace(x).logaddexp(x, namespace(x).zeros_like(x))


def softsign(x: Array) -> Array:
    """Return x / (1 + |x|)."""
    return x / (1 + abs(x))


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return x where positive, alpha * (exp(x) - 1) elsewhere."""
    xp = namespace(x)
    return xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0)))


def selu(x: Array) -> Array:
    """Return the scaled elu of Klambauer et al. 2017, "Self-Normalizing Neural Networks"."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * elu(x, alpha)


def exponential(x: Array) -> Array:
    """Return exp(x)."""
    return namespace(x).exp(x)


def hard_sigmoid(x: Array) -> Array:
    """Return x / 6 + 1/2, clipped to [0, 1] (Keras 3's; Keras 2 had x / 5 + 1/2)."""
    return namespace(x).clip(x / 6 + 0.5, 0, 1)


def keras2_hard_sigmoid(x: Array) -> Array:
    """Return x / 5 + 1/2, clipped to [0, 1]: hard_sigmoid in Keras 1 and 2."""
    return namespace(x).clip(x / 5 + 0.5, 0, 1)


def relu6(x: Array) -> Array:
    """Return x, clipped to [0, 6]."""
    return namespace(x).clip(x, 0, 6)


def leaky_relu(x: Array) -> Array:
    """Return x where positive, x / 5 elsewhere (Keras 3's slope)."""
    return namespace(x).maximum(x, 0.2 * x)


def silu(x: Array) -> Array:
    """Return x * sigmoid(x)."""
    return x * sigmoid(x)


def gelu(x: Array) -> Array:
    """Return x times the standard normal's distribution function at x (Hendrycks & Gimpel 2016)."""
    return x * 0.5 * (1 + erf(x / 2**0.5))


def mish(x: Array) -> Array:
    """Return x * tanh(softplus(x)) (Misra 2019)."""
    return x * namespace(x).tanh(softplus(x))


def hard_silu(x: Array) -> Array:
    """Return x * hard_sigmoid(x)."""
    return x * hard_sigmoid(x)


def hard_tanh(x: Array) -> Array:
    """Return x, clipped to [-1, 1]."""
    return namespace(x).clip(x, -1, 1)


def log_sigmoid(x: Array) -> Array:
    """Return ln(sigmoid(x))."""
    return -softplus(-x)


def tanh_shrink(x: Array) -> Array:
    """Return x - tanh(x)."""
    return x - namespace(x).tanh(x)


_NAMES: dict[str, Activation] = {
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "keras2_hard_sigmoid": keras2_hard_sigmoid,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "swish": silu,
    "tanh": tanh,
    "tanh_shrink": tanh_shrink,
}


ACTIVATIONS = Registry("`activation`", classes={}, names=_NAMES, kind="an activation")


def get_activation(activation: str | Activation | None) -> Activation:
    """Return the function for a name. None is linear; a function is returned unchanged.

    Raises ValueError for an unknown name.

    >>> get_activation("relu")(__import__("numpy").array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    function: Activation = linear if activation is None else ACTIVATIONS.get(activation)
    return function
