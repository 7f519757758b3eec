"""The rows of a table that point the same way as a vector: exact, by the core."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core

__all__ = ["Directions", "unit"]

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

_QUERIES_AT_ONCE = 4096  # each has a list of its own in every part of the table


class Directions:
    """A table of which the rows nearest to vectors are asked for.

    table: float32 [V, D], used in place (it may be mapped from a file). Rows of
    zeros point nowhere and are never near. From the second single query on, the
    rows are also held rounded to a byte a number: they say which rows need to be
    looked at, so that what is found stays exact.

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
        """The length of each row: [V]; 0 for one that points nowhere."""
        zeros = np.zeros_like(self.scales)
        found: Scores = np.divide(1, self.scales, out=zeros, where=self.scales > 0)
        return found

    def nearest(self, vector: Any, n: int) -> tuple[Rows, Scores]:
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

    def nearest_each(self, vectors: Any, n: int) -> tuple[Rows, Scores]:
        """Return (rows, cosines) [B, n] for vectors [B, D]; row -1 where there are no more."""
        n = min(n, len(self.table))
        rows, scores = (
            np.empty((len(vectors), n), np.int64),
            np.empty((len(vectors), n), np.float32),
        )
        for begin in range(0, len(vectors), _QUERIES_AT_ONCE):
            part = slice(begin, begin + _QUERIES_AT_ONCE)
            exact = np.array(vectors[part], np.float64)
            lengths = np.linalg.norm(exact, axis=1, keepdims=True)
            _require_finite(float(lengths.sum()))
            queries = np.ascontiguousarray(exact / np.where(lengths > 0, lengths, 1), np.float32)
            rows[part], scores[part] = _core.nearest(self.table, self.scales, queries, n)
            rows[part][lengths[:, 0] == 0] = -1  # zeros are near nothing
        return rows, scores

    def cosines(self, vector: Any) -> Scores:
        """Return the cosine of every row with a vector: [V]."""
        found: Scores = (self.table @ unit(vector)) * self.scales
        return found


def unit(vector: Any) -> npt.NDArray[np.float32]:
    """Return a vector at length 1, float32; zeros stay zeros.

    Raises ValueError for one that is not finite.
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
            "a row holds a number that is not finite: it has no direction. Leave its word out, or "
            "load the file again."
        )
