"""Lines of a word and its numbers: GloVe's files, word2vec's text, fastText's .vec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors.formats.choice import Choice, read_rows
from wordrow.vectors.formats.source import HEAD_BYTES, Source, packing

if TYPE_CHECKING:
    from wordrow.vectors.vectors import Vectors

__all__ = ["dimension", "header", "is_text", "read_text", "row_lines", "why_no_text", "write_text"]

_HEADER = re.compile(rb"(\d{1,18})[ \t]+(\d{1,9})[ \t]*\r?\n")
_NUMBER = re.compile(rb"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf)", re.IGNORECASE)
_GAP = re.compile(rb"[ \t]+")
_LINES = 20  # that say how many numbers a row has
_ROWS_AT_ONCE = 1024


def header(head: bytes) -> tuple[int, int, int] | None:
    """Return (rows, dimensions, bytes) of word2vec's first line; None where there is none."""
    match = _HEADER.match(head)
    if not match or int(match[2]) == 0:
        return None
    return int(match[1]), int(match[2]), match.end()


def dimension(lines: bytes) -> int | None:
    """Return how many numbers the first rows of a text have; None where that is not so.

    A word may hold spaces, and even numbers: most of the lines say it.
    """
    found: list[int] = []
    for line in lines.split(b"\n")[:_LINES]:
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
    n = max(found, key=found.count)  # the first of those that are as frequent
    return n or None


def _fields(line: bytes) -> list[bytes]:
    """Return what stands between the gaps of a line, spaces and tabs."""
    return [field for field in _GAP.split(line.rstrip(b"\r")) if field]


def is_text(head: bytes) -> bool:
    """Return whether bytes begin with lines of a word and numbers, or with a part of one."""
    if b"\0" in head:
        return False
    line, end, _ = head.partition(b"\n")
    if end or len(head) < HEAD_BYTES // 2:
        return dimension(_first_lines(head)) is not None
    return dimension(line.rpartition(b" ")[0]) is not None


def why_no_text(source: Source) -> str | None:
    """Return why this is no text of vectors; None where it is."""
    head = source.head
    if b"\0" in head:
        return "there are zero bytes in it"
    if (found := header(head)) is not None:
        n_rows, dim, start = found
        if n_rows and not is_text(head[start:]):
            return f"behind the header, a row of {dim} numbers was expected"
        return None
    lines = _first_lines(head)
    if dimension(lines) is None:
        return "its first lines are not a word and numbers each"
    if b"\t" in lines and all(_NUMBER.fullmatch(f) for f in lines.split()):
        return "its first lines are numbers without a word"
    return None


def _first_lines(head: bytes) -> bytes:
    """Return the whole lines among a file's first bytes, or what there is of the first."""
    return head[: head.rfind(b"\n") + 1] or head


def read_text(source: Source, choice: Choice) -> Vectors:
    """Return the vectors of lines, with or without word2vec's first line."""
    found = header(source.head)
    if found is not None:
        n_rows, dim, skip = found
        rows = source.head[skip:]
        own = dimension(_first_lines(rows)) if n_rows and b"\n" in rows else None
        if own is not None and own < dim:
            raise FileFormatError(
                f"{source.name}: its first line says rows of {dim} numbers, but they have {own}. "
                "It is damaged; fetch it again, or correct the first line."
            )
        return read_rows(source, choice, dim, skip=skip, n_promised=n_rows, binary=False)
    lines = _first_lines(source.head if b"\n" in source.head else source.first_line())
    return read_rows(source, choice, dimension(lines) or 1, skip=0, n_promised=None, binary=False)


def write_text(vectors: Vectors, path: str, *, with_header: bool) -> None:
    """Write a line a word: numbers as short as they can be and still be read as the same float32.

    Raises ValueError for words that would not be read as they were.
    """
    check_words(vectors, "\n\0", "a text", edges=" \t\r")
    if not with_header:
        _check_glove(vectors)
    with packing(path) as file:
        if with_header:
            file.write(f"{len(vectors)} {vectors.dim}\n".encode())
        for lines in row_lines(vectors.vocabulary.core, vectors.table):
            file.write(lines)


def _check_glove(vectors: Vectors) -> None:
    """Raise ValueError for what would be read otherwise, since no header says how long rows are."""
    n = min(_LINES, len(vectors))
    lines = _core.row_lines(vectors.vocabulary.core, vectors.table, 0, n)
    head = lines[:HEAD_BYTES] if b"\n" in lines[:HEAD_BYTES] else lines.partition(b"\n")[0]
    if not n or header(lines) or dimension(_first_lines(head)) != vectors.dim:
        raise ValueError(
            f"GloVe's text, which does not say how long rows are, cannot hold these: words that "
            f"end in a number among the first {_LINES}, or no rows. Save as .vec or .safetensors."
        )


def row_lines(words: _core.Words | None, table: Any, gap: str = " ") -> Iterator[bytes]:
    """Yield the lines of a table, each with its word in front where words are given."""
    for begin in range(0, len(table), _ROWS_AT_ONCE):
        yield _core.row_lines(words, table, begin, min(len(table), begin + _ROWS_AT_ONCE), gap)


def check_words(vectors: Vectors, forbidden: str, what: str, *, edges: str = "") -> None:
    """Raise ValueError for a word that a format cannot hold."""
    for word in vectors.vocabulary:
        ends = edges and (word[:1] in edges or word[-1:] in edges)
        if ends or any(c in word for c in forbidden) or _has_surrogate(word):
            raise ValueError(
                f"{what} cannot hold the word {word!r}. Save as .safetensors, which holds every "
                "word, or leave it out with .subset()."
            )


def _has_surrogate(word: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in word)
