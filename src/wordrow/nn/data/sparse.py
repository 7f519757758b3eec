"""SciPy's sparse matrices as inputs: dense only batch by batch. SciPy itself is not imported."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SparseColumn"]


class SparseColumn:
    """The rows of a sparse matrix [B, F]; taking some of them gives a dense array."""

    ndim = 2

    def __init__(self, matrix: Any) -> None:
        self._rows = matrix.tocsr()

    @staticmethod
    def fits(x: Any) -> bool:
        """Return whether x is a sparse matrix or array of SciPy."""
        return hasattr(x, "tocsr") and hasattr(x, "toarray")

    @property
    def shape(self) -> tuple[int, int]:
        """(B, F)."""
        n, width = self._rows.shape
        return int(n), int(width)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the numbers."""
        dtype: np.dtype[Any] = self._rows.dtype
        return dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = self._rows[rows].toarray()
        return found

    def astype(self, dtype: Any, copy: bool = True) -> SparseColumn:
        """Return the same rows with another dtype."""
        return SparseColumn(self._rows.astype(dtype, copy=copy))
