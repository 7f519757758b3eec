"""fastText's own models, .bin and quantised .ftz: dictionary, sub-words, and both matrices.

The layout is that of fastText 0.9.2 (Bojanowski et al. 2017; the quantisation is
that of Joulin et al. 2016, "FastText.zip").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors.formats.choice import Choice, bad_row_error
from wordrow.vectors.formats.source import Source
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["FastTextFile", "read_fasttext", "read_model", "why_no_fasttext"]

_MAGIC = 793712314
_VERSIONS = (11, 12)
_OLD = 0  # before there was a number in front
_ARGUMENTS = struct.Struct("<12id")
_LOSSES = {1: "hs", 2: "ns", 3: "softmax", 4: "ova"}
_KINDS = {1: "cbow", 2: "skipgram", 3: "supervised"}
_CODES = 256  # centroids of a part
_ROWS_AT_ONCE = 4096

Rows = npt.NDArray[np.float32]


class QuantizedRows:
    """Rows kept as the numbers of centroids (Jégou et al. 2011, product quantisation)."""

    def __init__(self, codes: Any, centroids: Any, norms: Any, dim: int, n_each: int) -> None:
        self.codes, self.centroids, self.norms = codes, centroids, norms
        self.shape, self.n_each = (len(codes), dim), n_each

    def __getitem__(self, ids: Any) -> Rows:
        """Return some rows: float32 [n, D]."""
        codes = np.atleast_2d(self.codes[ids])
        out = np.empty((len(codes), self.shape[1]), np.float32)
        for part in range(codes.shape[1]):
            first, last = part * self.n_each, min((part + 1) * self.n_each, self.shape[1])
            begin = part * _CODES * self.n_each
            own = self.centroids[begin : begin + _CODES * (last - first)]
            out[:, first:last] = own.reshape(_CODES, last - first)[codes[:, part]]
        return out if self.norms is None else out * np.atleast_1d(self.norms[ids])[:, None]


class DenseRows:
    """Rows in a file: read where they are asked for."""

    def __init__(self, rows: Any) -> None:
        self.rows, self.shape = rows, rows.shape

    def __getitem__(self, ids: Any) -> Rows:
        """Return some rows: float32 [n, D]."""
        return np.array(self.rows[ids], np.float32, ndmin=2)


Matrix = QuantizedRows | DenseRows


@dataclass(frozen=True, kw_only=True, eq=False)
class FastTextFile:
    """What a model's file holds. input: the rows of words, then of n-grams; output: of labels."""

    kind: str
    loss: str
    dim: int
    word_ngrams: int
    min_n: int
    max_n: int
    n_buckets: int
    words: Vocabulary
    labels: Vocabulary
    counts: npt.NDArray[np.int64]
    kept: dict[int, int] | None
    input: Matrix
    output: Matrix

    name: str
    is_old: bool  # of the format before versions, which gensim alone still reads

    @cached_property
    def subwords(self) -> Subwords | None:
        """The rows of character n-grams, where words are made of them too."""
        if self.max_n <= 0 or self.n_buckets == 0 or self.kept == {}:
            return None
        return Subwords(
            min_n=self.min_n, max_n=self.max_n, n_buckets=self.n_buckets, kept=self.kept,
            table=Shifted(self.input, len(self.words)), divides=self.is_old,
        )  # fmt: skip

    def is_cut(self, word: str) -> bool:
        """Return whether a word has n-grams: the end of a line has none, but in old models."""
        return self.is_old or word != "</s>"

    def vectors(self, rows: list[int] | None = None) -> Vectors:
        """Return the vectors of words, or of some rows, as fastText gives them.

        Raises FileFormatError for a number that is not finite.
        """
        places = np.arange(len(self.words)) if rows is None else np.array(rows, np.int64)
        words = self.words if rows is None else Vocabulary(self.words.take(rows))
        table = np.empty((len(places), self.dim), np.float32)
        for begin in range(0, len(places), _ROWS_AT_ONCE):
            some = slice(begin, begin + _ROWS_AT_ONCE)
            own = self.input[places[some]]
            table[some] = own if self.subwords is None else self.subwords.rows(words[some], own)
            for i, word in enumerate(words[some]):
                if not self.is_cut(word):
                    table[begin + i] = own[i]
        for row in np.flatnonzero(~np.isfinite(table).all(axis=1))[:1]:
            raise FileFormatError(
                f"{self.name}: the row of {words[int(row)]!r} holds a number that is not finite. "
                "The file is damaged."
            )
        return Vectors.of(words, table, subwords=self.subwords)


class Shifted:
    """The rows of a matrix behind its first."""

    def __init__(self, matrix: Matrix, n_before: int) -> None:
        self.matrix, self.n_before = matrix, n_before
        self.shape = (matrix.shape[0] - n_before, matrix.shape[1])

    def __getitem__(self, ids: Any) -> Rows:
        """Return some rows: float32 [n, D]."""
        return self.matrix[np.asarray(ids) + self.n_before]


class _Reader:
    """Reads what follows what, and never more than there is."""

    def __init__(self, data: Any, name: str) -> None:
        self.data, self.name, self.at = data, name, 0

    def numbers(self, layout: str, what: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + layout)
        return struct.unpack("<" + layout, self.array(np.uint8, size, what).tobytes())

    def array(self, dtype: Any, n: int, what: str) -> Any:
        size = int(n) * np.dtype(dtype).itemsize
        if n < 0 or size > len(self.data) - self.at:
            raise FileFormatError(
                f"{self.name}, byte {self.at}: expected {what}, {n:,} times "
                f"{np.dtype(dtype).itemsize} bytes; the file ends at byte {len(self.data)}. It is "
                "damaged or cut short; fetch it again."
            )
        found = self.data[self.at : self.at + size].view(dtype)
        self.at += size
        return found

    def require(self, holds: bool, expected: str, received: Any) -> None:
        if not holds:
            raise FileFormatError(
                f"{self.name}, byte {self.at}: expected {expected}; received {received}. The file "
                "is damaged."
            )


def why_no_fasttext(source: Source) -> str | None:
    """Return why this is no model of fastText's; None where it is."""
    if source.head[:4] == struct.pack("<i", _MAGIC) or _is_old(source.head):
        return None
    return "it does not begin with fastText's number"


def _is_old(head: bytes) -> bool:
    """Return whether a file begins with the arguments of a training, as models before 2017 do."""
    if len(head) < _ARGUMENTS.size:
        return False
    dim, window, epoch, _, _, ngrams, loss, kind, buckets, low, high, _, t = _ARGUMENTS.unpack(
        head[: _ARGUMENTS.size]
    )
    sizes = 0 < dim < 1 << 16 and 0 < window < 1 << 16 and 0 < epoch < 1 << 20
    kinds = loss in _LOSSES and kind in _KINDS and 0 < ngrams < 1 << 8
    return sizes and kinds and 0 <= low <= high < 1 << 8 and buckets >= 0 and 0 <= t <= 1


def read_fasttext(source: Source, choice: Choice) -> Vectors:
    """Return the vectors of a model: of words, with sub-words for others."""
    model = read_model(source, replaces=choice.replaces)
    return model.vectors(choice.rows_of(model.words))


def read_model(source: Source, *, replaces: bool) -> FastTextFile:
    """Return all that a model's file holds; the matrices stay in it and are mapped.

    Raises FileFormatError, naming the byte.
    """
    data = source.whole()
    reader = _Reader(data, source.name)
    version = _OLD
    if source.head[:4] == struct.pack("<i", _MAGIC):
        _, version = reader.numbers("ii", "the number and version of the format")
    if version not in (_OLD, *_VERSIONS):
        raise FileFormatError(
            f"{source.name}: expected fastText's format of version 11 or 12; received {version}. "
            "Convert it with fastText itself: fasttext print-word-vectors."
        )
    (dim, _, _, _, _, word_ngrams, loss, kind, n_buckets, min_n, max_n, _, _) = reader.numbers(
        "12id", "the arguments of the training"
    )
    reader.require(loss in _LOSSES and kind in _KINDS, "a loss and a model", (loss, kind))
    reader.require(0 < dim < 1 << 20, "a dimension", dim)
    reader.require(0 <= n_buckets < 1 << 31, "a number of buckets", n_buckets)
    reader.require(max_n <= 0 or 0 <= min_n <= max_n < 1 << 10, "min_n and max_n", (min_n, max_n))
    if version < 12 and _KINDS[kind] == "supervised":
        max_n = 0  # models of that time had no character n-grams
    words, labels, counts, kept = _dictionary(reader, replaces, is_old=version == _OLD)
    is_quantized = is_output_quantized = False
    if version != _OLD:
        (is_quantized,) = reader.numbers("?", "whether rows are quantised")
    inputs = _matrix(reader, is_quantized, dim)
    if version != _OLD:
        (is_output_quantized,) = reader.numbers("?", "whether the output is quantised")
    output = _matrix(reader, is_quantized and is_output_quantized, dim)
    least = len(words) if kept is None else len(words) + max(kept.values(), default=-1) + 1
    if kept is None and (max_n > 0 or word_ngrams > 1):
        least += n_buckets
    reader.require(inputs.shape[0] >= least, f"at least {least:,} rows", inputs.shape[0])
    label_counts = counts[len(words) :]
    if _LOSSES[loss] == "hs" and len(labels):
        falls = (np.diff(label_counts) <= 0).all() and label_counts[-1] >= 0
        reader.require(
            bool(falls and label_counts[0] < 10**15), "falling counts of labels", "others"
        )
    n_out = len(labels) if _KINDS[kind] == "supervised" else len(words)
    reader.require(output.shape[0] >= n_out, f"at least {n_out:,} output rows", output.shape[0])
    return FastTextFile(
        kind=_KINDS[kind], loss=_LOSSES[loss], dim=dim, word_ngrams=word_ngrams,
        min_n=max(min_n, 1), max_n=max_n, n_buckets=n_buckets, words=words, labels=labels,
        counts=counts, kept=kept, input=inputs, output=output, name=source.name,
        is_old=version == _OLD,
    )  # fmt: skip


def _dictionary(
    reader: _Reader, replaces: bool, *, is_old: bool
) -> tuple[Vocabulary, Vocabulary, npt.NDArray[np.int64], dict[int, int] | None]:
    n, n_words, n_labels, _ = reader.numbers("iiiq", "the sizes of the dictionary")
    n_kept = -1
    if not is_old:
        (n_kept,) = reader.numbers("q", "how many buckets were kept")
    reader.require(
        0 <= n_words <= n and n_labels >= 0 and n_words + n_labels == n,
        "the numbers of words and labels", (n, n_words, n_labels),
    )  # fmt: skip
    reader.require(n * 10 <= len(reader.data) - reader.at, "a dictionary", f"{n:,} entries")
    try:
        words, labels, counts, n_bytes = _core.read_dictionary(
            np.ascontiguousarray(reader.data[reader.at :]), n, replaces=replaces
        )
    except _core.BadVectorError as bad:
        reason, number, byte, found = bad.args
        where = f"entry {number} of the dictionary, at byte {byte + reader.at}"
        reason = "entry" if reason == "number" else reason
        raise bad_row_error(reader.name, reason, where, found, 0) from None
    reader.require(len(words) == n_words, f"{n_words} words", len(words))
    reader.at += n_bytes
    kept = None
    if n_kept >= 0:
        pairs = reader.array("<i4", 2 * n_kept, "the buckets that were kept").reshape(-1, 2)
        kept = dict(pairs.tolist())
        least = min(kept.values(), default=0)
        reader.require(least >= 0, "rows of buckets", least)
    return Vocabulary.of(words), Vocabulary.of(labels), counts, kept


def _matrix(reader: _Reader, is_quantized: bool, dim: int) -> Matrix:
    if not is_quantized:
        n_rows, n_columns = reader.numbers("qq", "the shape of a matrix")
        reader.require(n_columns == dim and n_rows >= 0, f"rows of {dim}", (n_rows, n_columns))
        rows = reader.array("<f4", n_rows * dim, "the rows of a matrix")
        return DenseRows(rows.reshape(n_rows, dim))
    (has_norms,) = reader.numbers("?", "whether rows have norms")
    n_rows, n_columns, n_codes = reader.numbers("qqi", "the shape of a quantised matrix")
    reader.require(n_columns == dim and n_rows >= 0, f"rows of {dim}", (n_rows, n_columns))
    codes = reader.array(np.uint8, n_codes, "the codes of rows")
    n_parts, n_each, centroids = _quantizer(reader, dim)
    reader.require(n_codes == n_rows * n_parts, f"{n_parts} codes a row", n_codes)
    norms = None
    if has_norms:
        norm_codes = reader.array(np.uint8, n_rows, "the norms of rows")
        _, _, known = _quantizer(reader, 1)
        norms = known[norm_codes]
    return QuantizedRows(codes.reshape(n_rows, n_parts), centroids, norms, dim, n_each)


def _quantizer(reader: _Reader, dim: int) -> tuple[int, int, Any]:
    own_dim, n_parts, n_each, n_last = reader.numbers("4i", "the parts of a quantiser")
    fits = own_dim == dim and n_parts > 0 and 0 < n_each <= dim and 0 < n_last <= n_each
    reader.require(
        fits and (n_parts - 1) * n_each + n_last == dim, f"parts of {dim} numbers",
        (own_dim, n_parts, n_each, n_last),
    )  # fmt: skip
    return n_parts, n_each, reader.array("<f4", dim * _CODES, "the centroids")
