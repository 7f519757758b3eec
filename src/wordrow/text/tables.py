"""The vocabulary of a tokenizer, and Keras's five tables of it.

The words and their counts live in the compiled core. The tables are dicts made
from it on first access; edits of them are applied to the vocabulary.
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

# A token that is not a string is counted as this noncharacter and a number.
_FOREIGN = "\U0010ffff"
# Internal state; the other attributes of a tokenizer are its settings.
OWN = (
    "_vocabulary",
    "_lookup",
    "_shift",
    "_fitted",
    "_views",
    "_sequence_docs",
    "_foreign",
    "_lock",
)
TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")

Counts = npt.NDArray[np.int64]


class _View:
    """A table of the vocabulary as a dict, made on first access; assignment counts as an edit."""

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
    """Words with their counts and ids, and the tables of these."""

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
        self._lookup = self._vocabulary  # a different one if word_index was edited
        self._shift = 0  # by how much its ids exceed those of word_index
        self._fitted = False
        self._views: dict[str, LiveDict] = {}
        self._sequence_docs: dict[int, int] = {}  # what fit_on_sequences counted
        self._foreign: dict[Hashable, str] = {}

    @property
    def n_ids(self) -> int:
        """The number of table rows needed for the ids of `encode`, including row 0."""
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
        """Return which n-gram buckets have ids, which follow the words': bool [buckets]."""
        return self._vocabulary.bucket_counts() >= self.min_count

    def take_ranked_entries(
        self,
        texts: list[str],
        occurrences: Counts,
        documents: Counts,
        kept_buckets: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Replace the vocabulary by one with these `ranked_entries` and `kept_buckets`."""
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
        """Give words without an id the next free ids; return the number of these words.

        texts: words in the order of their new ids, with their new counts.
        """
        known, times, docs, ids = self._vocabulary.entries(self._joiner)
        n_ids = self.n_ids
        position = {word: i for i, word in enumerate(known)}
        new_times, new_docs = times.tolist(), docs.tolist()
        # Words beyond num_words have no row, so they lose their ids.
        new_ids = np.where(ids < n_ids, ids, 0).tolist()
        n_new = 0
        for word, n, n_docs in zip(texts, occurrences.tolist(), documents.tolist(), strict=True):
            i = position.setdefault(word, len(new_ids))
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
            list(position),
            self._joiner,
            occurrences=np.array(new_times, np.int64),
            documents=np.array(new_docs, np.int64),
            ids=np.array(new_ids, np.int32),
        )
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
        """Set the bucket counts of a vocabulary with ranked words; by default the current ones."""
        if self.buckets:
            counts = self._vocabulary.bucket_counts() if counts is None else counts
            vocabulary.set_bucket_counts(np.ascontiguousarray(counts))
            vocabulary.rank_buckets(min_count=self.min_count, first_id=vocabulary.max_id + 1)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Prevent fitting in two threads at once; the core protects concurrent reads."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                "this tokenizer is being fitted in another thread; wait for it, or use one "
                "tokenizer per thread"
            )
        try:
            yield
        finally:
            self._lock.release()

    # ---- changes --------------------------------------------------------

    def _rank(self) -> None:
        """Assign ids by falling count, and discard the old tables."""
        first_id = 1 if self.oov_token is None else 2
        self._vocabulary.rank(min_count=self.min_count, first_id=first_id)
        self._fitted = True
        self._views.clear()
        self._lookup, self._shift = self._vocabulary, 0

    def _take_edits(self) -> None:
        """Apply edits of the counts, before counting continues."""
        edited = {name for name, view in self._views.items() if view.edited}
        if edited & {"word_counts", "word_docs"}:
            words = list(self.word_counts)
            self._vocabulary = self._filled(words, self.word_counts, self.word_docs, {})
        if "index_docs" in edited:
            self._sequence_docs = dict(self.index_docs)

    def _take_tables(
        self, views: dict[str, dict[Any, Any]], bucket_counts: npt.NDArray[np.uint8] | None = None
    ) -> None:
        """Restore saved tables, and the vocabulary that they describe."""
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
        """Return the vocabulary for lookups, the id of unknown words, and the shift of ids.

        The id is 0 if unknown words are dropped; ids exceed the user's by the shift.
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
