"""What a file format is: how it is recognised, read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.source import Source

__all__ = ["Format"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format of vectors.

    name: what `Vectors.save` calls it; title: what messages call it. mismatch:
    returns None if a file has this format, else the reason it does not. write: None
    for formats that are only read. suffixes: file names that ask for it.
    compressible: whether it may be written as .gz, .zst or .zip.
    """

    name: str
    title: str
    mismatch: Callable[[Source], str | None]
    read: Callable[[Source, LoadOptions], VectorData]
    write: Callable[[VectorData, str], None] | None = None
    suffixes: tuple[str, ...] = ()
    compressible: bool = True
