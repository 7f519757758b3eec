"""What is wanted of a file of vectors, and how a reader of the core is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors.formats.source import MOST_PACKED, STOP
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["Choice", "bad_row_error", "chosen", "read_rows", "warn_of"]

_LONGEST_ROW = 1 << 24
_CALLER = 6  # how far a warning is from who called Vectors.load


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What of a file is read, and what happens to rows that are damaged."""

    wanted: _core.Words | None = None
    folds: bool = False
    limit: int | None = None
    replaces: bool = False
    skips: bool = False

    def takes(self, word: str) -> bool:
        """Return whether a word is wanted."""
        if self.wanted is None or self.wanted.row(word) >= 0:
            return True
        return self.folds and self.wanted.row(word.lower()) >= 0

    def rows_of(self, vocabulary: Vocabulary) -> list[int] | None:
        """Return the rows that are wanted of a vocabulary; None for all of them."""
        if self.wanted is None:
            if self.limit is None or self.limit >= len(vocabulary):
                return None
            return list(range(self.limit))
        if self.folds:
            rows = [row for row, word in enumerate(vocabulary) if self.takes(word)]
        else:
            found = vocabulary.rows(self.wanted.list(0, len(self.wanted)))
            rows = np.sort(found[found >= 0]).tolist()
        return rows[: self.limit]


def chosen(vectors: Vectors, choice: Choice) -> Vectors:
    """Return what is wanted of vectors that were read whole."""
    rows = choice.rows_of(vectors.vocabulary)
    if rows is None:
        return vectors
    words = Vocabulary(vectors.vocabulary.take(rows))
    table = np.ascontiguousarray(vectors.table[rows])
    return Vectors.of(words, table, subwords=vectors.subwords)


class Pieces(Protocol):
    """What hands on a file piece by piece: a Source, or what stands in its place."""

    name: str
    n_bytes: int

    def pieces(self, read: Callable[[Any, int, bool], int], *, skip: int, padding: int) -> None:
        """Call read(buffer, n, is_last) for piece after piece."""


def read_rows(
    source: Pieces, choice: Choice, dim: int, *, skip: int, n_promised: int | None, binary: bool
) -> Vectors:
    """Return the rows of a file in which each follows its word, as text or as bytes.

    skip: the bytes of the header. n_promised: how many rows it says there are; it
    is compared with what there is, and nothing is allocated by it that the size of
    the file does not bear out.
    """
    least = dim * (4 if binary else 2)  # bytes of a row
    if dim >= _LONGEST_ROW or least > source.n_bytes * MOST_PACKED:
        raise FileFormatError(
            f"{source.name}: rows of {dim} numbers are not to be expected in a file of "
            f"{source.n_bytes:,} bytes. It is damaged; fetch it again."
        )
    likely = 0 if n_promised is None else min(n_promised, source.n_bytes // least + 1)
    if choice.wanted is not None:
        likely = min(likely, len(choice.wanted))
    if choice.limit is not None:
        likely = min(likely, choice.limit)
    reader = _core.RowReader(
        dim=dim, likely_rows=likely, most=choice.limit, wanted=choice.wanted, folds=choice.folds,
        replaces=choice.replaces, skips=choice.skips,
    )  # fmt: skip

    def read(buffer: Any, n: int, is_last: bool) -> int:
        used = reader.read(buffer, n, is_last=is_last, is_binary=binary)
        return STOP if reader.is_full else used

    try:
        source.pieces(read, skip=skip, padding=_core.ROW_PADDING)
    except _core.BadVectorError as bad:
        reason, number, byte, found = bad.args
        line = f"line {number + (2 if skip else 1)}"
        where = f"row {number}, at byte {byte + skip}" if binary else line
        raise bad_row_error(source.name, reason, where, found, dim) from None
    if not reader.is_full and n_promised is not None and reader.n_seen != n_promised:
        raise FileFormatError(
            f"{source.name}: its first line says {n_promised:,} rows, but there are "
            f"{reader.n_seen:,}. It is cut short or was changed; fetch it again, or correct the "
            "first line."
        )
    repeated = reader.n_repeated, reader.first_repeated
    warn_of(source.name, repeated, reader.n_skipped, stacklevel=_CALLER)
    if reader.n_numbered:
        warnings.warn(
            f"{source.name}: {reader.n_numbered:,} words end in a number "
            f"({reader.first_numbered!r} is the first); if they should not, their rows hold more "
            "numbers than the others.",
            UserWarning,
            stacklevel=_CALLER - 1,
        )
    words, table = reader.end()
    return Vectors.of(Vocabulary.of(words), table)


def warn_of(name: str, repeated: tuple[int, str], n_skipped: int, *, stacklevel: int) -> None:
    """Warn of rows that were left out. repeated: how many were of words before, and the first."""
    n_repeated, first = repeated
    if n_repeated:
        warnings.warn(
            f"{name}: {n_repeated:,} rows are of words that had one already ({first!r} is the "
            "first); the first row of each is kept.",
            UserWarning,
            stacklevel=stacklevel,
        )
    if n_skipped:
        warnings.warn(
            f"{name}: {n_skipped:,} damaged rows were left out.", UserWarning, stacklevel=stacklevel
        )


def bad_row_error(name: str, reason: str, where: str, found: bytes, dim: int) -> FileFormatError:
    """Return the error for a row that the core refused (see core/row_file.cpp)."""
    shown = found.decode("utf-8", "replace")
    skip = " Correct it, or leave such rows out with bad_rows='skip'."
    says = {
        "utf-8": f"{shown!r} is not UTF-8. Read it with encoding_errors='replace'.",
        "finite": f"the row of {shown!r} holds a number that is not finite.{skip}",
        "number": f"expected a word and {dim} numbers; {shown!r} is no number.{skip}",
        "few": f"expected a word and {dim} numbers; {shown!r} has fewer.{skip}",
        "long": "it does not end within 16 MB. This is no file of vectors.",
        "short": f"the file ends within {shown!r}. It is cut short; fetch it again.",
        "entry": f"expected a word or a label, words first; received {shown!r}. The file is "
                 "damaged.",
    }  # fmt: skip
    return FileFormatError(f"{name}, {where}: {says[reason]}")
