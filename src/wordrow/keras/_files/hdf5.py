"""What both containers use: arrays and lists of names in HDF5, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import FileFormatError, MissingExtraError

__all__ = [
    "Array",
    "Group",
    "h5py_module",
    "parse_json",
    "read_names",
    "read_weights",
    "write_names",
    "write_numbered",
    "write_weights",
]

Array = npt.NDArray[Any]
Group = Any  # h5py.Group or h5py.File

_ATTRIBUTE_BYTES = 64_000  # what an HDF5 attribute can hold, less its header


def h5py_module() -> Any:
    """Return h5py; raises MissingExtraError where it is not installed."""
    try:
        import h5py
    except ImportError as error:
        purpose = "reading and writing Keras's files"
        raise MissingExtraError(purpose, package="h5py", extra="keras") from error
    return h5py


def parse_json(text: str | bytes, file_name: str) -> Any:
    """Return the JSON in a file's config."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{file_name}: its config is not JSON ({error}).") from None


def read_names(group: Group, key: str) -> list[str]:
    """Return an attribute that lists names; Keras splits a long one into key0, key1, and so on."""
    parts = [group.attrs[key]] if key in group.attrs else []
    while f"{key}{len(parts)}" in group.attrs:
        parts.append(group.attrs[f"{key}{len(parts)}"])
    names = [name for part in parts for name in part]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def write_names(group: Group, key: str, names: Sequence[str]) -> None:
    """Write an attribute that lists names."""
    encoded = [name.encode() for name in names]
    width = max(map(len, encoded), default=1)
    size = max(1, _ATTRIBUTE_BYTES // width)
    chunks = [encoded[i : i + size] for i in range(0, len(encoded), size)] or [[]]
    for i, chunk in enumerate(chunks):
        attribute = key if len(chunks) == 1 else f"{key}{i}"
        group.attrs[attribute] = np.array(chunk, f"S{width}")


def read_weights(group: Group | None) -> list[Array]:
    """Return the arrays that a group lists as its weights; none where there is no group."""
    if group is None:
        return []
    return [np.asarray(group[name]) for name in read_names(group, "weight_names")]


def write_weights(group: Group, names: Sequence[str], arrays: Sequence[Array]) -> None:
    """Write arrays, and list them as the group's weights."""
    write_names(group, "weight_names", names)
    for name, array in zip(names, arrays, strict=True):
        group[name] = array


def write_numbered(group: Group, arrays: Sequence[Array]) -> None:
    """Write arrays under their numbers."""
    for i, array in enumerate(arrays):
        group[str(i)] = array
