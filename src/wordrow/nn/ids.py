"""Checks that ids fit a table, before anything runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.types import Ragged

__all__ = ["check_ids", "ids_fit"]


def check_ids(ids: npt.NDArray[Any] | Ragged, input_dim: int, layer_name: str) -> None:
    """Raise ValueError, naming text and position, for what is no whole number in [0, input_dim).

    ids: as users gave them, numbers of any type, so that nothing has been rounded or has wrapped.
    """
    values = ids.ids if isinstance(ids, Ragged) else ids
    if ids_fit(values, input_dim):
        return
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~((values >= 0) & (values < input_dim) & _is_whole(values)))[0]
    if isinstance(ids, Ragged):
        text = int(np.searchsorted(ids.offsets, bad, side="right")) - 1
        where: tuple[int, ...] = text, int(bad - ids.offsets[text])
    else:
        where = tuple(int(i) for i in np.unravel_index(bad, values.shape))
    raise _bad_id_error(values.reshape(-1)[bad].item(), where, input_dim, layer_name)


def ids_fit(ids: npt.NDArray[Any], input_dim: int) -> bool:
    """Return whether every id is a whole number in [0, input_dim)."""
    if ids.size == 0:
        return True
    fits = ids.min() >= 0 and ids.max() < input_dim  # false for NaN
    return bool(fits and np.all(_is_whole(ids)))


def _is_whole(ids: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | bool:
    return ids == np.trunc(ids) if ids.dtype.kind == "f" else True


def _bad_id_error(
    found: float, where: tuple[int, ...], input_dim: int, layer_name: str
) -> ValueError:
    """Return the error for an id; where: (text, position...)."""
    fix = "Use input_dim=len(tokenizer.word_index) + 1."
    if not math.isfinite(found) or found != int(found):
        expected, fix = "ids must be whole numbers", "Turn texts into ids with a Tokenizer."
    elif found < 0:
        expected, found = "ids must not be negative", int(found)
    else:
        expected, found = "`input_dim` must be greater than every id", int(found)
    place = f" at position {', '.join(map(str, where[1:]))}" if len(where) > 1 else ""
    return ValueError(
        f"{expected}: text {where[0]} has id {found}{place}, the table of layer {layer_name!r} has "
        f"{input_dim} rows. {fix}"
    )
