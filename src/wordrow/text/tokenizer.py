"""Texts to ids and back, with Keras's semantics, compiled and threaded."""

from __future__ import annotations

import base64
import json
import math
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.arguments import whole_number
from wordrow.errors import show
from wordrow.hints import Hinted
from wordrow.store import to_json
from wordrow.text.matrix import sequences_to_matrix
from wordrow.text.source import bad_row_error, portions
from wordrow.text.tables import OWN, TABLES, VocabularyTables
from wordrow.text.words import DEFAULT_FILTERS, Analyzer, normalizer
from wordrow.types import Ragged

__all__ = ["Tokenizer", "tokenizer_from_json"]

_NO_LIMIT = 2**31 - 1

Watch = Callable[[], object]


class Tokenizer(VocabularyTables, Hinted):
    """Gives every word an id, the most frequent word 1, and turns texts into ids.

    num_words: only keep ids below this (`num_words - 1` words); None or 0 keeps all.
    filters: characters that are replaced by `split`. lower: lower-case first, as
    `str.lower`. split: the separator of words; None splits on white space and deletes
    the filtered characters. char_level: every character is a word. oov_token: the word,
    with id 1, that replaces words without an id; by default they are dropped. analyzer:
    a function from a text to its words, instead of lower, filters and split. ngrams:
    also give ids to n-grams of up to this many words ("not good"); they follow the words
    of their text, and count towards `num_words`. min_count: only give ids to words and
    n-grams that occur at least this often. buckets: hash n-grams into this many buckets,
    each with one id, instead of storing them: much faster for large texts, with a fixed
    size; their ids follow those of all words.

    Id 0 is reserved for padding. A text may also be a list of tokens, which are
    lower-cased but neither filtered nor split. Texts may be a list, an iterator, or a
    string column of Polars, pyarrow, pandas or DuckDB (any Arrow source), which is read
    without copying.

    >>> tokenizer = Tokenizer(10)
    >>> tokenizer.fit_on_texts(["This is a text", "This is not a text"])
    >>> tokenizer.word_index
    {'this': 1, 'is': 2, 'a': 3, 'text': 4, 'not': 5}
    >>> tokenizer.texts_to_sequences(["This is not a text"])
    [[1, 2, 5, 3, 4]]
    """

    _hints = {  # noqa: RUF012 never changed
        "decode": "sequences_to_texts(sequences)",
        "fit": "fit_on_texts(texts)",
        "fit_transform": "fit_on_texts(texts), then encode(texts)",
        "get_vocab": "word_index",
        "save": "to_json(), and tokenizer_from_json",
        "tokenize": "text_to_word_sequence(text)",
        "transform": "encode(texts), or texts_to_matrix(texts)",
        "vocabulary_": "word_index",
    }

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = DEFAULT_FILTERS,
        lower: bool = True,
        split: str | None = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Analyzer | None = None,
        *,
        ngrams: int = 1,
        buckets: int | None = None,
        min_count: int = 1,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            warnings.warn("`nb_words` is now called `num_words`.", UserWarning, stacklevel=2)
            num_words = kwargs.pop("nb_words")
        self.document_count: int = kwargs.pop("document_count", 0)
        if kwargs:
            hint = ""
            if not {"vocab_size", "max_features", "max_tokens"}.isdisjoint(kwargs):
                hint = ". The number of words that get an id, plus 1, is `num_words`."
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}{hint}")
        if num_words is not None:
            num_words = whole_number("num_words", num_words, least=0)
        if oov_token is not None and not isinstance(oov_token, str):
            raise TypeError(f"`oov_token` must be a string; received {show(oov_token)}.")
        if not 1 <= ngrams <= 8:
            raise ValueError(
                f"`ngrams` must be from 1 (words alone) to 8; received {show(ngrams)}."
            )
        if ngrams > 1 and char_level:
            raise ValueError(f"`ngrams` are of words: with char_level use ngrams=1, not {ngrams}.")
        if min_count < 1:
            raise ValueError(f"`min_count` must be at least 1; received {show(min_count)}.")
        if buckets is not None:
            if not isinstance(buckets, int | np.integer) or not 0 < buckets < 2**31:
                raise ValueError(
                    "`buckets` must be a whole number above 0 and below 2**31, or None; received "
                    f"{show(buckets)}."
                )
            if ngrams == 1 or min_count > 255:
                raise ValueError(
                    "`buckets` are for ngrams=2 or more and a min_count of at most 255; received "
                    f"ngrams={ngrams}, min_count={min_count}."
                )
        self.num_words = num_words
        self.filters = "" if filters is None else filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.ngrams = ngrams
        self.buckets = None if buckets is None else int(buckets)
        self.min_count = min_count
        super().__init__()

    # ---- fitting --------------------------------------------------------

    def fit_on_texts(self, texts: Any, *, watch: Watch | None = None) -> None:
        """Count the words of texts and assign ids by falling count, ties by first appearance.

        Fitting again adds to the counts and assigns new ids. `watch` is called from time
        to time; an exception in it stops the work.

        Raises TextTypeError, naming the row, for a text that is neither a string nor a
        list of tokens.
        """
        with self._changing():
            self._take_edits()
            for first_row, portion in portions(texts):
                ready, rules = self._ready(portion, first_row)
                try:
                    self.document_count += self._vocabulary.count(ready, rules, watch)
                except _core.BadRowError as bad:
                    raise bad_row_error(portion, first_row, *bad.args) from None
            self._rank()

    def grow(self, texts: Any) -> int:
        """Count more texts, give new words the next free ids, and return their number.

        Words with an id keep it, and with it their row of a table: see
        `Model.grow_vocabulary`. New words are ordered by falling count. `num_words` grows by
        their number; words that it had excluded count as new.

        Raises ValueError for a tokenizer of n-grams, or with an edited `word_index`.

        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["a text"])
        >>> tokenizer.grow(["not a text"]), tokenizer.word_index
        (1, {'a': 1, 'text': 2, 'not': 3})
        """
        if self.ngrams > 1:
            raise ValueError(
                f"only a tokenizer of words grows; this has ngrams={self.ngrams}. Fit a new one."
            )
        if any(view.edited for view in self._views.values()):
            raise ValueError("a tokenizer whose tables were edited does not grow. Fit a new one.")
        fresh = Tokenizer(
            filters=self.filters,
            lower=self.lower,
            split=self.split,
            char_level=self.char_level,
            analyzer=self.analyzer,
        )
        fresh.fit_on_texts(texts)
        with self._changing():
            self.document_count += fresh.document_count
            return self._grow(*fresh.ranked_entries()[:3])

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count in how many sequences each id occurs, for `sequences_to_matrix(mode="tfidf")`."""
        self.document_count += len(sequences)
        docs = self.index_docs
        for sequence in sequences:
            for i in set(sequence):
                docs[i] += 1

    # ---- texts to ids ---------------------------------------------------

    @property
    def nb_words(self) -> int | None:
        """`num_words`, under Keras 1's name."""
        return self.num_words

    def encode(self, texts: Any, *, watch: Watch | None = None) -> Ragged:
        """Return the ids of texts as arrays, without Python lists.

        The words of a text come first, in order, then its 2-grams, and so on.

        >>> tokenizer = Tokenizer(ngrams=2)
        >>> tokenizer.fit_on_texts(["a text", "not a text"])
        >>> tokenizer.encode(["a text"]).to_lists()
        [[1, 2, 3]]
        """
        parts = [self._encode(portion, row, watch) for row, portion in portions(texts)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def named_ids(self, text: str) -> list[tuple[int, str]]:
        """Return the ids of a text as `encode` does, each with its word or n-gram.

        >>> tokenizer = Tokenizer(ngrams=2)
        >>> tokenizer.fit_on_texts(["a text", "not a text"])
        >>> tokenizer.named_ids("a text")
        [(1, 'a'), (2, 'text'), (3, 'a text')]
        """
        lookup, unknown_id, shift, limit = self._for_lookup()
        ready, rules = self._ready([text], 0)
        found = lookup.named_ids(ready, rules, limit=limit, unknown_id=unknown_id)
        words = ready[0] if isinstance(ready[0], list) else rules.words(ready[0])
        return [(i - shift, self._joiner.join(words[w : w + n])) for i, w, n in found]

    def _for_lookup(self) -> tuple[_core.Vocabulary, int, int, int]:
        """Return the vocabulary, the id of unknown words or 0, the shift of ids, their limit."""
        lookup, unknown_id, shift = self._current_lookup()
        limit = _NO_LIMIT
        if self.num_words and self.num_words < _NO_LIMIT - shift:
            limit = math.ceil(self.num_words) + shift
        return lookup, unknown_id, shift, limit

    def _encode(self, texts: Any, first_row: int, watch: Watch | None = None) -> Ragged:
        lookup, unknown_id, shift, limit = self._for_lookup()
        ready, rules = self._ready(texts, first_row)
        try:
            ids, offsets = lookup.encode(
                ready, rules, limit=limit, unknown_id=unknown_id, watch=watch
            )
        except _core.BadRowError as bad:
            raise bad_row_error(texts, first_row, *bad.args) from None
        return Ragged(ids=ids - np.int32(shift) if shift else ids, offsets=offsets)

    def texts_to_sequences(self, texts: Any) -> list[list[int]]:
        """Return the ids of each text as a list; words without an id are dropped or the OOV id."""
        return self.encode(texts).to_lists()

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Yield the ids of each text, reading one text at a time."""
        for row, text in enumerate(texts):
            yield from self._encode([text], row).to_lists()

    def texts_to_matrix(self, texts: Any, mode: str = "binary") -> npt.NDArray[np.float64]:
        """Return texts as rows of [B, num_words]; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(
        self, sequences: Sequence[Sequence[int]], mode: str = "binary"
    ) -> npt.NDArray[np.float64]:
        """Return sequences of ids as rows [B, num_words], float64, one column per id.

        mode: "binary", "count", "freq" (count / length of the sequence), or
        "tfidf" ((1 + ln count) · ln(1 + documents / (1 + document frequency))).
        """
        width = self.num_words or (len(self.word_index) + 1 if self.word_index else 0)
        if not width:
            raise ValueError(
                "Specify a dimension (`num_words` argument), or fit on some text data first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        return sequences_to_matrix(
            sequences, width, mode, document_count=self.document_count, index_docs=self.index_docs
        )

    def unknown_words(self, text: str) -> list[str]:
        """Return the distinct words of a text that `encode` drops."""
        words = dict.fromkeys(self._ready([text], 0)[1].words(text))
        known = self.encode([[word] for word in words]).lengths
        return [word for word, n in zip(words, known, strict=True) if n == 0]

    # ---- ids to texts ---------------------------------------------------

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the words of each sequence joined by one space."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yield the words of each sequence joined by one space."""
        limit = self.num_words or _NO_LIMIT
        index_word = self.index_word
        unknown = index_word.get(self.word_index.get(self.oov_token))
        for sequence in sequences:
            # The comparison also accepts NumPy integers.
            words = (index_word.get(i, unknown) if i < limit else unknown for i in sequence)
            yield " ".join([word for word in words if word is not None])

    # ---- saving ---------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return Keras's configuration; the five tables are JSON strings in it.

        `ngrams` and `min_count` are only included if they are not 1, so that Keras can
        read every tokenizer without these features.
        """
        config = {name: getattr(self, name) for name in _SETTINGS}
        config.update({name: to_json(getattr(self, name)) for name in TABLES})
        config.update({name: getattr(self, name) for name in _OURS if getattr(self, name) != 1})
        if self.buckets:
            packed = zlib.compress(self._vocabulary.bucket_counts().tobytes(), 1)
            config |= {"buckets": self.buckets, "bucket_counts": base64.b64encode(packed).decode()}
        return config

    def to_json(self, **kwargs: Any) -> str:
        """Return the tokenizer as the JSON that Keras writes; kwargs go to `json.dumps`."""
        return to_json({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        settings = {k: v for k, v in vars(self).items() if k not in OWN}
        return {
            "settings": settings,
            "views": {name: dict(getattr(self, name)) for name in TABLES},
            "bucket_counts": self._vocabulary.bucket_counts(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state["settings"])
        VocabularyTables.__init__(self)
        self._take_tables(state["views"], state["bucket_counts"])

    # ---- texts for the core ---------------------------------------------

    def _ready(self, texts: Any, first_row: int) -> tuple[Any, _core.Normalizer]:
        """Return texts as strings and lists of strings, and the normalizer for them."""
        lower = bool(self.lower)
        if isinstance(texts, list | tuple):
            if self.analyzer is not None and not self.char_level:
                texts = [self._analyzed(text) for text in texts]
                lower = False
            if any(isinstance(text, list) for text in texts):
                texts = [
                    self._tokens(text, lower, first_row + row) if isinstance(text, list) else text
                    for row, text in enumerate(texts)
                ]
        elif self.analyzer is not None and not self.char_level:
            return self._ready(list(texts), first_row)
        rules = normalizer(
            filters="".join(self.filters),
            lower=lower,
            split=self.split,
            characters=bool(self.char_level),
        )
        return texts, rules

    def _analyzed(self, text: Any) -> list[Any]:
        if isinstance(text, list):  # tokens are not analyzed
            return [token.lower() for token in text] if self.lower else text
        assert self.analyzer is not None
        return list(self.analyzer(text))

    def _tokens(self, tokens: list[Any], lower: bool, row: int) -> list[Any]:
        if not lower and not all(isinstance(token, str) for token in tokens):
            tokens = [self._spelled(token) for token in tokens]
        if self.ngrams > 1:
            for token in tokens:
                if isinstance(token, str) and self._joiner in token:
                    raise ValueError(
                        f"text {row}: with ngrams={self.ngrams} a token must not hold "
                        f"{self._joiner!r}, which joins the words of an n-gram; received "
                        f"{show(token)}. Choose another `split`."
                    )
        return tokens


_SETTINGS = (
    "num_words",
    "filters",
    "lower",
    "split",
    "char_level",
    "oov_token",
    "document_count",
)
_OURS = ("ngrams", "min_count")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the tokenizer of a string that `to_json`, ours or Keras's, returned.

    Raises ValueError for any other string.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["a text"])
    >>> tokenizer_from_json(tokenizer.to_json()).word_index
    {'a': 1, 'text': 2}
    """
    try:
        config = dict(json.loads(json_string)["config"])
        views = {name: json.loads(config.pop(name)) for name in TABLES}
        for name in ("index_docs", "index_word"):
            views[name] = {int(key): value for key, value in views[name].items()}
        compressed = config.pop("bucket_counts", None)
        counts = None
        if compressed is not None:
            decompressor = zlib.decompressobj()
            data = decompressor.decompress(base64.b64decode(compressed), config["buckets"] + 1)
            if len(data) != config["buckets"] or not decompressor.eof:
                raise ValueError("bucket_counts does not have one count per bucket")
            counts = np.frombuffer(data, np.uint8)
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise ValueError(
            f"expected the JSON of Tokenizer.to_json(); received {show(json_string)}: {error!r}."
        ) from error
    tokenizer = Tokenizer(**config)
    tokenizer._take_tables(views, counts)
    return tokenizer


def _joined(parts: list[Ragged]) -> Ragged:
    starts = np.cumsum([0, *(len(part.ids) for part in parts)])
    moved = [part.offsets[1:] + start for part, start in zip(parts, starts, strict=False)]
    offsets = np.concatenate([np.zeros(1, np.int64), *moved])
    return Ragged(ids=np.concatenate([part.ids for part in parts]), offsets=offsets)
