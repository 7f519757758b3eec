"""Lines of a word and its numbers, which GloVe, word2vec and fastText's .vec have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.rows import read_rows
from wordrow.vectors.formats.source import HEAD_BYTES, Source, open_target
from wordrow.vectors.vocabulary import Vocabulary

__all__ = [
    "check_words",
    "first_dimension",
    "header",
    "is_text",
    "read_text",
    "row_lines",
    "text_mismatch",
    "write_text",
]

_HEADER = re.compile(rb"(\d{1,18})[ \t]+(\d{1,9})[ \t]*\r?\n")
_NUMBER = re.compile(rb"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf)", re.IGNORECASE)
_GAP = re.compile(rb"[ \t]+")
_SAMPLE_LINES = 20  # from which the dimension is inferred
_CHUNK_ROWS = 1024


def header(head: bytes) -> tuple[int, int, int] | None:
    """Return (rows, dimensions, bytes) of word2vec's first line; None where there is none."""
    match = _HEADER.match(head)
    if not match or int(match[2]) == 0:
        return None
    return int(match[1]), int(match[2]), match.end()


def first_dimension(lines: bytes) -> int | None:
    """Return how many numbers the first rows of a text have; None if they are not rows.

    Words may contain spaces, and even numbers, so the most frequent count is taken.
    """
    found: list[int] = []
    for line in lines.split(b"\n")[:_SAMPLE_LINES]:
        fields = _fields(line)
        n = 0
        while n < len(fields) and _NUMBER.fullmatch(fields[-1 - n]):
            n += 1
        if not fields:
            continue
        starts_empty = line[:1] in (b" ", b"\t")
        found.append(min(n, len(fields) - (not starts_empty)))
    if not found:
        return None
    n = max(found, key=found.count)  # the first of equally frequent counts
    return n or None


def _fields(line: bytes) -> list[bytes]:
    """Return the fields of a line, which spaces and tabs separate."""
    return [field for field in _GAP.split(line.rstrip(b"\r")) if field]


def is_text(head: bytes) -> bool:
    """Return whether bytes begin with lines of a word and numbers, even incomplete ones."""
    if b"\0" in head:
        return False
    line, end, _ = head.partition(b"\n")
    if end or len(head) < HEAD_BYTES // 2:
        return first_dimension(_first_lines(head)) is not None
    return first_dimension(line.rpartition(b" ")[0]) is not None


def text_mismatch(source: Source) -> str | None:
    """Return why a file is not lines of words and numbers; None if it is."""
    head = source.head
    if b"\0" in head:
        return "it contains zero bytes"
    if (found := header(head)) is not None:
        n_rows, dim, start = found
        if n_rows and not is_text(head[start:]):
            return f"after the header, a row of {dim} numbers was expected"
        return None
    lines = _first_lines(head)
    if first_dimension(lines) is None:
        return "its first lines are not words and numbers"
    if b"\t" in lines and all(_NUMBER.fullmatch(f) for f in lines.split()):
        return "its first lines are numbers without words"
    return None


def _first_lines(head: bytes) -> bytes:
    """Return the complete lines at the start of a file, or what there is of the first."""
    return head[: head.rfind(b"\n") + 1] or head


def read_text(source: Source, options: LoadOptions) -> VectorData:
    """Return the vectors of lines, with or without word2vec's first line."""
    found = header(source.head)
    if found is not None:
        n_rows, dim, skip = found
        rows = source.head[skip:]
        n = first_dimension(_first_lines(rows)) if n_rows and b"\n" in rows else None
        if n is not None and n < dim:
            raise FileFormatError(
                f"{source.name}: its first line says rows of {dim} numbers, but they have {n}. "
                "It is damaged; download it again, or correct the first line."
            )
        return read_rows(source, options, dim, skip=skip, n_expected=n_rows, binary=False)
    lines = _first_lines(source.head if b"\n" in source.head else source.first_line())
    dim = first_dimension(lines) or 1
    return read_rows(source, options, dim, skip=0, n_expected=None, binary=False)


def write_text(data: VectorData, path: str, *, with_header: bool) -> None:
    """Write one line per word, with the shortest digits that read back as the same float32.

    Raises ValueError for words that would be read back differently.
    """
    check_words(data.vocabulary, "\n\0", "a text", edges=" \t\r")
    if not with_header:
        _check_dimension(data)
    with open_target(path) as file:
        if with_header:
            file.write(f"{len(data)} {data.dim}\n".encode())
        for lines in row_lines(data.vocabulary.core, data.table):
            file.write(lines)


def _check_dimension(data: VectorData) -> None:
    """Raise ValueError if the dimension, which no header states, would be inferred wrongly."""
    n = min(_SAMPLE_LINES, len(data))
    lines = _core.row_lines(data.vocabulary.core, data.table, 0, n)
    head = lines[:HEAD_BYTES] if b"\n" in lines[:HEAD_BYTES] else lines.partition(b"\n")[0]
    if lines.startswith("\ufeff".encode()):
        raise ValueError(
            "GloVe's text cannot begin with the word '\\ufeff…': the character would be read as a "
            "byte order mark. Save as .vec or .safetensors."
        )
    if not n or header(lines) or first_dimension(_first_lines(head)) != data.dim:
        raise ValueError(
            "GloVe's text does not state the dimension, so it cannot hold these vectors: there are "
            f"no rows, or words among the first {_SAMPLE_LINES} end in a number. Save as .vec or "
            ".safetensors."
        )


def row_lines(
    words: _core.Words | None, table: npt.NDArray[np.float32], gap: str = " "
) -> Iterator[bytes]:
    """Yield the lines of a table, each with its word in front if words are given."""
    for begin in range(0, len(table), _CHUNK_ROWS):
        yield _core.row_lines(words, table, begin, min(len(table), begin + _CHUNK_ROWS), gap)


def check_words(vocabulary: Vocabulary, forbidden: str, what: str, *, edges: str = "") -> None:
    """Raise ValueError for a word that a format cannot hold. edges: not allowed at its ends."""
    for word in vocabulary:
        ends = edges and (word[:1] in edges or word[-1:] in edges)
        if ends or any(c in word for c in forbidden) or _has_surrogate(word):
            raise ValueError(
                f"{what} cannot hold the word {word!r}. Save as .safetensors, which holds every "
                "word, or leave it out with .subset()."
            )


def _has_surrogate(word: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in word)
