"""word2vec's binary files: a line with the counts, then each word and the bytes of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordrow.vectors.formats.choice import Choice, read_rows
from wordrow.vectors.formats.source import Source, packing
from wordrow.vectors.formats.text import check_words, header, is_text

if TYPE_CHECKING:
    from wordrow.vectors.vectors import Vectors

__all__ = ["read_binary", "why_no_binary", "write_binary"]


def why_no_binary(source: Source) -> str | None:
    """Return why this is not word2vec's binary format; None where it is."""
    found = header(source.head)
    if found is None:
        return "its first line is not two counts"
    n_rows, _, start = found
    if n_rows and source.head.find(b" ", start) < 0:
        return "no word follows the first line"
    if not n_rows or is_text(source.head[start:]):
        return "text follows the first line"
    return None


def read_binary(source: Source, choice: Choice) -> Vectors:
    """Return the vectors, whether or not a line ends behind each row."""
    found = header(source.head)
    assert found is not None
    n_rows, dim, start = found
    return read_rows(source, choice, dim, skip=start, n_promised=n_rows, binary=True)


def write_binary(vectors: Vectors, path: str) -> None:
    """Write the format as gensim does: no line ends between rows.

    Raises ValueError for a word with a space or line end in it.
    """
    check_words(vectors, " \n", "word2vec's binary format")
    with packing(path) as file:
        file.write(f"{len(vectors)} {vectors.dim}\n".encode())
        for word, row in zip(vectors.vocabulary, vectors.table, strict=True):
            file.write(word.encode() + b" " + row.astype("<f4").tobytes())
