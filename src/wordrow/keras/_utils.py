"""What `keras.utils` has for text scripts."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wordrow.datasets.download import fetch, home
from wordrow.errors import DataError

__all__ = ["Progbar", "PyDataset", "Sequence", "TimeseriesGenerator", "get_file", "normalize"]


class Sequence:
    """Batches by number: `len` of them, each (x, y), with `on_epoch_end` after all."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError("a Sequence says its batches: define __getitem__ and __len__.")

    def __len__(self) -> int:
        raise NotImplementedError("a Sequence says its batches: define __getitem__ and __len__.")

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def on_epoch_end(self) -> None:
        """Do what is to be done between epochs."""


PyDataset = Sequence


class TimeseriesGenerator(Sequence):
    """Batches of windows over a series, each with what follows it.

    >>> x, y = TimeseriesGenerator(np.arange(5), np.arange(5), length=2, batch_size=2)[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2]], [2, 3])
    """

    def __init__(
        self, data: Any, targets: Any, length: int, sampling_rate: int = 1, stride: int = 1,
        start_index: int = 0, end_index: int | None = None, shuffle: bool = False,
        reverse: bool = False, batch_size: int = 128,
    ) -> None:  # fmt: skip
        if len(data) != len(targets):
            raise ValueError(f"data and targets differ in length: {len(data)}, {len(targets)}.")
        self.data, self.targets = np.asarray(data), np.asarray(targets)
        self.length, self.sampling_rate, self.batch_size = length, sampling_rate, batch_size
        self.reverse, self.shuffle = reverse, shuffle
        last = len(data) - 1 if end_index is None else end_index
        self.rows = np.arange(start_index + length, last + 1, stride)
        if not len(self.rows):
            raise ValueError(f"no window of {length} steps fits between the indices given.")

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        if self.shuffle:
            rows = np.random.default_rng().choice(self.rows, self.batch_size)
        x = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        return (x[:, ::-1] if self.reverse else x), self.targets[rows]


class Progbar:
    """Takes what Keras's progress bar took; it draws nothing, since `fit` shows its own line."""

    def __init__(self, target: int | None = None, **options: Any) -> None:
        self.target = target

    def update(self, current: int, values: Any = None, finalize: Any = None) -> None:
        """Take how far it is."""

    def add(self, n: int, values: Any = None) -> None:
        """Take n more."""


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return vectors along an axis divided by their norms; zeros stay zeros.

    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return np.asarray(x) / np.expand_dims(norms, axis)


def get_file(
    fname: str | None = None, origin: str | None = None, untar: bool = False,
    md5_hash: str | None = None, file_hash: str | None = None, cache_subdir: str = "datasets",
    hash_algorithm: str = "auto", extract: bool = False, archive_format: str = "auto",
    cache_dir: Any = None, **options: Any,
) -> str:  # fmt: skip
    """Return the path of a file, downloaded from `origin` unless it is there; see Keras.

    Files lie in WORDROW_HOME (or ~/.wordrow). With untar or extract an archive's members are
    put beside it, where none of them may leave the folder.

    Raises DataError where the file cannot be had.
    """
    if not origin:
        raise ValueError("`origin` must be the file's URL.")
    name = fname or origin.rsplit("/", 1)[-1]
    known = file_hash or md5_hash
    algorithm = hash_algorithm if hash_algorithm in ("md5", "sha256") else (
        "sha256" if known and len(known) == 64 else "md5")  # fmt: skip
    target = home() / name
    url_name = f"{name}.tar.gz" if untar and not name.endswith((".gz", ".tar", ".tgz")) else name
    place = target if not untar else home() / url_name
    if not place.exists():
        place = fetch(
            origin, url_name, known_hash=f"{algorithm}:{known}" if known else None,
            by_hand=f"Get it by hand and put it at {place}.",
        )  # fmt: skip
    elif known and hashlib.new(algorithm, place.read_bytes()).hexdigest() != known:
        raise DataError(f"{place} has another {algorithm} than was asked for; delete it first.")
    if untar or extract:
        _unpack(place)
        return str(home() / name) if untar else str(place)
    return str(place)


def _unpack(path: Path) -> None:
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            archive.extractall(path.parent, filter="data")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as zipped:
            zipped.extractall(path.parent)
