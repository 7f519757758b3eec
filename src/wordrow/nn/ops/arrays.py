"""Functions that NumPy and jax.numpy spell differently. Layers use these and `namespace(x)`.

Nothing here imports JAX: a JAX array exists only where JAX has been imported.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from wordrow.nn.spec import Array, Mask, Rng

__all__ = [
    "as_ids",
    "bernoulli",
    "dropout",
    "erf",
    "fill_masked",
    "fold_in",
    "is_jax",
    "l2_normalize",
    "log_softmax",
    "masked_max",
    "masked_mean",
    "namespace",
    "normal",
    "scan",
    "segment_sum",
    "select",
    "sigmoid",
    "softmax",
    "step_indices",
    "take_rows",
    "with_axes",
]

Step: TypeAlias = Callable[
    [tuple[Array, ...], tuple[Array, ...]], tuple[tuple[Array, ...], Array | None]
]

__all__ = [
    "as_ids",
    "bernoulli",
    "dropout",
    "erf",
    "fill_masked",
    "fold_in",
    "is_jax",
    "l2_normalize",
    "log_softmax",
    "masked_max",
    "masked_mean",
    "namespace",
    "normal",
    "scan",
    "segment_sum",
    "select",
    "sigmoid",
    "softmax",
    "step_indices",
    "take_rows",
]


def is_jax(array: Array) -> bool:
    """Return whether an array belongs to JAX."""
    jax = sys.modules.get("jax")
    kind = getattr(jax, "Array", None)  # None while another thread imports it
    return kind is not None and isinstance(array, kind)


def namespace(array: Array) -> Any:
    """Return the module whose functions take this array: numpy or jax.numpy."""
    return sys.modules["jax.numpy"] if is_jax(getattr(array, "backing", array)) else np


def as_ids(array: Array) -> Array:
    """Return ids as int32; users' ids have been checked to be whole numbers."""
    xp = namespace(array)
    if not is_jax(array):
        array = np.asarray(array)
    return array if array.dtype == np.int32 else array.astype(xp.int32)


def take_rows(table: Array, ids: Array) -> Array:
    """Return table[ids]: [V, D], [...] -> [..., D]. Ids must have been checked."""
    return namespace(table).take(table, ids, axis=0)


def masked_mean(x: Array, mask: Mask, axis: int, *, keepdims: bool = False) -> Array:
    """Return the mean of the real steps; zeros if there are none. mask: None means all."""
    xp = namespace(x)
    if mask is None:
        return x.mean(axis=axis, keepdims=keepdims)
    weight = mask[..., None].astype(x.dtype)
    count = xp.maximum(weight.sum(axis=axis, keepdims=keepdims), 1)
    return (x * weight).sum(axis=axis, keepdims=keepdims) / count


def with_axes(array: Array, n_axes: int) -> Array:
    """Return an array with as many axes, new ones of length 1 at the end: [B] -> [B, 1, 1]."""
    return array.reshape(array.shape + (1,) * (n_axes - array.ndim))


def fill_masked(x: Array, mask: Mask, neutral: float = 0.0) -> Array:
    """Return x with masked steps set to `neutral`. mask: [B, T]; None means all are real."""
    if mask is None:
        return x
    real = with_axes(mask, x.ndim)
    return namespace(x).where(real, x, x.dtype.type(neutral))


def masked_max(x: Array, mask: Mask, axis: int, *, keepdims: bool = False) -> Array:
    """Return the maximum of the real steps; zeros if there are none. mask: None means all."""
    xp = namespace(x)
    if mask is None:
        return _max(x, axis, keepdims)
    real = mask[..., None]
    lowest = xp.asarray(np.finfo(np.float32).min, x.dtype)
    largest = _max(xp.where(real, x, lowest), axis, keepdims)
    return xp.where(real.any(axis=axis, keepdims=keepdims), largest, xp.zeros_like(largest))


def _max(x: Array, axis: int, keepdims: bool) -> Array:
    """Return the maximum along an axis; equal elements share the gradient.

    JAX's own gradient goes to the elements that equal the maximum bit for bit. If XLA recomputes
    x inside a fused loop, there may be none, and the gradient becomes infinite. Here the first
    maximum always gets a gradient.
    """
    if not is_jax(x):
        return x.max(axis=axis, keepdims=keepdims)
    jax = sys.modules["jax"]
    fixed = jax.lax.stop_gradient
    largest = fixed(x.max(axis=axis, keepdims=True))
    first = jax.nn.one_hot(x.argmax(axis=axis), x.shape[axis], axis=axis, dtype=bool)
    near = fixed(((x >= largest - 4e-7 * abs(largest)) | first).astype(x.dtype))
    share = (x * near).sum(axis=axis, keepdims=True) / near.sum(axis=axis, keepdims=True)
    found = largest + (share - fixed(share))
    return found if keepdims else found.squeeze(axis)


def l2_normalize(x: Array) -> Array:
    """Return vectors along the last axis divided by their lengths; zeros stay zeros."""
    xp = namespace(x)
    return x / xp.sqrt(xp.maximum((x * x).sum(axis=-1, keepdims=True), np.float32(1e-12)))


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x."""
    if is_jax(x):
        return sys.modules["jax"].nn.sigmoid(x)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def erf(x: Array) -> Array:
    """Return the error function, to float32 precision."""
    if is_jax(x):
        return sys.modules["jax"].lax.erf(x)
    each = np.frompyfunc(math.erf, 1, 1)(x)
    return np.asarray(each).astype(x.dtype)


def softmax(x: Array, axis: int = -1) -> Array:
    """Return exp(x) / sum(exp(x)) along an axis."""
    xp = namespace(x)
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(x: Array) -> Array:
    """Return the logarithm of the softmax along the last axis."""
    xp = namespace(x)
    low = x - x.max(axis=-1, keepdims=True)
    return low - xp.log(xp.exp(low).sum(axis=-1, keepdims=True))


def bernoulli(rng: Rng, keep: float, shape: tuple[int, ...]) -> Array:
    """Return booleans of a shape, each True with probability `keep`.

    rng: a NumPy Generator; under JAX, a key of jax.random.
    """
    if is_jax(rng):
        return sys.modules["jax"].random.bernoulli(rng, keep, shape)
    return rng.random(shape) < keep


def dropout(x: Array, rate: float, rng: Rng, shape: tuple[int, ...] | None = None) -> Array:
    """Return x with a fraction `rate` set to zero and the rest scaled up; rng: as in `bernoulli`.

    shape: the shape of the random mask, which is broadcast; x's by default.
    """
    keep = bernoulli(rng, 1 - rate, x.shape if shape is None else shape)
    return namespace(x).where(keep, x / (1 - rate), 0).astype(x.dtype)


def normal(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Return standard normal float32 values; rng: as in `bernoulli`."""
    if is_jax(rng):
        return sys.modules["jax"].random.normal(rng, shape)
    return rng.standard_normal(shape, dtype=np.float32)


def fold_in(rng: Rng, number: int) -> Rng:
    """Return the rng for one of several users of `rng`: under JAX, a different key for each."""
    return sys.modules["jax"].random.fold_in(rng, number) if is_jax(rng) else rng


def scan(
    step: Step, carry: tuple[Array, ...], xs: tuple[Array, ...]
) -> tuple[tuple[Array, ...], Array | None]:
    """Return (last carry, outputs stacked) of step(carry, xs[:, t]) -> (carry, output) over time.

    xs: arrays [B, T, ...]. Outputs: [B, T, ...].
    """
    if is_jax(xs[0]):
        jax = sys.modules["jax"]
        turned = tuple(x.swapaxes(0, 1) for x in xs)
        # The backward pass recomputes a step's inner values: reading them back is slower.
        again = jax.checkpoint(step, prevent_cse=False)
        # Unrolling by two is faster for long texts, but takes longer to compile.
        carry, outputs = jax.lax.scan(again, carry, turned, unroll=1 + (len(turned[0]) >= 64))
        return carry, None if outputs is None else outputs.swapaxes(0, 1)
    outputs = []
    for t in range(xs[0].shape[1]):
        carry, output = step(carry, tuple(x[:, t] for x in xs))
        outputs.append(output)
    return carry, np.stack(outputs, axis=1) if outputs and outputs[0] is not None else None


def select(condition: Array, new: Any, old: Any) -> Any:
    """Return the tree `new` if the condition holds, else `old`, under JAX."""
    where = sys.modules["jax.numpy"].where
    return sys.modules["jax"].tree.map(lambda a, b: where(condition, a, b), new, old)


def segment_sum(counts: Array, parts: Array, n: int) -> Array:
    """Return the sums of `counts` by part: [N], [N] in [0, n) -> [n]."""
    if is_jax(counts):
        return sys.modules["jax.numpy"].zeros(n, counts.dtype).at[parts].add(counts)
    return np.bincount(parts, counts, n).astype(counts.dtype)


def step_indices(x: Array) -> Array:
    """Return the index of each step in the batch, from 0: [B, T, ...] -> [B, T]."""
    batch, n_steps = x.shape[:2]
    return namespace(x).arange(batch * n_steps, dtype=np.int32).reshape(batch, n_steps)
