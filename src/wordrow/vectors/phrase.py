"""Phrases such as "new_york": words joined before training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wordrow.types import Ragged
from wordrow.vectors.vocabulary import by_count

__all__ = ["join_phrases"]

Positions = npt.NDArray[np.int64]


def join_phrases(
    texts: Ragged, words: list[str], *, min_count: int = 5, threshold: float = 100.0
) -> tuple[Ragged, list[str]]:
    """Return (texts, words) in which pairs of words that often occur together are one word.

    texts: ids from 1 on, of words[id - 1]. A pair is joined with "_" if

        (count of the pair - min_count) * tokens / (count of the first * count of the second)

    is above the threshold (Mikolov et al. 2013, "Distributed Representations of
    Words and Phrases", equation 6, times the number of tokens, as in word2phrase).
    If pairs overlap, the first is joined. Ids are renumbered by falling count; a second
    call joins phrases of up to four words.

    >>> texts = Ragged.from_lists([[1, 2, 3]] * 9 + [[3, 4], [4, 3]])
    >>> joined, words = join_phrases(texts, ["new", "york", "in", "a"], min_count=1, threshold=2)
    >>> [words[i - 1] for i in joined[0]]
    ['new_york', 'in']
    """
    ids, offsets = texts.ids.astype(np.int64), texts.offsets
    n_ids = len(words) + 1
    counts = np.bincount(ids, minlength=n_ids)
    has_next = np.ones(len(ids), bool)  # whether another token of the same text follows
    has_next[offsets[1:][offsets[1:] > 0] - 1] = False
    first = np.flatnonzero(has_next)
    keys = ids[first] * n_ids + ids[first + 1]
    pairs, inverse, pair_counts = np.unique(keys, return_inverse=True, return_counts=True)
    a, b = np.divmod(pairs, n_ids)
    score = (pair_counts - min_count) * float(len(ids)) / (counts[a] * counts[b])
    is_phrase = (score > threshold) & (pair_counts >= min_count) & (a > 0) & (b > 0)
    starts = _first_of_overlapping(first[is_phrase[inverse]])
    pair_of_token = np.full(len(ids), -1)
    pair_of_token[first] = inverse
    phrases = np.flatnonzero(is_phrase)
    phrase_of_pair = np.full(len(pairs), -1)
    phrase_of_pair[phrases] = np.arange(len(phrases))
    joined = ids.copy()
    joined[starts] = n_ids + phrase_of_pair[pair_of_token[starts]]
    kept = np.ones(len(ids), bool)
    kept[starts + 1] = False
    pairs_of_words = zip(a[phrases].tolist(), b[phrases].tolist(), strict=True)
    named = [*words, *(f"{words[i - 1]}_{words[j - 1]}" for i, j in pairs_of_words)]
    new_ids = _unique_ids(joined, named).astype(np.int32)
    texts = Ragged(ids=new_ids, offsets=offsets).keep(kept)
    ranked_ids, new_words = by_count(texts.ids, named)
    return Ragged(ids=ranked_ids, offsets=texts.offsets), new_words


def _first_of_overlapping(starts: Positions) -> Positions:
    """Return the positions of pairs, without those that overlap the pair before."""
    if not len(starts):
        return starts
    breaks = np.flatnonzero(np.diff(starts, prepend=starts[0] - 2) != 1)
    index_in_run = np.arange(len(starts)) - np.repeat(breaks, np.diff(breaks, append=len(starts)))
    kept: Positions = starts[index_in_run % 2 == 0]
    return kept


def _unique_ids(ids: Positions, words: list[str]) -> Positions:
    """Return ids with one id per word, its first ("new_york" may already occur in a text)."""
    first: dict[str, int] = {}
    same = np.array([0, *(first.setdefault(word, i) for i, word in enumerate(words, 1))], np.int64)
    unique: Positions = same[ids]
    return unique
