"""fastText's own models, .bin and quantized .ftz, as fastText 0.9.2 writes them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.fasttext_model import (
    N_CENTROIDS,
    Centroids,
    DenseMatrix,
    FastTextModel,
    Matrix,
    QuantizedMatrix,
)
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.rows import bad_row_error
from wordrow.vectors.formats.source import Source
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["FORMAT", "read_model"]

_MAGIC = 793712314
_VERSIONS = (11, 12)
_UNVERSIONED = 0  # before 2017 the file began with the training arguments
_ARGUMENTS = struct.Struct("<12id")
_LOSSES = {1: "hs", 2: "ns", 3: "softmax", 4: "ova"}
_KINDS = {1: "cbow", 2: "skipgram", 3: "supervised"}


class _Reader:
    """Reads one value after the other, and never more than the file holds."""

    def __init__(self, data: npt.NDArray[np.uint8], name: str) -> None:
        self.data, self.name, self.position = data, name, 0

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + layout)
        return struct.unpack("<" + layout, self.array(np.uint8, size, what).tobytes())

    def array(self, dtype: npt.DTypeLike, n: int, what: str) -> npt.NDArray[Any]:
        item_bytes = np.dtype(dtype).itemsize
        n_bytes = int(n) * item_bytes
        if n < 0 or n_bytes > len(self.data) - self.position:
            raise FileFormatError(
                f"{self.name}, byte {self.position}: expected {what}, {n:,} times {item_bytes} "
                f"bytes; the file ends at byte {len(self.data)}. It is damaged or truncated; "
                "download it again."
            )
        found = self.data[self.position : self.position + n_bytes].view(dtype)
        self.position += n_bytes
        return found

    def require(self, condition: bool, expected: str, received: object) -> None:
        if not condition:
            raise FileFormatError(
                f"{self.name}, byte {self.position}: expected {expected}; received {received}. "
                "The file is damaged."
            )


def _mismatch(source: Source) -> str | None:
    if source.head[:4] == struct.pack("<i", _MAGIC) or _is_unversioned(source.head):
        return None
    return "it does not begin with fastText's number"


def _is_unversioned(head: bytes) -> bool:
    """Return whether a file begins with training arguments, as models before 2017 do."""
    if len(head) < _ARGUMENTS.size:
        return False
    dim, window, epoch, _, _, ngrams, loss, kind, buckets, low, high, _, t = _ARGUMENTS.unpack(
        head[: _ARGUMENTS.size]
    )
    sizes = 0 < dim < 1 << 16 and 0 < window < 1 << 16 and 0 < epoch < 1 << 20
    kinds = loss in _LOSSES and kind in _KINDS and 0 < ngrams < 1 << 8
    return sizes and kinds and 0 <= low <= high < 1 << 8 and buckets >= 0 and 0 <= t <= 1


def _read(source: Source, options: LoadOptions) -> VectorData:
    model = read_model(source, replace_errors=options.replace_errors)
    return model.vectors(options.row_indices(model.words))


def read_model(source: Source, *, replace_errors: bool) -> FastTextModel:
    """Return everything that a model file holds; the matrices stay in it and are mapped.

    Raises FileFormatError, naming the byte.
    """
    reader = _Reader(source.read_all(), source.name)
    version = _UNVERSIONED
    if source.head[:4] == struct.pack("<i", _MAGIC):
        _, version = reader.unpack("ii", "the number and version of the format")
    if version not in (_UNVERSIONED, *_VERSIONS):
        raise FileFormatError(
            f"{source.name}: expected fastText's format of version 11 or 12; received {version}. "
            "Convert it with fastText itself: fasttext print-word-vectors."
        )
    is_unversioned = version == _UNVERSIONED
    args = _arguments(reader)
    if version < 12 and args.kind == "supervised":
        args.max_n = 0  # these models had no character n-grams
    dictionary = _dictionary(reader, replace_errors, is_unversioned=is_unversioned)
    is_quantized = is_output_quantized = False
    if not is_unversioned:
        (is_quantized,) = reader.unpack("?", "whether the input is quantized")
    inputs = _matrix(reader, is_quantized, args.dim)
    if not is_unversioned:
        (is_output_quantized,) = reader.unpack("?", "whether the output is quantized")
    output = _matrix(reader, is_quantized and is_output_quantized, args.dim)
    _check_sizes(reader, args, dictionary, inputs, output)
    return FastTextModel(
        kind=args.kind,
        loss=args.loss,
        dim=args.dim,
        word_ngrams=args.word_ngrams,
        min_n=max(args.min_n, 1),
        max_n=args.max_n,
        n_buckets=args.n_buckets,
        words=dictionary.words,
        labels=dictionary.labels,
        counts=dictionary.counts,
        kept=dictionary.kept,
        input=inputs,
        output=output,
        name=source.name,
        is_unversioned=is_unversioned,
    )


@dataclass(kw_only=True)
class _Arguments:
    """The training arguments that matter for reading and predicting."""

    dim: int
    word_ngrams: int
    loss: str
    kind: str
    n_buckets: int
    min_n: int
    max_n: int


def _arguments(reader: _Reader) -> _Arguments:
    dim, _, _, _, _, word_ngrams, loss, kind, n_buckets, min_n, max_n, _, _ = reader.unpack(
        "12id", "the training arguments"
    )
    reader.require(loss in _LOSSES and kind in _KINDS, "a loss and a model", (loss, kind))
    reader.require(0 < dim < 1 << 20, "a dimension", dim)
    reader.require(0 <= n_buckets < 1 << 31, "a number of buckets", n_buckets)
    reader.require(max_n <= 0 or 0 <= min_n <= max_n < 1 << 10, "min_n and max_n", (min_n, max_n))
    return _Arguments(
        dim=dim,
        word_ngrams=word_ngrams,
        loss=_LOSSES[loss],
        kind=_KINDS[kind],
        n_buckets=n_buckets,
        min_n=min_n,
        max_n=max_n,
    )


@dataclass(frozen=True, kw_only=True)
class _Dictionary:
    """The entries of a model. counts: of words, then of labels; kept: as in FastTextModel."""

    words: Vocabulary
    labels: Vocabulary
    counts: npt.NDArray[np.int64]
    kept: dict[int, int] | None


def _check_sizes(
    reader: _Reader, args: _Arguments, dictionary: _Dictionary, inputs: Matrix, output: Matrix
) -> None:
    """Raise FileFormatError if the matrices have too few rows for the dictionary."""
    n_words, labels, kept = len(dictionary.words), dictionary.labels, dictionary.kept
    least = n_words if kept is None else n_words + max(kept.values(), default=-1) + 1
    if kept is None and (args.max_n > 0 or args.word_ngrams > 1):
        least += args.n_buckets
    reader.require(inputs.shape[0] >= least, f"at least {least:,} rows", inputs.shape[0])
    if args.loss == "hs" and len(labels):
        counts = dictionary.counts[n_words:]
        is_falling = bool((np.diff(counts) <= 0).all())
        in_range = bool(counts[-1] >= 0 and counts[0] < 10**15)
        reader.require(is_falling and in_range, "falling counts of labels", "others")
    n_out = len(labels) if args.kind == "supervised" else n_words
    reader.require(output.shape[0] >= n_out, f"at least {n_out:,} output rows", output.shape[0])


def _dictionary(reader: _Reader, replace_errors: bool, *, is_unversioned: bool) -> _Dictionary:
    n, n_words, n_labels, _ = reader.unpack("iiiq", "the sizes of the dictionary")
    n_kept = -1
    if not is_unversioned:
        (n_kept,) = reader.unpack("q", "how many buckets were kept")
    is_consistent = 0 <= n_words <= n and n_labels >= 0 and n_words + n_labels == n
    reader.require(is_consistent, "the numbers of words and labels", (n, n_words, n_labels))
    n_left = len(reader.data) - reader.position
    reader.require(n * 10 <= n_left, "a dictionary", f"{n:,} entries")
    try:
        words, labels, counts, n_bytes = _core.read_dictionary(
            np.ascontiguousarray(reader.data[reader.position :]), n, replaces=replace_errors
        )
    except _core.BadVectorError as bad:
        reason, number, byte, found = bad.args
        where = f"entry {number} of the dictionary, at byte {byte + reader.position}"
        reason = "entry" if reason == "number" else reason
        raise bad_row_error(reader.name, reason, where, found, 0) from None
    reader.require(len(words) == n_words, f"{n_words} words", len(words))
    reader.position += n_bytes
    kept = None
    if n_kept >= 0:
        pairs = reader.array("<i4", 2 * n_kept, "the buckets that were kept").reshape(-1, 2)
        kept = dict(pairs.tolist())
        least = min(kept.values(), default=0)
        reader.require(least >= 0, "rows of buckets", least)
    return _Dictionary(
        words=Vocabulary.of(words), labels=Vocabulary.of(labels), counts=counts, kept=kept
    )


def _matrix(reader: _Reader, is_quantized: bool, dim: int) -> Matrix:
    if not is_quantized:
        n_rows, n_columns = reader.unpack("qq", "the shape of a matrix")
        reader.require(n_columns == dim and n_rows >= 0, f"rows of {dim}", (n_rows, n_columns))
        rows = reader.array("<f4", n_rows * dim, "the rows of a matrix")
        return DenseMatrix(rows.reshape(n_rows, dim))
    (has_norms,) = reader.unpack("?", "whether rows have norms")
    n_rows, n_columns, n_codes = reader.unpack("qqi", "the shape of a quantized matrix")
    reader.require(n_columns == dim and n_rows >= 0, f"rows of {dim}", (n_rows, n_columns))
    codes = reader.array(np.uint8, n_codes, "the codes of rows")
    n_parts, part_dim, centroids = _quantizer(reader, dim)
    reader.require(n_codes == n_rows * n_parts, f"{n_parts} codes a row", n_codes)
    norms = None
    if has_norms:
        norm_codes = reader.array(np.uint8, n_rows, "the norms of rows")
        _, _, distinct_norms = _quantizer(reader, 1)
        norms = distinct_norms[norm_codes]
    return QuantizedMatrix(
        codes.reshape(n_rows, n_parts), centroids, norms, dim=dim, part_dim=part_dim
    )


def _quantizer(reader: _Reader, dim: int) -> tuple[int, int, Centroids]:
    """Return (number of parts, dimension of each but the last, centroids)."""
    total_dim, n_parts, part_dim, last_dim = sizes = reader.unpack("4i", "the parts of a quantizer")
    in_range = total_dim == dim and n_parts > 0 and 0 < part_dim <= dim and 0 < last_dim <= part_dim
    adds_up = (n_parts - 1) * part_dim + last_dim == dim
    reader.require(in_range and adds_up, f"parts of {dim} numbers", sizes)
    return n_parts, part_dim, reader.array("<f4", dim * N_CENTROIDS, "the centroids")


FORMAT = Format(name="fasttext", title="fastText's model", mismatch=_mismatch, read=_read)
