"""The types of ragged, padded and sparse data.

Axis letters: B batch, T time, V vocabulary, D dimension, N tokens, U unique ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from wordrow import _core

__all__ = ["Padded", "Ragged", "SparseRows"]

Ids = npt.NDArray[np.int32]


def _is_id(value: Any) -> bool:
    try:
        return bool(int(value) == value and -(2**31) <= value < 2**31)
    except (ValueError, TypeError, OverflowError):
        return False


@dataclass(frozen=True, kw_only=True, eq=False)
class Ragged:
    """Ids of texts of different lengths, without padding.

    ids: int32 [N]; offsets: int64 [B + 1]. Text i has ids[offsets[i] : offsets[i + 1]].

    >>> import numpy as np
    >>> ragged = Ragged(ids=np.array([3, 1, 2], np.int32), offsets=np.array([0, 2, 2, 3]))
    >>> len(ragged), ragged[0].tolist(), ragged.lengths.tolist()
    (3, [3, 1], [2, 0, 1])
    """

    ids: Ids
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        for name, dtype in (("ids", np.int32), ("offsets", np.int64)):
            array = np.asarray(getattr(self, name))
            if array.dtype != dtype:
                with np.errstate(invalid="ignore"):
                    kept = array.astype(dtype)
                if (kept != array).any():
                    raise ValueError(f"`{name}` must be whole numbers of {np.dtype(dtype)}.")
                array = kept
            object.__setattr__(self, name, array)

    @classmethod
    def from_lists(cls, sequences: Sequence[Sequence[int]]) -> Ragged:
        """Build from a list of lists of ids.

        Raises ValueError, naming text and position, for an id that is not a whole number or does
        not fit into int32.
        """
        offsets = np.zeros(len(sequences) + 1, np.int64)
        np.cumsum([len(ids) for ids in sequences], out=offsets[1:])
        given = np.array(list(chain.from_iterable(sequences)) or np.zeros(0, np.int32))
        try:
            return cls(ids=given, offsets=offsets)
        except (ValueError, TypeError, OverflowError):
            text, position, found = next(
                (text, position, i)
                for text, ids in enumerate(sequences)
                for position, i in enumerate(ids)
                if not _is_id(i)
            )
            raise ValueError(
                f"ids must be whole numbers below 2**31: text {text} has {found!r} at position "
                f"{position}. Turn texts into ids with a Tokenizer."
            ) from None

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The number of ids of each text: int64 [B]."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Ids: ...
    @overload
    def __getitem__(self, index: slice) -> Ragged: ...
    def __getitem__(self, index: int | slice) -> Ids | Ragged:
        """Return the ids of one text, or the texts of a slice (step 1), without copying them."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                raise ValueError(f"a Ragged is sliced in steps of 1; received step {step}")
            offsets = self.offsets[start : max(start, stop) + 1]
            ids = self.ids[offsets[0] : offsets[-1]]
            return Ragged(ids=ids, offsets=offsets - offsets[0])
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"text {index} of {n}")
        index %= n
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[Ids]:
        for i in range(len(self)):
            yield self[i]

    def take(self, rows: npt.NDArray[np.int64]) -> Ragged:
        """Return the texts of some rows, in this order."""
        lengths = self.lengths[rows]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        shift = np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Ragged(ids=self.ids[np.arange(offsets[-1]) + shift], offsets=offsets)

    def keep(self, mask: npt.NDArray[np.bool_]) -> Ragged:
        """Return the texts with only the ids where mask [N] is true."""
        ends = np.concatenate([[0], np.cumsum(mask)])
        return Ragged(ids=self.ids[mask], offsets=ends[self.offsets])

    def to_lists(self) -> list[list[int]]:
        """Return a list of lists of Python integers, as Keras's `texts_to_sequences` does."""
        ids, offsets = np.ascontiguousarray(self.ids), np.ascontiguousarray(self.offsets)
        return _core.to_lists(ids, offsets)

    def pad(
        self,
        maxlen: int | None = None,
        *,
        padding: Literal["pre", "post"] = "pre",
        truncating: Literal["pre", "post"] = "pre",
    ) -> Padded:
        """Return the texts as one array of `maxlen` columns, by default the longest length."""
        lengths = self.lengths
        width = int(lengths.max(initial=0)) if maxlen is None else maxlen
        kept = np.minimum(lengths, width)
        column = np.arange(width)
        free = (width - kept)[:, None]
        mask = column >= free if padding == "pre" else column < kept[:, None]
        start = self.offsets[:-1] + (lengths - kept if truncating == "pre" else 0)
        source = start[:, None] + column - (free if padding == "pre" else 0)
        ids = np.zeros(mask.shape, np.int32)
        ids[mask] = self.ids[source[mask]]
        return Padded(ids=ids, mask=mask)


@dataclass(frozen=True, kw_only=True, eq=False)
class Padded:
    """Ids in one array. ids: int32 [B, T]; mask: bool [B, T], true for tokens, not padding."""

    ids: Ids
    mask: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True, eq=False)
class SparseRows:
    """The gradient of a table, for the rows that it touches. ids: [U], unique; rows: [U, D]."""

    ids: Ids
    rows: Any  # a NumPy or JAX array
