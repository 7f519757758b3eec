"""The core's kernels as functions that JAX can compile and differentiate, on a CPU.

Each is an XLA custom call with a custom gradient. JAX is taken from where it has
been imported; nothing here imports it.
"""

from __future__ import annotations

import functools
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordrow import _core

__all__ = [
    "Cell", "adam", "are_finite", "are_there", "flat_product", "mean", "put_rows", "read_resting",
    "recurrent", "take_rows", "update_resting", "windows",
]  # fmt: skip


@functools.cache
def are_there() -> bool:
    """Return whether JAX runs on a CPU and has taken the core's kernels."""
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


@dataclass(frozen=True)
class Cell:
    """What is fixed of a recurrent layer's run."""

    kind: int  # the number of core/recurrent.h's Cell
    n_gates: int
    n_steps: int
    activation: int
    gate: int
    reset_after: bool
    sequences: bool

    @property
    def has_c(self) -> bool:
        """Whether there is a second state, as in an LSTM."""
        return self.n_gates == 4

    @property
    def attributes(self) -> dict[str, Any]:
        """What the custom calls take beside arrays."""
        return {
            "cell": np.int32(self.kind), "activation": np.int32(self.activation),
            "gate": np.int32(self.gate), "reset_after": np.int32(self.reset_after),
            "n_steps": np.int32(self.n_steps),
        }  # fmt: skip


@functools.cache
def recurrent(cell: Cell) -> Any:
    """Return the function of (z, places, mask, kernel, recurrent_bias, h, c) for a cell.

    What the cell does not have is an array of no elements, then and among the
    results: h, c [B, U], sequence [B, T, U].
    """
    jax, jnp = sys.modules["jax"], sys.modules["jax.numpy"]

    def call(arrays: tuple[Any, ...], batch: int, *, saves: bool) -> tuple[Any, ...]:
        units = arrays[3].shape[0]
        results = [
            jax.ShapeDtypeStruct((batch, units), np.float32),  # h
            jax.ShapeDtypeStruct((batch, units) if cell.has_c else (0,), np.float32),
            jax.ShapeDtypeStruct(
                (batch, cell.n_steps, units) if cell.sequences else (0,), np.float32
            ),
            # The number of what the core has kept for the way back.
            jax.ShapeDtypeStruct((1 if saves else 0,), np.int32),
        ]
        found = jax.ffi.ffi_call("wordrow_recurrent_forward", results)(*arrays, **cell.attributes)
        return tuple(found)

    @functools.partial(jax.custom_vjp, nondiff_argnums=(7,))
    def run(z: Any, places: Any, mask: Any, kernel: Any, bias: Any, h: Any, c: Any, n: int) -> Any:
        return call((z, places, mask, kernel, bias, h, c), n, saves=False)[:3]

    def forward(
        z: Any, places: Any, mask: Any, kernel: Any, bias: Any, h: Any, c: Any, n: int
    ) -> Any:
        arrays = (z, places, mask, kernel, bias, h, c)
        *results, kept = call(arrays, n, saves=True)
        return tuple(results), (arrays, kept)

    def backward(n: int, saved: Any, gradients: Any) -> Any:
        arrays, kept = saved
        z, places, mask, kernel, bias, h, c = arrays
        results = [jax.ShapeDtypeStruct(x.shape, np.float32) for x in (z, kernel, bias, h, c)]
        found = jax.ffi.ffi_call("wordrow_recurrent_backward", results)(
            *arrays, kept, *gradients, **cell.attributes
        )
        dz, dkernel, dbias, dh, dc = found
        return dz, _no_gradient(places), _no_gradient(mask), dkernel, dbias, dh, dc

    run.defvjp(forward, backward)

    def with_empty(
        z: Any, places: Any, mask: Any, kernel: Any, bias: Any, states: Any, batch: int
    ) -> Any:
        empty = jnp.zeros((0,), np.float32)
        h, c = (*states, empty, empty)[:2] if states is not None else (empty, empty)
        return run(
            z,
            jnp.zeros((0,), np.int32) if places is None else places.astype(np.int32),
            jnp.zeros((0,), np.bool_) if mask is None else mask,
            kernel,
            empty if bias is None else bias,
            h,
            c,
            batch,
        )

    return with_empty


@functools.cache
def mean() -> Any:
    """Return the function of (table [V, D], ids [B, T], mask [B, T] or None) for means [B, D]."""
    jax, jnp = sys.modules["jax"], sys.modules["jax.numpy"]

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(table: Any, ids: Any, mask: Any) -> Any:
        return _call("wordrow_mean_forward", (ids.shape[0], table.shape[1]))(table, ids, mask)

    def forward(table: Any, ids: Any, mask: Any) -> Any:
        return run(table, ids, mask), (table, ids, mask)

    def backward(saved: Any, gradient: Any) -> Any:
        table, ids, mask = saved
        dtable = _call("wordrow_mean_backward", table.shape)(gradient, ids, mask)
        return dtable, _no_gradient(ids), _no_gradient(mask)

    run.defvjp(forward, backward)

    def with_empty(table: Any, ids: Any, mask: Any) -> Any:
        none = jnp.zeros((0,), np.bool_)
        return run(table, ids.astype(np.int32), none if mask is None else mask)

    return with_empty


def take_rows(table: Any, ids: Any) -> Any:
    """Return table[ids]: [V, D], [U] -> [U, D]; zeros for ids that are no rows."""
    return _call("wordrow_take_rows", (ids.shape[0], table.shape[1]))(table, ids)


def put_rows(table: Any, ids: Any, rows: Any) -> Any:
    """Return the table with rows [U, D] at ids [U]: in place, where the table is donated."""
    jax = sys.modules["jax"]
    result = jax.ShapeDtypeStruct(table.shape, np.float32)
    call = jax.ffi.ffi_call("wordrow_put_rows", result, input_output_aliases={0: 0})
    return call(table, ids, rows)


def _call(name: str, *shapes: tuple[int, ...], **attributes: Any) -> Any:
    """Return the custom call that gives arrays of float32 of these shapes: a list, or the one."""
    jax = sys.modules["jax"]
    results = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes]
    call = jax.ffi.ffi_call(name, results if len(results) > 1 else results[0])
    return functools.partial(call, **attributes)


def _no_gradient(whole: Any) -> Any:
    return np.zeros(whole.shape, sys.modules["jax"].dtypes.float0)


@functools.cache
def windows(activation: int) -> Any:
    """Return the function of (rows [R, K * F], places [N, K], bias [F], pools [M, P]).

    It gives the windows' sums, activated, [N, F], or the largest of each pool of
    them, [M, F]. Bias and pools of no elements are none. activation: its number
    in core/isa.h.
    """
    jax = sys.modules["jax"]
    number = np.int32(activation)

    def arrays(rows: Any, places: Any, bias: Any, pools: Any) -> tuple[Any, ...]:
        return (rows, places, bias, pools) if pools.size else (rows, places, bias)

    def name(pools: Any) -> str:
        return "wordrow_window_max" if pools.size else "wordrow_window_sums"

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(rows: Any, places: Any, bias: Any, pools: Any) -> Any:
        n = (pools if pools.size else places).shape[0]
        call = _call(name(pools), (n, rows.shape[1] // places.shape[1]), activation=number)
        return call(*arrays(rows, places, bias, pools))

    def forward(rows: Any, places: Any, bias: Any, pools: Any) -> Any:
        out = run(rows, places, bias, pools)
        return out, (rows, places, bias, pools, out)

    def backward(saved: Any, gradient: Any) -> Any:
        rows, places, bias, pools, out = saved
        call = _call(f"{name(pools)}_back", rows.shape, bias.shape, activation=number)
        drows, dbias = call(*arrays(rows, places, bias, pools), out, gradient)
        return drows, _no_gradient(places), dbias, _no_gradient(pools)

    run.defvjp(forward, backward)
    return run


@functools.cache
def flat_product() -> Any:
    """Return the function of (table [V, D], ids [B, T], kernel [T * D, units]) for [B, units]."""
    jax = sys.modules["jax"]

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def run(table: Any, ids: Any, kernel: Any) -> Any:
        return _call("wordrow_flat_product", (ids.shape[0], kernel.shape[1]))(table, ids, kernel)

    def forward(table: Any, ids: Any, kernel: Any) -> Any:
        return run(table, ids, kernel), (table, ids, kernel)

    def backward(saved: Any, gradient: Any) -> Any:
        table, ids, kernel = saved
        call = _call("wordrow_flat_product_back", table.shape, kernel.shape)
        dtable, dkernel = call(table, ids, kernel, gradient)
        return dtable, _no_gradient(ids), dkernel

    run.defvjp(forward, backward)
    return run


def are_finite(x: Any) -> Any:
    """Return whether no element is infinite or not a number: bool []."""
    jax = sys.modules["jax"]
    result = jax.ShapeDtypeStruct((), np.bool_)
    return jax.ffi.ffi_call("wordrow_finite", result)(x)


def adam(arrays: Any, numbers: Any, goes_on: Any, **settings: float) -> Any:
    """Return (w, m, v) after a step where goes_on [] is true: in place, where they are donated.

    arrays: w, m, v, gradient, of one shape; numbers: [2], what the step keeps of
    w, and alpha; settings: beta_1, beta_2, epsilon.
    """
    return _in_place("wordrow_adam", arrays, (numbers, goes_on), settings)


def read_resting(arrays: Any, ids: Any, missed: Any, epsilon: float) -> Any:
    """Return rows of (table, m, v), brought up to date: ids [U] -> [U, D].

    missed: (terms [U, P], fade of m [U], of v [U], keep [U] or none).
    """
    call = _call(
        "wordrow_read_resting", (ids.shape[0], arrays[0].shape[1]), epsilon=np.float32(epsilon)
    )
    return call(*arrays, ids, *missed)


def update_resting(
    arrays: Any, ids: Any, missed: Any, numbers: Any, goes_on: Any, **settings: float
) -> Any:
    """Return (table, m, v) after a step of the rows at ids [U], as `adam` does."""
    return _in_place("wordrow_update_resting", arrays, (ids, *missed, numbers, goes_on), settings)


def _in_place(name: str, arrays: Any, others: Any, settings: dict[str, float]) -> Any:
    """Call what changes the first three of some arrays."""
    jax = sys.modules["jax"]
    results = [jax.ShapeDtypeStruct(x.shape, np.float32) for x in arrays[:3]]
    call = jax.ffi.ffi_call(name, results, input_output_aliases={0: 0, 1: 1, 2: 2})
    beta_1, beta_2 = settings["beta_1"], settings["beta_2"]
    return call(
        *arrays, *others, beta_1=np.float32(beta_1), beta_2=np.float32(beta_2),
        new_1=np.float32(1 - beta_1), new_2=np.float32(1 - beta_2),
        epsilon=np.float32(settings["epsilon"]),
    )  # fmt: skip
