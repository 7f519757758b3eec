"""An optimizer's steps under JAX: on whole weights, and on some rows of a table.

Each is what `Optimizer` says, with the core's kernels where it has them: then a
step is one pass over memory, in place on donated arrays.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from wordrow.nn import custom_calls, ops
from wordrow.nn.optimizer import Optimizer, Slots
from wordrow.nn.optimizers import Adam

__all__ = ["read_rows", "settle_rows", "step_rows", "step_whole"]


def step_whole(
    optimizer: Optimizer, w: Any, slots: Slots, gradient: Any, goes_on: Any, numbers: Any
) -> tuple[Any, Slots]:
    """Return (w, slots) after a step where `goes_on` is true, else as they are."""
    if w.size >= ops.LARGE and ops.has_kernel(w) and (adam := _core_adam(optimizer)):
        arrays = w, slots["m"], slots["v"], gradient
        w, m, v = custom_calls.adam(arrays, _rates(numbers), goes_on, **adam)
        return w, {"m": m, "v": v}
    after = optimizer.update(w, gradient, slots, numbers)
    chosen: tuple[Any, Slots] = ops.choose(goes_on, after, (w, slots))
    return chosen


def read_rows(
    optimizer: Optimizer, table: Any, slots: Slots, ids: Any, away: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return (rows [U, D], up to date; what `step_rows` needs besides). ids [U] are distinct.

    Zeros for ids that are no rows. away: as in `Optimizer.catch_up`.
    """
    if "terms" in away and ops.has_kernel(table) and (adam := _core_adam(optimizer)):
        arrays = table, slots["m"], slots["v"]
        return custom_calls.read_resting(arrays, ids, _missed(away), adam["epsilon"]), None
    before = ops.rows_of(table, ids), {k: ops.rows_of(slot, ids) for k, slot in slots.items()}
    rows, own = optimizer.catch_up(*before, away)
    return rows, (before, own)


def step_rows(
    optimizer: Optimizer, table: Any, slots: Slots, ids: Any, away: Mapping[str, Any],
    read: tuple[Any, Any], gradient: Any, goes_on: Any, numbers: Any, free: Any = None,
) -> tuple[Any, Slots]:  # fmt: skip
    """Return (table, slots) after a step of some rows where `goes_on` is true, else as they are.

    read: what `read_rows` gave. free: bool [U], the rows that may change, where not
    all may; the others have no gradient and no moments, with which Adam's do not change.
    """
    rows, kept = read
    if kept is None:
        arrays = table, slots["m"], slots["v"], gradient
        table, m, v = custom_calls.update_resting(
            arrays, ids, _missed(away), _rates(numbers), goes_on, **_core_adam(optimizer)
        )
        return table, {"m": m, "v": v}
    before, own = kept
    after = ops.choose(goes_on, optimizer.update(rows, gradient, own, numbers), before)
    if free is not None:
        after = ops.choose(free[:, None], after, before)
    return _put(table, slots, ids, after)


def settle_rows(
    optimizer: Optimizer, table: Any, slots: Slots, ids: Any, away: Mapping[str, Any]
) -> tuple[Any, Slots]:
    """Return (table, slots) with some rows up to date."""
    rows = ops.rows_of(table, ids), {k: ops.rows_of(slot, ids) for k, slot in slots.items()}
    return _put(table, slots, ids, optimizer.catch_up(*rows, away))


def _put(table: Any, slots: Slots, ids: Any, rows: tuple[Any, Slots]) -> tuple[Any, Slots]:
    own = {k: ops.with_rows(slot, ids, rows[1][k]) for k, slot in slots.items()}
    return ops.with_rows(table, ids, rows[0]), own


def _core_adam(optimizer: Optimizer) -> dict[str, float]:
    """Return the settings of the core's Adam where that is the optimizer, else nothing."""
    if not isinstance(optimizer, Adam) or optimizer.amsgrad:
        return {}
    if type(optimizer).change is not Adam.change or type(optimizer).update is not Optimizer.update:
        return {}
    return {"beta_1": optimizer.beta_1, "beta_2": optimizer.beta_2, "epsilon": optimizer.epsilon}


def _rates(numbers: Any) -> Any:
    """Return what a step keeps of a weight, and alpha: [2]."""
    jnp = sys.modules["jax.numpy"]
    return jnp.stack([numbers["keep"], numbers["alpha"]]).astype(np.float32)


def _missed(away: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what rows missed, as the core takes it: terms, fades, and what decay keeps or none."""
    keep = away.get("keep", sys.modules["jax.numpy"].zeros((0,), np.float32))
    return away["terms"], away["fade"]["m"], away["fade"]["v"], keep
