"""What a table of vectors consists of: what formats read and write, and `Vectors` wraps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wordrow.vectors.subword import Subwords
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["Table", "VectorData"]

Table = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class VectorData:
    """Words, their rows [V, D], and the rows of character n-grams where there are any."""

    vocabulary: Vocabulary
    table: Table
    subwords: Subwords | None = None

    @property
    def dim(self) -> int:
        """The length D of a row."""
        return int(self.table.shape[1])

    def __len__(self) -> int:
        return len(self.table)
