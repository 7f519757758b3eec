"""An optimizer's step under JAX: on whole weights, and on some rows of a table.

Each does what `Optimizer` says. Where the core has a kernel it is one pass over memory, in place
on donated arrays.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from wordrow.nn import ops
from wordrow.nn.ops import xla
from wordrow.nn.optimizers.missed_updates import apply_missed_updates
from wordrow.nn.optimizers.optimizer import Hyperparameters, Optimizer
from wordrow.nn.spec import Array, Arrays

__all__ = ["flush_rows", "gather_rows", "read_rows", "update_rows", "update_whole"]

Missed = Mapping[str, Any]  # what `MissedUpdates.since` returned


def update_whole(
    optimizer: Optimizer,
    weight: Array,
    state: Arrays,
    gradient: Array,
    apply_update: Array,
    hyperparameters: Hyperparameters,
) -> tuple[Array, Arrays]:
    """Return (weight, state) after a step where `apply_update` is true, else as they are."""
    if weight.size >= ops.LARGE and ops.has_kernel(weight) and (adam := _adam(optimizer)):
        arrays = weight, state["m"], state["v"], gradient
        weight, m, v = xla.adam(arrays, _rates(hyperparameters), apply_update, **adam)
        return weight, {"m": m, "v": v}
    after = optimizer.update(weight, gradient, state, hyperparameters)
    selected: tuple[Array, Arrays] = ops.select(apply_update, after, (weight, state))
    return selected


def gather_rows(
    optimizer: Optimizer, table: Array, state: Arrays, ids: Array, missed: Missed
) -> tuple[Array, Any]:
    """Return (rows [U, D], up to date; what `update_rows` needs besides). ids [U] are distinct.

    Ids that are no rows give zeros.
    """
    if "terms" in missed and ops.has_kernel(table) and (adam := _adam(optimizer)):
        arrays = table, state["m"], state["v"]
        return xla.gather_stale(arrays, ids, _packed(missed), adam["epsilon"]), None
    stale = ops.gather_rows(table, ids), _gather(state, ids)
    rows, row_state = apply_missed_updates(_description(optimizer), *stale, missed)
    return rows, (stale, row_state)


def update_rows(
    optimizer: Optimizer,
    table: tuple[Array, Arrays, Array, Missed],
    gathered: tuple[Array, Any],
    gradient: Array,
    apply_update: Array,
    hyperparameters: Hyperparameters,
    trainable: Array | None = None,
) -> tuple[Array, Arrays]:
    """Return (table, state) after a step of some rows, or as they are where apply_update is false.

    table: (rows, state, ids, missed), as given to `gather_rows`; gathered: what that returned.
    trainable: bool [U], where not all rows are; the others have neither gradient nor moments, with
    which Adam leaves them as they are.
    """
    array, state, ids, missed = table
    rows, kept = gathered
    if kept is None:
        arrays = array, state["m"], state["v"], gradient
        array, m, v = xla.update_stale(
            arrays,
            ids,
            _packed(missed),
            _rates(hyperparameters),
            apply_update,
            **_adam(optimizer),
        )
        return array, {"m": m, "v": v}
    stale, row_state = kept
    after = optimizer.update(rows, gradient, row_state, hyperparameters)
    after = ops.select(apply_update, after, stale)
    if trainable is not None:
        after = ops.select(trainable[:, None], after, stale)
    return _scatter(array, state, ids, after)


def flush_rows(
    optimizer: Optimizer, table: Array, state: Arrays, ids: Array, missed: Missed
) -> tuple[Array, Arrays]:
    """Return (table, state) with some rows brought up to date."""
    return _scatter(table, state, ids, _up_to_date(optimizer, table, state, ids, missed))


def read_rows(
    optimizer: Optimizer, table: Array, state: Arrays, ids: Array, missed: Missed
) -> Array:
    """Return some rows [U, D] as `flush_rows` would leave them."""
    return _up_to_date(optimizer, table, state, ids, missed)[0]


def _up_to_date(
    optimizer: Optimizer, table: Array, state: Arrays, ids: Array, missed: Missed
) -> tuple[Array, Arrays]:
    rows = ops.gather_rows(table, ids), _gather(state, ids)
    return apply_missed_updates(_description(optimizer), *rows, missed)


def _description(optimizer: Optimizer) -> Any:
    description = optimizer.zero_gradient
    assert description is not None
    return description


def _gather(state: Arrays, ids: Array) -> Arrays:
    return {name: ops.gather_rows(array, ids) for name, array in state.items()}


def _scatter(
    table: Array, state: Arrays, ids: Array, rows: tuple[Array, Arrays]
) -> tuple[Array, Arrays]:
    new = {name: ops.scatter_rows(array, ids, rows[1][name]) for name, array in state.items()}
    return ops.scatter_rows(table, ids, rows[0]), new


def _adam(optimizer: Optimizer) -> dict[str, float]:
    """Return the settings of the core's Adam where that is the optimizer, else nothing."""
    rule = optimizer.core_rule
    if rule is None or rule.name != "adam":
        return {}
    return {"beta_1": rule.beta_1, "beta_2": rule.beta_2, "epsilon": rule.epsilon}


def _rates(hyperparameters: Hyperparameters) -> Array:
    """Return what a step keeps of a weight, and alpha: [2]."""
    jnp = sys.modules["jax.numpy"]
    return jnp.stack([hyperparameters["kept"], hyperparameters["alpha"]]).astype(np.float32)


def _packed(missed: Missed) -> tuple[Array, ...]:
    """Return what rows missed as the kernels take it: terms, decay of m and v, what was kept."""
    kept = missed.get("kept", sys.modules["jax.numpy"].zeros((0,), np.float32))
    return missed["terms"], missed["decay"]["m"], missed["decay"]["v"], kept
