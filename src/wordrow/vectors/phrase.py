"""Words that are one name together: joined before rows are trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.types import Ragged
from wordrow.vectors.vocabulary import by_count

__all__ = ["join_phrases"]

Counts = npt.NDArray[np.int64]


def join_phrases(
    texts: Ragged, words: list[str], *, min_count: int = 5, threshold: float = 100.0
) -> tuple[Ragged, list[str]]:
    """Return (texts, words) in which pairs of words that often stand together are one word.

    texts: ids from 1 on, of words[id - 1]. A pair is joined by "_" where

        (pairs - min_count) * tokens / (times of the first * times of the second)

    is above the threshold (Mikolov et al. 2013, "Distributed Representations of
    Words and Phrases", equation 6, times the number of tokens, as in word2phrase).
    Of pairs that overlap the first is joined. Ids are numbered anew, by falling
    count; a second call joins phrases of up to four words.

    >>> texts = Ragged.from_lists([[1, 2, 3]] * 9 + [[3, 4], [4, 3]])
    >>> joined, words = join_phrases(texts, ["new", "york", "in", "a"], min_count=1, threshold=2)
    >>> [words[i - 1] for i in joined[0]]
    ['new_york', 'in']
    """
    ids, offsets = texts.ids.astype(np.int64), texts.offsets
    n_ids = len(words) + 1
    counts = np.bincount(ids, minlength=n_ids)
    # Which tokens have a token of the same text behind them.
    goes_on = np.ones(len(ids), bool)
    goes_on[offsets[1:][offsets[1:] > 0] - 1] = False
    first = np.flatnonzero(goes_on)
    keys = ids[first] * n_ids + ids[first + 1]
    pairs, places, times = np.unique(keys, return_inverse=True, return_counts=True)
    a, b = np.divmod(pairs, n_ids)
    score = (times - min_count) * float(len(ids)) / (counts[a] * counts[b])
    is_phrase = (score > threshold) & (times >= min_count) & (a > 0) & (b > 0)
    starts = _first_of_overlapping(first[is_phrase[places]])
    number = np.full(len(ids), -1)
    number[first] = places
    phrases = np.flatnonzero(is_phrase)
    place_of = np.full(len(pairs), -1)
    place_of[phrases] = np.arange(len(phrases))
    joined = ids.copy()
    joined[starts] = n_ids + place_of[number[starts]]
    kept = np.ones(len(ids), bool)
    kept[starts + 1] = False
    named = [*words, *(f"{words[i - 1]}_{words[j - 1]}" for i, j in
                       zip(a[phrases].tolist(), b[phrases].tolist(), strict=True))]  # fmt: skip
    texts = Ragged(ids=_one_id_a_word(joined, named), offsets=offsets).keep(kept)
    new_ids, new_words = by_count(texts.ids, named)
    return Ragged(ids=new_ids, offsets=texts.offsets), new_words


def _first_of_overlapping(starts: Any) -> Any:
    """Return the places of pairs, without those that begin within the one before."""
    if not len(starts):
        return starts
    breaks = np.flatnonzero(np.diff(starts, prepend=starts[0] - 2) != 1)
    place_in_run = np.arange(len(starts)) - np.repeat(breaks, np.diff(breaks, append=len(starts)))
    return starts[place_in_run % 2 == 0]


def _one_id_a_word(ids: Any, words: list[str]) -> Any:
    """Return ids, the first of its ids where a word has two ("new_york" may stand in a text)."""
    first: dict[str, int] = {}
    same = np.array([0, *(first.setdefault(word, i) for i, word in enumerate(words, 1))], np.int64)
    return same[ids]
