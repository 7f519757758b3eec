"""Rows for words from running text alone: word2vec and fastText's sub-words, in the core."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.arguments import check_choice, not_negative, whole_number
from wordrow.errors import show
from wordrow.progress import is_wanted, training_line
from wordrow.text.tokenizer import Tokenizer
from wordrow.types import Ragged
from wordrow.vectors.phrase import join_phrases
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import Vocabulary, by_count

__all__ = ["train_vectors"]

_PANEL = 16  # numbers that the core takes at a time
Table = npt.NDArray[np.float32]


def train_vectors(
    sentences: Any, dim: int = 100, *, model: Literal["skipgram", "cbow"] = "skipgram",
    window: int = 5, epochs: int = 5, min_count: int = 5, loss: Literal["ns", "hs"] = "ns",
    negative: int = 5, ns_exponent: float = 0.75, sample: float = 1e-4,
    learning_rate: float = 0.05, end_learning_rate: float = 0.0,
    subwords: tuple[int, int] | None = None,
    buckets: int = 2**18, phrases: int = 0, phrase_threshold: float = 100.0,
    initial: Vectors | None = None, tokenizer: Tokenizer | None = None, seed: int | None = None,
    deterministic: bool = False, verbose: bool | str = "auto",
) -> Vectors:  # fmt: skip
    """Return rows trained so that words in like surroundings have like rows.

    sentences: texts, or lists of tokens, as a Tokenizer takes them; an iterator is
    read into memory. tokenizer: what finds the words, fitted or not; by default a
    Tokenizer(), which lower-cases. dim: the length of a row.

    model: "skipgram" learns from a word which words are around it, "cbow" from the
    words around which word it is. window: how many words on each side are looked
    at, at most; each time a number from 1 to that is drawn. loss: "ns", `negative`
    sampled words, drawn by count ** ns_exponent; "hs", hierarchical softmax.
    sample: words with a greater share of the text are left out at times.
    min_count: words that occur less often have no row. learning_rate: falls linearly to
    end_learning_rate. subwords: (min_n, max_n), the lengths of character n-grams that get
    rows too, so that every word has one; they are hashed to `buckets`. phrases: how
    many times pairs of words that belong together are joined ("new_york").
    initial: rows to begin with, and those of n-grams where they are of the same
    lengths and buckets. seed: of all that is random.

    Threads change the same rows without waiting for each other, so that a seed
    alone does not give the same rows again; deterministic=True does, in one thread.

    Skip-gram and CBOW are those of Mikolov et al. 2013, "Distributed
    Representations of Words and Phrases and their Compositionality"; sub-words
    those of Bojanowski et al. 2017. Words around a place share negative samples
    two by two.

    Raises ValueError for settings out of range, or where no word is left.

    >>> texts = ["a king rules", "a queen rules", "a plum falls"] * 9
    >>> vectors = train_vectors(texts, 8, min_count=1, seed=1, deterministic=True)
    >>> len(vectors), vectors.table.shape
    (6, (6, 8))
    """
    dim, window = whole_number("dim", dim), whole_number("window", window)
    epochs, min_count = whole_number("epochs", epochs), whole_number("min_count", min_count)
    negative, buckets = whole_number("negative", negative), whole_number("buckets", buckets)
    phrases = whole_number("phrases", phrases, least=0)
    not_negative("phrase_threshold", phrase_threshold)
    not_negative("ns_exponent", ns_exponent)
    check_choice("model", model, ("skipgram", "cbow"))
    check_choice("loss", loss, ("ns", "hs"))
    if not 0 < learning_rate <= 10:
        raise ValueError(
            f"`learning_rate` must be above 0, and at most 10; received {show(learning_rate)}."
        )
    if not 0 <= end_learning_rate <= learning_rate:
        raise ValueError(
            f"`end_learning_rate` must be from 0 to learning_rate={learning_rate}; received "
            f"{show(end_learning_rate)}."
        )
    if seed is not None:
        seed = whole_number("seed", seed, least=0)
    if not 0 <= sample <= 1:
        raise ValueError(f"`sample` must be from 0 (all words) to 1; received {show(sample)}.")
    if initial is not None and initial.dim != dim:
        raise ValueError(
            f"`initial` must have rows of dim={dim}; its rows have {initial.dim}. Use "
            f"dim={initial.dim}."
        )
    texts, words = _encoded(sentences, tokenizer, 1 if phrases else min_count)
    for _ in range(phrases):
        texts, words = join_phrases(texts, words, min_count=min_count, threshold=phrase_threshold)
    texts, words = _frequent(texts, words, min_count)
    counts = np.bincount(texts.ids, minlength=len(words) + 1)[1:].astype(np.int64)
    rng = np.random.default_rng(seed)
    vocabulary = Vocabulary(words)
    rules = _Rules.of(subwords, buckets, words)
    rows = _beginning(len(words) + rules.n_buckets, dim, rng)
    if initial is not None:
        _begin_with(initial, rows[:, :dim], words, rules)
    output = _aligned(len(words), rows.shape[1])
    with _watching(len(texts.ids), epochs, verbose) as watch:
        _core.train_word2vec(
            rows, output, counts, texts.ids, texts.offsets, rules.ids, rules.offsets,
            cbow=model == "cbow", hierarchical=loss == "hs", window=window, n_negative=negative,
            exponent=ns_exponent, sample=sample, rate=learning_rate,
            last_rate=end_learning_rate,
            n_epochs=epochs, seed=int(rng.integers(2**63)), in_order=deterministic, watch=watch,
        )  # fmt: skip
    table = np.ascontiguousarray(rows[: len(words), :dim])
    if not np.isfinite(table).all():
        raise ValueError(
            f"the rows grew beyond all numbers: use a smaller learning_rate than {learning_rate}."
        )
    if subwords is None:
        return Vectors.of(vocabulary, table)
    own = Subwords(
        min_n=subwords[0], max_n=subwords[1],
        table=np.ascontiguousarray(rows[len(words) :, :dim]),
    )  # fmt: skip
    return Vectors.of(vocabulary, own.rows(words, table), subwords=own)


def _encoded(
    sentences: Any, tokenizer: Tokenizer | None, min_count: int
) -> tuple[Ragged, list[str]]:
    """Return the texts as ids from 1 on, and the words these are of."""
    if not isinstance(sentences, list | tuple) and iter(sentences) is sentences:
        sentences = list(sentences)  # it is read twice
    tokenizer = Tokenizer(min_count=min_count) if tokenizer is None else tokenizer
    if tokenizer.ngrams > 1:
        raise ValueError(
            f"`tokenizer` must be one of words, which follow each other; this has "
            f"ngrams={tokenizer.ngrams}. Use ngrams=1, and phrases=1 to join words."
        )
    if tokenizer.n_ids < 2:
        tokenizer.fit_on_texts(sentences)
    texts = tokenizer.encode(sentences)
    words = tokenizer.ranked_entries()[0]
    if tokenizer.oov_token is None:
        return texts, words
    # Id 1 is that of unknown words, which are no word: they go, as if they were not there.
    shifted = np.maximum(texts.ids - 1, 0).astype(np.int32)
    return Ragged(ids=shifted, offsets=texts.offsets), words


def _frequent(texts: Ragged, words: list[str], min_count: int) -> tuple[Ragged, list[str]]:
    """Leave out words that occur too seldom; words have the ids 1 to V by falling count."""
    ids, kept = by_count(texts.ids, words, min_count=min_count)
    if not kept:
        raise ValueError(
            f"no word occurs {min_count} times: the texts hold {len(ids):,} words, of which "
            f"{len(np.unique(texts.ids[texts.ids > 0])):,} differ. Use a smaller min_count, or "
            "more text."
        )
    return Ragged(ids=ids, offsets=texts.offsets).keep(ids > 0), kept


class _Rules:
    """The rows of words' n-grams among the inputs, which follow those of the words."""

    def __init__(self, lengths: tuple[int, int], n_buckets: int, ids: Any, offsets: Any) -> None:
        self.lengths, self.n_buckets, self.ids, self.offsets = lengths, n_buckets, ids, offsets

    @classmethod
    def of(cls, subwords: tuple[int, int] | None, n_buckets: int, words: list[str]) -> _Rules:
        if subwords is None:
            return cls((0, 0), 0, None, None)
        is_pair = isinstance(subwords, list | tuple) and len(subwords) == 2
        low, high = subwords if is_pair else (0, 0)
        if not (isinstance(low, int) and isinstance(high, int) and 1 <= low <= high):
            raise ValueError(
                f"`subwords` must be (min_n, max_n), 1 <= min_n <= max_n; received "
                f"{show(subwords)}."
            )
        if len(words) + n_buckets >= 1 << 31:
            raise ValueError(f"`buckets` must be below 2^31 less the words; received {n_buckets}.")
        ids, offsets = _core.subwords(words, min_n=low, max_n=high, n_buckets=n_buckets)
        return cls((low, high), n_buckets, ids + np.int32(len(words)), offsets)


def _beginning(n_rows: int, dim: int, rng: np.random.Generator) -> Table:
    """Return rows drawn from [-1 / 2 dim, 1 / 2 dim), as word2vec's."""
    rows = _aligned(n_rows, -(-dim // _PANEL) * _PANEL)
    for begin in range(0, n_rows, 1 << 14):
        part = rows[begin : begin + (1 << 14), :dim]
        part[:] = (rng.random(part.shape, np.float32) - 0.5) / dim
    return rows


def _begin_with(initial: Vectors, rows: Table, words: list[str], rules: _Rules) -> None:
    """Give words the rows of other vectors: with sub-words, means of own rows and n-grams'."""
    found = initial.vocabulary.rows(words)
    place = np.flatnonzero(found >= 0)
    own = np.asarray(initial.table[found[place]], np.float32)
    if rules.n_buckets:
        n_words, known = len(words), initial.subwords
        if known is not None and known.kept is None and (
            (known.min_n, known.max_n), known.n_buckets
        ) == (rules.lengths, rules.n_buckets):  # fmt: skip
            rows[n_words:] = known.table[np.arange(known.n_buckets)]
        grams = Ragged(ids=rules.ids, offsets=rules.offsets).take(place)
        sums = _core.bag_mean(np.ascontiguousarray(rows), grams.ids, grams.offsets)
        sums *= grams.lengths[:, None]
        own = own * (grams.lengths[:, None] + 1) - sums
    rows[place] = own


def _aligned(n_rows: int, width: int) -> Table:
    """Return zeros whose rows begin where a line of the processor's cache does."""
    memory = np.zeros(n_rows * width + _PANEL, np.float32)
    first = -(memory.ctypes.data // 4) % _PANEL
    return memory[first : first + n_rows * width].reshape(n_rows, width)


@contextlib.contextmanager
def _watching(
    n_words: int, n_epochs: int, verbose: bool | str
) -> Iterator[Callable[[int, float], None] | None]:
    """Give a function that shows how many words of all epochs are done, and the loss."""
    with training_line(n_words, n_epochs, wanted=is_wanted(verbose), unit="words") as line:
        if line is None:
            yield None
            return

        def show(n_done: int, loss: float) -> None:
            epoch, n = divmod(n_done, n_words)
            line.show(*((epoch, n) if epoch < n_epochs else (n_epochs - 1, n_words)),
                      {"loss": loss})  # fmt: skip

        yield show
