"""Sequences of ids as rows of counts, one column per id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["sequences_to_matrix"]

MODES = ("binary", "count", "freq", "tfidf")


def sequences_to_matrix(
    sequences: Sequence[Sequence[int]],
    width: int,
    mode: str,
    *,
    document_count: int,
    index_docs: Mapping[int, int],
) -> npt.NDArray[np.float64]:
    """Return [B, width] float64; ids of `width` and above are ignored.

    Raises ValueError for an unknown mode unless all rows are empty, as Keras does.
    """
    matrix = np.zeros((len(sequences), width))
    frequencies = None
    for row, sequence in zip(matrix, sequences, strict=True):
        if len(sequence) == 0:
            continue
        ids = np.array(list(sequence))
        columns, counts = np.unique(ids[ids < width], return_counts=True)
        if mode == "binary":
            row[columns] = 1
        elif mode == "count":
            row[columns] = counts
        elif mode == "freq":
            row[columns] = counts / len(sequence)
        elif mode == "tfidf":
            if frequencies is None:
                frequencies = np.array([index_docs.get(i, 0) for i in range(width)])
            inverse = np.log(1 + document_count / (1 + frequencies[columns]))
            row[columns] = (1 + np.log(counts)) * inverse
        else:
            raise ValueError(f"Unknown vectorization mode: {mode!r}. Use one of {MODES}.")
    return matrix
