"""NumPy's .npz: an array of words and an array of rows. Pickled arrays are never read."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.store import writing
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.rows import bad_row_error, warn_skipped
from wordrow.vectors.formats.source import Source
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["FORMAT"]

Array = npt.NDArray[Any]  # strings or numbers

# What NumPy's parsing of a damaged header raises.
_HEADER_ERRORS = (
    ValueError,
    TypeError,
    SyntaxError,
    OverflowError,
    MemoryError,
    RecursionError,
    AttributeError,
    LookupError,
)


def _mismatch(source: Source) -> str | None:
    return None if source.is_npz else "it is not a zip of arrays"


def _read(source: Source, options: LoadOptions) -> VectorData:
    """Return the vectors of the one array of strings and the one of rows."""
    words: list[Array] = []
    tables: list[Array] = []
    with source.reporting_damage(), zipfile.ZipFile(source.path) as archive:
        for member in archive.infolist():
            array = _array(archive.read(member), f"{source.name}, {member.filename}")
            if array.ndim == 1 and array.dtype.kind in "US":
                words.append(array)
            elif array.ndim == 2 and array.dtype.kind in "fiu":
                tables.append(array)
    if len(words) != 1 or len(tables) != 1:
        raise FileFormatError(
            f"{source.name}: expected one array of words (V,) and one of rows (V, D); received "
            f"{len(words)} and {len(tables)}. Write it with "
            "np.savez(path, words=words, table=table)."
        )
    listed = _strings(words[0], source.name, options)
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite
        table = np.array(tables[0], np.float32, order="C")
    if len(listed) != len(table):
        raise FileFormatError(
            f"{source.name}: expected a row for each word; received {len(listed)} words and "
            f"{len(table)} rows."
        )
    kept = np.ones(len(table), bool)
    kept[repeated := _core.Words().add(listed)] = False
    kept &= (finite := np.isfinite(table).all(axis=1))
    if not finite.all() and not options.skip_bad_rows:
        row = int(finite.argmin())
        word = listed[row].encode("utf-8", "replace")
        raise bad_row_error(source.name, "finite", f"row {row}", word, 0)
    first = listed[repeated[0]] if len(repeated) else ""
    warn_skipped(source.name, (len(repeated), first), int((~finite).sum()), stacklevel=5)
    if not kept.all():
        listed, table = [listed[i] for i in np.flatnonzero(kept).tolist()], table[kept]
    return options.select(VectorData(Vocabulary(listed), table))


def _strings(array: Array, name: str, options: LoadOptions) -> list[str]:
    listed: list[Any] = array.tolist()
    for i, word in enumerate(listed):
        if isinstance(word, bytes):
            try:
                listed[i] = word.decode("utf-8", "replace" if options.replace_errors else "strict")
            except UnicodeDecodeError:
                raise bad_row_error(name, "utf-8", f"word {i}", word, 0) from None
    return listed


def _array(data: bytes, name: str) -> Array:
    """Return the array of .npy bytes, whose header decides nothing about how much is allocated."""
    try:
        stream = io.BytesIO(data)
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version} of the format")
        read_header = np.lib.format.read_array_header_2_0
        if version == (1, 0):
            read_header = np.lib.format.read_array_header_1_0
        shape, fortran, dtype = read_header(stream)
        if dtype.kind not in "fiuUS" or dtype.hasobject or dtype.itemsize == 0:
            raise ValueError(f"an array of {dtype}, which is neither numbers nor strings")
        numbers: Array = np.frombuffer(data, dtype, offset=stream.tell())
        return numbers.reshape(shape, order="F" if fortran else "C")
    except _HEADER_ERRORS as error:
        raise FileFormatError(
            f"{name}: expected an array of numbers or strings; received: {error}. Arrays of "
            "objects are pickled, and never read; save strings with np.array(words, dtype=str)."
        ) from None


def _write(data: VectorData, path: str) -> None:
    """Write the arrays `words` and `table`, for np.load. Raises ValueError for words with NUL."""
    for word in data.vocabulary:
        if word.endswith("\0"):
            raise ValueError(f".npz cannot hold the word {word!r}, which ends in NUL.")
    words = np.array(list(data.vocabulary), str)
    with writing(path) as file:
        np.savez(file, words=words, table=data.table)


FORMAT = Format(
    name="npz",
    title="NumPy's npz",
    mismatch=_mismatch,
    read=_read,
    write=_write,
    suffixes=(".npz",),
    compressible=False,
)
