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

__all__ = ["Cell", "are_there", "mean", "put_rows", "recurrent", "take_rows"]


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
        whole = [np.zeros(x.shape, jax.dtypes.float0) for x in (places, mask)]
        return dz, *whole, dkernel, dbias, dh, dc

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
        result = jax.ShapeDtypeStruct((ids.shape[0], table.shape[1]), np.float32)
        return jax.ffi.ffi_call("wordrow_mean_forward", result)(table, ids, mask)

    def forward(table: Any, ids: Any, mask: Any) -> Any:
        return run(table, ids, mask), (table, ids, mask)

    def backward(saved: Any, gradient: Any) -> Any:
        table, ids, mask = saved
        result = jax.ShapeDtypeStruct(table.shape, np.float32)
        dtable = jax.ffi.ffi_call("wordrow_mean_backward", result)(gradient, ids, mask)
        return dtable, *(np.zeros(x.shape, jax.dtypes.float0) for x in (ids, mask))

    run.defvjp(forward, backward)

    def with_empty(table: Any, ids: Any, mask: Any) -> Any:
        none = jnp.zeros((0,), np.bool_)
        return run(table, ids.astype(np.int32), none if mask is None else mask)

    return with_empty


def take_rows(table: Any, ids: Any) -> Any:
    """Return table[ids]: [V, D], [U] -> [U, D]; zeros for ids that are no rows."""
    jax = sys.modules["jax"]
    result = jax.ShapeDtypeStruct((ids.shape[0], table.shape[1]), np.float32)
    return jax.ffi.ffi_call("wordrow_take_rows", result)(table, ids)


def put_rows(table: Any, ids: Any, rows: Any) -> Any:
    """Return the table with rows [U, D] at ids [U]: in place, where the table is donated."""
    jax = sys.modules["jax"]
    result = jax.ShapeDtypeStruct(table.shape, np.float32)
    call = jax.ffi.ffi_call("wordrow_put_rows", result, input_output_aliases={0: 0})
    return call(table, ids, rows)
