"""`keras.utils`: batches, downloads, and what else scripts for text use."""

from __future__ import annotations

import hashlib
import json
import string
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wordrow.datasets.download import fetch, home
from wordrow.errors import DataError
from wordrow.store import to_json

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
        self.start_index, self.end_index, self.stride = start_index + length, last, stride
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is "
                "disallowed, as no part of the sequence would be left to be used as current step."
            )
        self.rows = np.arange(self.start_index, last + 1, stride)

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        if self.shuffle:
            rows = np.random.default_rng().choice(self.rows, self.batch_size)
        x = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        return (x[:, ::-1] if self.reverse else x), self.targets[rows]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, data as JSON, as Keras's generator describes itself."""
        names = (
            "length",
            "sampling_rate",
            "stride",
            "start_index",
            "end_index",
            "shuffle",
            "reverse",
            "batch_size",
        )
        own = {name: vars(self)[name] for name in names}
        data = {name: to_json(vars(self)[name].tolist()) for name in ("data", "targets")}
        return data | own

    def to_json(self, **options: Any) -> str:
        """Return a description from which `timeseries_generator_from_json` makes it again."""
        entry = {"class_name": type(self).__name__, "config": self.get_config()}
        return to_json(entry, **options)


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """Return the TimeseriesGenerator that `to_json` described.

    >>> series = TimeseriesGenerator([1, 2, 3], [1, 2, 3], length=1)
    >>> timeseries_generator_from_json(series.to_json())[0][1].tolist()
    [2, 3]
    """
    config = json.loads(json_string)["config"]
    data, targets = (json.loads(config.pop(name)) for name in ("data", "targets"))
    config["start_index"] -= config["length"]  # it describes the first target's place
    return TimeseriesGenerator(data, targets, **config)


def remove_long_seq(maxlen: int, seq: Any, label: Any) -> tuple[list[Any], list[Any]]:
    """Return the sequences shorter than maxlen, and their labels.

    >>> remove_long_seq(2, [[1], [1, 2]], [0, 1])
    ([[1]], [0])
    """
    kept = [i for i, one in enumerate(seq) if len(one) < maxlen]
    return [seq[i] for i in kept], [label[i] for i in kept]


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Return some rows of an array, or of each in a list: from start to stop, or those in a list.

    >>> slice_arrays([np.arange(4), np.arange(4) * 2], 1, 3)[1].tolist()
    [2, 4]
    """
    if isinstance(arrays, list):
        return [slice_arrays(array, start, stop) for array in arrays]
    array = np.asarray(arrays)
    return array[start] if hasattr(start, "__len__") else array[start:stop]


def base_filter() -> str:
    """Return the characters that Keras 1's Tokenizer left out: punctuation but the apostrophe.

    >>> "'" in base_filter()
    False
    """
    return string.punctuation.replace("'", "") + "\t\n"


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
        return str(place.parent / name) if untar else str(place)
    return str(place)


def _unpack(path: Path) -> None:
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            archive.extractall(path.parent, filter="data")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as zipped:
            zipped.extractall(path.parent)


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: tuple[int, ...] = (10,),
    output_shape: tuple[int, ...] = (2,),
    classification: bool = True,
    num_classes: int = 2,
    **old: Any,
) -> Any:
    """Return ((x, y), (x, y)) of random examples that can be learned."""
    num_train, num_test = old.get("nb_train", num_train), old.get("nb_test", num_test)
    num_classes, n = old.get("nb_class", num_classes), num_train + num_test
    rng = np.random.default_rng(0)
    y: Any
    if classification:
        y = rng.integers(0, num_classes, n)
        x = y.reshape(-1, *[1] * len(input_shape)) + rng.normal(0, 0.7, (n, *input_shape))
    else:
        means = rng.normal(size=n)
        x = means.reshape(-1, *[1] * len(input_shape)) + rng.normal(0, 0.7, (n, *input_shape))
        y = means.reshape(-1, *[1] * len(output_shape)) + np.zeros((n, *output_shape))
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def keras_test(function: Any) -> Any:
    """Return the function: there is no session to clear after a test."""
    return function


def set_keras_submodules(**modules: Any) -> None:
    """Do nothing: keras_preprocessing is told of Keras's modules by its older users."""
