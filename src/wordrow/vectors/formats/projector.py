"""TensorBoard's projector: a .tsv of numbers, and beside it one of words."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from wordrow.errors import FileFormatError
from wordrow.store import check_writable, writing
from wordrow.vectors.formats.choice import Choice, read_rows
from wordrow.vectors.formats.source import Source
from wordrow.vectors.formats.text import check_words, dimension, row_lines
from wordrow.vectors.vectors import Vectors

__all__ = ["metadata_path", "read_projector", "why_no_projector", "write_projector"]

_TABLES = ("vectors", "tensors", "tensor", "embeddings", "embedding")
_LINES_AT_ONCE = 1024


def metadata_path(path: str | os.PathLike[str]) -> Path:
    """Return where the words of a .tsv stand: vectors.tsv has metadata.tsv, x.tsv x_metadata.tsv.

    >>> metadata_path("imdb_vectors.tsv").name
    'imdb_metadata.tsv'
    """
    target = Path(path)
    stem = target.name.removesuffix(".tsv")
    for name in _TABLES:
        if stem.endswith(name):
            return target.with_name(stem.removesuffix(name) + "metadata.tsv")
    return target.with_name(stem + "_metadata.tsv")


def why_no_projector(source: Source) -> str | None:
    """Return why this is not the projector's table; None where it is."""
    first = source.head.split(b"\n")[0].strip()
    if b"\t" not in first or dimension(b"word\t" + first) != len(first.split()):
        return "its first line is not numbers with tabs between them"
    if not metadata_path(source.path).is_file():
        return f"beside it there is no {metadata_path(source.path).name} with the words"
    return None


def read_projector(source: Source, choice: Choice) -> Vectors:
    """Return the vectors of the two files."""
    dim = len(source.head.split(b"\n")[0].split())
    lines = _NamedLines(source, metadata_path(source.path))
    return read_rows(lines, choice, dim, skip=0, n_promised=None, binary=False)


class _NamedLines:
    """The lines of a table, each with its word in front: as text with words has them."""

    def __init__(self, source: Source, metadata: Path) -> None:
        self.source, self.metadata = source, metadata
        self.name, self.n_bytes = source.name, source.n_bytes

    def pieces(self, read: Callable[[Any, int, bool], int], *, skip: int, padding: int) -> None:
        """Call read(buffer, n, is_last) for some lines after the other, as Source does."""
        words = self._words()
        with self.source.open() as file, self.source.telling_damage():
            lines = iter(io.BufferedReader(file))
            while some := list(islice(lines, _LINES_AT_ONCE)):
                named = b"".join(
                    self._next(words) + b"\t" + line.rstrip(b"\n") + b"\n" for line in some
                )
                buffer = np.zeros(len(named) + 1 + padding, np.uint8)
                buffer[: len(named)] = np.frombuffer(named, np.uint8)
                if read(buffer, len(named), len(some) < _LINES_AT_ONCE) < 0:
                    return
        if next(words, None) is not None:
            raise FileFormatError(
                f"{self.metadata}: expected a word for each line of {self.name}; there are more "
                "words than lines. They belong to different tables."
            )

    def _next(self, words: Iterator[bytes]) -> bytes:
        word = next(words, None)
        if word is None:
            raise FileFormatError(
                f"{self.metadata}: expected a word for each line of {self.name}; there are fewer "
                "words than lines. They belong to different tables."
            )
        return word

    def _words(self) -> Iterator[bytes]:
        """Yield the words: lines, or the first column below a header of several."""
        lines = self.metadata.read_bytes().split(b"\n")
        while lines and not lines[-1].strip():
            lines.pop()
        several = bool(lines) and b"\t" in lines[0]
        for line in lines[several:]:
            yield line.rstrip(b"\r").split(b"\t")[0]


def write_projector(vectors: Vectors, path: str | os.PathLike[str]) -> None:
    """Write both files: the words first, so that a table never stands without them.

    Raises ValueError for words or rows that would not be read as they were.
    """
    check_words(vectors, "\t\n\r\0", "the projector", edges=" ")
    if vectors.dim < 2 or not len(vectors) or "" in vectors:
        raise ValueError(
            "the projector's table needs rows, of two numbers at least, and words that are not "
            f"empty; received {len(vectors):,} rows of {vectors.dim}"
            f"{', one of the empty word' if '' in vectors else ''}. Save as .safetensors."
        )
    check_writable(path)
    with writing(metadata_path(path)) as file:
        for word in vectors.vocabulary:
            file.write(f"{word}\n".encode())
    with writing(path) as file:
        for lines in row_lines(None, vectors.table, "\t"):
            file.write(lines)
