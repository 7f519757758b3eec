"""Rows for unknown words, from their character n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.types import Ragged

__all__ = ["Subwords"]

_CHUNK_WORDS = 512


class RowSource(Protocol):
    """A table of rows: an array, or an object that reads rows when they are needed."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, ids: npt.NDArray[Any], /) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Subwords:
    """fastText's rows for character n-grams (Bojanowski et al. 2017): a row for every word.

    An n-gram has min_n to max_n code points of "<word>", and its hash selects a row of
    table: [n_buckets, D], an array or an object that returns the rows of an id array.
    kept: for a pruned model, the row of each remaining bucket. divides: whether the mean
    divides the sum, as gensim does; fastText multiplies by the inverse, which differs in
    the last bit.

    >>> subwords = Subwords(min_n=3, max_n=3, table=np.eye(4, 2, dtype=np.float32))
    >>> subwords.rows(["text"]).shape
    (1, 2)
    """

    min_n: int
    max_n: int
    table: RowSource
    n_buckets: int = 0  # 0: the number of rows of the table
    kept: dict[int, int] | None = None
    divides: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.min_n <= self.max_n:
            raise ValueError(
                f"`min_n` and `max_n` must be 1 <= min_n <= max_n; received {self.min_n} and "
                f"{self.max_n}."
            )
        object.__setattr__(self, "n_buckets", self.n_buckets or self.table.shape[0])

    def ids(self, words: Sequence[str]) -> Ragged:
        """Return the rows of the n-grams of words in the table."""
        ids, offsets = _core.subwords(
            words, min_n=self.min_n, max_n=self.max_n, n_buckets=self.n_buckets
        )
        if self.kept is None:
            return Ragged(ids=ids, offsets=offsets)
        rows = np.array([self.kept.get(i, -1) for i in ids.tolist()], np.int32)
        return Ragged(ids=rows, offsets=offsets).keep(rows >= 0)

    def rows(
        self, words: Sequence[str], own: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the rows of words: [n, D], the mean over their n-grams, or zeros without any.

        own: [n, D], the words' own rows, each counted as one more n-gram.
        """
        out = np.empty((len(words), self.table.shape[1]), np.float32)
        for begin in range(0, len(words), _CHUNK_WORDS):
            part = slice(begin, begin + _CHUNK_WORDS)
            out[part] = self._some_rows(words[part], None if own is None else own[part])
        return out

    def _some_rows(
        self, words: Sequence[str], own: npt.NDArray[np.float32] | None
    ) -> npt.NDArray[np.float32]:
        grams = self.ids(words)
        offsets = grams.offsets
        distinct, row_indices = np.unique(grams.ids, return_inverse=True)
        table = np.asarray(self.table[distinct], np.float32)
        if own is not None:  # a word's own row comes first, as fastText adds them
            row_indices = np.insert(row_indices, offsets[:-1], len(table) + np.arange(len(words)))
            offsets = offsets + np.arange(len(words) + 1)
            table = np.concatenate([table, own])
        if not len(table):
            return np.zeros((len(words), self.table.shape[1]), np.float32)
        if self.divides:
            n_each = np.diff(offsets)
            sums = np.zeros((len(words), table.shape[1]), np.float32)
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # a damaged file may hold such numbers
                np.add.at(sums, np.repeat(np.arange(len(words)), n_each), table[row_indices])
            return sums / np.maximum(n_each, 1).astype(np.float32)[:, None]
        return _core.bag_mean(np.ascontiguousarray(table), row_indices.astype(np.int32), offsets)
