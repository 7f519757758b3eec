"""`keras.utils`: batches, downloads, and what else scripts for text use."""

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
    """Batches by index: len(self) of them, each (x, y)."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError("a Sequence must define __getitem__ and __len__.")

    def __len__(self) -> int:
        raise NotImplementedError("a Sequence must define __getitem__ and __len__.")

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def on_epoch_end(self) -> None:
        """Called after each epoch; does nothing unless a subclass says otherwise."""


PyDataset = Sequence


class TimeseriesGenerator(Sequence):
    """Batches of windows over a series, each with the target that follows it.

    >>> x, y = TimeseriesGenerator(np.arange(5), np.arange(5), length=2, batch_size=2)[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2]], [2, 3])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                f"`data` and `targets` must have the same length; received {len(data)} and "
                f"{len(targets)}."
            )
        self.data, self.targets = np.asarray(data), np.asarray(targets)
        self.length, self.sampling_rate, self.batch_size = length, sampling_rate, batch_size
        self.reverse, self.shuffle = reverse, shuffle
        last = len(data) - 1 if end_index is None else end_index
        self.rows = np.arange(start_index + length, last + 1, stride)
        if not len(self.rows):
            raise ValueError(
                f"`length` must leave room for a window between the indices; received {length}. "
                "Use a smaller length, or other start_index and end_index."
            )

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        if self.shuffle:
            rows = np.random.default_rng().choice(self.rows, self.batch_size)
        x = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        return (x[:, ::-1] if self.reverse else x), self.targets[rows]


class Progbar:
    """Accepts the calls of Keras's progress bar and draws nothing: `fit` shows its own."""

    def __init__(self, target: int | None = None, **options: Any) -> None:
        self.target = target

    def update(self, current: int, values: Any = None, finalize: Any = None) -> None:
        """Do nothing."""

    def add(self, n: int, values: Any = None) -> None:
        """Do nothing."""


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return the vectors along an axis divided by their norms; zero vectors stay zero.

    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return np.asarray(x) / np.expand_dims(norms, axis)


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str = "auto",
    cache_dir: Any = None,
    **options: Any,
) -> str:
    """Return the path of a file, downloaded from `origin` if needed; see Keras.

    Files are kept in WORDROW_HOME (or ~/.wordrow). untar and extract unpack an archive beside
    itself; members outside that folder are refused.

    Raises DataError if the download fails.
    """
    if not origin:
        raise ValueError("`origin` must be the file's URL.")
    name = fname or origin.rsplit("/", 1)[-1]
    known = file_hash or md5_hash
    algorithm = hash_algorithm
    if algorithm not in ("md5", "sha256"):
        algorithm = "sha256" if known and len(known) == 64 else "md5"
    url_name = f"{name}.tar.gz" if untar and not name.endswith((".gz", ".tar", ".tgz")) else name
    place = home() / (url_name if untar else name)
    if not place.exists():
        place = fetch(
            origin,
            url_name,
            known_hash=f"{algorithm}:{known}" if known else None,
            by_hand=f"Download it by hand to {place}.",
        )
    elif known and hashlib.new(algorithm, place.read_bytes()).hexdigest() != known:
        raise DataError(
            f"{place}: expected the {algorithm} hash {known}, which differs. Delete the file to "
            "download it again."
        )
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
