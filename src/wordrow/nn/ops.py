"""The one place that chooses NumPy, jax.numpy or a compiled kernel.

Layers are written once, against `namespace(x)`: NumPy for arrays of NumPy,
jax.numpy for arrays (and tracers) of JAX. What the two do not spell alike, or
what is hot enough for a kernel, is a function here. JAX is never imported: an
array of JAX can only exist where it has been.
"""

from __future__ import annotations

import functools
import math
import operator
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordrow import _core
from wordrow.nn import custom_calls
from wordrow.types import Ragged

__all__ = [
    "LARGE", "Lookup", "Sums", "all_finite", "all_places", "as_ids", "bag_answers", "bag_mean",
    "choose", "dropped", "erf", "flat_product", "has_kernel", "is_jax", "keep_mask", "laid_out",
    "log_softmax", "masked_max", "masked_mean", "mean_of_rows", "namespace", "normal",
    "of_length_one", "only_real", "pooled_rows", "product", "recurrent", "rng_of",
    "rows_and_places", "rows_of", "scan", "sigmoid", "softmax", "take_rows", "total_of",
    "window_max", "window_sums", "with_rows",
]  # fmt: skip

_KERNELS = os.environ.get("WORDROW_KERNELS") != "0"


def _has_kernels(array: Any) -> bool:
    """Return whether the core's kernels may run on arrays like this one."""
    return _KERNELS and (not is_jax(array) or custom_calls.are_there())


def is_jax(array: Any) -> bool:
    """Return whether an array belongs to JAX."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(array, jax.Array)


def namespace(array: Any) -> Any:
    """Return the module whose functions take this array: numpy or jax.numpy."""
    return sys.modules["jax.numpy"] if is_jax(_array_of(array)) else np


def _array_of(x: Any) -> Any:
    """Return an array that belongs where x does."""
    return x.table if isinstance(x, Lookup) else x.rows if isinstance(x, Sums) else x


def as_ids(array: Any) -> Any:
    """Return ids as int32; fractions are cut off (1.9 is 1), as Keras casts them."""
    xp = namespace(array)
    if not is_jax(array):
        array = np.asarray(array)
    return array if array.dtype == np.int32 else array.astype(xp.int32)


def take_rows(table: Any, ids: Any) -> Any:
    """Return table[ids]: [V, D], [...] -> [..., D]. Ids have been checked."""
    return namespace(table).take(table, ids, axis=0)


@dataclass(frozen=True)
class Lookup:
    """Rows that were looked up and are not laid out yet: [b, t] stands for table[ids[b, t]].

    Layers that say so take it in place of [B, T, D], and do their work once for a
    row, however often it stands in the texts.
    """

    table: Any  # [V, D]
    ids: Any  # [B, T]
    is_flat: bool = False  # stands for [B, T * D]: a text's rows behind each other

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is laid out."""
        shape = (*self.ids.shape, self.table.shape[-1])
        return (shape[0], shape[1] * shape[2]) if self.is_flat else shape

    @property
    def is_dense(self) -> bool:
        """Whether there are at least as many steps as rows: work done once for a row pays."""
        return bool(self.table.shape[0] <= self.ids.size)


@dataclass(frozen=True)
class Sums:
    """Windows of steps that are not summed yet: what a convolution gives.

    [b, n] stands for activation(bias + the sum over k of rows[places[b, n, k], k]).
    """

    rows: Any  # [R, K, F]: what a row gives as a window's first, second, ... step
    places: Any  # [B, N, K], -1 where there is no step
    bias: Any  # [F] or None
    activation: str  # that rises everywhere
    shares_rows: bool = False  # whether steps of one word have one row, padding the first

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is laid out."""
        return (*self.places.shape[:2], self.rows.shape[-1])

    @classmethod
    def of(cls, x: Any) -> Sums:
        """Return inputs [B, T, F] as windows of one step each; Sums as they are."""
        if isinstance(x, Sums):
            return x
        rows, places = rows_and_places(x)
        return cls(rows[:, None], places[..., None], None, "linear")


def laid_out(x: Any) -> Any:
    """Return the array that a Lookup or Sums stands for; arrays as they are."""
    if isinstance(x, Sums):
        return window_sums(x)
    if not isinstance(x, Lookup):
        return x
    rows = take_rows(x.table, x.ids)
    return rows.reshape(x.shape) if x.is_flat else rows


def bag_mean(table: Any, ragged: Ragged) -> Any:
    """Return the mean row of each text: [V, D], B texts -> [B, D]; zeros for an empty text."""
    ids, offsets = np.ascontiguousarray(ragged.ids), np.ascontiguousarray(ragged.offsets)
    return _core.bag_mean(np.ascontiguousarray(table), ids, offsets)


def bag_answers(table: Any, ragged: Ragged, kernel: Any, bias: Any, *, sigmoid: bool) -> Any:
    """Return the probabilities of Embedding, mean and Dense in one: [B, units]."""
    return _core.bag_answers(table, ragged.ids, ragged.offsets, kernel, bias, sigmoid=sigmoid)


def rows_of(table: Any, ids: Any) -> Any:
    """Return table[ids] under JAX: [V, D], distinct ids [U] -> [U, D]; zeros where no row is."""
    if _has_rows(table):
        return custom_calls.take_rows(table, ids)
    return table.at[ids].get(mode="fill", fill_value=0, unique_indices=True)


def with_rows(table: Any, ids: Any, rows: Any) -> Any:
    """Return the table with rows [U, D] at distinct ids [U], under JAX; others are dropped."""
    if _has_rows(table):
        return custom_calls.put_rows(table, ids, rows)
    return table.at[ids].set(rows, mode="drop", unique_indices=True)


def _has_rows(table: Any) -> bool:
    return table.ndim == 2 and has_kernel(table)


def mean_of_rows(lookup: Lookup, mask: Any) -> Any:
    """Return the mean row of each text's real steps: [B, D], zeros where there is none."""
    table, ids = lookup.table, lookup.ids
    if not _has_kernels(table):
        return masked_mean(laid_out(lookup), mask, 1)
    if is_jax(table):
        return custom_calls.mean()(table, ids, mask)
    mask = None if mask is None else np.ascontiguousarray(mask, np.bool_)
    ids = np.ascontiguousarray(ids, np.int32)
    return _core.padded_mean(np.ascontiguousarray(table, np.float32), ids, mask)


def masked_mean(x: Any, mask: Any, axis: int, *, keepdims: bool = False) -> Any:
    """Return the mean of the real steps; zeros where there is none. mask: None is all."""
    xp = namespace(x)
    if mask is None:
        return x.mean(axis=axis, keepdims=keepdims)
    weight = mask[..., None].astype(x.dtype)
    count = xp.maximum(weight.sum(axis=axis, keepdims=keepdims), 1)
    return (x * weight).sum(axis=axis, keepdims=keepdims) / count


def only_real(x: Any, mask: Any, neutral: float = 0.0) -> Any:
    """Return x with `neutral` in the steps that are not real; mask: [B, T], None is all."""
    if mask is None:
        return x
    real = mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
    return namespace(x).where(real, x, x.dtype.type(neutral))


def masked_max(x: Any, mask: Any, axis: int, *, keepdims: bool = False) -> Any:
    """Return the largest of the real steps; zeros where there is none. mask: None is all."""
    xp = namespace(x)
    if mask is None:
        return _max(x, axis, keepdims)
    real = mask[..., None]
    lowest = xp.asarray(np.finfo(np.float32).min, x.dtype)
    largest = _max(xp.where(real, x, lowest), axis, keepdims)
    return xp.where(real.any(axis=axis, keepdims=keepdims), largest, xp.zeros_like(largest))


def _max(x: Any, axis: int, keepdims: bool) -> Any:
    """Return the largest along an axis; what is as large shares its gradient.

    JAX's own gradient goes to what equals the largest bit by bit: where XLA
    computes x anew inside a fused loop, nothing may, and it becomes infinite.
    Here one always has it: the first of the largest.
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


def of_length_one(x: Any) -> Any:
    """Return vectors along the last axis divided by their lengths; zeros stay zeros."""
    xp = namespace(x)
    return x / xp.sqrt(xp.maximum((x * x).sum(axis=-1, keepdims=True), np.float32(1e-12)))


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), without overflow for large negative x."""
    if is_jax(x):
        return sys.modules["jax"].nn.sigmoid(x)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def erf(x: Any) -> Any:
    """Return the error function, to float32's last digits."""
    if is_jax(x):
        return sys.modules["jax"].lax.erf(x)
    each = np.frompyfunc(math.erf, 1, 1)(x)
    return np.asarray(each).astype(x.dtype)


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along an axis."""
    xp = namespace(x)
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(x: Any) -> Any:
    """Return the logarithm of the softmax along the last axis."""
    xp = namespace(x)
    low = x - x.max(axis=-1, keepdims=True)
    return low - xp.log(xp.exp(low).sum(axis=-1, keepdims=True))


def keep_mask(rng: Any, keep: float, shape: tuple[int, ...]) -> Any:
    """Return bools [shape], each True with probability `keep`.

    rng: a NumPy Generator, or a key of jax.random where JAX runs.
    """
    if is_jax(rng):
        return sys.modules["jax"].random.bernoulli(rng, keep, shape)
    return rng.random(shape) < keep


def dropped(x: Any, rate: float, rng: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return x with a share `rate` of it zero and the rest scaled up; rng: as in `keep_mask`.

    shape: of what is drawn, where it is not x's; it is broadcast.
    """
    keep = keep_mask(rng, 1 - rate, x.shape if shape is None else shape)
    return namespace(x).where(keep, x / (1 - rate), 0).astype(x.dtype)


def normal(rng: Any, shape: tuple[int, ...]) -> Any:
    """Return normally distributed float32 numbers; rng: as in `keep_mask`."""
    if is_jax(rng):
        return sys.modules["jax"].random.normal(rng, shape)
    return rng.standard_normal(shape, dtype=np.float32)


def rng_of(rng: Any, number: int) -> Any:
    """Return the randomness of one of several users of `rng`: a key of its own under JAX."""
    return sys.modules["jax"].random.fold_in(rng, number) if is_jax(rng) else rng


def scan(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: tuple[Any, ...]) -> Any:
    """Return (last carry, outputs stacked) of step(carry, xs[:, t]) -> (carry, output) over time.

    xs: arrays [B, T, ...]; the outputs come out as [B, T, ...].
    """
    if is_jax(xs[0]):
        jax = sys.modules["jax"]
        turned = tuple(x.swapaxes(0, 1) for x in xs)
        # A step's inner values are computed again for the gradient: reading them back is slower.
        again = jax.checkpoint(step, prevent_cse=False)
        # Two steps at once save time in long texts, and cost some in compiling.
        carry, outputs = jax.lax.scan(again, carry, turned, unroll=1 + (len(turned[0]) >= 64))
        return carry, None if outputs is None else outputs.swapaxes(0, 1)
    outputs = []
    for t in range(xs[0].shape[1]):
        carry, output = step(carry, tuple(x[:, t] for x in xs))
        outputs.append(output)
    return carry, np.stack(outputs, axis=1) if outputs and outputs[0] is not None else None


def product(x: Any, kernel: Any) -> Any:
    """Return x @ kernel: [..., D], [D, units] -> [..., units]."""
    size = x.size * kernel.shape[-1]
    if is_jax(x) or is_jax(kernel) or size < _FEW or not (has_kernel(x) and has_kernel(kernel)):
        return x @ kernel
    # NumPy's own would have a second pool of threads, which is in the way of the core's.
    rows = np.ascontiguousarray(x.reshape(-1, x.shape[-1]))
    out = _core.product(rows, np.ascontiguousarray(kernel))
    return out.reshape(*x.shape[:-1], kernel.shape[-1])


_FEW = 1 << 18  # products for which a call of the core does not pay


def flat_product(lookup: Lookup, kernel: Any) -> Any:
    """Return flattened rows @ kernel: [B, T * D], [T * D, units] -> [B, units]."""
    if not has_kernel(kernel) or lookup.shape[1] == 0:
        return laid_out(lookup) @ kernel
    if is_jax(kernel):
        return custom_calls.flat_product()(lookup.table, lookup.ids, kernel)
    table, ids, kernel = (np.ascontiguousarray(x) for x in (lookup.table, lookup.ids, kernel))
    return _core.flat_product(table, ids, kernel)


def rows_and_places(x: Any) -> tuple[Any, Any]:
    """Return (rows [R, D], the row of each step [B, T]) of a Lookup, or of inputs [B, T, D]."""
    if isinstance(x, Lookup) and x.is_dense:
        return x.table, x.ids
    x = laid_out(x)
    return x.reshape(-1, x.shape[-1]), all_places(x)


def all_places(x: Any) -> Any:
    """Return the number of each step of all: [B, T, ...] -> [B, T]."""
    batch, n_steps = x.shape[:2]
    return namespace(x).arange(batch * n_steps, dtype=np.int32).reshape(batch, n_steps)


def window_sums(sums: Sums) -> Any:
    """Return the windows' sums, activated, by the core: [B, N, F]."""
    return _windows(sums, None).reshape(sums.shape)


def window_max(sums: Sums, pools: Any) -> Any:
    """Return the largest of the sums that each pool names, by the core: [B, M, F].

    pools: [B, M, P], numbers of all [B * N] windows, -1 for none; zeros for a pool of none.
    """
    largest = _windows(sums, pools.reshape(-1, pools.shape[-1]))
    return largest.reshape(*pools.shape[:2], sums.shape[-1])


def pooled_rows(sums: Sums, pools: Any) -> Lookup:
    """Return `window_max` as rows that are looked up, for windows that lie alike in all texts.

    Where texts are padding alone, their windows give the same: one row stands for it.
    """
    xp, (batch, n_pools) = namespace(sums), pools.shape[:2]
    # One step of all windows after the other: along the short last axis NumPy is slow.
    padding = functools.reduce(operator.and_, xp.moveaxis(sums.places <= 0, -1, 0)).reshape(-1)
    padding = functools.reduce(
        operator.and_, (padding[own] | (own < 0) for own in xp.moveaxis(pools, -1, 0))
    )  # [B, M]
    own = all_places(pools)
    shared = padding.argmax(axis=0).astype(np.int32) * n_pools + xp.arange(n_pools, dtype=np.int32)
    ids = xp.where(padding, shared[None], own)
    rows = window_max(sums, xp.where((own != ids)[..., None], np.int32(-1), pools))
    return Lookup(rows.reshape(batch * n_pools, rows.shape[-1]), ids)


def _windows(sums: Sums, pools: Any) -> Any:
    rows, places = sums.rows, sums.places.reshape(-1, sums.places.shape[-1])
    rows, bias = rows.reshape(rows.shape[0], -1), sums.bias
    number = _IN_THE_CORE.index(sums.activation)
    if is_jax(rows):
        jnp = sys.modules["jax.numpy"]
        bias = jnp.zeros((0,), np.float32) if bias is None else bias
        pools = jnp.zeros((0, 1), np.int32) if pools is None else pools
        return custom_calls.windows(number)(rows, places, bias, pools)
    rows, places = np.ascontiguousarray(rows), np.ascontiguousarray(places)
    pools = None if pools is None else np.ascontiguousarray(pools)
    return _core.windows(rows, places, bias, pools, activation=number)


LARGE = 4096  # numbers in an array from which on a call of the core pays


def all_finite(x: Any) -> Any:
    """Return whether no element is infinite or not a number, under JAX."""
    if x.size >= LARGE and has_kernel(x):
        return custom_calls.are_finite(x)
    return namespace(x).isfinite(abs(x).sum())


def choose(condition: Any, new: Any, old: Any) -> Any:
    """Return the arrays of `new` where the condition holds, else those of `old`, under JAX."""
    where = sys.modules["jax.numpy"].where
    return sys.modules["jax"].tree.map(lambda a, b: where(condition, a, b), new, old)


_IN_THE_CORE = ("linear", "relu", "tanh", "sigmoid", "hard_sigmoid")  # the order of isa.h
_CELLS = {"simple": 1, "lstm": 4, "gru": 3}  # the order of recurrent.h -> gates


def has_kernel(x: Any, *activations: str | None) -> bool:
    """Return whether the core has kernels for arrays like x, and for activations."""
    array = _array_of(x)
    if not _has_kernels(array) or array.dtype != np.float32:
        return False
    return all(name in _IN_THE_CORE for name in activations)


def recurrent(
    kind: str,
    z: Any,
    places: Any,
    kernel: Any,
    states: tuple[Any, ...] | None,
    mask: Any,
    *,
    shape: tuple[int, int],
    activation: str | None,
    gate: str | None = "linear",
    recurrent_bias: Any = None,
    reset_after: bool = False,
    sequences: bool,
) -> tuple[tuple[Any, ...], Any]:
    """Return (last states, outputs [B, T, U] or None) of a recurrent layer by the core's kernel.

    z: inputs @ kernel + bias, [rows, G * U]; places: [B, T], the row of each step,
    or None where z has one for each: [B * T, G * U]. kernel: [U, G * U]; states:
    each [B, U], or None for zeros; mask: [B, T] or None; shape: (B, T). Where
    texts begin with the same place, the states behind it are found once.
    """
    n_states = 2 if kind == "lstm" else 1
    assert activation is not None
    assert gate is not None
    options = {"activation": _IN_THE_CORE.index(activation), "gate": _IN_THE_CORE.index(gate)}
    if is_jax(z):
        cell = custom_calls.Cell(
            kind=list(_CELLS).index(kind), n_gates=_CELLS[kind], n_steps=shape[1],
            reset_after=reset_after, sequences=sequences, **options,
        )  # fmt: skip
        run = custom_calls.recurrent(cell)
        *last, sequence = run(z, places, mask, kernel, recurrent_bias, states, shape[0])
        return tuple(last[:n_states]), sequence if sequences else None
    units = kernel.shape[0]
    after = [np.empty((shape[0], units), np.float32) for _ in range(n_states)]
    sequence = _core.recurrent(
        kind,
        np.ascontiguousarray(z, np.float32),
        None if places is None else np.ascontiguousarray(places, np.int32),
        np.ascontiguousarray(kernel, np.float32),
        after,
        [np.ascontiguousarray(state, np.float32) for state in states or ()],
        None if mask is None else np.ascontiguousarray(mask, np.bool_),
        n_steps=shape[1],
        recurrent_bias=None if recurrent_bias is None else np.ascontiguousarray(recurrent_bias),
        reset_after=reset_after,
        sequences=sequences,
        **options,
    )
    return tuple(after), sequence


def total_of(counts: Any, parts: Any, n: int) -> Any:
    """Return the sums of `counts` by part: [N], [N] in [0, n) -> [n]."""
    if is_jax(counts):
        return sys.modules["jax.numpy"].zeros(n, counts.dtype).at[parts].add(counts)
    return np.bincount(parts, counts, n).astype(counts.dtype)
