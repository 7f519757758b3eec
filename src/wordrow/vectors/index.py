"""An approximate index of rows, for millions of them: by usearch, an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wordrow.arguments import whole_number
from wordrow.errors import MissingExtraError
from wordrow.progress import is_wanted
from wordrow.vectors.nearest import unit

if TYPE_CHECKING:
    from wordrow.vectors.vectors import Neighbours, Row, Vectors

__all__ = ["Index"]

_ASKED = 200  # words whose neighbours say how many the index finds
_NEAREST = 10


class Index:
    """Finds most of a word's nearest neighbours without looking at all rows.

    A graph of near rows (HNSW: Malkov and Yashunin 2016), built once, which takes a
    while; `recall` says which share of the true neighbours it finds. `Vectors`
    itself searches all rows, exactly.

    connectivity: how many rows each is joined to; expansion_add, expansion_search:
    how many are looked at to join a row, and to answer. More of each is slower and
    finds more.

    Raises MissingExtraError where usearch is not installed.
    """

    def __init__(
        self, vectors: Vectors, *, connectivity: int = 16, expansion_add: int = 128,
        expansion_search: int = 64, verbose: bool | str = "auto",
    ) -> None:  # fmt: skip
        try:
            from usearch.index import Index as Graph
        except ImportError as error:
            raise MissingExtraError("an index", package="usearch", extra="index") from error
        self.vectors = vectors
        self._graph: Any = Graph(
            ndim=vectors.dim, metric="cos", dtype="f32",
            connectivity=whole_number("connectivity", connectivity),
            expansion_add=whole_number("expansion_add", expansion_add),
            expansion_search=whole_number("expansion_search", expansion_search),
        )  # fmt: skip
        units = vectors.normalized.table
        rows = np.flatnonzero(units.any(axis=1))  # zeros point nowhere
        self._graph.add(rows, units[rows], log=is_wanted(verbose))
        self._recall: float | None = None

    def most_similar(self, word: str | Row, n: int = 10) -> Neighbours:
        """Return n words near to a word or row, with their cosines: most of the nearest."""
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
        """Which share of the ten nearest neighbours of 200 words it finds."""
        if self._recall is None:
            n_words = len(self.vectors)
            rows = np.unique(np.linspace(0, n_words - 1, min(_ASKED, n_words)).astype(np.int64))
            words = self.vectors.vocabulary.take(rows.tolist())
            exact = self.vectors.batch_most_similar(words, _NEAREST)
            right = total = 0
            for word, near in zip(words, exact, strict=True):
                found = {w for w, _ in self.most_similar(word, _NEAREST)}
                right += len(found & {w for w, _ in near})
                total += len(near)
            self._recall = right / total if total else 1.0
        return self._recall

    def __repr__(self) -> str:
        return f"Index({len(self.vectors):,} rows, recall {self.recall:.3f})"
