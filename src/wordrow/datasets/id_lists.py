"""Keras's data sets of ids: arrays of lists in .npz files, and their preprocessing."""

from __future__ import annotations

import io
import json
import os
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.datasets.download import fetch, home
from wordrow.datasets.object_array import read_lists
from wordrow.errors import FileFormatError

__all__ = [
    "KERAS_URL",
    "IdLists",
    "Splits",
    "cut",
    "found_at",
    "indices_in",
    "read_npz",
    "shorter",
    "shuffled",
]

IdLists = npt.NDArray[np.object_]
Split = tuple[IdLists, npt.NDArray[np.int64]]
Splits = tuple[Split, Split]  # of training and test

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# What zipfile raises for damaged files; RuntimeError for an unknown compression or encryption.
_NO_NPZ = (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, ValueError, RuntimeError)


def found_at(path: str | os.PathLike[str]) -> Path | None:
    """Return the path of a file, here or in WORDROW_HOME; None if it does not exist."""
    for place in (Path(path), home() / path):
        if place.exists():
            return place
    return None


def indices_in(place: Path | None, name: str, known_hash: str) -> dict[str, int]:
    """Return the word index of a JSON file, downloaded from Keras's storage if place is None."""
    if place is None:
        url = KERAS_URL + name
        by_hand = f"To get the file by hand, put {url} into {home()}."
        place = fetch(url, name, known_hash=known_hash, by_hand=by_hand)
    index: dict[str, int] = json.loads(place.read_text(encoding="utf-8"))
    return index


def read_npz(path: Path, pairs: Sequence[tuple[str, str]]) -> list[tuple[list[Any], Any]]:
    """Return (lists of ids, labels) for pairs of arrays of Keras's .npz files.

    Arrays of lists are pickles, which are parsed and never run. Raises FileFormatError.
    """
    names = [name for pair in pairs for name in pair]
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                data = archive.read(f"{name}.npy")
                arrays[name] = _from_npy(data, f"{path}, {name}")
    except FileFormatError:
        raise
    except _NO_NPZ as error:
        raise FileFormatError(
            f"{path}: expected an .npz file with {', '.join(names)} ({error})."
        ) from error
    found = []
    for x, y in pairs:
        lists, labels = arrays[x], arrays[y]
        if not isinstance(lists, list) or getattr(labels, "ndim", 0) != 1:
            raise FileFormatError(f"{path}: expected lists in {x} and numbers in {y}.")
        if labels.dtype.kind not in "iub" or len(lists) != len(labels):
            raise FileFormatError(
                f"{path}: {x} and {y} do not match: expected an integer label for each list."
            )
        found.append((lists, labels))
    return found


def _from_npy(data: bytes, name: str) -> Any:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        _, _, dtype = read(file)
        if dtype.hasobject:
            return read_lists(data[file.tell() :], name=name)
        return np.load(io.BytesIO(data), allow_pickle=False)
    except FileFormatError:
        raise
    except (ValueError, SyntaxError, OverflowError, MemoryError, tokenize.TokenError) as error:
        raise FileFormatError(f"{name}: not a NumPy array ({error}).") from error


def shuffled(
    lists: list[Any],
    labels: Any,
    shuffle: np.random.RandomState,
    start_char: int | None,
    index_from: int,
) -> tuple[list[list[int]], Any]:
    """Return shuffled texts with shifted ids, each after start_char."""
    order = np.arange(len(lists))
    shuffle.shuffle(order)
    return [_shifted(lists[i], start_char, index_from) for i in order], labels[order]


def _shifted(ids: Any, start_char: int | None, index_from: int) -> list[int]:
    shifted = [i + index_from for i in ids] if index_from or start_char is not None else list(ids)
    return shifted if start_char is None else [start_char, *shifted]


def shorter(
    lists: list[list[int]], labels: npt.NDArray[np.int64], maxlen: int | None
) -> tuple[list[list[int]], npt.NDArray[np.int64]]:
    """Return the texts that are shorter than maxlen."""
    if not maxlen:
        return lists, labels
    kept = [i for i, ids in enumerate(lists) if len(ids) < maxlen]
    return [lists[i] for i in kept], labels[kept]


def _known(ids: list[int], skip_top: int, limit: int, oov_char: int | None) -> list[int]:
    if oov_char is None:
        return [i for i in ids if skip_top <= i < limit]
    return [i if skip_top <= i < limit else oov_char for i in ids]


def cut(lists: list[list[int]], skip_top: int, limit: int, oov_char: int | None) -> IdLists:
    """Return texts with ids outside [skip_top, limit) replaced by oov_char, or dropped if None."""
    kept = np.empty(len(lists), dtype=object)
    kept[:] = [_known(ids, skip_top, limit, oov_char) for ids in lists]
    return kept
