"""The vocabulary of a tokenizer, and the five tables that Keras shows of it.

The words and their counts live in the compiled core. The tables are dicts made
from it when first looked at; what a user changes in them is taken over.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.text.live import CountDict, LiveDict

__all__ = ["OWN", "TABLES", "VocabularyTables"]

# A token that is no string is counted under this noncharacter and a number.
_FOREIGN = "\U0010ffff"
# What the class keeps for itself; the rest of a tokenizer is its settings.
OWN = ("_vocabulary", "_lookup", "_shift", "_fitted", "_views", "_sequence_docs", "_foreign",
       "_lock")  # fmt: skip
TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")

Counts = npt.NDArray[np.int64]


class _View:
    """A table of the vocabulary as a dict, made when first looked at; assigning edits it."""

    def __init__(self, kind: type[LiveDict]) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tables: VocabularyTables, owner: type) -> Any:
        if self.name not in tables._views:
            tables._make_views()
        return tables._views[self.name]

    def __set__(self, tables: VocabularyTables, value: Any) -> None:
        view = self.kind(value)
        view.edited = True
        tables._views[self.name] = view


class VocabularyTables:
    """Words with their counts and ids, and as tables."""

    ngrams: int
    buckets: int | None
    min_count: int
    num_words: int | None
    split: str | None
    oov_token: str | None

    word_counts = _View(LiveDict)  # word -> occurrences, in order of first appearance
    word_docs = _View(CountDict)  # word -> texts it occurs in
    word_index = _View(LiveDict)  # word -> id, whatever num_words is
    index_word = _View(LiveDict)  # id -> word
    index_docs = _View(CountDict)  # id -> texts it occurs in

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vocabulary = self._new_vocabulary()
        self._lookup = self._vocabulary  # another one while word_index is edited
        self._shift = 0  # what its ids are above those of word_index
        self._fitted = False
        self._views: dict[str, LiveDict] = {}
        self._sequence_docs: dict[int, int] = {}  # what fit_on_sequences counted
        self._foreign: dict[Hashable, str] = {}

    @property
    def n_ids(self) -> int:
        """How many rows a table needs for the ids that `encode` can give, row 0 included."""
        n = self._vocabulary.max_id + 1
        return min(n, self.num_words) if self.num_words else n

    def ranked_entries(self) -> tuple[list[str], Counts, Counts, Counts]:
        """Return (texts, occurrences, documents, ids) of the ids 1 to n_ids - 1, in that order."""
        texts, occurrences, documents, ids = self._vocabulary.entries(self._joiner)
        order = np.argsort(ids, kind="stable")
        order = order[(ids[order] > 0) & (ids[order] < self.n_ids)]
        ranked = [texts[i] for i in order.tolist()]
        return ranked, occurrences[order], documents[order], ids[order].astype(np.int64)

    def kept_buckets(self) -> npt.NDArray[np.bool_]:
        """Return which buckets of n-grams have ids: [buckets]; they follow those of the words."""
        return self._vocabulary.bucket_counts() >= self.min_count

    def take_ranked_entries(
        self, texts: list[str], occurrences: Counts, documents: Counts,
        kept_buckets: npt.NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        """Become the tokenizer whose `ranked_entries` and `kept_buckets` these are."""
        self._vocabulary = self._lookup = self._new_vocabulary()
        self._views.clear()
        ids = np.arange(1, len(texts) + 1, dtype=np.int32)
        occurrences, documents = (np.ascontiguousarray(a) for a in (occurrences, documents))
        self._vocabulary.add(
            texts, self._joiner, occurrences=occurrences, documents=documents, ids=ids
        )
        if kept_buckets is not None:
            counts = kept_buckets.astype(np.uint8) * np.uint8(self.min_count)
            self._take_buckets(self._vocabulary, counts)

    def _grow(self, texts: list[str], occurrences: Counts, documents: Counts) -> int:
        """Give words that have no id one behind all others; return how many these are.

        texts: words, in the order they are to have ids in, with their new counts.
        """
        known, times, docs, ids = self._vocabulary.entries(self._joiner)
        n_ids = self.n_ids
        place = {word: i for i, word in enumerate(known)}
        new_times, new_docs = times.tolist(), docs.tolist()
        # What num_words leaves out has no row, and so loses its id.
        new_ids = np.where(ids < n_ids, ids, 0).tolist()
        n_new = 0
        for word, n, n_docs in zip(texts, occurrences.tolist(), documents.tolist(), strict=True):
            i = place.setdefault(word, len(new_ids))
            if i == len(new_ids):
                for counts in (new_times, new_docs, new_ids):
                    counts.append(0)
            new_times[i] += n
            new_docs[i] += n_docs
            if new_ids[i] == 0 and new_times[i] >= self.min_count:
                new_ids[i] = n_ids + n_new
                n_new += 1
        self._vocabulary = self._lookup = self._new_vocabulary()
        self._vocabulary.add(
            list(place), self._joiner, occurrences=np.array(new_times, np.int64),
            documents=np.array(new_docs, np.int64), ids=np.array(new_ids, np.int32),
        )  # fmt: skip
        self._views.clear()
        self._shift = 0
        if self.num_words:
            self.num_words = n_ids + n_new
        return n_new

    def _new_vocabulary(self) -> _core.Vocabulary:
        return _core.Vocabulary(self.ngrams, self.buckets or 0)

    def _take_buckets(
        self, vocabulary: _core.Vocabulary, counts: npt.NDArray[np.uint8] | None = None
    ) -> None:
        """Give a vocabulary whose words have ids counts of buckets: these, or those of before."""
        if self.buckets:
            counts = self._vocabulary.bucket_counts() if counts is None else counts
            vocabulary.set_bucket_counts(np.ascontiguousarray(counts))
            vocabulary.rank_buckets(min_count=self.min_count, first_id=vocabulary.max_id + 1)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other threads from fitting meanwhile; the core keeps them from reading."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                "this tokenizer is being fitted in another thread; wait for that, or use one "
                "tokenizer a thread"
            )
        try:
            yield
        finally:
            self._lock.release()

    # ---- changes --------------------------------------------------------

    def _rank(self) -> None:
        """Give ids by falling count, and forget the tables of before."""
        first_id = 1 if self.oov_token is None else 2
        self._vocabulary.rank(min_count=self.min_count, first_id=first_id)
        self._fitted = True
        self._views.clear()
        self._lookup, self._shift = self._vocabulary, 0

    def _take_edits(self) -> None:
        """Before counting goes on: take what the user made of the counts."""
        edited = {name for name, view in self._views.items() if view.edited}
        if edited & {"word_counts", "word_docs"}:
            words = list(self.word_counts)
            self._vocabulary = self._filled(words, self.word_counts, self.word_docs, {})
        if "index_docs" in edited:
            self._sequence_docs = dict(self.index_docs)

    def _take_tables(
        self, views: dict[str, dict[Any, Any]], bucket_counts: npt.NDArray[np.uint8] | None = None
    ) -> None:
        """Take tables as they were saved, and build the vocabulary that they describe."""
        counts, docs, index = views["word_counts"], views["word_docs"], views["word_index"]
        words = [*counts, *(w for w in index if w not in counts and w != self.oov_token)]
        self._vocabulary = self._lookup = self._filled(words, counts, docs, index)
        if bucket_counts is not None:
            self._take_buckets(self._vocabulary, bucket_counts)
        self._views = {name: vars(VocabularyTables)[name].kind(views[name]) for name in TABLES}
        self.word_index.edited = min(index.values(), default=1) < 1

    # ---- the tables -----------------------------------------------------

    def _make_views(self) -> None:
        texts, occurrences, documents, ids = self._vocabulary.entries(self._joiner)
        foreign = list(self._foreign)
        words = [foreign[int(t[1:])] if t.startswith(_FOREIGN) and foreign else t for t in texts]
        counts, docs, numbers = occurrences.tolist(), documents.tolist(), ids.tolist()
        known = [(i, word) for i, word in zip(numbers, words, strict=True) if i]
        known.sort(key=lambda pair: pair[0])
        if self.oov_token is not None and self._fitted:
            known.insert(0, (1, self.oov_token))
        index = {word: i for i, word in known}
        index_docs = {i: n for i, n in zip(numbers, docs, strict=True) if i}
        made = {
            "word_counts": ((w, n) for w, n in zip(words, counts, strict=True) if n),
            "word_docs": ((w, n) for w, n in zip(words, docs, strict=True) if n),
            "word_index": index,
            "index_word": ((i, word) for word, i in index.items()),
            "index_docs": self._sequence_docs | index_docs,
        }
        for name, table in made.items():
            if name not in self._views:
                self._views[name] = vars(VocabularyTables)[name].kind(table)

    def _filled(self, words: list[Any], counts: Any, docs: Any, index: Any) -> _core.Vocabulary:
        vocabulary = self._new_vocabulary()
        vocabulary.add(
            [self._spelled(word) for word in words],
            self._joiner,
            occurrences=np.array([counts.get(word, 0) for word in words], np.int64),
            documents=np.array([docs.get(word, 0) for word in words], np.int64),
            ids=np.array([index.get(word, 0) for word in words], np.int32),
        )
        self._take_buckets(vocabulary)
        return vocabulary

    def _current_lookup(self) -> tuple[_core.Vocabulary, int, int]:
        """Return the vocabulary to look words up in, the id of unknown words, and a shift.

        The id is 0 where unknown words are dropped; ids are above the user's by the shift.
        """
        index = self._views.get("word_index")
        if index is not None and index.edited:
            # The core's ids begin with 1; a user's may not ("<pad>": 0).
            self._shift = max(0, 1 - min(index.values(), default=1))
            shifted = {word: i + self._shift for word, i in index.items()}
            self._lookup = self._filled(list(index), {}, {}, shifted)
            index.edited = False
        if self.oov_token is None or self.oov_token not in self.word_index:
            return self._lookup, 0, self._shift
        return self._lookup, self.word_index[self.oov_token] + self._shift, self._shift

    @property
    def _joiner(self) -> str:
        """What stands between the words of an n-gram: what no word can hold."""
        return self.split if isinstance(self.split, str) and self.split else " "

    def _spelled(self, token: Hashable) -> str:
        """Return the string that a token is counted under."""
        if isinstance(token, str):
            return token
        return self._foreign.setdefault(token, f"{_FOREIGN}{len(self._foreign)}")
