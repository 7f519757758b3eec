"""The functions of `keras.backend` that compute: on NumPy and JAX arrays alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wordrow.nn import ops
from wordrow.nn.layers import ReLU

__all__ = [
    "Tensor",
    "batch_dot",
    "batch_flatten",
    "bias_add",
    "cast",
    "clip",
    "concatenate",
    "dot",
    "dropout",
    "flatten",
    "function_named",
    "gather",
    "l2_normalize",
    "logsumexp",
    "one_hot",
    "over_steps",
    "permute_dimensions",
    "relu",
    "repeat",
    "repeat_elements",
    "reverse",
    "softmax",
    "stack",
    "stop_gradient",
    "switch",
]

Tensor = Any  # an array of NumPy or JAX: they share no type

# Default axes that differ from NumPy's.
_DEFAULT_AXES = {"argmax": -1, "argmin": -1, "cumsum": 0, "cumprod": 0, "expand_dims": -1}


def function_named(name: str) -> Callable[..., Tensor]:
    """Return the function that NumPy and jax.numpy have under a name."""

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        if name in _DEFAULT_AXES and not args:
            options.setdefault("axis", _DEFAULT_AXES[name])
        array = x if hasattr(x, "shape") else np.asarray(x)
        return getattr(ops.namespace(x), name)(array, *args, **options)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"NumPy's {name}."
    return function


def dot(x: Tensor, y: Any) -> Tensor:
    """Return the product over the last axis of x and the second to last axis of y."""
    y = y if hasattr(y, "shape") else np.asarray(y)
    if y.ndim <= 2:
        return x @ y
    xp = ops.namespace(x)
    return xp.tensordot(x, y, axes=[[x.ndim - 1], [y.ndim - 2]])


def batch_dot(x: Tensor, y: Tensor, axes: Any = None) -> Tensor:
    """Return the product over one axis of each, for every example of the batch."""
    if axes is None:
        axes = (x.ndim - 1, 1 if y.ndim == 2 else y.ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    xp = ops.namespace(x)
    a, b = xp.moveaxis(x, first, -1), xp.moveaxis(y, second, -1)
    if a.ndim == b.ndim == 2:
        return (a * b).sum(axis=-1, keepdims=True)
    left = a[:, None] if a.ndim == 2 else a.reshape(a.shape[0], -1, a.shape[-1])
    right = b[:, None] if b.ndim == 2 else b.reshape(b.shape[0], -1, b.shape[-1])
    return (left @ right.swapaxes(1, 2)).reshape(*a.shape[:-1], *b.shape[1:-1])


def cast(x: Any, dtype: Any) -> Tensor:
    """Return x as another type."""
    return (x if hasattr(x, "astype") else np.asarray(x)).astype(dtype)


def clip(x: Tensor, min_value: Any, max_value: Any) -> Tensor:
    """Return x between two bounds."""
    return x.clip(min_value, max_value)


def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Return arrays joined along an axis."""
    return ops.namespace(tensors[0]).concatenate(tensors, axis=axis)


def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return arrays along a new axis."""
    return ops.namespace(x[0]).stack(x, axis=axis)


def permute_dimensions(x: Tensor, pattern: Any) -> Tensor:
    """Return the axes in another order."""
    return x.transpose(*pattern)


def repeat(x: Tensor, n: int) -> Tensor:
    """Return [B, D] repeated n times: [B, n, D]."""
    return ops.namespace(x).repeat(x[:, None], n, axis=1)


def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Return each element repeated `rep` times along an axis."""
    return ops.namespace(x).repeat(x, rep, axis=axis)


def batch_flatten(x: Tensor) -> Tensor:
    """Return all axes but the first as one."""
    return x.reshape(x.shape[0], -1)


def flatten(x: Tensor) -> Tensor:
    """Return all elements as one vector."""
    return x.reshape(-1)


def bias_add(x: Tensor, bias: Any, data_format: str | None = None) -> Tensor:
    """Return x plus a bias over its last axis; over axis 1 with channels first."""
    if data_format == "channels_first" and bias.ndim == 1:
        bias = bias.reshape(-1, *[1] * (x.ndim - 2))
    return x + bias


def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))), computed without overflow."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    xp, top = ops.namespace(x), x.max(axis=axis, keepdims=True)
    found = xp.log(xp.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return found if keepdims else found.squeeze(axis)


def stop_gradient(variables: Tensor) -> Tensor:
    """Return the array as a constant of the gradient."""
    if not ops.is_jax(variables):
        return variables
    return sys.modules["jax"].lax.stop_gradient(variables)


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """Return rows with a 1 at each index."""
    return (indices[..., None] == np.arange(num_classes)).astype(np.float32)


def reverse(x: Tensor, axes: Any) -> Tensor:
    """Return x reversed along axes."""
    return ops.namespace(x).flip(x, axis=axes if isinstance(axes, int) else tuple(axes))


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) along an axis."""
    return ops.softmax(x, axis)


def relu(x: Tensor, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """Return x above the threshold, alpha * (x - threshold) below it, at most max_value."""
    return ReLU(max_value, alpha, threshold).function(x)


def l2_normalize(x: Tensor, axis: int = -1) -> Tensor:
    """Return the vectors along an axis divided by their L2 norms."""
    xp = ops.namespace(x)
    return xp.moveaxis(ops.l2_normalize(xp.moveaxis(x, axis, -1)), -1, axis)


def dropout(x: Tensor, level: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Return x: only Dropout layers drop anything."""
    return x


def switch(condition: Tensor, then_expression: Any, else_expression: Any) -> Tensor:
    """Return elements of one or the other, by the condition."""
    xp = ops.namespace(condition)
    values = [one() if callable(one) else one for one in (then_expression, else_expression)]
    return xp.where(condition, *values)


def over_steps(
    step: Callable[[Tensor, list[Tensor]], Any], x: Tensor, states: list[Tensor], mask: Any
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Return (last output, outputs, last states) of step(x [B, D], states) over x [B, T, D].

    step returns (output, new states). A masked step keeps the states, and repeats the output
    before it, zeros at first.
    """
    xp = ops.namespace(x)
    real = xp.ones(x.shape[:2], bool) if mask is None else xp.asarray(mask).astype(bool)
    real = real.reshape(x.shape[:2])
    first = _step(step, x[:, 0], states)[0]  # builds the cell, and has its output's shape

    def one(carry: tuple[Tensor, ...], now: tuple[Tensor, ...]) -> tuple[Any, Tensor]:
        at, is_real = now
        output, new = _step(step, at, list(carry[1:]))
        if mask is not None:
            keep = ops.with_axes(is_real, output.ndim)
            output = xp.where(keep, output, carry[0])
            pairs = zip(new, carry[1:], strict=True)
            new = [xp.where(ops.with_axes(is_real, old.ndim), a, old) for a, old in pairs]
        return (output, *new), output

    (last, *after), outputs = ops.scan(one, (xp.zeros_like(first), *states), (x, real))
    return last, outputs, after


def _step(step: Callable[..., Any], x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    output, new = step(x, states)
    return output, list(new) if isinstance(new, list | tuple) else [new]


def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """Return rows by index."""
    return reference[indices]
