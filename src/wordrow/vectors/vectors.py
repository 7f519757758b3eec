"""`Vectors`: words and their rows, as a thing of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from wordrow.arguments import whole_number
from wordrow.errors import UnknownWordError, show
from wordrow.vectors.nearest import Directions, unit
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vocabulary import Vocabulary, spelled_alike

if TYPE_CHECKING:
    from wordrow.vectors.index import Index

__all__ = ["Moved", "Vectors"]

Row = npt.NDArray[np.float32]
Neighbours = list[tuple[str, float]]
Words = str | Row | Sequence[str | Row]  # what points somewhere: words, rows, or some of them

_CHECKED_AT_ONCE = 1 << 14


class Moved(NamedTuple):
    """A word, how far its row moved, and the cosine of the row before and after."""

    word: str
    distance: float
    cosine: float


class Vectors:
    """A vocabulary and a table: every word has a row. Immutable.

    words: distinct strings. table: [V, D], float32 (other numbers are
    converted), one row a word. subwords: rows for words that are not among them.

    Raises ValueError where words and rows do not fit, or a number is not finite.

    >>> vectors = Vectors(["king", "queen", "plum"], [[2, 1], [2, 2], [-1, 3]])
    >>> vectors["queen"].tolist()
    [2.0, 2.0]
    >>> [word for word, cosine in vectors.most_similar("king")]
    ['queen', 'plum']
    """

    def __init__(
        self, words: Iterable[str], table: Any, *, subwords: Subwords | None = None
    ) -> None:
        vocabulary = words if isinstance(words, Vocabulary) else Vocabulary(words)
        array = np.asarray(table)
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise ValueError(
                f"`table` must be numbers of shape (V, D); received {array.dtype} of shape "
                f"{array.shape}."
            )
        if len(array) != len(vocabulary):
            raise ValueError(
                f"`table` must have one row a word: {len(vocabulary)} words, {len(array)} rows."
            )
        rows = np.array(array, np.float32, order="C")
        for begin in range(0, len(rows), _CHECKED_AT_ONCE):
            fine = np.isfinite(rows[begin : begin + _CHECKED_AT_ONCE]).all(axis=1)
            if not fine.all():
                row = begin + int(fine.argmin())
                raise ValueError(
                    f"`table` must hold finite numbers; row {row} ({vocabulary[row]!r}) does not. "
                    "Leave that word out."
                )
        self._set(vocabulary, rows, subwords)

    def _set(self, vocabulary: Vocabulary, table: Row, subwords: Subwords | None) -> None:
        table.flags.writeable = False
        self._vocabulary, self._table, self._subwords = vocabulary, table, subwords

    @classmethod
    def of(cls, vocabulary: Vocabulary, table: Row, *, subwords: Subwords | None = None) -> Vectors:
        """Return the vectors of a checked float32 table, which is not looked at again."""
        self = cls.__new__(cls)
        self._set(vocabulary, table, subwords)
        return self

    # ---- files ----------------------------------------------------------

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], words: Any = None, limit: int | None = None, *,
        case: Literal["exact", "fallback"] = "exact",
        encoding_errors: Literal["strict", "replace"] = "strict",
        bad_rows: Literal["error", "skip"] = "error", verbose: bool | str = "auto",
    ) -> Vectors:  # fmt: skip
        """Return the vectors of a file; the format is found out.

        GloVe's text, word2vec's text and binary, fastText's .vec, .bin and .ftz,
        wordrow's safetensors, NumPy's .npz, TensorBoard's projector (.tsv); plain,
        or packed as .gz, .zst or .zip.

        words: read these rows alone: strings, or a Tokenizer, whose words are meant.
        case="fallback" also reads rows whose lower-cased word is one of them.
        limit: stop behind so many rows, which in most files are those of the most
        frequent words. encoding_errors="replace" puts U+FFFD for bytes that are not
        UTF-8. bad_rows="skip" leaves out, with a warning, rows that have too few
        numbers, or such that are not finite. In text numbers are counted from the end of
        a line, since words may hold spaces; words that then end in a number, as those of
        rows with too many do, are warned of. Of a word that comes twice the first row
        is kept, with a warning. A table in wordrow's own format stays in its
        file, which is mapped and not looked through. verbose: whether to show progress; "auto"
        shows it on a terminal.

        Raises FileFormatError, with the line or byte, what was expected and which
        formats were tried.
        """
        from wordrow.vectors.formats import load_vectors

        return load_vectors(
            path, words=words, limit=limit, case=case, encoding_errors=encoding_errors,
            bad_rows=bad_rows, verbose=verbose,
        )  # fmt: skip

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:  # noqa: A002
        """Write a file, whole or not at all; packed where the name ends in .gz, .zst or .zip.

        format: "safetensors" (wordrow's own, with sub-words), "glove",
        "word2vec" (text), "word2vec-binary", "npz" or "projector". Where it is not
        given, the name says it: .txt is glove, .vec is word2vec, .bin is
        word2vec-binary, .npz and .tsv are what they are.

        Raises ValueError for a word that the format cannot hold, or a name that says nothing.
        """
        from wordrow.vectors.formats import save_vectors

        save_vectors(self, path, format)

    # ---- words and rows -------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, in the order of the rows."""
        return self._vocabulary

    @property
    def table(self) -> Row:
        """The rows: float32 [V, D], read-only."""
        return self._table

    @property
    def subwords(self) -> Subwords | None:
        """The rows of character n-grams, where there are any."""
        return self._subwords

    @property
    def dim(self) -> int:
        """The length D of a row."""
        return int(self._table.shape[1])

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._vocabulary)

    def __contains__(self, word: object) -> bool:
        return word in self._vocabulary

    def __getitem__(self, word: str | Sequence[str]) -> Row:
        """Return the row of a word [D], or those of a list of words [n, D].

        A word without a row has that of its sub-words, where there are any.
        Raises UnknownWordError, a KeyError, for other words.
        """
        if isinstance(word, str):
            row = self._vocabulary.row(word)
            own: Row = self._table[row] if row >= 0 else self._composed([word])[0]
            return own
        words = _several(word)
        rows = self._vocabulary.rows(words)
        found: Row = self._table[rows]
        if (missing := np.flatnonzero(rows < 0)).size:
            found[missing] = self._composed([words[i] for i in missing])
        return found

    def get(self, word: str, default: Any = None) -> Any:
        """Return the row of a word, or `default` where it has none."""
        try:
            return self[word]
        except UnknownWordError:
            return default

    def _composed(self, words: list[str]) -> Row:
        if self._subwords is None:
            raise self._unknown(words[0])
        return self._subwords.rows(words)

    def _unknown(self, word: Any) -> Exception:
        if not isinstance(word, str):
            return TypeError(f"expected a word; received {show(word)}.")
        near = [*self._folded(word), *spelled_alike(word, self._vocabulary)]
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return UnknownWordError(f"{word!r} is not among the {len(self):,} words.{hint}")

    def _folded(self, word: str) -> list[str]:
        forms = dict.fromkeys([word.lower(), word.capitalize(), word.upper()])
        return [form for form in forms if form in self._vocabulary]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        table = np.asarray(self._table, dtype)
        return table.copy() if copy else table

    def __reduce__(self) -> Any:
        from wordrow.vectors.formats.own import from_bytes, to_bytes

        return from_bytes, (to_bytes(self),)

    def __repr__(self) -> str:
        more = ", sub-words" if self._subwords else ""
        return f"Vectors({len(self):,} words, {self.dim} dimensions{more})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vectors):
            return NotImplemented
        return self._vocabulary == other._vocabulary and np.array_equal(self._table, other._table)

    __hash__ = None  # type: ignore[assignment]

    def subset(self, words: Any) -> Vectors:
        """Return the rows of some words alone, in the order of the words.

        words: strings, or a Tokenizer, whose words are meant. Those without a row
        are left out.
        """
        rows = self._vocabulary.rows(list(dict.fromkeys(words_of(words))))
        rows = rows[rows >= 0]
        vocabulary = Vocabulary(self._vocabulary.take(rows.tolist()))
        return Vectors.of(vocabulary, self._table[rows], subwords=self._subwords)

    @cached_property
    def normalized(self) -> Vectors:
        """The same words with rows of length 1, without sub-words; rows of zeros stay."""
        scales = self._directions.scales
        return Vectors.of(self._vocabulary, self._table * scales[:, None])

    # ---- neighbours -----------------------------------------------------

    @cached_property
    def _directions(self) -> Directions:
        return Directions(self._table)

    def most_similar(self, positive: Words = (), negative: Words = (), n: int = 10) -> Neighbours:
        """Return the n words nearest to a word, a row, or the mean of some, with their cosines.

        positive, negative: words or rows; of several, the mean of their directions is
        taken, negative ones turned round. Words that are given are not named.
        The search is exact. Raises UnknownWordError.

        >>> vectors = Vectors(["a", "b", "c"], [[1, 0], [1, 1], [0, 1]])
        >>> vectors.most_similar("a", n=1)
        [('b', 0.7071067690849304)]
        """
        plus, minus = _listed(positive), _listed(negative)
        if not plus and not minus:
            raise ValueError("most_similar needs a word or a row; received none.")
        n = whole_number("n", n, least=0)
        mean: Any
        if len(plus) == 1 and not minus:
            mean = self.row_of(plus[0])
        else:
            towards, away = ([unit(self.row_of(x)) for x in some] for some in (plus, minus))
            mean = sum(towards) - sum(away)
        given = {x for x in (*plus, *minus) if isinstance(x, str)}
        rows, cosines = self._directions.nearest(mean, n + len(given))
        return self._named(rows, cosines, given, n)

    def batch_most_similar(self, words: Sequence[str | Row] | Row, n: int = 10) -> list[Neighbours]:
        """Return what `most_similar` says of each of many words or rows [B, D], much faster."""
        listed = _listed(words)
        n = whole_number("n", n, least=0)
        if not listed:
            return []
        queries = np.stack([self.row_of(x) for x in listed])
        rows, cosines = self._directions.nearest_each(queries, n + 1)
        return [
            self._named(own[own >= 0], near, {x} if isinstance(x, str) else set(), n)
            for x, own, near in zip(listed, rows, cosines, strict=True)
        ]

    def _named(self, rows: Any, cosines: Any, given: set[str], n: int) -> Neighbours:
        words = self._vocabulary.take(rows.tolist())
        pairs = zip(words, cosines[: len(words)].tolist(), strict=True)
        return [(word, cosine) for word, cosine in pairs if word not in given][:n]

    def row_of(self, word: str | Row) -> Row:
        """Return the row of a word, or a row [D] as it is."""
        if isinstance(word, str):
            return self[word]
        row = np.asarray(word, np.float32)
        if row.shape != (self.dim,):
            raise ValueError(f"a row must have the shape ({self.dim},); received {row.shape}.")
        return row

    def similarity(self, word: str | Row, other: str | Row) -> float:
        """Return the cosine of two words or rows: 1 for the same direction, 0 where one is zeros.

        >>> Vectors(["a", "b"], [[1, 0], [1, 1]]).similarity("a", "b")
        0.7071067811865475
        """
        a, b = (np.asarray(self.row_of(x), np.float64) for x in (word, other))
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        return float(a @ b / lengths) if lengths else 0.0

    def distance(self, word: str | Row, other: str | Row) -> float:
        """Return 1 - the cosine of two words or rows."""
        return 1.0 - self.similarity(word, other)

    def doesnt_match(self, words: Sequence[str]) -> str:
        """Return the word whose direction is furthest from the mean of all.

        >>> vectors = Vectors(["plum", "pear", "king"], [[1, 0], [1, 0.1], [0, 1]])
        >>> vectors.doesnt_match(["plum", "king", "pear"])
        'king'
        """
        listed = [words] if isinstance(words, str) else list(words)
        if not listed:
            raise ValueError("doesnt_match needs words; received none.")
        directions = np.stack([unit(self[word]) for word in listed])
        return listed[int((directions @ unit(directions.mean(axis=0))).argmin())]

    def analogy(self, a: str, b: str, c: str, n: int = 10) -> Neighbours:
        """Return what is to c as b is to a: the words nearest to b - a + c, with their cosines.

        The directions are added (3CosAdd: Mikolov et al. 2013, "Linguistic
        Regularities in Continuous Space Word Representations").
        """
        return self.most_similar([b, c], [a], n)

    def rank(self, word: str, other: str) -> int:
        """Return how near `other` is to `word`, among all words: 1 for the nearest.

        Raises UnknownWordError for a word without a row of its own.
        """
        for one in (word, other):
            if one not in self._vocabulary:
                raise self._unknown(one)
        cosines = self._directions.cosines(self[word])
        rows = [self._vocabulary.row(one) for one in (word, other)]
        if rows[0] == rows[1]:
            return 0
        nearer = (cosines > cosines[rows[1]]) & (self._directions.scales > 0)
        nearer[rows] = False
        return int(nearer.sum()) + 1

    def drift(self, after: Vectors, n: int | None = 10) -> list[Moved]:
        """Return the words whose rows moved most from here to `after`, the furthest first.

        n: how many; None for all words that both have. Raises ValueError where rows
        are not of one length.

        >>> before = Vectors(["a", "b"], [[1, 0], [0, 1]])
        >>> before.drift(Vectors(["a", "b"], [[1, 0], [1, 1]]), n=1)
        [Moved(word='b', distance=1.0, cosine=0.7071067690849304)]
        """
        n = None if n is None else whole_number("n", n, least=0)
        if after.dim != self.dim:
            raise ValueError(
                f"rows must be of one length to be compared; received {self.dim} and {after.dim}."
            )
        shared = [word for word in self._vocabulary if word in after]
        a, b = (
            self._table[self._vocabulary.rows(shared)],
            after.table[after.vocabulary.rows(shared)],
        )
        distances = np.linalg.norm(b - a, axis=1)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines = np.einsum("vd,vd->v", a, b) / np.where(lengths > 0, lengths, 1)
        order = np.argsort(-distances, kind="stable")[:n]
        return [Moved(shared[i], float(distances[i]), float(cosines[i])) for i in order]

    def index(self, **options: Any) -> Index:
        """Return an approximate index of the rows, for millions of them: see `Index`.

        Raises MissingExtraError where usearch is not installed.
        """
        from wordrow.vectors.index import Index

        return Index(self, **options)


def entries_of(tokenizer: Any) -> tuple[list[str], Any, Any]:
    """Return (words, how often each occurs, ids) of a tokenizer, by id.

    Raises TypeError for what is none, ValueError for one without words.
    """
    if not hasattr(tokenizer, "ranked_entries"):
        raise TypeError(f"expected a Tokenizer; received {show(tokenizer)}.")
    words, counts, _, ids = tokenizer.ranked_entries()
    if not words:
        raise ValueError("the tokenizer has no words. Call tokenizer.fit_on_texts first.")
    return words, counts, ids


def words_of(source: Any) -> list[str]:
    """Return words as a list: those of a Tokenizer by falling count, or the strings given."""
    if hasattr(source, "ranked_entries"):
        return entries_of(source)[0]
    if isinstance(source, Mapping):
        return list(source)
    if isinstance(source, str):
        raise TypeError(f"`words` must be a list of words or a Tokenizer; received {show(source)}.")
    return list(source)


def _listed(words: Words) -> list[str | Row]:
    if isinstance(words, str) or (isinstance(words, np.ndarray) and words.ndim == 1):
        return [words]
    return _several(words)


def _several(words: Any) -> list[Any]:
    if not isinstance(words, Iterable):
        raise TypeError(f"expected a word or several; received {show(words)}.")
    return list(words)
