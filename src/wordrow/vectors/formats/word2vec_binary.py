"""word2vec's binary files: a line with the counts, then each word and the bytes of its row."""

from __future__ import annotations

from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.rows import read_rows
from wordrow.vectors.formats.source import Source, open_target
from wordrow.vectors.formats.text import check_words, header, is_text

__all__ = ["FORMAT"]


def _mismatch(source: Source) -> str | None:
    found = header(source.head)
    if found is None:
        return "its first line is not two counts"
    n_rows, _, start = found
    if n_rows and source.head.find(b" ", start) < 0:
        return "no word follows the first line"
    if not n_rows or is_text(source.head[start:]):
        return "text follows the first line"
    return None


def _read(source: Source, options: LoadOptions) -> VectorData:
    """Return the vectors, whether or not there is a line end after each row."""
    found = header(source.head)
    assert found is not None
    n_rows, dim, start = found
    return read_rows(source, options, dim, skip=start, n_expected=n_rows, binary=True)


def _write(data: VectorData, path: str) -> None:
    """Write the format as gensim does, without line ends between rows.

    Raises ValueError for a word with a space or line end in it.
    """
    check_words(data.vocabulary, " \n", "word2vec's binary format")
    with open_target(path) as file:
        file.write(f"{len(data)} {data.dim}\n".encode())
        for word, row in zip(data.vocabulary, data.table, strict=True):
            file.write(word.encode() + b" " + row.astype("<f4").tobytes())


FORMAT = Format(
    name="word2vec-binary",
    title="word2vec's binary",
    mismatch=_mismatch,
    read=_read,
    write=_write,
    suffixes=(".bin",),
)
