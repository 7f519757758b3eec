"""The one-file format: named tensors and one JSON object, as safetensors.

The file is written by the safetensors library, with exactly one metadata entry
holding sorted JSON, so that the same content always gives the same bytes. It is
mapped rather than read, so that opening a large table costs nothing until its rows
are used. This module knows nothing about layers.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import struct
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save as to_safetensors

from wordrow.errors import FileFormatError, MissingExtraError, show

__all__ = [
    "OF_KERAS",
    "Array",
    "check_writable",
    "from_bytes",
    "pack_strings",
    "read",
    "read_lines",
    "to_bytes",
    "to_json",
    "unpack_strings",
    "write",
    "writing",
]

Array = npt.NDArray[Any]

METADATA_KEY = "wordrow"
OF_KERAS = (".keras", ".h5", ".hdf5")  # the suffixes of Keras's own files
_MAX_HEADER_BYTES = 100_000_000  # the format's own limit
_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4",
    "I64": "<i8", "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


def to_json(value: Any, **options: Any) -> str:
    """Return settings as JSON. Scalars and arrays of NumPy are written as Python's own.

    options: those of `json.dumps`.
    """
    return json.dumps(value, **({"default": _of_numpy} | options))


def _of_numpy(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"expected settings that JSON can hold; received {show(value)}.")


def to_bytes(tensors: Mapping[str, Array], config: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file with these tensors and this JSON-able config."""
    text = to_json(config, sort_keys=True, ensure_ascii=False, allow_nan=False)
    contiguous = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    return bytes(to_safetensors(contiguous, metadata={METADATA_KEY: text}))


def from_bytes(data: bytes | np.memmap, *, name: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return (tensors, config) of a file's bytes; the tensors are views of them.

    Raises FileFormatError, naming the file, for bytes that `to_bytes` did not write.
    """
    header, start = _header(data, name)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or METADATA_KEY not in metadata:
        raise FileFormatError(
            f"{name}: a safetensors file, but not one that wordrow wrote "
            f"(its metadata has no entry {METADATA_KEY!r}). Load a file saved with .save()."
        )
    config = _json_object(metadata[METADATA_KEY], name)
    body = np.frombuffer(data, np.uint8, offset=start)
    tensors = {tensor: _tensor(body, entry, tensor, name) for tensor, entry in header.items()}
    return tensors, config


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], config: Mapping[str, Any]
) -> None:
    """Write a temporary file, sync it, and rename it into place, so that no file is partial."""
    data = to_bytes(tensors, config)
    with writing(path) as file:
        file.write(data)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return (tensors, config) of a file. The tensors are mapped read-only, not copied."""
    name = os.fspath(path)
    if Path(path).is_dir():
        raise FileFormatError(f"{name}: expected a model file, received a folder.")
    if os.path.getsize(path) == 0:
        raise FileFormatError(f"{name}: expected a model file, received an empty file.")
    return from_bytes(np.memmap(path, np.uint8, mode="r"), name=name)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears at `path` completely, or not at all.

    It keeps the permissions of the file that it replaces. A device or pipe is written to
    directly.
    """
    target = Path(os.path.realpath(path))  # the target of a link
    if target.is_dir():
        raise IsADirectoryError(f"{path}: expected the name of a file, received a folder.")
    if target.exists() and not target.is_file():
        with open(target, "wb") as file:
            yield file
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {target.parent} does not exist.")
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        file = open(aside, "xb")  # noqa: SIM115
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, aside)
        os.replace(aside, target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


class _NotWrittenError(Exception):
    """Leaves `writing` before anything is put in place."""


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Return the lines of a text in UTF-8, without a byte order mark.

    Lines end in LF or CRLF alone: other characters that Unicode counts as line ends may be part of
    a word.
    """
    lines = Path(path).read_bytes().decode("utf-8-sig").split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError if `writing` would fail, before long work is done for nothing.

    MissingExtraError for a Keras file if h5py is not installed.
    """
    if os.fspath(path).endswith(OF_KERAS) and importlib.util.find_spec("h5py") is None:
        raise MissingExtraError("writing Keras's files", package="h5py", extra="keras")
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        return  # opening a pipe would already write to it
    with contextlib.suppress(_NotWrittenError), writing(path):
        raise _NotWrittenError


def pack_strings(strings: list[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return (UTF-8 bytes, offsets [n + 1]) of strings; lone surrogates survive.

    >>> data, offsets = pack_strings(["a", "bc"])
    >>> bytes(data), offsets.tolist()
    (b'abc', [0, 1, 3])
    """
    encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(item) for item in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def unpack_strings(data: Array, offsets: Array) -> list[str]:
    """Return the strings that `pack_strings` packed."""
    raw = data.tobytes()
    ends = offsets.tolist()
    if not ends or ends[0] != 0 or ends[-1] != len(raw) or any(np.diff(offsets) < 0):
        raise FileFormatError("the offsets of a list of strings do not match its bytes.")
    return [raw[start:stop].decode("utf-8", "surrogatepass") for start, stop in pairwise(ends)]


def _header(data: bytes | np.memmap, name: str) -> tuple[dict[str, Any], int]:
    size = len(data)
    if size < 8:
        raise FileFormatError(f"{name}: expected a safetensors file, received {size} bytes.")
    (length,) = struct.unpack("<Q", bytes(data[:8]))
    if length > min(_MAX_HEADER_BYTES, size - 8):
        raise FileFormatError(
            f"{name}: expected a safetensors file; its first 8 bytes give a header of {length} "
            f"bytes in a file of {size}. It is damaged, or of another format."
        )
    try:
        text = bytes(data[8 : 8 + length]).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{name}: the header is not UTF-8 at byte {8 + error.start}; the file is damaged."
        ) from None
    return _json_object(text, name), 8 + length


def _json_object(text: Any, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{name}: the header is not JSON ({error}); it is damaged.") from None
    if not isinstance(value, dict):
        raise FileFormatError(f"{name}: the header is not a JSON object; the file is damaged.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _tensor(body: Array, entry: Any, tensor: str, name: str) -> Array:
    try:
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        shape = [int(n) for n in entry["shape"]]
        start, stop = (int(n) for n in entry["data_offsets"])
        n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(
            f"{name}: tensor {tensor!r} has a damaged header ({error!r})."
        ) from None
    fits = 0 <= start <= stop <= len(body) and stop - start == n_bytes
    if not fits or not all(0 <= n < 2**48 for n in shape):
        raise FileFormatError(
            f"{name}: tensor {tensor!r} of shape {shape} should be in bytes {start} to {stop} of "
            f"{len(body)}; the file is cut short or damaged."
        )
    raw = body[start:stop]
    if start % dtype.itemsize:
        raw = raw.copy()
    return raw.view(dtype).reshape(shape)
