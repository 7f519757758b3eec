"""Exact nearest neighbours by cosine, in the core."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt

from wordrow import _core

__all__ = ["Directions", "Neighbours", "Row", "RowIndices", "unit"]

Row = npt.NDArray[np.float32]
RowIndices = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Neighbours = list[tuple[str, float]]  # words and their cosines, the nearest first

_CHUNK_QUERIES = 4096  # each keeps a candidate list for every part of the table


class Directions:
    """Finds the rows of a table with the largest cosine to a vector.

    table: float32 [V, D], used in place (it may be mapped from a file). Zero rows are
    never found. From the second single query on, a copy rounded to 8 bits selects
    candidate rows, whose exact cosines are then computed; the result stays exact.

    >>> directions = Directions(np.array([[1, 0], [0, 1], [2, 1]], np.float32))
    >>> rows, cosines = directions.nearest(np.array([1, 0], np.float32), 2)
    >>> rows.tolist(), cosines.round(2).tolist()
    ([0, 2], [1.0, 0.8899999856948853])
    """

    def __init__(self, table: npt.NDArray[np.float32]) -> None:
        self.table = table
        self.scales = _core.inverse_lengths(table)
        self._n_queries = 0
        self._rounded: _core.RoundedRows | None = None
        self._lock = threading.Lock()

    @property
    def lengths(self) -> Scores:
        """The length of each row: [V]."""
        zeros = np.zeros_like(self.scales)
        found: Scores = np.divide(1, self.scales, out=zeros, where=self.scales > 0)
        return found

    def nearest(self, vector: npt.ArrayLike, n: int) -> tuple[RowIndices, Scores]:
        """Return (rows, cosines) of the n rows nearest to a vector [D], nearest first."""
        n = min(n, len(self.table))
        query = unit(vector)
        if n == 0 or not query.any():
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if self._rounded is None:
            with self._lock:
                self._n_queries += 1
                if self._rounded is None and self._n_queries > 1:
                    self._rounded = _core.round_rows(self.table, self.scales)
        if self._rounded is not None:
            rows, scores = self._rounded.nearest(self.table, self.scales, query, n)
        else:
            (rows,), (scores,) = _core.nearest(self.table, self.scales, query[None], n)
        if rows[-1] < 0:
            rows, scores = rows[rows >= 0], scores[rows >= 0]
        return rows, scores

    def nearest_each(self, vectors: Row, n: int) -> tuple[RowIndices, Scores]:
        """Return (rows, cosines) [B, n] for vectors [B, D]; missing results are row -1."""
        n = min(n, len(self.table))
        rows, scores = (
            np.empty((len(vectors), n), np.int64),
            np.empty((len(vectors), n), np.float32),
        )
        for begin in range(0, len(vectors), _CHUNK_QUERIES):
            part = slice(begin, begin + _CHUNK_QUERIES)
            exact = np.array(vectors[part], np.float64)
            lengths = np.linalg.norm(exact, axis=1, keepdims=True)
            _require_finite(float(lengths.sum()))
            queries = np.ascontiguousarray(exact / np.where(lengths > 0, lengths, 1), np.float32)
            rows[part], scores[part] = _core.nearest(self.table, self.scales, queries, n)
            rows[part][lengths[:, 0] == 0] = -1  # zero vectors have no neighbours
        return rows, scores

    def cosines(self, vector: npt.ArrayLike) -> Scores:
        """Return the cosine of every row with a vector: [V]."""
        found: Scores = (self.table @ unit(vector)) * self.scales
        return found


def unit(vector: npt.ArrayLike) -> Row:
    """Return a vector scaled to length 1, float32; a zero vector stays zero.

    Raises ValueError for numbers that are not finite.
    """
    exact = np.array(vector, np.float64)
    length = math.sqrt(exact @ exact)
    _require_finite(length)
    if length > 0:
        exact /= length
    return exact.astype(np.float32)


def _require_finite(length: float) -> None:
    if not math.isfinite(length):
        raise ValueError(
            "a row holds a number that is not finite, so it has no direction. Leave its word out, "
            "or load the file again."
        )
