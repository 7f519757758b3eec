"""Operations for which the core has a kernel: called directly on NumPy arrays, and as a custom call
under JAX. Without a kernel, or with WORDROW_KERNELS=0, NumPy or jax.numpy computes the same.
"""

from __future__ import annotations

import functools
import operator
import os
import sys

import numpy as np

from wordrow import _core
from wordrow.nn.ops import xla
from wordrow.nn.ops.arrays import is_jax, masked_mean, namespace, step_indices, take_rows
from wordrow.nn.ops.cell import ACTIVATIONS_IN_CORE, Cell, activation_index
from wordrow.nn.ops.deferred import GatheredRows, WindowSums
from wordrow.nn.spec import Array, Mask
from wordrow.types import Ragged

__all__ = [
    "LARGE",
    "all_finite",
    "as_windows",
    "bag_mean",
    "bag_predict",
    "flat_product",
    "gather_rows",
    "has_kernel",
    "materialize",
    "mean_of_rows",
    "pooled_rows",
    "product",
    "recurrent",
    "rows_and_indices",
    "scatter_rows",
    "window_max",
    "window_sums",
]

LARGE = 4096  # elements from which a call of the core pays off
_KERNELS = os.environ.get("WORDROW_KERNELS") != "0"
_SMALL = 1 << 18  # multiplications below which a call of the core does not pay off


def _has_kernels(array: Array) -> bool:
    """Return whether the core's kernels may run on arrays like this one."""
    return _KERNELS and (not is_jax(array) or xla.are_there())


def has_kernel(x: Array, *activations: str | None) -> bool:
    """Return whether the core has kernels for arrays like x and for these activations."""
    array: Array = getattr(x, "backing", x)
    if not _has_kernels(array) or array.dtype != np.float32:
        return False
    return all(name in ACTIVATIONS_IN_CORE for name in activations)


def bag_mean(table: Array, ragged: Ragged) -> Array:
    """Return the mean row of each text: [V, D], B texts -> [B, D]; zeros for an empty text."""
    ids, offsets = np.ascontiguousarray(ragged.ids), np.ascontiguousarray(ragged.offsets)
    return _core.bag_mean(np.ascontiguousarray(table), ids, offsets)


def bag_predict(
    table: Array, ragged: Ragged, kernel: Array, bias: Array, *, sigmoid: bool
) -> Array:
    """Return the probabilities of Embedding, mean and Dense in one: [B, units]."""
    return _core.bag_predict(table, ragged.ids, ragged.offsets, kernel, bias, sigmoid=sigmoid)


def gather_rows(table: Array, ids: Array) -> Array:
    """Return table[ids] under JAX: [V, D], distinct ids [U] -> [U, D].

    Ids out of range give zeros."""
    if _has_rows(table):
        return xla.take_rows(table, ids)
    return table.at[ids].get(mode="fill", fill_value=0, unique_indices=True)


def scatter_rows(table: Array, ids: Array, rows: Array) -> Array:
    """Return the table with rows [U, D] at distinct ids [U], under JAX.

    Ids out of range are ignored."""
    if _has_rows(table):
        return xla.put_rows(table, ids, rows)
    return table.at[ids].set(rows, mode="drop", unique_indices=True)


def _has_rows(table: Array) -> bool:
    return table.ndim == 2 and has_kernel(table)


def materialize(x: Array) -> Array:
    """Return the array that a deferred form stands for; arrays are returned unchanged."""
    if isinstance(x, WindowSums):
        return window_sums(x)
    if not isinstance(x, GatheredRows):
        return x
    rows = take_rows(x.table, x.ids)
    return rows.reshape(x.shape) if x.is_flat else rows


def rows_and_indices(x: Array) -> tuple[Array, Array]:
    """Return (rows [R, D], row indices [B, T]) of a GatheredRows or of an array [B, T, D]."""
    if isinstance(x, GatheredRows) and x.is_dense:
        return x.table, x.ids
    x = materialize(x)
    return x.reshape(-1, x.shape[-1]), step_indices(x)


def as_windows(x: Array) -> WindowSums:
    """Return an array [B, T, F] as windows of one step; WindowSums are returned unchanged."""
    if isinstance(x, WindowSums):
        return x
    rows, row_indices = rows_and_indices(x)
    return WindowSums(rows[:, None], row_indices[..., None], None, "linear")


def mean_of_rows(lookup: GatheredRows, mask: Mask) -> Array:
    """Return the mean row of each text's real steps: [B, D], zeros if there are none."""
    table, ids = lookup.table, lookup.ids
    if not _has_kernels(table):
        return masked_mean(materialize(lookup), mask, 1)
    if is_jax(table):
        return xla.mean()(table, ids, mask)
    mask = None if mask is None else np.ascontiguousarray(mask, np.bool_)
    ids = np.ascontiguousarray(ids, np.int32)
    return _core.padded_mean(np.ascontiguousarray(table, np.float32), ids, mask)


def product(x: Array, kernel: Array) -> Array:
    """Return x @ kernel: [..., D], [D, units] -> [..., units]."""
    size = x.size * kernel.shape[-1]
    if is_jax(x) or is_jax(kernel) or size < _SMALL or not (has_kernel(x) and has_kernel(kernel)):
        return x @ kernel
    # NumPy's matmul has its own thread pool, which competes with the core's.
    rows = np.ascontiguousarray(x.reshape(-1, x.shape[-1]))
    out = _core.product(rows, np.ascontiguousarray(kernel))
    return out.reshape(*x.shape[:-1], kernel.shape[-1])


def flat_product(lookup: GatheredRows, kernel: Array) -> Array:
    """Return flattened rows @ kernel: [B, T * D], [T * D, units] -> [B, units]."""
    if not has_kernel(kernel) or lookup.shape[1] == 0:
        return materialize(lookup) @ kernel
    if is_jax(kernel):
        return xla.flat_product()(lookup.table, lookup.ids, kernel)
    table, ids, kernel = (np.ascontiguousarray(x) for x in (lookup.table, lookup.ids, kernel))
    return _core.flat_product(table, ids, kernel)


def window_sums(sums: WindowSums) -> Array:
    """Return the windows' activated sums, computed by the core: [B, N, F]."""
    return _windows(sums, None).reshape(sums.shape)


def window_max(sums: WindowSums, pools: Array) -> Array:
    """Return the maximum over each pool of windows, computed by the core: [B, M, F].

    pools: [B, M, P], indices of the [B * N] windows, -1 for none. An empty pool gives zeros.
    """
    largest = _windows(sums, pools.reshape(-1, pools.shape[-1]))
    return largest.reshape(*pools.shape[:2], sums.shape[-1])


def pooled_rows(sums: WindowSums, pools: Array) -> GatheredRows:
    """Return `window_max` as GatheredRows, for windows at the same positions in every text.

    Windows over padding alone have equal results, so at each position they share one row.
    """
    xp, (batch, n_pools) = namespace(sums), pools.shape[:2]
    # Step by step over all windows: NumPy is slow along the short last axis.
    padding = functools.reduce(operator.and_, xp.moveaxis(sums.row_indices <= 0, -1, 0)).reshape(-1)
    padding = functools.reduce(
        operator.and_, (padding[own] | (own < 0) for own in xp.moveaxis(pools, -1, 0))
    )  # [B, M]
    own = step_indices(pools)
    shared = padding.argmax(axis=0).astype(np.int32) * n_pools + xp.arange(n_pools, dtype=np.int32)
    ids = xp.where(padding, shared[None], own)
    rows = window_max(sums, xp.where((own != ids)[..., None], np.int32(-1), pools))
    return GatheredRows(rows.reshape(batch * n_pools, rows.shape[-1]), ids)


def _windows(sums: WindowSums, pools: Array) -> Array:
    rows, row_indices = sums.rows, sums.row_indices.reshape(-1, sums.row_indices.shape[-1])
    rows, bias = rows.reshape(rows.shape[0], -1), sums.bias
    activation = activation_index(sums.activation)
    if is_jax(rows):
        jnp = sys.modules["jax.numpy"]
        bias = jnp.zeros((0,), np.float32) if bias is None else bias
        pools = jnp.zeros((0, 1), np.int32) if pools is None else pools
        return xla.windows(activation)(rows, row_indices, bias, pools)
    rows, row_indices = np.ascontiguousarray(rows), np.ascontiguousarray(row_indices)
    pools = None if pools is None else np.ascontiguousarray(pools)
    return _core.windows(rows, row_indices, bias, pools, activation=activation)


def all_finite(x: Array) -> Array:
    """Return whether all elements are finite, under JAX."""
    if x.size >= LARGE and has_kernel(x):
        return xla.are_finite(x)
    return namespace(x).isfinite(abs(x).sum())


def recurrent(
    cell: Cell,
    z: Array,
    row_indices: Array | None,
    kernel: Array,
    states: tuple[Array, ...] | None,
    mask: Mask,
    *,
    shape: tuple[int, int],
    recurrent_bias: Array | None = None,
    sequences: bool,
) -> tuple[tuple[Array, ...], Array | None]:
    """Return (last states, outputs [B, T, U] or None) of a recurrent layer by the core's kernel.

    z: inputs @ kernel + bias, [rows, G * U]; row_indices: [B, T], each step's row of z,
    or None if z has a row for each step, [B * T, G * U]. kernel: [U, G * U]; states:
    each [B, U], or None for zeros; mask: [B, T] or None; shape: (B, T). Texts that begin with
    the same rows share the states after them.
    """
    batch, n_steps = shape
    n_states = 2 if cell.has_c else 1
    if is_jax(z):
        run = xla.recurrent(cell, n_steps, sequences=sequences)
        *last, sequence = run(z, row_indices, mask, kernel, recurrent_bias, states, batch)
        return tuple(last[:n_states]), sequence if sequences else None
    after = [np.empty((batch, kernel.shape[0]), np.float32) for _ in range(n_states)]
    sequence = _core.recurrent(
        cell.kind,
        np.ascontiguousarray(z, np.float32),
        None if row_indices is None else np.ascontiguousarray(row_indices, np.int32),
        np.ascontiguousarray(kernel, np.float32),
        after,
        [np.ascontiguousarray(state, np.float32) for state in states or ()],
        None if mask is None else np.ascontiguousarray(mask, np.bool_),
        n_steps=n_steps,
        activation=cell.activation_index,
        gate=cell.gate_index,
        recurrent_bias=None if recurrent_bias is None else np.ascontiguousarray(recurrent_bias),
        reset_after=cell.reset_after,
        sequences=sequences,
    )
    return tuple(after), sequence
