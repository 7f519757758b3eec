"""What a fastText model consists of: dictionary, sub-words, and its two matrices.

The model is that of Bojanowski et al. 2017; the quantization that of Joulin et al.
2016, "FastText.zip".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import FileFormatError
from wordrow.vectors.data import VectorData
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vocabulary import Vocabulary

__all__ = [
    "N_CENTROIDS",
    "Centroids",
    "DenseMatrix",
    "FastTextModel",
    "Matrix",
    "QuantizedMatrix",
]

N_CENTROIDS = 256  # of each part of a quantized row
_CHUNK_ROWS = 4096

Rows = npt.NDArray[np.float32]
Centroids = npt.NDArray[np.float32]
RowIndices = npt.NDArray[np.int64]


class QuantizedMatrix:
    """Rows stored as codes of centroids (Jégou et al. 2011, product quantization)."""

    def __init__(
        self,
        codes: npt.NDArray[np.uint8],
        centroids: Centroids,
        norms: Rows | None,
        *,
        dim: int,
        part_dim: int,
    ) -> None:
        self.codes, self.centroids, self.norms = codes, centroids, norms
        self.shape, self.part_dim = (len(codes), dim), part_dim

    def __getitem__(self, rows: RowIndices) -> Rows:
        """Return some rows: float32 [n, D]."""
        codes = np.atleast_2d(self.codes[rows])
        dim = self.shape[1]
        out = np.empty((len(codes), dim), np.float32)
        for part in range(codes.shape[1]):
            first, last = part * self.part_dim, min((part + 1) * self.part_dim, dim)
            begin = part * N_CENTROIDS * self.part_dim
            centroids = self.centroids[begin : begin + N_CENTROIDS * (last - first)]
            out[:, first:last] = centroids.reshape(N_CENTROIDS, last - first)[codes[:, part]]
        return out if self.norms is None else out * np.atleast_1d(self.norms[rows])[:, None]


class DenseMatrix:
    """Rows in a mapped file, read when they are needed."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.shape = rows, rows.shape

    def __getitem__(self, rows: RowIndices) -> Rows:
        """Return some rows: float32 [n, D]."""
        return np.array(self.rows[rows], np.float32, ndmin=2)


Matrix = QuantizedMatrix | DenseMatrix


class BucketRows:
    """The rows of n-gram buckets, which follow those of words in the input matrix."""

    def __init__(self, matrix: Matrix, n_words: int) -> None:
        self.matrix, self.n_words = matrix, n_words
        self.shape = (matrix.shape[0] - n_words, matrix.shape[1])

    def __getitem__(self, buckets: Any) -> Rows:
        """Return some rows: float32 [n, D]."""
        return self.matrix[np.asarray(buckets) + self.n_words]


@dataclass(frozen=True, kw_only=True, eq=False)
class FastTextModel:
    """The content of a model file.

    input: the rows of words, then those of n-gram buckets; output: those of labels.
    counts: of words, then of labels. kept: the row of each bucket that pruning left.
    is_unversioned: whether it has the format of before 2017, which only gensim still reads.
    """

    kind: str
    loss: str
    dim: int
    word_ngrams: int
    min_n: int
    max_n: int
    n_buckets: int
    words: Vocabulary
    labels: Vocabulary
    counts: npt.NDArray[np.int64]
    kept: dict[int, int] | None
    input: Matrix
    output: Matrix
    name: str
    is_unversioned: bool

    @cached_property
    def subwords(self) -> Subwords | None:
        """The rows of character n-grams, if the model uses them."""
        if self.max_n <= 0 or self.n_buckets == 0 or self.kept == {}:
            return None
        return Subwords(
            min_n=self.min_n,
            max_n=self.max_n,
            n_buckets=self.n_buckets,
            kept=self.kept,
            table=BucketRows(self.input, len(self.words)),
            divides=self.is_unversioned,
        )

    def has_subwords(self, word: str) -> bool:
        """Return whether a word has n-grams: all but the line end, in versioned models."""
        return self.is_unversioned or word != "</s>"

    def vectors(self, rows: list[int] | None = None) -> VectorData:
        """Return the vectors of all words, or of some rows, as fastText computes them.

        Raises FileFormatError for a number that is not finite.
        """
        indices = np.arange(len(self.words)) if rows is None else np.array(rows, np.int64)
        words = self.words if rows is None else Vocabulary(self.words.take(rows))
        table = np.empty((len(indices), self.dim), np.float32)
        for begin in range(0, len(indices), _CHUNK_ROWS):
            chunk = slice(begin, begin + _CHUNK_ROWS)
            own = self.input[indices[chunk]]
            some = words[chunk]
            table[chunk] = own if self.subwords is None else self.subwords.rows(some, own)
            for i, word in enumerate(some):
                if not self.has_subwords(word):
                    table[begin + i] = own[i]
        is_finite = np.isfinite(table).all(axis=1)
        if not is_finite.all():
            word = words[int(is_finite.argmin())]
            raise FileFormatError(
                f"{self.name}: the row of {word!r} holds a number that is not finite. The file is "
                "damaged."
            )
        return VectorData(words, table, self.subwords)
