"""Training word vectors on plain text: word2vec, and fastText's sub-words, in the core."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import show
from wordrow.hints import argument_error
from wordrow.progress import is_wanted, training_line
from wordrow.text.tokenizer import Tokenizer
from wordrow.types import Ragged
from wordrow.vectors.data import Table, VectorData
from wordrow.vectors.phrase import join_phrases
from wordrow.vectors.subword import Subwords
from wordrow.vectors.training_options import TrainingOptions
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import Vocabulary, by_count

__all__ = ["train_vectors"]

_LANES = 16  # numbers that the core processes together; rows are padded to a multiple
_CHUNK_ROWS = 1 << 14


def train_vectors(
    sentences: Any,
    dim: int = 100,
    *,
    model: Literal["skipgram", "cbow"] = "skipgram",
    window: int = 5,
    epochs: int = 5,
    min_count: int = 5,
    loss: Literal["ns", "hs"] = "ns",
    negative: int = 5,
    ns_exponent: float = 0.75,
    sample: float = 1e-4,
    learning_rate: float = 0.05,
    end_learning_rate: float = 0.0,
    subwords: tuple[int, int] | None = None,
    buckets: int = 2**18,
    phrases: int = 0,
    phrase_threshold: float = 100.0,
    initial: Vectors | None = None,
    tokenizer: Tokenizer | None = None,
    seed: int | None = None,
    deterministic: bool = False,
    verbose: bool | str = "auto",
    **unknown: Any,
) -> Vectors:
    """Return vectors trained so that words in similar contexts have similar rows.

    sentences: texts, or lists of tokens, as a Tokenizer takes them; an iterator is
    read into memory. tokenizer: splits texts into words, fitted or not; by default a
    Tokenizer(), which lower-cases. dim: the length of a row.

    model: "skipgram" predicts the context from a word, "cbow" a word from its
    context. window: the largest number of context words on each side; each time a
    number from 1 to that is drawn. loss: "ns", negative sampling of `negative` words
    in proportion to count ** ns_exponent; "hs", hierarchical softmax. sample: words
    with a greater share of the text are randomly left out. min_count: rarer words have
    no row. learning_rate: falls linearly to end_learning_rate. subwords: (min_n,
    max_n), the lengths of character n-grams that get rows too, so that every word has
    one; they are hashed to `buckets`. phrases: how often pairs of words that belong
    together are joined ("new_york"). initial: vectors to start from; their n-grams
    are used if they have the same lengths and buckets. seed: of all that is random.

    Threads update the same rows without waiting for each other, so that a seed alone
    does not reproduce the rows; deterministic=True does, in one thread.

    Skip-gram and CBOW are those of Mikolov et al. 2013, "Distributed
    Representations of Words and Phrases and their Compositionality"; sub-words
    those of Bojanowski et al. 2017. Context words share negative samples in pairs.

    Raises ValueError for options out of range, or if no word is frequent enough.

    >>> texts = ["a king rules", "a queen rules", "a plum falls"] * 9
    >>> vectors = train_vectors(texts, 8, min_count=1, seed=1, deterministic=True)
    >>> len(vectors), vectors.table.shape
    (6, (6, 8))
    """
    if unknown:
        accepted = inspect.signature(train_vectors).parameters
        raise argument_error("train_vectors", unknown, accepted)
    options = TrainingOptions(
        dim=dim,
        model=model,
        window=window,
        epochs=epochs,
        min_count=min_count,
        loss=loss,
        negative=negative,
        ns_exponent=ns_exponent,
        sample=sample,
        learning_rate=learning_rate,
        end_learning_rate=end_learning_rate,
        subwords=subwords,
        buckets=buckets,
        phrases=phrases,
        phrase_threshold=phrase_threshold,
        seed=seed,
        deterministic=deterministic,
    )
    if initial is not None and initial.dim != options.dim:
        raise ValueError(
            f"`initial` must have rows of dim={options.dim}; its rows have {initial.dim}. Use "
            f"dim={initial.dim}."
        )
    texts, words = _encode(sentences, tokenizer, options)
    return _train(texts, words, initial, options, verbose)


def _train(
    texts: Ragged,
    words: list[str],
    initial: Vectors | None,
    options: TrainingOptions,
    verbose: bool | str,
) -> Vectors:
    counts = np.bincount(texts.ids, minlength=len(words) + 1)[1:].astype(np.int64)
    rng = np.random.default_rng(options.seed)
    vocabulary = Vocabulary(words)
    grams = _Ngrams.of(words, options)
    inputs = _random_rows(len(words) + grams.n_buckets, options.dim, rng)
    if initial is not None:
        _start_from(initial, inputs[:, : options.dim], words, grams)
    outputs = _aligned_zeros(len(words), inputs.shape[1])
    with _progress(len(texts.ids), options.epochs, verbose) as watch:
        _core.train_word2vec(
            inputs,
            outputs,
            counts,
            texts.ids,
            texts.offsets,
            grams.ids,
            grams.offsets,
            cbow=options.model == "cbow",
            hierarchical=options.loss == "hs",
            window=options.window,
            n_negative=options.negative,
            exponent=options.ns_exponent,
            sample=options.sample,
            rate=options.learning_rate,
            last_rate=options.end_learning_rate,
            n_epochs=options.epochs,
            seed=int(rng.integers(2**63)),
            in_order=options.deterministic,
            watch=watch,
        )
    table = np.ascontiguousarray(inputs[: len(words), : options.dim])
    if not np.isfinite(table).all():
        raise ValueError(
            "training diverged: the rows are not finite. Use a smaller learning_rate than "
            f"{options.learning_rate}."
        )
    if options.subwords is None:
        return Vectors.from_data(VectorData(vocabulary, table))
    min_n, max_n = options.subwords
    gram_table = np.ascontiguousarray(inputs[len(words) :, : options.dim])
    own = Subwords(min_n=min_n, max_n=max_n, table=gram_table)
    return Vectors.from_data(VectorData(vocabulary, own.rows(words, table), own))


def _encode(
    sentences: Any, tokenizer: Tokenizer | None, options: TrainingOptions
) -> tuple[Ragged, list[str]]:
    """Return the texts as ids, the words by falling count from 1 on, and these words.

    Ids of words that occur too rarely are removed.
    """
    min_count = options.min_count
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Iterable):
        raise TypeError(
            f"expected texts, a list of strings or of lists of words; received {show(sentences)}. "
            "Give [text], or the lines of a file."
        )
    if tokenizer is None:
        tokenizer = Tokenizer(min_count=1 if options.phrases else min_count)
    texts, words = _tokenize(sentences, tokenizer)
    for _ in range(options.phrases):
        texts, words = join_phrases(
            texts, words, min_count=min_count, threshold=options.phrase_threshold
        )
    ids, kept = by_count(texts.ids, words, min_count=min_count)
    if not kept:
        counts = tokenizer.word_counts.values()
        raise ValueError(
            f"no word occurs {min_count} times (min_count): the most frequent of the texts' "
            f"{len(counts):,} words occurs {max(counts, default=0):,} times. Use a smaller "
            "min_count, or more text."
        )
    return Ragged(ids=ids, offsets=texts.offsets).keep(ids > 0), kept


def _tokenize(sentences: Any, tokenizer: Tokenizer) -> tuple[Ragged, list[str]]:
    if not isinstance(sentences, list | tuple) and iter(sentences) is sentences:
        sentences = list(sentences)  # it is read twice
    if tokenizer.ngrams > 1:
        raise ValueError(
            f"`tokenizer` must have ngrams=1; this one has ngrams={tokenizer.ngrams}. Use "
            "phrases=1 to join words."
        )
    if tokenizer.n_ids < 2:
        tokenizer.fit_on_texts(sentences)
    texts = tokenizer.encode(sentences)
    words = tokenizer.ranked_entries()[0]
    if tokenizer.oov_token is None:
        return texts, words
    # Id 1 stands for unknown words, which are removed from the texts.
    shifted = np.maximum(texts.ids - 1, 0).astype(np.int32)
    return Ragged(ids=shifted, offsets=texts.offsets), words


@dataclass(frozen=True, kw_only=True)
class _Ngrams:
    """The n-grams of each word, as rows of the input table, in which they follow the words."""

    lengths: tuple[int, int] = (0, 0)
    n_buckets: int = 0
    ids: npt.NDArray[np.int32] | None = None
    offsets: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(cls, words: list[str], options: TrainingOptions) -> _Ngrams:
        if options.subwords is None:
            return cls()
        options.check_subwords(len(words))
        low, high = options.subwords
        ids, offsets = _core.subwords(words, min_n=low, max_n=high, n_buckets=options.buckets)
        return cls(
            lengths=(low, high),
            n_buckets=options.buckets,
            ids=ids + np.int32(len(words)),
            offsets=offsets,
        )


def _random_rows(n_rows: int, dim: int, rng: np.random.Generator) -> Table:
    """Return rows drawn from [-1 / 2 dim, 1 / 2 dim), as in word2vec."""
    rows = _aligned_zeros(n_rows, -(-dim // _LANES) * _LANES)
    for begin in range(0, n_rows, _CHUNK_ROWS):
        chunk = rows[begin : begin + _CHUNK_ROWS, :dim]
        chunk[:] = (rng.random(chunk.shape, np.float32) - 0.5) / dim
    return rows


def _start_from(initial: Vectors, inputs: Table, words: list[str], grams: _Ngrams) -> None:
    """Give words the rows of other vectors.

    With sub-words, a word's vector is the mean of its own row and those of its n-grams,
    so the own row is chosen to give that mean.
    """
    found = initial.vocabulary.rows(words)
    row_indices = np.flatnonzero(found >= 0)
    own = np.asarray(initial.table[found[row_indices]], np.float32)
    if grams.ids is not None and grams.offsets is not None:
        if (known := initial.subwords) is not None and _are_same_ngrams(known, grams):
            inputs[len(words) :] = known.table[np.arange(known.n_buckets)]
        ragged = Ragged(ids=grams.ids, offsets=grams.offsets).take(row_indices)
        sums = _core.bag_mean(np.ascontiguousarray(inputs), ragged.ids, ragged.offsets)
        sums *= ragged.lengths[:, None]
        own = own * (ragged.lengths[:, None] + 1) - sums
    inputs[row_indices] = own


def _are_same_ngrams(known: Subwords, grams: _Ngrams) -> bool:
    lengths = known.min_n, known.max_n
    return known.kept is None and lengths == grams.lengths and known.n_buckets == grams.n_buckets


def _aligned_zeros(n_rows: int, width: int) -> Table:
    """Return zeros that begin at a cache line."""
    memory = np.zeros(n_rows * width + _LANES, np.float32)
    first = -(memory.ctypes.data // 4) % _LANES
    return memory[first : first + n_rows * width].reshape(n_rows, width)


@contextlib.contextmanager
def _progress(
    n_words: int, n_epochs: int, verbose: bool | str
) -> Iterator[Callable[[int, float], None] | None]:
    """Give a function that shows the words done in all epochs, and the loss; None if not wanted."""
    with training_line(n_words, n_epochs, wanted=is_wanted(verbose), unit="words") as line:
        if line is None:
            yield None
            return

        def show(n_done: int, loss: float) -> None:
            epoch, n = divmod(n_done, n_words)
            if epoch == n_epochs:  # at the very end
                epoch, n = n_epochs - 1, n_words
            line.show(epoch, n, {"loss": loss})

        yield show
