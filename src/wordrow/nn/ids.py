"""Checks that ids fit a table, before anything runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wordrow.types import Ragged

__all__ = ["bad_id_error", "check_ids", "ids_fit"]


def check_ids(ids: npt.NDArray[np.int32] | Ragged, input_dim: int, layer_name: str) -> None:
    """Raise ValueError, naming text and position, for an id outside [0, input_dim)."""
    if isinstance(ids, Ragged):
        _check_ragged(ids, input_dim, layer_name)
        return
    if ids_fit(ids, input_dim):
        return
    where = tuple(int(i) for i in np.argwhere((ids < 0) | (ids >= input_dim))[0])
    raise bad_id_error(int(ids[where]), where, input_dim, layer_name)


def _check_ragged(ragged: Ragged, input_dim: int, layer_name: str) -> None:
    ids = ragged.ids
    if ids_fit(ids, input_dim):
        return
    at = int(np.argmax((ids < 0) | (ids >= input_dim)))
    text = int(np.searchsorted(ragged.offsets, at, side="right")) - 1
    raise bad_id_error(int(ids[at]), (text, at - int(ragged.offsets[text])), input_dim, layer_name)


def ids_fit(ids: npt.NDArray[np.int32], input_dim: int) -> bool:
    """Return whether every id is in [0, input_dim)."""
    return bool(ids.size == 0 or (ids.min() >= 0 and ids.max() < input_dim))


def bad_id_error(found: int, where: tuple[int, ...], input_dim: int, layer_name: str) -> ValueError:
    """Return the error for an id outside the table; where: (text, position...)."""
    expected = (
        "ids must not be negative" if found < 0 else "`input_dim` must be greater than every id"
    )
    place = f" at position {', '.join(map(str, where[1:]))}" if len(where) > 1 else ""
    return ValueError(
        f"{expected}: text {where[0]} has id {found}{place}, the table of layer {layer_name!r} has "
        f"{input_dim} rows. Use input_dim=len(tokenizer.word_index) + 1."
    )
