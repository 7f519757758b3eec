"""The one place that chooses NumPy, jax.numpy or a compiled kernel.

Layers are written once, against `namespace(x)`: NumPy for arrays of NumPy,
jax.numpy for arrays (and tracers) of JAX. What the two do not spell alike, or
what is hot enough for a kernel, is a function here. JAX is never imported: an
array of JAX can only exist where it has been.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from wordrow import _core
from wordrow.types import Ragged

__all__ = [
    "as_ids", "bag_mean", "is_jax", "keep_mask", "masked_max", "masked_mean", "namespace",
    "sigmoid", "softmax", "take_rows",
]  # fmt: skip


def is_jax(array: Any) -> bool:
    """Return whether an array belongs to JAX."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(array, jax.Array)


def namespace(array: Any) -> Any:
    """Return the module whose functions take this array: numpy or jax.numpy."""
    return sys.modules["jax.numpy"] if is_jax(array) else np


def as_ids(array: Any) -> Any:
    """Return ids as int32; fractions are cut off (1.9 is 1), as Keras casts them."""
    xp = namespace(array)
    if not is_jax(array):
        array = np.asarray(array)
    return array if array.dtype == np.int32 else array.astype(xp.int32)


def take_rows(table: Any, ids: Any) -> Any:
    """Return table[ids]: [V, D], [...] -> [..., D]. Ids have been checked."""
    return namespace(table).take(table, ids, axis=0)


def bag_mean(table: Any, ragged: Ragged) -> Any:
    """Return the mean row of each text: [V, D], B texts -> [B, D]; zeros for an empty text."""
    ids, offsets = np.ascontiguousarray(ragged.ids), np.ascontiguousarray(ragged.offsets)
    return _core.bag_mean(np.ascontiguousarray(table), ids, offsets)


def masked_mean(x: Any, mask: Any, axis: int, *, keepdims: bool = False) -> Any:
    """Return the mean of the real steps; zeros where there is none. mask: None is all."""
    xp = namespace(x)
    if mask is None:
        return x.mean(axis=axis, keepdims=keepdims)
    weight = mask[..., None].astype(x.dtype)
    count = xp.maximum(weight.sum(axis=axis, keepdims=keepdims), 1)
    return (x * weight).sum(axis=axis, keepdims=keepdims) / count


def masked_max(x: Any, mask: Any, axis: int, *, keepdims: bool = False) -> Any:
    """Return the largest of the real steps; zeros where there is none. mask: None is all."""
    xp = namespace(x)
    if mask is None:
        return x.max(axis=axis, keepdims=keepdims)
    real = mask[..., None]
    lowest = xp.asarray(np.finfo(np.float32).min, x.dtype)
    largest = xp.where(real, x, lowest).max(axis=axis, keepdims=keepdims)
    return xp.where(real.any(axis=axis, keepdims=keepdims), largest, xp.zeros_like(largest))


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x."""
    xp = namespace(x)
    small = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1, small) / (1 + small)


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along an axis."""
    xp = namespace(x)
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def keep_mask(rng: Any, keep: float, shape: tuple[int, ...]) -> Any:
    """Return bools [shape], each True with probability `keep`.

    rng: a NumPy Generator, or a key of jax.random where JAX runs.
    """
    if is_jax(rng):
        return sys.modules["jax"].random.bernoulli(rng, keep, shape)
    return rng.random(shape) < keep
