"""NumPy's .npz: an array of words and an array of rows. Pickled arrays are never read."""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import numpy as np

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.store import writing
from wordrow.vectors.formats.choice import Choice, bad_row_error, chosen, warn_of
from wordrow.vectors.formats.source import Source
from wordrow.vectors.vectors import Vectors

__all__ = ["read_npz", "why_no_npz", "write_npz"]


def why_no_npz(source: Source) -> str | None:
    """Return why this is not NumPy's .npz; None where it is."""
    return None if source.is_npz else "it is no zip of arrays"


def read_npz(source: Source, choice: Choice) -> Vectors:
    """Return the vectors of the one array of strings and the one of rows."""
    words: list[tuple[str, Any]] = []
    tables: list[tuple[str, Any]] = []
    with source.telling_damage(), zipfile.ZipFile(source.path) as archive:
        for member in archive.infolist():
            array = _array(archive.read(member), f"{source.name}, {member.filename}")
            if array.ndim == 1 and array.dtype.kind in "US":
                words.append((member.filename, array))
            elif array.ndim == 2 and array.dtype.kind in "fiu":
                tables.append((member.filename, array))
    if len(words) != 1 or len(tables) != 1:
        raise FileFormatError(
            f"{source.name}: expected one array of words (V,) and one of rows (V, D); received "
            f"{len(words)} and {len(tables)}. Write it with "
            "np.savez(path, words=words, table=table)."
        )
    listed = _texts(words[0][1], source.name, choice)
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite
        table = np.asarray(tables[0][1], np.float32)
    if len(listed) != len(table):
        raise FileFormatError(
            f"{source.name}: expected a row for each word; received {len(listed)} words and "
            f"{len(table)} rows."
        )
    kept = np.ones(len(table), bool)
    kept[repeated := _core.Words().add(listed)] = False
    kept &= (fine := np.isfinite(table).all(axis=1))
    for i in [] if choice.skips else np.flatnonzero(~fine)[:1].tolist():
        raise bad_row_error(
            source.name, "finite", f"row {i}", listed[i].encode("utf-8", "replace"), 0
        )
    first = listed[repeated[0]] if len(repeated) else ""
    warn_of(source.name, (len(repeated), first), int((~fine).sum()), stacklevel=5)
    if not kept.all():
        listed, table = [listed[i] for i in np.flatnonzero(kept).tolist()], table[kept]
    return chosen(Vectors(listed, table), choice)


def _texts(array: Any, name: str, choice: Choice) -> list[str]:
    listed: list[Any] = array.tolist()
    for i, word in enumerate(listed):
        if isinstance(word, bytes):
            try:
                listed[i] = word.decode("utf-8", "replace" if choice.replaces else "strict")
            except UnicodeDecodeError:
                raise bad_row_error(name, "utf-8", f"word {i}", word, 0) from None
    return listed


def _array(data: bytes, name: str) -> Any:
    """Return an array of .npy bytes, with nothing allocated by what its header promises."""
    try:
        stream = io.BytesIO(data)
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version} of the format")
        reader = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                  else np.lib.format.read_array_header_2_0)  # fmt: skip
        shape, fortran, dtype = reader(stream)
        if dtype.kind not in "fiuUS" or dtype.hasobject or dtype.itemsize == 0:
            raise ValueError(f"an array of {dtype}, which is neither numbers nor strings")
        numbers = np.frombuffer(data, dtype, offset=stream.tell())
        return numbers.reshape(shape, order="F" if fortran else "C")
    except (ValueError, TypeError, SyntaxError, OverflowError, MemoryError, RecursionError,
            AttributeError, KeyError, IndexError, UnicodeError) as error:  # fmt: skip
        raise FileFormatError(
            f"{name}: expected an array of numbers or strings; received: {error}. Arrays of "
            "objects are pickled, and never read; save strings with np.array(words, dtype=str)."
        ) from None


def write_npz(vectors: Vectors, path: str | os.PathLike[str]) -> None:
    """Write the arrays `words` and `table`, for np.load. Raises ValueError for words with NUL."""
    for word in vectors.vocabulary:
        if word.endswith("\0"):
            raise ValueError(f".npz cannot hold the word {word!r}, which ends in NUL.")
    words = np.array(list(vectors.vocabulary), str)
    with writing(path) as file:
        np.savez(file, words=words, table=vectors.table)
