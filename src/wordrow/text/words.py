"""Functions that turn one text into words or hashed ids."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Hashable, Iterable

from wordrow import _core
from wordrow.errors import TextTypeError, show

__all__ = ["DEFAULT_FILTERS", "hashing_trick", "normalizer", "one_hot", "text_to_word_sequence"]

DEFAULT_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

Analyzer = Callable[[str], Iterable[Hashable]]


@functools.lru_cache(maxsize=64)
def normalizer(
    *, filters: str, lower: bool, split: str | None, characters: bool = False
) -> _core.Normalizer:
    """Return the core's rules for splitting a text into words."""
    if split == "" and not characters:
        raise ValueError(
            "`split` must be a string that separates words, or None for white space; received "
            "the empty separator ''. For single characters use char_level=True."
        )
    codes = [ord(character) for character in filters]
    return _core.Normalizer(lower=bool(lower), filters=codes, split=split, characters=characters)


def text_to_word_sequence(
    text: str | None = None,
    filters: str = DEFAULT_FILTERS,
    lower: bool = True,
    split: str | None = " ",
    *,
    input_text: str | None = None,
) -> list[str]:
    """Return the words of a text, which is lower-cased, filtered and split.

    filters: characters that are replaced by `split`; with `split=None` they are deleted,
    and the text is split on white space. `input_text` is Keras 3's name for `text`.

    Raises TextTypeError for a text that is not a string, ValueError for `split=''`.

    >>> text_to_word_sequence("This is not a text!")
    ['this', 'is', 'not', 'a', 'text']
    """
    if text is None:
        text = input_text
    if not isinstance(text, str):
        raise TextTypeError(f"`text` must be a string; received {show(text)}.")
    rules = normalizer(filters="".join(filters), lower=lower, split=split)
    return rules.words(text)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = DEFAULT_FILTERS,
    lower: bool = True,
    split: str | None = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:
    """Return the words of a text as ids in [1, n - 1], each hash(word) % (n - 1) + 1.

    hash_function: None is Python's `hash`, which differs from process to
    process unless PYTHONHASHSEED is set; "md5" is the same everywhere.
    Different words may get the same id.

    >>> hashing_trick("a text is a text", 1000, "md5")
    [560, 358, 453, 560, 358]
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    if not callable(hash_function):
        raise TypeError(
            f"`hash_function` must be a function, 'md5' or None; received {show(hash_function)}."
        )
    if analyzer is None:
        words: Iterable[Hashable] = text_to_word_sequence(text, filters, lower, split)
    else:
        words = analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]  # type: ignore[arg-type]


def one_hot(
    text: str | None = None,
    n: int = 0,
    filters: str = DEFAULT_FILTERS,
    lower: bool = True,
    split: str | None = " ",
    analyzer: Analyzer | None = None,
    *,
    input_text: str | None = None,
) -> list[int]:
    """Return the words of a text as ids in [1, n - 1] by Python's own `hash`.

    The ids of a word differ from process to process; see `hashing_trick`.

    >>> ids = one_hot("This is a text", 50)
    >>> len(ids), all(1 <= i < 50 for i in ids)
    (4, True)
    """
    text = input_text if text is None else text
    return hashing_trick(text, n, hash, filters, lower, split, analyzer)  # type: ignore[arg-type]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)
