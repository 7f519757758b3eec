"""`Vectors`: a vocabulary and its table of rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from wordrow.arguments import whole_number
from wordrow.errors import UnknownWordError, show
from wordrow.hints import Hinted
from wordrow.notebook import html_table
from wordrow.vectors.data import VectorData
from wordrow.vectors.nearest import Directions, Neighbours, Row, RowIndices, unit
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vocabulary import Vocabulary, WordSource, spelled_alike, words_of

if TYPE_CHECKING:
    from wordrow.vectors.index import Index

__all__ = ["Moved", "Vectors"]

Words = str | Row | Sequence[str | Row]

_CHUNK_ROWS = 1 << 14
_N_SHOWN = 8  # words and dimensions in a notebook

_HINTS = {  # name of gensim or fastText -> what to use
    "wv": "the vectors themselves: vectors['word']",
    "vectors": ".table",
    "syn0": ".table",
    "vector_size": ".dim",
    "get_dimension": ".dim",
    "vocab": ".key_to_index",
    "index2word": ".index_to_key",
    "get_words": ".index_to_key",
    "words": ".index_to_key",
    "word_vec": ".get_vector(word)",
    "get_word_vector": ".get_vector(word)",
    "get_index": ".vocabulary.index(word)",
    "has_index_for": "`word in vectors`",
    "similar_by_word": ".most_similar(word, n)",
    "similar_by_vector": ".most_similar(row, n)",
    "get_nearest_neighbors": ".most_similar(word, n)",
    "get_analogies": ".analogy(a, b, c)",
    "get_normed_vectors": ".normalized()",
    "init_sims": ".normalized()",
    "save_word2vec_format": ".save(path)",
    "save_model": ".save(path)",
    "n_similarity": ".similarity(word, other), with rows of your own: vectors[words].mean(axis=0)",
    "get_mean_vector": "vectors[words].mean(axis=0)",
    "most_similar_cosmul": ".most_similar(positive, negative)",
    "closer_than": ".most_similar(word, n)",
    "words_closer_than": ".rank(word, other)",
    "wmdistance": ".distance(word, other)",
    "evaluate_word_pairs": "wordrow.vectors.evaluation",
    "evaluate_word_analogies": "wordrow.vectors.evaluation",
    "shape": ".table.shape",
    "train": "train_vectors(texts), which makes new ones",
    "add_vector": "Vectors(words, table): they cannot be changed",
    "add_vectors": "Vectors(words, table): they cannot be changed",
}


class Moved(NamedTuple):
    """A word, the distance between its rows before and after, and their cosine."""

    word: str
    distance: float
    cosine: float


class Vectors(Hinted):
    """A vocabulary and a table: every word has a row. Immutable.

    words: distinct strings, or a dict of word -> row. table: [V, D], one row per word, converted
    to float32.
    subwords: rows of character n-grams, which give unknown words a row.

    Raises ValueError if there are not as many rows as words, or a number is not finite.

    >>> vectors = Vectors(["king", "queen", "plum"], [[2, 1], [2, 2], [-1, 3]])
    >>> vectors["queen"].tolist()
    [2.0, 2.0]
    >>> [word for word, cosine in vectors.most_similar("king")]
    ['queen', 'plum']
    """

    _hints = _HINTS

    def __init__(
        self,
        words: Iterable[str] | Mapping[str, npt.ArrayLike],
        table: npt.ArrayLike | None = None,
        *,
        subwords: Subwords | None = None,
    ) -> None:
        if table is None:
            words, table = _split(words)
        vocabulary = words if isinstance(words, Vocabulary) else Vocabulary(words)
        array = np.asarray(table)
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise ValueError(
                f"`table` must be numbers of shape (V, D); received {array.dtype} of shape "
                f"{array.shape}."
            )
        if len(array) != len(vocabulary):
            raise ValueError(
                f"`table` must have one row per word: {len(vocabulary)} words, {len(array)} rows."
            )
        rows = np.array(array, np.float32, order="C")
        for begin in range(0, len(rows), _CHUNK_ROWS):
            finite = np.isfinite(rows[begin : begin + _CHUNK_ROWS]).all(axis=1)
            if not finite.all():
                row = begin + int(finite.argmin())
                raise ValueError(
                    f"`table` must hold finite numbers; row {row} ({vocabulary[row]!r}) does not. "
                    "Leave that word out."
                )
        self._set(VectorData(vocabulary, rows, subwords))

    def _set(self, data: VectorData) -> None:
        data.table.flags.writeable = False
        self._vocabulary, self._table, self._subwords = data.vocabulary, data.table, data.subwords

    def _data(self) -> VectorData:
        return VectorData(self._vocabulary, self._table, self._subwords)

    @classmethod
    def from_data(cls, data: VectorData) -> Vectors:
        """Return the vectors of a table that is known to be valid; it is not checked again."""
        self = cls.__new__(cls)
        self._set(data)
        return self

    # ---- files ----------------------------------------------------------

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        words: WordSource | None = None,
        limit: int | None = None,
        *,
        case: Literal["exact", "fallback"] = "exact",
        encoding_errors: Literal["strict", "replace"] = "strict",
        bad_rows: Literal["error", "skip"] = "error",
        verbose: bool | str = "auto",
    ) -> Vectors:
        """Return the vectors of a file, whose format is detected.

        GloVe's text, word2vec's text and binary, fastText's .vec, .bin and .ftz,
        wordrow's safetensors, NumPy's .npz, TensorBoard's projector (.tsv); plain, or
        compressed as .gz, .zst or .zip.

        words: load only these rows: strings, or a Tokenizer, for its words.
        case="fallback" also loads rows whose lower-cased word is one of them. limit: load
        at most so many rows; most files begin with the most frequent words.
        encoding_errors="replace" replaces bytes that are not UTF-8 with U+FFFD.
        bad_rows="skip" leaves out, with a warning, rows with too few numbers or numbers
        that are not finite. verbose: whether to show progress; "auto" shows it on a
        terminal.

        In text formats, words may contain spaces, so numbers are counted from the end of a
        line: if a row has extra numbers, the leading ones become part of the word, with a
        warning. If a word is repeated, its first row is kept, with a warning. A table in
        wordrow's own format is mapped from its file, and not checked.

        Raises FileFormatError with the line or byte, and what was expected there. If no
        format matches, the error gives each format's reason.
        """
        from wordrow.vectors.formats import load_vectors

        data = load_vectors(
            path,
            words=words,
            limit=limit,
            case=case,
            encoding_errors=encoding_errors,
            bad_rows=bad_rows,
            verbose=verbose,
        )
        return cls.from_data(data)

    @classmethod
    def load_word2vec_format(
        cls, path: str | os.PathLike[str], *, binary: bool = False, limit: int | None = None
    ) -> Vectors:
        """Return the vectors of a file (gensim's name): see `load`, which finds out the format."""
        return cls.load(path, limit=limit)

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:  # noqa: A002
        """Write a file, completely or not at all; compressed if named .gz, .zst or .zip.

        format: "safetensors" (wordrow's own, with sub-words), "glove", "word2vec" (text),
        "word2vec-binary", "npz" or "projector". By default it follows from the suffix:
        .safetensors, .txt (glove), .vec (word2vec), .bin (word2vec-binary), .npz, or .tsv
        (projector).

        Raises ValueError for a word that the format cannot hold, or an unknown suffix.
        """
        from wordrow.vectors.formats import save_vectors

        save_vectors(self._data(), path, format)

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
        """The rows of character n-grams, if there are any."""
        return self._subwords

    @property
    def dim(self) -> int:
        """The length D of a row."""
        return int(self._table.shape[1])

    @property
    def index_to_key(self) -> list[str]:
        """The words, in the order of their rows (gensim's name)."""
        return list(self._vocabulary)

    @property
    def key_to_index(self) -> dict[str, int]:
        """Each word's row number (gensim's name)."""
        return {word: row for row, word in enumerate(self._vocabulary)}

    def get_vector(self, word: str) -> Row:
        """Return the row of a word (gensim's name). Raises UnknownWordError."""
        return self[word]

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._vocabulary)

    def __contains__(self, word: object) -> bool:
        return word in self._vocabulary

    def __getitem__(self, word: str | Sequence[str]) -> Row:
        """Return the row of a word [D], or those of a list of words [n, D].

        A word without a row gets one from its sub-words, if there are any.
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
        """Return the row of a word, or `default` if it has none."""
        try:
            return self[word]
        except UnknownWordError:
            return default

    def _composed(self, words: list[str]) -> Row:
        if self._subwords is None:
            raise self._unknown(words[0])
        return self._subwords.rows(words)

    def _unknown(self, word: object) -> Exception:
        if not isinstance(word, str):
            return TypeError(f"expected a word; received {show(word)}.")
        near = [*self._folded(word), *spelled_alike(word, self._vocabulary)]
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return UnknownWordError(f"{word!r} is not among the {len(self):,} words.{hint}")

    def _folded(self, word: str) -> list[str]:
        forms = dict.fromkeys([word.lower(), word.capitalize(), word.upper()])
        return [form for form in forms if form in self._vocabulary]

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        table = np.asarray(self._table, dtype)
        return table.copy() if copy else table

    def __reduce__(self) -> Any:
        from wordrow.vectors.formats.safetensors import to_bytes

        return Vectors._from_bytes, (to_bytes(self._data()),)

    @classmethod
    def _from_bytes(cls, data: bytes) -> Vectors:
        from wordrow.vectors.formats.safetensors import from_bytes

        return cls.from_data(from_bytes(data))

    def _repr_html_(self) -> str:
        n_shown = min(len(self), _N_SHOWN)
        rows = [
            (row, word, *map(float, self._table[row, :_N_SHOWN]))
            for row, word in enumerate(self._vocabulary.take(list(range(n_shown))))
        ]
        columns = [str(d) for d in range(min(self.dim, _N_SHOWN))]
        rest = ", the first of them" if len(self) > _N_SHOWN or self.dim > _N_SHOWN else ""
        return html_table(f"{self!r}{rest}", ("row", "word", *columns), rows)

    def __repr__(self) -> str:
        more = ", sub-words" if self._subwords else ""
        return f"Vectors({len(self):,} words, {self.dim} dimensions{more})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vectors):
            return NotImplemented
        return self._vocabulary == other.vocabulary and np.array_equal(self._table, other.table)

    __hash__ = None  # type: ignore[assignment]

    def subset(self, words: WordSource) -> Vectors:
        """Return the vectors of some words, in the order of these words.

        words: strings, or a Tokenizer, for its words. Words without a row are left out.
        """
        rows = self._vocabulary.rows(list(dict.fromkeys(words_of(words))))
        rows = rows[rows >= 0]
        vocabulary = Vocabulary(self._vocabulary.take(rows.tolist()))
        return Vectors.from_data(VectorData(vocabulary, self._table[rows], self._subwords))

    @cached_property
    def normalized(self) -> Vectors:
        """The same words with rows of length 1, without sub-words; zero rows stay zero."""
        scales = self._directions.scales
        return Vectors.from_data(VectorData(self._vocabulary, self._table * scales[:, None]))

    # ---- neighbours -----------------------------------------------------

    @cached_property
    def _directions(self) -> Directions:
        return Directions(self._table)

    def most_similar(
        self,
        positive: Words = (),
        negative: Words | int = (),
        n: int = 10,
        *,
        topn: int | None = None,
    ) -> Neighbours:
        """Return the n words most similar to a word, a row, or several, with their cosines.

        positive, negative: words or rows. Several are averaged after normalization, with
        negative ones subtracted. The result does not include the given words. The search is
        exact. The number may also come second, or as topn, its name in gensim.
        Raises UnknownWordError.

        >>> vectors = Vectors(["a", "b", "c"], [[1, 0], [1, 1], [0, 1]])
        >>> vectors.most_similar("a", n=1)
        [('b', 0.7071067690849304)]
        """
        if isinstance(negative, int | np.integer):
            n, negative = int(negative), ()
        n = n if topn is None else topn
        plus, minus = _listed(positive), _listed(negative)
        if not plus and not minus:
            raise ValueError("most_similar needs a word or a row; received none.")
        n = whole_number("n", n, least=0)
        if len(plus) == 1 and not minus:
            mean = self.row_of(plus[0])
        else:
            zero = np.zeros(self.dim, np.float32)
            mean = sum((unit(self.row_of(x)) for x in plus), zero)
            mean = mean - sum((unit(self.row_of(x)) for x in minus), zero)
        given = {x for x in (*plus, *minus) if isinstance(x, str)}
        rows, cosines = self._directions.nearest(mean, n + len(given))
        return self._named(rows, cosines, given, n)

    def batch_most_similar(self, words: Sequence[str | Row] | Row, n: int = 10) -> list[Neighbours]:
        """Return `most_similar` of each of many words or rows [B, D], much faster."""
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

    def _named(self, rows: RowIndices, cosines: Row, given: set[str], n: int) -> Neighbours:
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
        """Return the cosine of two words or rows; 0 if one is all zeros.

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
        """Return the word whose direction is furthest from the mean direction.

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
        """Return words d for "a is to b as c is to d": the nearest to b - a + c, with cosines.

        The directions are added (3CosAdd: Mikolov et al. 2013, "Linguistic
        Regularities in Continuous Space Word Representations").
        """
        return self.most_similar([b, c], [a], n)

    def rank(self, word: str, other: str) -> int:
        """Return the rank of `other` among the neighbours of `word`: 1 for the nearest.

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
        """Return the words whose rows differ most between these vectors and `after`, in order.

        n: how many; None for all shared words. Raises ValueError if the dimensions differ.

        >>> before = Vectors(["a", "b"], [[1, 0], [0, 1]])
        >>> before.drift(Vectors(["a", "b"], [[1, 0], [1, 1]]), n=1)
        [Moved(word='b', distance=1.0, cosine=0.7071067690849304)]
        """
        n = None if n is None else whole_number("n", n, least=0)
        if after.dim != self.dim:
            raise ValueError(
                f"`after` must have rows of the same length, {self.dim}; received rows of length "
                f"{after.dim}."
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
        """Return an approximate index, for millions of rows: see `Index`.

        Raises MissingExtraError if usearch is not installed.
        """
        from wordrow.vectors.index import Index

        return Index(self, **options)


def _split(rows: Any) -> tuple[list[str], npt.ArrayLike]:
    """Return the words and the table of a dict of rows."""
    if not isinstance(rows, Mapping):
        raise TypeError(
            "expected words and a table, Vectors(words, table), or a dict of word -> row; received "
            f"{show(rows)}."
        )
    table = [np.asarray(row) for row in rows.values()]
    shapes = {row.shape for row in table}
    if len(shapes) > 1:
        raise ValueError(f"all rows must be as long; received the shapes {sorted(shapes)}.")
    return list(rows), np.stack(table) if table else np.zeros((0, 0))


def _listed(words: Words) -> list[str | Row]:
    if isinstance(words, str) or (isinstance(words, np.ndarray) and words.ndim == 1):
        return [words]
    return _several(words)


def _several(words: Any) -> list[Any]:
    if not isinstance(words, Iterable):
        raise TypeError(f"expected a word or several; received {show(words)}.")
    return list(words)
