"""The words of a table, in the order of its rows."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeGuard, overload

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import show

__all__ = [
    "RankedTokenizer",
    "Vocabulary",
    "WordSource",
    "by_count",
    "entries_of",
    "spelled_alike",
    "words_of",
]

Counts = npt.NDArray[np.int64]

_CHUNK_WORDS = 1 << 14  # words converted to Python strings together


class RankedTokenizer(Protocol):
    """What is needed of a fitted tokenizer."""

    @property
    def n_ids(self) -> int:
        """The number of ids, 0 included."""

    def ranked_entries(self) -> tuple[list[str], Counts, Counts, Counts]:
        """Return (words, occurrences, documents, ids)."""


WordSource = Iterable[str] | RankedTokenizer


class Vocabulary(Sequence[str]):
    """Distinct words in the order of their rows: a sequence of strings with fast lookup.

    Raises ValueError for repeated words, TypeError for anything that is not a string.

    >>> vocabulary = Vocabulary(["this", "is"])
    >>> vocabulary[1], vocabulary.index("is"), "text" in vocabulary
    ('is', 1, False)
    """

    __slots__ = ("_words",)

    def __init__(self, words: Iterable[str]) -> None:
        listed = list(words)
        self._words = _core.Words()
        for i, word in enumerate(listed):
            if not isinstance(word, str):
                raise TypeError(f"words must be strings; word {i} is {show(word)}.")
        repeated = self._words.add(listed)
        if len(repeated):
            raise ValueError(
                f"words must differ, since each has one row; {listed[repeated[0]]!r} is given "
                f"again as word {int(repeated[0])}. Remove it."
            )

    @classmethod
    def of(cls, words: _core.Words) -> Vocabulary:
        """Return the vocabulary of words that the core has read."""
        self = cls.__new__(cls)
        self._words = words
        return self

    def row(self, word: object) -> int:
        """Return the row of a word, or -1."""
        return self._words.row(word)

    def rows(self, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the rows of words, -1 for those without one: int64 [n]."""
        return self._words.rows(words)

    def take(self, rows: Iterable[int]) -> list[str]:
        """Return the words of some rows."""
        return [self._words.word(row) for row in rows]

    @property
    def core(self) -> _core.Words:
        """The words as an object of the core."""
        return self._words

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """Return the row of a word. Raises ValueError if it has none."""
        row = self._words.row(value)
        if row < start or row < 0 or (stop is not None and row >= stop):
            raise ValueError(f"{value!r} is not in the vocabulary")
        return row

    def __len__(self) -> int:
        return len(self._words)

    def __contains__(self, word: object) -> bool:
        return self._words.row(word) >= 0

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), _CHUNK_WORDS):
            yield from self._words.list(begin, begin + _CHUNK_WORDS)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.take(range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"word {index} of {len(self)}")
        return self._words.word(index % len(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return Vocabulary, (list(self),)

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self[:4]))
        return f"Vocabulary([{first}{', …' if len(self) > 4 else ''}]), {len(self):,} words"


def by_count(
    ids: npt.NDArray[Any], words: list[str], *, min_count: int = 1
) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return (ids, words) renumbered from 1 on by falling count; rarer words get id 0.

    ids: of words[id - 1], or 0.

    >>> by_count(np.array([1, 2, 2, 3, 2, 3]), ["a", "b", "c"], min_count=2)
    (array([0, 1, 1, 2, 1, 2], dtype=int32), ['b', 'c'])
    """
    counts = np.bincount(ids, minlength=len(words) + 1)[1:]
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] >= min_count]
    new = np.zeros(len(words) + 1, np.int32)
    new[order + 1] = np.arange(1, len(order) + 1)
    return new[ids], [words[i] for i in order.tolist()]


def spelled_alike(word: str, vocabulary: Vocabulary, n: int = 3) -> list[str]:
    """Return up to n words that differ from a word by one edit, in the order of their rows.

    An edit deletes, inserts or replaces a letter, or swaps two (Damerau 1964). Inserted
    letters are those of the word, and a to z.

    >>> spelled_alike("acotr", Vocabulary(["actor", "factor", "octor"]))
    ['actor']
    """
    if not 2 < len(word) <= 30:
        return []
    letters = sorted({*word, *string.ascii_lowercase})
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    made = {a + b[1:] for a, b in cuts if b}
    made |= {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    made |= {a + c + b[1:] for a, b in cuts if b for c in letters}
    made |= {a + c + b for a, b in cuts for c in letters}
    made.discard(word)
    rows = vocabulary.rows(list(made))
    found = np.sort(rows[rows >= 0])[:n]
    return vocabulary.take(found.tolist())


def _is_tokenizer(source: object) -> TypeGuard[RankedTokenizer]:
    return hasattr(source, "ranked_entries")


def entries_of(tokenizer: object) -> tuple[list[str], Counts, Counts]:
    """Return (words, counts, ids) of a tokenizer, in the order of the ids.

    Raises TypeError for anything else, ValueError for a tokenizer without words.
    """
    if not _is_tokenizer(tokenizer):
        raise TypeError(f"expected a Tokenizer; received {show(tokenizer)}.")
    words, counts, _, ids = tokenizer.ranked_entries()
    if not words:
        raise ValueError("the tokenizer has no words. Call tokenizer.fit_on_texts first.")
    return words, counts, ids


def words_of(source: WordSource) -> list[str]:
    """Return a list of words: those of a Tokenizer by falling count, or the given strings."""
    if _is_tokenizer(source):
        return entries_of(source)[0]
    if isinstance(source, str) or not isinstance(source, Iterable):
        raise TypeError(f"`words` must be a list of words or a Tokenizer; received {show(source)}.")
    return list(source)
