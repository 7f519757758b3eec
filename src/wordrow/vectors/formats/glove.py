"""GloVe's text format: lines of a word and its numbers, without a header."""

from __future__ import annotations

from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.source import Source
from wordrow.vectors.formats.text import header, read_text, text_mismatch, write_text

__all__ = ["FORMAT"]


def _mismatch(source: Source) -> str | None:
    return "it begins with word2vec's line" if header(source.head) else text_mismatch(source)


def _write(data: VectorData, path: str) -> None:
    write_text(data, path, with_header=False)


FORMAT = Format(
    name="glove",
    title="GloVe's text",
    mismatch=_mismatch,
    read=read_text,
    write=_write,
    suffixes=(".txt", ".glove"),
)
