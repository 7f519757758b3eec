"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow.types import Ragged

__all__ = ["pad_sequences"]

Side = Literal["pre", "post"]


def pad_sequences(
    sequences: Sequence[Any] | Ragged,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: Side = "pre",
    truncating: Side = "pre",
    value: Any = 0.0,
) -> npt.NDArray[Any]:
    """Return sequences as one array [B, maxlen, ...], padded with `value`.

    Longer sequences are truncated. Both happen at the front unless "post" is given;
    `maxlen=None` means the longest sequence. A `Ragged` is padded without an
    intermediate list.

    Raises ValueError for anything but a list of sequences, items of different shapes,
    an unknown side, or a string `value` with a dtype that cannot hold it.

    >>> pad_sequences([[1, 2, 3, 4], [1, 2, 5, 3, 4]], 6)
    array([[0, 0, 1, 2, 3, 4],
           [0, 1, 2, 5, 3, 4]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    # An unknown side raises only if there is something to pad or truncate, as in Keras.
    sides = ("pre", "post")
    if isinstance(sequences, Ragged) and padding in sides and truncating in sides:
        padded = sequences.pad(maxlen, padding=padding, truncating=truncating)
        ids = _converted(padded.ids, dtype, "the texts")
        return np.where(padded.mask, ids, np.asarray(value).astype(dtype))
    lengths, sample_shape = _measure(sequences)
    if maxlen is None:
        if not lengths:
            raise ValueError("`sequences` is empty: give `maxlen`, or at least one sequence.")
        maxlen = max(lengths)
    _check_value(value, dtype)
    out = np.full((len(lengths), maxlen, *sample_shape), value, dtype=dtype)
    for position, sequence in enumerate(sequences):
        if not lengths[position]:
            continue
        kept = _converted(_cut(sequence, maxlen, truncating), dtype, f"sequence {position}")
        if kept.shape[1:] != sample_shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {position} is "
                f"different from expected shape {sample_shape}"
            )
        if padding == "post":
            out[position, : len(kept)] = kept
        elif padding == "pre":
            out[position, -len(kept) :] = kept
        else:
            raise ValueError(f'Padding type "{padding}" not understood: use "pre" or "post"')
    return out


def _measure(sequences: Any) -> tuple[list[int], tuple[int, ...]]:
    """Return the lengths, and the shape of an item of the first non-empty sequence."""
    lengths: list[int] = []
    sample_shape: tuple[int, ...] | None = None
    for sequence in sequences:
        try:
            lengths.append(len(sequence))
        except TypeError:
            raise ValueError(
                "`sequences` must be a list of iterables. "
                f"Found non-iterable: {sequence} at position {len(lengths)}"
            ) from None
        if sample_shape is None and lengths[-1]:
            sample_shape = np.shape(sequence)[1:] if not isinstance(sequence[0], int) else ()
    return lengths, sample_shape or ()


def _converted(sequence: Any, dtype: Any, name: str) -> npt.NDArray[Any]:
    """Return a sequence as an array. Raises OverflowError for whole numbers that do not fit."""
    array = np.asarray(sequence, dtype=dtype)
    given = getattr(sequence, "dtype", array.dtype)
    if given.kind in "iu" and array.dtype.kind in "iu" and not np.can_cast(given, array.dtype):
        wrapped = array != sequence
        if wrapped.any():
            raise OverflowError(
                f"{name} has {sequence[wrapped][0]}, which {array.dtype} cannot hold: give "
                "pad_sequences another `dtype`."
            )
    return array


def _cut(sequence: Any, maxlen: int, truncating: str) -> Any:
    if truncating == "pre":
        return sequence[-maxlen:]
    if truncating == "post":
        return sequence[:maxlen]
    raise ValueError(f'Truncating type "{truncating}" not understood: use "pre" or "post"')


def _check_value(value: object, dtype: Any) -> None:
    holds_text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and dtype != "object" and not holds_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )
