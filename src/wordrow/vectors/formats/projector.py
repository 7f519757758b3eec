"""TensorBoard's projector: a .tsv of numbers, and beside it one of words."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from wordrow.errors import FileFormatError
from wordrow.store import check_writable, writing
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.rows import read_rows
from wordrow.vectors.formats.source import ReadChunk, Source
from wordrow.vectors.formats.text import check_words, first_dimension, row_lines

__all__ = ["FORMAT", "metadata_path"]

_TABLES = ("vectors", "tensors", "tensor", "embeddings", "embedding")
_CHUNK_LINES = 1024


def metadata_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of the words: metadata.tsv for vectors.tsv and x_metadata.tsv for x.tsv.

    >>> metadata_path("imdb_vectors.tsv").name
    'imdb_metadata.tsv'
    """
    target = Path(path)
    stem = target.name.removesuffix(".tsv")
    for name in _TABLES:
        if stem.endswith(name):
            return target.with_name(stem.removesuffix(name) + "metadata.tsv")
    return target.with_name(stem + "_metadata.tsv")


def _mismatch(source: Source) -> str | None:
    first = source.head.split(b"\n")[0].strip()
    if b"\t" not in first or first_dimension(b"word\t" + first) != len(first.split()):
        return "its first line is not numbers with tabs between them"
    if not metadata_path(source.path).is_file():
        return f"there is no {metadata_path(source.path).name} with the words beside it"
    return None


def _read(source: Source, options: LoadOptions) -> VectorData:
    dim = len(source.head.split(b"\n")[0].split())
    lines = _NamedLines(source, metadata_path(source.path))
    return read_rows(lines, options, dim, skip=0, n_expected=None, binary=False)


class _NamedLines:
    """The lines of a table, each with its word put in front, as in a text format."""

    def __init__(self, source: Source, metadata: Path) -> None:
        self.source, self.metadata = source, metadata
        self.name, self.n_bytes = source.name, source.n_bytes

    def read_chunks(self, read: ReadChunk, *, skip: int, padding: int) -> None:
        """Call read(buffer, n, is_last) for chunks of lines, as Source does."""
        words = self._words()
        with self.source.open() as file, self.source.reporting_damage():
            lines = iter(io.BufferedReader(file))
            while some := list(islice(lines, _CHUNK_LINES)):
                named = b"".join(
                    self._next(words) + b"\t" + line.rstrip(b"\n") + b"\n" for line in some
                )
                buffer = np.zeros(len(named) + 1 + padding, np.uint8)
                buffer[: len(named)] = np.frombuffer(named, np.uint8)
                if read(buffer, len(named), len(some) < _CHUNK_LINES) < 0:
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


def _write(data: VectorData, path: str) -> None:
    """Write both files, the words first, so that there is never a table without them.

    Raises ValueError for words or rows that would be read back differently.
    """
    check_words(data.vocabulary, "\t\n\r\0", "the projector", edges=" ")
    has_empty_word = "" in data.vocabulary
    if data.dim < 2 or not len(data) or has_empty_word:
        empty = ", one of the empty word" if has_empty_word else ""
        raise ValueError(
            "the projector's table needs at least one row, two dimensions, and words that are not "
            f"empty; received {len(data):,} rows of {data.dim}{empty}. Save as .safetensors."
        )
    check_writable(path)
    with writing(metadata_path(path)) as file:
        for word in data.vocabulary:
            file.write(f"{word}\n".encode())
    with writing(path) as file:
        for lines in row_lines(None, data.table, "\t"):
            file.write(lines)


FORMAT = Format(
    name="projector",
    title="TensorBoard's projector",
    mismatch=_mismatch,
    read=_read,
    write=_write,
    suffixes=(".tsv",),
    compressible=False,
)
