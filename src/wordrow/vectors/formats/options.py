"""Which rows of a file are loaded, and what happens to invalid ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wordrow import _core
from wordrow.vectors.data import VectorData
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["LoadOptions"]


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """What `Vectors.load` was asked for.

    words: the words to load; None for all. fold_case: also load words whose
    lower-cased form is among them. limit: the largest number of rows to load.
    replace_errors: replace bytes that are not UTF-8 instead of raising.
    skip_bad_rows: leave out invalid rows instead of raising.
    """

    words: _core.Words | None = None
    fold_case: bool = False
    limit: int | None = None
    replace_errors: bool = False
    skip_bad_rows: bool = False

    def row_indices(self, vocabulary: Vocabulary) -> list[int] | None:
        """Return the indices of the rows to load from a vocabulary; None for all of them."""
        if self.words is None:
            if self.limit is None or self.limit >= len(vocabulary):
                return None
            return list(range(self.limit))
        if self.fold_case:
            indices = [i for i, word in enumerate(vocabulary) if self._wants(word)]
        else:
            found = vocabulary.rows(self.words.list(0, len(self.words)))
            indices = np.sort(found[found >= 0]).tolist()
        return indices[: self.limit]

    def _wants(self, word: str) -> bool:
        words = self.words
        return words is None or words.row(word) >= 0 or words.row(word.lower()) >= 0

    def select(self, data: VectorData) -> VectorData:
        """Return the rows to load from a file that was read completely."""
        indices = self.row_indices(data.vocabulary)
        if indices is None:
            return data
        words = Vocabulary(data.vocabulary.take(indices))
        return VectorData(words, np.ascontiguousarray(data.table[indices]), data.subwords)
