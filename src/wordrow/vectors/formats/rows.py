"""Files of words and their rows, one after the other, text or binary: read by the core."""

from __future__ import annotations

import warnings
from typing import Protocol

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.source import MAX_COMPRESSION, STOP, ReadChunk
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["bad_row_error", "read_rows", "warn_skipped"]

_MAX_DIM = 1 << 24
_STACK_LEVEL = 6  # of the caller of Vectors.load, seen from warn_skipped


class ChunkSource(Protocol):
    """Passes a file on in chunks: a Source, or something that stands in for one."""

    name: str
    n_bytes: int

    def read_chunks(self, read: ReadChunk, *, skip: int, padding: int) -> None:
        """Call read(buffer, n, is_last) for chunk after chunk."""


def read_rows(
    source: ChunkSource,
    options: LoadOptions,
    dim: int,
    *,
    skip: int,
    n_expected: int | None,
    binary: bool,
) -> VectorData:
    """Return the rows of a file in which each follows its word, as text or as bytes.

    skip: the size of the header in bytes. n_expected: the number of rows it states,
    which must be right. Memory is allocated for no more rows than fit into the file.
    """
    reader = _row_reader(source, options, dim, n_expected, min_row_bytes=dim * (4 if binary else 2))

    def read(buffer: npt.NDArray[np.uint8], n: int, is_last: bool) -> int:
        used = reader.read(buffer, n, is_last=is_last, is_binary=binary)
        return STOP if reader.is_full else used

    try:
        source.read_chunks(read, skip=skip, padding=_core.ROW_PADDING)
    except _core.BadVectorError as bad:
        reason, number, byte, found = bad.args
        line = f"line {number + (2 if skip else 1)}"
        where = f"row {number}, at byte {byte + skip}" if binary else line
        raise bad_row_error(source.name, reason, where, found, dim) from None
    if not reader.is_full and n_expected is not None and reader.n_seen != n_expected:
        raise FileFormatError(
            f"{source.name}: its first line says {n_expected:,} rows, but there are "
            f"{reader.n_seen:,}. It is truncated or was edited; download it again, or correct the "
            "first line."
        )
    repeated = reader.n_repeated, reader.first_repeated
    warn_skipped(source.name, repeated, reader.n_skipped, stacklevel=_STACK_LEVEL)
    if reader.n_numbered:
        warnings.warn(
            f"{source.name}: {reader.n_numbered:,} words end in a number "
            f"({reader.first_numbered!r} is the first); if they should not, their rows have more "
            "numbers than the others.",
            UserWarning,
            stacklevel=_STACK_LEVEL - 1,
        )
    words, table = reader.end()
    return VectorData(Vocabulary.of(words), table)


def _row_reader(
    source: ChunkSource,
    options: LoadOptions,
    dim: int,
    n_expected: int | None,
    *,
    min_row_bytes: int,
) -> _core.RowReader:
    if dim >= _MAX_DIM or min_row_bytes > source.n_bytes * MAX_COMPRESSION:
        raise FileFormatError(
            f"{source.name}: a file of {source.n_bytes:,} bytes cannot hold rows of {dim} numbers. "
            "It is damaged; download it again."
        )
    n_likely = 0 if n_expected is None else min(n_expected, source.n_bytes // min_row_bytes + 1)
    if options.words is not None:
        n_likely = min(n_likely, len(options.words))
    if options.limit is not None:
        n_likely = min(n_likely, options.limit)
    return _core.RowReader(
        dim=dim,
        likely_rows=n_likely,
        most=options.limit,
        wanted=options.words,
        folds=options.fold_case,
        replaces=options.replace_errors,
        skips=options.skip_bad_rows,
    )


def warn_skipped(name: str, repeated: tuple[int, str], n_skipped: int, *, stacklevel: int) -> None:
    """Warn about rows that were left out. repeated: the number of repeated words, and the first."""
    n_repeated, first = repeated
    if n_repeated:
        warnings.warn(
            f"{name}: {n_repeated:,} rows repeat a word ({first!r} is the first); the first row "
            "of each word is kept.",
            UserWarning,
            stacklevel=stacklevel,
        )
    if n_skipped:
        warnings.warn(
            f"{name}: {n_skipped:,} invalid rows were skipped.", UserWarning, stacklevel=stacklevel
        )


def bad_row_error(name: str, reason: str, where: str, found: bytes, dim: int) -> FileFormatError:
    """Return the error for a row that the core refused (see core/row_file.cpp)."""
    shown = found.decode("utf-8", "replace")
    skip = " Correct it, or skip such rows with bad_rows='skip'."
    expected = f"expected a word and {dim} numbers"
    messages = {
        "utf-8": f"{shown!r} is not UTF-8. Read it with encoding_errors='replace'.",
        "finite": f"the row of {shown!r} holds a number that is not finite.{skip}",
        "number": f"{expected}; {shown!r} is not a number.{skip}",
        "few": f"{expected}; {shown!r} has fewer.{skip}",
        "long": "it does not end within 16 MB. This is not a file of vectors.",
        "short": f"the file ends within {shown!r}. It is truncated; download it again.",
        "entry": f"expected a word or a label, words first; received {shown!r}. The file is "
        "damaged.",
    }
    return FileFormatError(f"{name}, {where}: {messages[reason]}")
