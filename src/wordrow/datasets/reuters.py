"""The Reuters newswire in 46 topics, as ids in Keras's form.

11,228 texts of Reuters-21578 (Lewis, 1987), preprocessed by Keras.
"""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

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

__all__ = ["get_label_names", "get_word_index", "load_data"]

IDS_HASH = "sha256:d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
INDEX_HASH = "md5:4d44cc38712099c9e383dc6e5f11a921"
# In the order of their numbers, as keras.datasets.reuters names them.
_LABELS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply",
    "coffee", "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas",
    "cpi", "money-fx", "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin",
    "strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs",
    "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Splits:
    """Return ((x_train, y_train), (x_test, y_test)), each text a list of word ids, as Keras does.

    path: Keras's reuters.npz (searched here, then in WORDROW_HOME, then downloaded).
    test_split: the share of texts, taken from the end, for the test set. Ids are shifted by
    `index_from`; ids below `skip_top`, or of `num_words` and above, become `oov_char`.
    `maxlen`: only keep shorter texts.

    Raises DataError if the data is not available.
    """
    num_words = kwargs.pop("nb_words", num_words)
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}.")
    place = found_at(path)
    if place is None:
        url = KERAS_URL + "reuters.npz"
        by_hand = f"To get the file by hand, put {url} into {home()}."
        place = fetch(url, "reuters.npz", known_hash=IDS_HASH, by_hand=by_hand)
    ((lists, labels),) = read_npz(place, [("x", "y")])
    shuffle = np.random.RandomState(seed)
    texts, numbers = shorter(*shuffled(lists, labels, shuffle, start_char, index_from), maxlen)
    if not texts:
        raise ValueError(f"no text is shorter than maxlen={maxlen}. Use a larger one.")
    limit = num_words or max(chain.from_iterable(texts))
    kept, first = cut(texts, skip_top, limit, oov_char), int(len(texts) * (1 - test_split))
    return (kept[:first], numbers[:first]), (kept[first:], numbers[first:])


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """Return word -> id, before `index_from` is added.

    path: Keras's reuters_word_index.json (searched here, then in WORDROW_HOME, then
    downloaded).
    """
    return indices_in(found_at(Path(path)), "reuters_word_index.json", INDEX_HASH)


def get_label_names() -> tuple[str, ...]:
    """Return the names of the topics, in the order of their labels.

    >>> get_label_names()[3]
    'earn'
    """
    return _LABELS
