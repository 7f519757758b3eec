"""Pairs of words and contexts, for training word vectors on plain text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["make_sampling_table", "skipgrams"]

EULER_GAMMA = 0.577


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Sequence[float] | npt.NDArray[np.float64] | None = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Return (couples, labels): words with their neighbours (1) and with random words (0).

    Mikolov et al. 2013, "Efficient Estimation of Word Representations in
    Vector Space". Id 0 is not a word and is skipped. Some of the negatives,
    `negative_samples` per positive, may be true neighbours by chance.
    `sampling_table[i]` is the probability of keeping word i (see
    `make_sampling_table`). With `categorical`, the label of a positive is [0, 1].

    Draws from Python's global `random`, as Keras does; `seed` only seeds the
    shuffle.

    >>> couples, labels = skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    >>> couples
    [[1, 2], [2, 1], [2, 3], [3, 2]]
    """
    couples = _neighbours(sequence, window_size, sampling_table)
    positive, negative = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [positive for _ in couples]
    if negative_samples > 0:
        n_negatives = int(len(labels) * negative_samples)
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)]
            for i in range(n_negatives)
        ]
        labels += [negative] * n_negatives
    if shuffle:
        if seed is None:
            seed = random.randint(0, 10_000_000)
        for together in (couples, labels):
            random.seed(seed)
            random.shuffle(together)
    return couples, labels


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> npt.NDArray[np.float64]:
    """Return [size] probabilities of keeping the word of each frequency rank.

    word2vec's subsampling, with the frequency of rank r estimated by Zipf's
    law: 1 / (r (ln r + γ) + 1/2 - 1/(12 r)), γ = 0.577. Entry 0 uses rank 1.

    >>> make_sampling_table(3).round(5).tolist()
    [0.00315, 0.00315, 0.00548]
    """
    rank = np.arange(size, dtype=np.float64)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + EULER_GAMMA) + 0.5 - 1.0 / (12.0 * rank)
    factor = sampling_factor * inverse_frequency
    table: npt.NDArray[np.float64] = np.minimum(1.0, factor / np.sqrt(factor))
    return table


def _neighbours(sequence: Sequence[int], window_size: int, sampling_table: Any) -> list[list[int]]:
    couples = []
    for i, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        start, stop = max(0, i - window_size), min(len(sequence), i + window_size + 1)
        couples += [[word, sequence[j]] for j in range(start, stop) if j != i and sequence[j]]
    return couples
