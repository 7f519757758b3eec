"""The rows of a table that point the same way as a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["nearest_rows"]


def nearest_rows(
    table: npt.NDArray[np.float32],
    vector: npt.NDArray[np.float32],
    n: int,
    *,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return (row numbers, cosines) of the n rows nearest to a vector, nearest first.

    table: [V, D]; vector: [D]; allowed: bool [V], the rows that may be named.
    Rows of zeros are never near.

    >>> table = np.array([[1, 0], [0, 1], [2, 1]], np.float32)
    >>> nearest_rows(table, np.array([1, 0], np.float32), 2)[0].tolist()
    [0, 2]
    """
    lengths: Any = np.linalg.norm(table, axis=1) * np.linalg.norm(vector)
    cosines = (table @ vector) / np.where(lengths > 0, lengths, 1)
    candidates = lengths > 0 if allowed is None else (lengths > 0) & allowed
    cosines = np.where(candidates, cosines, -2)
    n = min(n, int(candidates.sum()))
    best: Any = np.argpartition(-cosines, n - 1)[:n] if n else np.empty(0, np.int64)
    best = best[np.argsort(-cosines[best], kind="stable")]
    return best, cosines[best]
