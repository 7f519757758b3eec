"""Rows for words that have none, from the character n-grams that they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.types import Ragged

__all__ = ["Subwords"]

_WORDS_AT_ONCE = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Subwords:
    """fastText's rows for character n-grams (Bojanowski et al. 2017): a row for every word.

    An n-gram of min_n to max_n code points of "<word>" has the row that its hash
    says, of table: [n_buckets, D], an array or what gives rows for ids.
    kept: for a model that was pruned, which row of the table a bucket has.
    divides: whether the sum of rows is divided by their number, as gensim does, where
    fastText multiplies it by the inverse: the last bit differs.

    >>> subwords = Subwords(min_n=3, max_n=3, table=np.eye(4, 2, dtype=np.float32))
    >>> subwords.rows(["text"]).shape
    (1, 2)
    """

    min_n: int
    max_n: int
    table: Any
    n_buckets: int = 0  # 0: as many as the table has rows
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
        """Return the ids of words' n-grams in the table."""
        ids, offsets = _core.subwords(
            words, min_n=self.min_n, max_n=self.max_n, n_buckets=self.n_buckets
        )
        if self.kept is None:
            return Ragged(ids=ids, offsets=offsets)
        places = np.array([self.kept.get(i, -1) for i in ids.tolist()], np.int32)
        return Ragged(ids=places, offsets=offsets).keep(places >= 0)

    def rows(
        self, words: Sequence[str], own: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the rows of words: [n, D], the mean of their n-grams', zeros without any.

        own: [n, D], rows of the words themselves, which count as one n-gram more.
        """
        out = np.empty((len(words), self.table.shape[1]), np.float32)
        for begin in range(0, len(words), _WORDS_AT_ONCE):
            part = slice(begin, begin + _WORDS_AT_ONCE)
            out[part] = self._some_rows(words[part], None if own is None else own[part])
        return out

    def _some_rows(self, words: Sequence[str], own: Any) -> npt.NDArray[np.float32]:
        grams = self.ids(words)
        offsets = grams.offsets
        distinct, places = np.unique(grams.ids, return_inverse=True)
        table = np.asarray(self.table[distinct], np.float32)
        if own is not None:  # a word's own row comes first, as fastText adds them
            places = np.insert(places, offsets[:-1], len(table) + np.arange(len(words)))
            offsets = offsets + np.arange(len(words) + 1)
            table = np.concatenate([table, own])
        if not len(table):
            return np.zeros((len(words), self.table.shape[1]), np.float32)
        if self.divides:
            n_each = np.diff(offsets)
            sums = np.zeros((len(words), table.shape[1]), np.float32)
            with np.errstate(over="ignore", invalid="ignore"):  # numbers of a damaged file
                np.add.at(sums, np.repeat(np.arange(len(words)), n_each), table[places])
            return sums / np.maximum(n_each, 1).astype(np.float32)[:, None]
        return _core.bag_mean(np.ascontiguousarray(table), places.astype(np.int32), offsets)
