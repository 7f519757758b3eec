"""The core's kernels as functions that JAX can compile and differentiate, on a CPU.

Each is an XLA custom call with a custom gradient. Nothing here imports JAX; the callers have.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from wordrow import _core
from wordrow.nn.ops.cell import Cell
from wordrow.nn.spec import Array, Mask

__all__ = [
    "adam",
    "are_finite",
    "are_there",
    "flat_product",
    "gather_stale",
    "mean",
    "put_rows",
    "recurrent",
    "take_rows",
    "update_stale",
    "windows",
]


@functools.cache
def are_there() -> bool:
    """Return whether JAX runs on a CPU and has accepted the core's kernels."""
    jax = sys.modules["jax"]
    targets = _core.ffi_targets()
    if not targets or jax.default_backend() != "cpu":
        return False
    try:
        for name, target in targets.items():
            jax.ffi.register_ffi_target(name, target, platform="cpu")
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        warnings.warn(
            f"JAX {jax.__version__} does not take the core's kernels ({error}); training goes on "
            "without them, slower. Build wordrow anew with this JAX installed.",
            UserWarning,
            stacklevel=2,
        )
        return False
    return True


@functools.cache
def recurrent(cell: Cell, n_steps: int, *, sequences: bool) -> Callable[..., Any]:
    """Return the function of (z, row_indices, mask, kernel, recurrent_bias, states, batch).

    Its results are h, c [B, U] and sequence [B, T, U]. An argument that is None, and a result
    that the cell does not have, is an empty array for the kernel.
    """
    jax, jnp = sys.modules["jax"], sys.modules["jax.numpy"]
    attributes = {
        "cell": np.int32(cell.kind_index),
        "activation": np.int32(cell.activation_index),
        "gate": np.int32(cell.gate_index),
        "reset_after": np.int32(cell.reset_after),
        "n_steps": np.int32(n_steps),
    }

    def call(arrays: tuple[Array, ...], batch: int, *, saves: bool) -> tuple[Array, ...]:
        units = arrays[3].shape[0]
        shapes = (
            (batch, units),  # h
            (batch, units) if cell.has_c else (0,),
            (batch, n_steps, units) if sequences else (0,),
            (batch * n_steps, cell.residual_width(units)) if saves else (0,),
        )
        results = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes]
        found = jax.ffi.ffi_call("wordrow_recurrent_forward", results)(*arrays, **attributes)
        return tuple(found)

    @functools.partial(jax.custom_vjp, nondiff_argnums=(7,))
    def run(
        z: Array,
        row_indices: Array,
        mask: Mask,
        kernel: Array,
        bias: Array,
        h: Array,
        c: Array,
        n: int,
    ) -> Array:
        return call((z, row_indices, mask, kernel, bias, h, c), n, saves=False)[:3]

    def forward(
        z: Array,
        row_indices: Array,
        mask: Mask,
        kernel: Array,
        bias: Array,
        h: Array,
        c: Array,
        n: int,
    ) -> tuple[Array, tuple[Array, ...]]:
        arrays = (z, row_indices, mask, kernel, bias, h, c)
        *results, residuals = call(arrays, n, saves=True)
        return tuple(results), (arrays, residuals)

    def backward(n: int, saved: Any, gradients: tuple[Array, ...]) -> tuple[Array, ...]:
        arrays, residuals = saved
        z, row_indices, mask, kernel, bias, h, c = arrays
        results = [jax.ShapeDtypeStruct(x.shape, np.float32) for x in (z, kernel, bias, h, c)]
        found = jax.ffi.ffi_call("wordrow_recurrent_backward", results)(
            *arrays, residuals, *gradients, **attributes
        )
        dz, dkernel, dbias, dh, dc = found
        return dz, _no_gradient(row_indices), _no_gradient(mask), dkernel, dbias, dh, dc

    run.defvjp(forward, backward)

    def with_empty(
        z: Array,
        row_indices: Array,
        mask: Mask,
        kernel: Array,
        bias: Array,
        states: tuple[Array, ...] | None,
        batch: int,
    ) -> tuple[Array, ...]:
        empty = jnp.zeros((0,), np.float32)
        h, c = (*states, empty, empty)[:2] if states is not None else (empty, empty)
        results: tuple[Array, ...] = run(
            z,
            jnp.zeros((0,), np.int32) if row_indices is None else row_indices.astype(np.int32),
            jnp.zeros((0,), np.bool_) if mask is None else mask,
            kernel,
            empty if bias is None else bias,
            h,
            c,
            batch,
        )
        return results

    return with_empty


@functools.cache
def mean() -> Callable[..., Array]:
    """Return the function of (table [V, D], ids [B, T], mask [B, T] or None) for means [B, D]."""
    jax, jnp = sys.modules["jax"], sys.modules["jax.numpy"]

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(table: Array, ids: Array, mask: Mask) -> Array:
        return _call("wordrow_mean_forward", (ids.shape[0], table.shape[1]))(table, ids, mask)

    def forward(table: Array, ids: Array, mask: Mask) -> tuple[Array, tuple[Array, ...]]:
        return run(table, ids, mask), (table, ids, mask)

    def backward(saved: Any, gradient: Array) -> tuple[Array, ...]:
        table, ids, mask = saved
        dtable = _call("wordrow_mean_backward", table.shape)(gradient, ids, mask)
        return dtable, _no_gradient(ids), _no_gradient(mask)

    run.defvjp(forward, backward)

    def with_empty(table: Array, ids: Array, mask: Mask) -> Array:
        none = jnp.zeros((0,), np.bool_)
        return run(table, ids.astype(np.int32), none if mask is None else mask)

    return with_empty


def take_rows(table: Array, ids: Array) -> Array:
    """Return table[ids]: [V, D], [U] -> [U, D]; zeros for ids out of range."""
    return _call("wordrow_take_rows", (ids.shape[0], table.shape[1]))(table, ids)


def put_rows(table: Array, ids: Array, rows: Array) -> Array:
    """Return the table with rows [U, D] at ids [U]: in place if the table is donated."""
    jax = sys.modules["jax"]
    result = jax.ShapeDtypeStruct(table.shape, np.float32)
    call = jax.ffi.ffi_call("wordrow_put_rows", result, input_output_aliases={0: 0})
    return call(table, ids, rows)


def _call(name: str, *shapes: tuple[int, ...], **attributes: Any) -> Callable[..., Any]:
    """Return the custom call whose results are float32 arrays of these shapes; one is no list."""
    jax = sys.modules["jax"]
    results = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes]
    call = jax.ffi.ffi_call(name, results if len(results) > 1 else results[0])
    return functools.partial(call, **attributes)


def _no_gradient(whole: Array) -> Array:
    return np.zeros(whole.shape, sys.modules["jax"].dtypes.float0)


@functools.cache
def windows(activation: int) -> Callable[..., Array]:
    """Return the function of (rows [R, K * F], row_indices [N, K], bias [F], pools [M, P]).

    It returns the windows' activated sums [N, F], or the maximum over each pool of them [M, F].
    An empty array means no bias, or no pools. activation: its value in core/isa.h.
    """
    jax = sys.modules["jax"]
    attribute = np.int32(activation)

    def arrays(rows: Array, row_indices: Array, bias: Array, pools: Array) -> tuple[Array, ...]:
        return (rows, row_indices, bias, pools) if pools.size else (rows, row_indices, bias)

    def name(pools: Array) -> str:
        return "wordrow_window_max" if pools.size else "wordrow_window_sums"

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(rows: Array, row_indices: Array, bias: Array, pools: Array) -> Array:
        n = (pools if pools.size else row_indices).shape[0]
        call = _call(name(pools), (n, rows.shape[1] // row_indices.shape[1]), activation=attribute)
        return call(*arrays(rows, row_indices, bias, pools))

    def forward(
        rows: Array, row_indices: Array, bias: Array, pools: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        out = run(rows, row_indices, bias, pools)
        return out, (rows, row_indices, bias, pools, out)

    def backward(saved: Any, gradient: Array) -> tuple[Array, ...]:
        rows, row_indices, bias, pools, out = saved
        call = _call(f"{name(pools)}_back", rows.shape, bias.shape, activation=attribute)
        drows, dbias = call(*arrays(rows, row_indices, bias, pools), out, gradient)
        return drows, _no_gradient(row_indices), dbias, _no_gradient(pools)

    run.defvjp(forward, backward)
    function: Callable[..., Array] = run
    return function


@functools.cache
def flat_product() -> Callable[..., Array]:
    """Return the function of (table [V, D], ids [B, T], kernel [T * D, units]) for [B, units]."""
    jax = sys.modules["jax"]

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(table: Array, ids: Array, kernel: Array) -> Array:
        return _call("wordrow_flat_product", (ids.shape[0], kernel.shape[1]))(table, ids, kernel)

    def forward(table: Array, ids: Array, kernel: Array) -> tuple[Array, tuple[Array, ...]]:
        return run(table, ids, kernel), (table, ids, kernel)

    def backward(saved: Any, gradient: Array) -> tuple[Array, ...]:
        table, ids, kernel = saved
        call = _call("wordrow_flat_product_back", table.shape, kernel.shape)
        dtable, dkernel = call(table, ids, kernel, gradient)
        return dtable, _no_gradient(ids), dkernel

    run.defvjp(forward, backward)
    function: Callable[..., Array] = run
    return function


def are_finite(x: Array) -> Array:
    """Return whether all elements are finite: bool []."""
    jax = sys.modules["jax"]
    result = jax.ShapeDtypeStruct((), np.bool_)
    return jax.ffi.ffi_call("wordrow_finite", result)(x)


def adam(
    arrays: tuple[Array, ...], rates: Array, apply_update: Array, **settings: float
) -> tuple[Array, ...]:
    """Return (w, m, v) after a step if apply_update [] is true: in place, if they are donated.

    arrays: w, m, v, gradient, of one shape; rates: [2], the factor that weight decay leaves of w,
    and alpha; settings: beta_1, beta_2, epsilon.
    """
    return _in_place("wordrow_adam", arrays, (rates, apply_update), settings)


def gather_stale(
    arrays: tuple[Array, ...], ids: Array, missed: tuple[Array, ...], epsilon: float
) -> Array:
    """Return rows of (table, m, v) with their missed updates applied: ids [U] -> [U, D].

    missed: (terms [U, P], decay of m [U], of v [U], keep [U] or empty), as from
    `_core.MissedUpdates.since`.
    """
    call = _call(
        "wordrow_gather_stale", (ids.shape[0], arrays[0].shape[1]), epsilon=np.float32(epsilon)
    )
    return call(*arrays, ids, *missed)


def update_stale(
    arrays: tuple[Array, ...],
    ids: Array,
    missed: tuple[Array, ...],
    rates: Array,
    apply_update: Array,
    **settings: float,
) -> tuple[Array, ...]:
    """Return (table, m, v) after a step of the rows at ids [U], as `adam` does."""
    return _in_place("wordrow_update_stale", arrays, (ids, *missed, rates, apply_update), settings)


def _in_place(
    name: str, arrays: tuple[Array, ...], others: tuple[Array, ...], settings: dict[str, float]
) -> tuple[Array, ...]:
    """Call a kernel that updates the first three arrays in place."""
    jax = sys.modules["jax"]
    results = [jax.ShapeDtypeStruct(x.shape, np.float32) for x in arrays[:3]]
    call = jax.ffi.ffi_call(name, results, input_output_aliases={0: 0, 1: 1, 2: 2})
    beta_1, beta_2 = settings["beta_1"], settings["beta_2"]
    results = call(
        *arrays,
        *others,
        beta_1=np.float32(beta_1),
        beta_2=np.float32(beta_2),
        new_1=np.float32(1 - beta_1),
        new_2=np.float32(1 - beta_2),
        epsilon=np.float32(settings["epsilon"]),
    )
    return tuple(results)
