"""Which words of a tokenizer have pretrained rows, and the table made from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from wordrow.arguments import check_choice
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import RankedTokenizer, entries_of, spelled_alike

__all__ = ["Case", "Coverage", "Missing", "first_rows", "matched_rows", "table_for"]

Missing = Literal["uniform", "mean", "subword", "zeros"]
Case = Literal["exact", "fallback"]
Table = npt.NDArray[np.float32]

_N_SHOWN = 10
_N_SPELL_CHECKED = 1000  # of the missing words, the most frequent first


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many of a tokenizer's words have rows in some vectors, and which do not.

    n_words, n_times: the number of words, and of their occurrences in the fitted texts.
    n_exact: words found as they are. folded: words found only after case folding, with
    the word that was found. missing: (word, count), the most frequent first.
    misspelled: missing words, with known words that differ by one edit. `print` shows a
    summary.
    """

    n_words: int
    n_times: int
    n_exact: int
    n_found_times: int
    folded: dict[str, str] = field(repr=False)
    missing: list[tuple[str, int]] = field(repr=False)
    misspelled: dict[str, list[str]] = field(repr=False)

    @property
    def n_found(self) -> int:
        """How many words have rows."""
        return self.n_exact + len(self.folded)

    def __str__(self) -> str:
        share = self.n_found / max(self.n_words, 1)
        of_text = self.n_found_times / max(self.n_times, 1)
        lines = [
            f"{self.n_found:,} of {self.n_words:,} words have rows ({share:.1%}), which are "
            f"{of_text:.1%} of the text",
            f"  found as they are: {self.n_exact:,}",
        ]
        if self.folded:
            pairs = list(self.folded.items())[:_N_SHOWN]
            some = ", ".join(f"{word} ({other})" for word, other in pairs)
            lines.append(f"  found after case folding: {len(self.folded):,}: {some}")
        lines.append(f"  missing: {len(self.missing):,}" + (": " if self.missing else ""))
        if self.missing:
            lines[-1] += ", ".join(f"{word} ({n:,} times)" for word, n in self.missing[:_N_SHOWN])
        if self.misspelled:
            some = ", ".join(
                f"{word} ({near[0]})" for word, near in list(self.misspelled.items())[:_N_SHOWN]
            )
            lines.append(f"  likely misspellings: {len(self.misspelled):,}: {some}")
        return "\n".join(lines)


def matched_rows(
    vectors: Vectors, words: list[str], counts: npt.ArrayLike | None = None, *, case: Case = "exact"
) -> tuple[npt.NDArray[np.int64], Coverage]:
    """Return the row of each word, or -1, and the coverage.

    case: "fallback" also finds, for a word without a row, the first row whose word
    differs only in case.
    """
    check_choice("case", case, get_args(Case))
    times = np.ones(len(words), np.int64) if counts is None else np.asarray(counts, np.int64)
    rows = vectors.vocabulary.rows(words)
    n_exact = int((rows >= 0).sum())
    folded: dict[str, str] = {}
    if case == "fallback" and n_exact < len(words):
        first: dict[str, int] = {}
        for row, word in enumerate(vectors.vocabulary):
            first.setdefault(word.lower(), row)
        for i in np.flatnonzero(rows < 0).tolist():
            row = first.get(words[i].lower(), -1)
            if row >= 0:
                rows[i] = row
                folded[words[i]] = vectors.vocabulary[row]
    without = np.flatnonzero(rows < 0)
    without = without[np.argsort(-times[without], kind="stable")]
    missing = [(words[i], int(times[i])) for i in without.tolist()]
    misspelled = {
        word: near
        for word, _ in missing[:_N_SPELL_CHECKED]
        if word.isalpha() and (near := spelled_alike(word, vectors.vocabulary))
    }
    return rows, Coverage(
        n_words=len(words),
        n_times=int(times.sum()),
        n_exact=n_exact,
        n_found_times=int(times[rows >= 0].sum()),
        folded=folded,
        missing=missing,
        misspelled=misspelled,
    )


def table_for(
    vectors: Vectors,
    tokenizer: RankedTokenizer,
    *,
    missing: Missing = "uniform",
    case: Case = "exact",
    rng: np.random.Generator,
) -> tuple[Table, npt.NDArray[np.bool_], Coverage]:
    """Return (table [V, D], which of its rows were found: bool [V], coverage) for a tokenizer.

    Row 0, for padding, is zero and counts as found. missing: how the other rows start:
    "uniform" draws numbers with the variance of the found rows (Kim 2014, "Convolutional
    Neural Networks for Sentence Classification"), "mean" is the mean of the found rows,
    "subword" uses the vectors' sub-words, "zeros" is zero.

    Raises ValueError for "subword" with vectors without sub-words, and for a tokenizer
    without words.
    """
    check_choice("missing", missing, get_args(Missing))
    words, counts, ids = entries_of(tokenizer)
    if missing == "subword" and vectors.subwords is None:
        raise ValueError(
            "missing='subword' needs vectors with sub-words, as fastText's .bin has them; these "
            "have none. Use missing='uniform'."
        )
    n_ids = tokenizer.n_ids
    rows, coverage = matched_rows(vectors, words, counts, case=case)
    is_found = np.zeros(n_ids, bool)
    is_found[ids] = rows >= 0
    table = np.zeros((n_ids, vectors.dim), np.float32)
    table[ids[rows >= 0]] = vectors.table[rows[rows >= 0]]
    rest = np.flatnonzero(~is_found[1:]) + 1
    table[rest] = first_rows(table[is_found], len(rest), vectors.dim, missing, rng)
    if missing == "subword":
        without = [words[i] for i in np.flatnonzero(rows < 0).tolist()]
        table[ids[rows < 0]] = vectors[without] if without else 0
    is_found[0] = True
    return table, is_found, coverage


def first_rows(found: Table, n: int, dim: int, missing: Missing, rng: np.random.Generator) -> Table:
    """Return initial values of n missing rows, based on the found ones: [n, dim]."""
    if missing == "mean" and len(found):
        return np.broadcast_to(found.mean(axis=0), (n, dim))
    if missing == "uniform":
        # A uniform distribution over [-a, a] has the variance a ** 2 / 3.
        edge = float(np.sqrt(3 * found.var())) if len(found) else 0.05
        return rng.uniform(-edge, edge, (n, dim)).astype(np.float32)
    return np.zeros((n, dim), np.float32)
