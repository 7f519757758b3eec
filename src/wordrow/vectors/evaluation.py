"""Evaluation of vectors: analogies, human similarity judgements, shared neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wordrow.arguments import whole_number
from wordrow.errors import DataError
from wordrow.store import read_lines
from wordrow.vectors.nearest import Directions, Row, RowIndices
from wordrow.vectors.vectors import Vectors

__all__ = [
    "AnalogyScore",
    "SimilarityScore",
    "evaluate_analogies",
    "evaluate_similarities",
    "neighbour_overlap",
]

_CHUNK = 2048  # questions answered together


@dataclass(frozen=True, kw_only=True)
class AnalogyScore:
    """The correct answers of a section. n_unknown: analogies with an unknown word, not asked."""

    section: str
    n_right: int
    n_asked: int
    n_unknown: int

    @property
    def accuracy(self) -> float:
        """The share of correct answers among those asked; NaN if none was."""
        return self.n_right / self.n_asked if self.n_asked else float("nan")


@dataclass(frozen=True, kw_only=True)
class SimilarityScore:
    """How well cosines agree with human judgements. n_unknown: pairs with an unknown word."""

    spearman: float
    n_pairs: int
    n_unknown: int


class _Question(NamedTuple):
    section: str
    words: tuple[str, str, str, str]


def evaluate_analogies(
    vectors: Vectors,
    path: str | os.PathLike[str],
    *,
    limit: int | None = 30_000,
    lower: bool = True,
) -> list[AnalogyScore]:
    """Return the score of each section of a file of analogies, and "all" at the end.

    path: Google's format: ": section" lines, and lines of four words "a b c d". The
    answer is the word nearest to b - a + c other than these three (3CosAdd), and is
    correct if it is d. limit: only consider the first so many words, as is usual; None
    for all. lower: lower-case questions and vocabulary; the first row of a word counts.

    Raises DataError, naming the line, for a file of another format.
    """
    if limit is not None:
        limit = whole_number("limit", limit)
    rows: dict[str, int] = {}
    for row, word in enumerate(vectors.vocabulary[:limit]):
        rows.setdefault(word.lower() if lower else word, row)
    kept = np.array(list(rows.values()), np.int64)
    table = np.ascontiguousarray(vectors.table[kept])
    place = {word: i for i, word in enumerate(rows)}
    directions = Directions(table)
    units = table * directions.scales[:, None]
    asked: dict[str, list[list[int]]] = {}
    unknown: dict[str, int] = {}
    for section, words in _questions(path):
        found = [place.get(word.lower() if lower else word, -1) for word in words]
        asked.setdefault(section, [])
        unknown.setdefault(section, 0)
        if min(found) < 0:
            unknown[section] += 1
        else:
            asked[section].append(found)
    scores = [
        AnalogyScore(
            section=section,
            n_right=_n_right(directions, units, np.array(questions)),
            n_asked=len(questions),
            n_unknown=unknown[section],
        )
        for section, questions in asked.items()
    ]
    total = AnalogyScore(
        section="all",
        n_right=sum(s.n_right for s in scores),
        n_asked=sum(s.n_asked for s in scores),
        n_unknown=sum(s.n_unknown for s in scores),
    )
    return [*scores, total]


def _n_right(directions: Directions, units: Row, questions: npt.NDArray[np.int64]) -> int:
    n_right = 0
    for begin in range(0, len(questions), _CHUNK):
        a, b, c, d = questions[begin : begin + _CHUNK].T
        rows, _ = directions.nearest_each(units[b] - units[a] + units[c], 4)
        given = (rows == a[:, None]) | (rows == b[:, None]) | (rows == c[:, None])
        first = np.argmin(given, axis=1)  # at least one of the four is not given
        answers = rows[np.arange(len(rows)), first]
        n_right += int((answers == d).sum())
    return n_right


def _questions(path: str | os.PathLike[str]) -> Iterator[_Question]:
    section = None
    for number, line in enumerate(_lines(path), 1):
        fields = line.split()
        if not fields or line.startswith("//"):
            continue
        if fields[0] == ":" or line.startswith(":"):
            section = line.lstrip(":").strip()
            continue
        if len(fields) != 4:
            raise DataError(
                f"{path}, line {number}: expected ': section', or four words; received "
                f"{line.strip()!r}."
            )
        a, b, c, d = fields
        yield _Question(section or "unnamed", (a, b, c, d))
    if section is None:
        raise DataError(
            f"{path}: expected analogies in Google's format, which begins with ': section'; found "
            "no section."
        )


def evaluate_similarities(
    vectors: Vectors, path: str | os.PathLike[str], *, lower: bool = True
) -> SimilarityScore:
    """Return Spearman's rank correlation of cosines and human similarity judgements.

    path: one pair per line, two words and a number, separated by tabs, commas or spaces.
    Lines that begin with "#", a header, and further columns are ignored. lower: if a
    word has no row, look up its lower-case form. A word without a row gets one from its
    sub-words, if there are any.

    Raises DataError, naming the line, for a file of another format.
    """
    cosines: list[float] = []
    judged: list[float] = []
    n_unknown = 0
    for a, b, value in _pairs(path):
        try:
            rows = [_row(vectors, word, lower) for word in (a, b)]
        except KeyError:
            n_unknown += 1
            continue
        cosines.append(vectors.similarity(*rows))
        judged.append(value)
    return SimilarityScore(
        spearman=_spearman(cosines, judged), n_pairs=len(judged), n_unknown=n_unknown
    )


def _row(vectors: Vectors, word: str, lower: bool) -> Row:
    if lower and word not in vectors and word.lower() in vectors:
        word = word.lower()
    return vectors[word]


def _pairs(path: str | os.PathLike[str]) -> Iterator[tuple[str, str, float]]:
    n, is_first = 0, True
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        may_be_header, is_first = is_first, False
        separator = next((c for c in "\t,;" if c in line), None)
        fields = [field.strip() for field in line.split(separator)]
        try:
            value = float(fields[2])
            if not np.isfinite(value):
                raise ValueError(value)
        except (IndexError, ValueError):
            if may_be_header and len(fields) > 2:
                continue
            raise DataError(
                f"{path}, line {number}: expected two words and a number; received "
                f"{line.strip()!r}."
            ) from None
        n += 1
        yield fields[0], fields[1], value
    if not n:
        raise DataError(f"{path}: expected pairs of words with a number each; found none.")


def _lines(path: str | os.PathLike[str]) -> list[str]:
    try:
        return read_lines(path)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: expected UTF-8; byte {error.start} is invalid. Convert the file first."
        ) from None


def _spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the correlation of ranks; equal values share their mean rank."""
    if len(a) < 2:
        return float("nan")
    ranks = [_ranks(np.asarray(x)) for x in (a, b)]
    centred = [rank - rank.mean() for rank in ranks]
    lengths = float(np.linalg.norm(centred[0]) * np.linalg.norm(centred[1]))
    return float(centred[0] @ centred[1]) / lengths if lengths else float("nan")


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return mean


def neighbour_overlap(
    vectors: Vectors, other: Vectors, *, n: int = 10, words: Iterable[str] | None = None
) -> float:
    """Return the average share of a word's n nearest neighbours that two tables have in common.

    Only shared words with nonzero rows count, as words and as neighbours. words: the
    words to compare; by default all. The result is 1 for tables that differ by a
    rotation.

    Raises ValueError if fewer than two words are shared.
    """
    n = whole_number("n", n)
    shared = [word for word in vectors.vocabulary if word in other]
    pair = [v.table[v.vocabulary.rows(shared)] for v in (vectors, other)]
    point = np.flatnonzero(pair[0].any(axis=1) & pair[1].any(axis=1))
    shared = [shared[i] for i in point.tolist()]
    if len(shared) < 2:
        raise ValueError(f"the tables share {len(shared)} words; expected at least two.")
    ours, theirs = (Directions(np.ascontiguousarray(table[point])) for table in pair)
    place = {word: i for i, word in enumerate(shared)}
    asked = shared if words is None else [word for word in dict.fromkeys(words) if word in place]
    n = min(n, len(shared) - 1)
    total = 0.0
    for begin in range(0, len(asked), _CHUNK):
        rows = np.array([place[word] for word in asked[begin : begin + _CHUNK]], np.int64)
        near = [_others(d.nearest_each(d.table[rows], n + 1)[0], rows, n) for d in (ours, theirs)]
        total += sum(len({*a.tolist()} & {*b.tolist()} - {-1}) for a, b in zip(*near, strict=True))
    return total / (n * len(asked)) if asked else float("nan")


def _others(found: RowIndices, rows: RowIndices, n: int) -> list[RowIndices]:
    """Return the first n found rows of each query, without the query's own row."""
    return [own[own != row][:n] for own, row in zip(found, rows, strict=True)]
