"""An approximate nearest-neighbour index for millions of rows, by usearch (an extra)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from wordrow.arguments import whole_number
from wordrow.errors import MissingExtraError
from wordrow.progress import is_wanted
from wordrow.vectors.nearest import Neighbours, Row, unit
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["Index"]

_N_RECALL_WORDS = 200
_N_RECALL_NEIGHBOURS = 10


class Searchable(Protocol):
    """What an index needs of `Vectors`."""

    @property
    def vocabulary(self) -> Vocabulary: ...
    @property
    def table(self) -> Row: ...
    @property
    def normalized(self) -> Searchable: ...
    @property
    def dim(self) -> int: ...
    def __len__(self) -> int: ...
    def row_of(self, word: str | Row) -> Row: ...
    def batch_most_similar(self, words: Sequence[str], n: int) -> list[Neighbours]: ...


class Index:
    """Finds most of a word's nearest neighbours without searching all rows.

    An HNSW graph (Malkov and Yashunin 2016). Building it takes a while; `recall` is the
    share of the true neighbours that it finds. `Vectors` itself searches exactly.

    connectivity: the number of neighbours of a node; expansion_add, expansion_search:
    the number of candidates when a row is added, and when searching. Larger values are
    slower and find more.

    Raises MissingExtraError if usearch is not installed.
    """

    def __init__(
        self,
        vectors: Searchable,
        *,
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int = 64,
        verbose: bool | str = "auto",
    ) -> None:
        try:
            from usearch.index import Index as Graph
        except ImportError as error:
            raise MissingExtraError("an index", package="usearch", extra="index") from error
        self.vectors = vectors
        self._graph: Any = Graph(
            ndim=vectors.dim,
            metric="cos",
            dtype="f32",
            connectivity=whole_number("connectivity", connectivity),
            expansion_add=whole_number("expansion_add", expansion_add),
            expansion_search=whole_number("expansion_search", expansion_search),
        )
        units = vectors.normalized.table
        rows = np.flatnonzero(units.any(axis=1))  # zero rows have no direction
        self._graph.add(rows, units[rows], log=is_wanted(verbose))
        self._recall: float | None = None

    def most_similar(self, word: str | Row, n: int = 10) -> Neighbours:
        """Return n words close to a word or row, with their cosines."""
        n = whole_number("n", n, least=0)
        query = unit(self.vectors.row_of(word))
        if n == 0 or not query.any():
            return []
        found = self._graph.search(query, min(n + 1, len(self.vectors)))
        given = {word} if isinstance(word, str) else set()
        rows = np.asarray(found.keys, np.int64)
        words = self.vectors.vocabulary.take(rows.tolist())
        cosines = (1.0 - np.asarray(found.distances)).tolist()
        return [(w, c) for w, c in zip(words, cosines, strict=True) if w not in given][:n]

    @property
    def recall(self) -> float:
        """The share of the ten nearest neighbours of 200 words that it finds."""
        if self._recall is None:
            n_words = len(self.vectors)
            rows = np.unique(
                np.linspace(0, n_words - 1, min(_N_RECALL_WORDS, n_words)).astype(np.int64)
            )
            words = self.vectors.vocabulary.take(rows.tolist())
            exact = self.vectors.batch_most_similar(words, _N_RECALL_NEIGHBOURS)
            right = total = 0
            for word, near in zip(words, exact, strict=True):
                found = {w for w, _ in self.most_similar(word, _N_RECALL_NEIGHBOURS)}
                right += len(found & {w for w, _ in near})
                total += len(near)
            self._recall = right / total if total else 1.0
        return self._recall

    def __repr__(self) -> str:
        return f"Index({len(self.vectors):,} rows, recall {self.recall:.3f})"
