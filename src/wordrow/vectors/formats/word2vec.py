"""word2vec's text format, and fastText's .vec: a line with the counts, then words and numbers."""

from __future__ import annotations

from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.source import Source
from wordrow.vectors.formats.text import header, read_text, text_mismatch, write_text

__all__ = ["FORMAT"]


def _mismatch(source: Source) -> str | None:
    return text_mismatch(source) if header(source.head) else "its first line is not two counts"


def _write(data: VectorData, path: str) -> None:
    write_text(data, path, with_header=True)


FORMAT = Format(
    name="word2vec",
    title="word2vec's text",
    mismatch=_mismatch,
    read=read_text,
    write=_write,
    suffixes=(".vec", ".w2v"),
)
