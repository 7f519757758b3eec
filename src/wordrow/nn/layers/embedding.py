"""A table with one row for every word: ids in, their rows out."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.errors import show
from wordrow.nn import ops, random
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Shape, Spec
from wordrow.types import Ragged
from wordrow.vectors.coverage import Case, Coverage, Missing, table_for
from wordrow.vectors.vectors import Vectors

__all__ = ["Embedding", "check_ids"]


class Embedding(Layer):
    """Looks ids up in a table: [B, T] -> [B, T, output_dim].

    The table, [input_dim, output_dim], is the layer's one weight: row i belongs
    to the word with id i. Rows start random (or as `weights` says) and are
    trained like any other weight.

    input_dim: ids must be below it; with a Tokenizer, len(word_index) + 1.
    mask_zero: id 0 is padding, and later layers leave it out.
    input_length: the length of each text, where it is always the same.
    weights: the table to begin with, [input_dim, output_dim], or a list of one.
    fixed_rows: rows that are not trained: bool [input_dim], or their numbers.
    `from_vectors` gives words the rows that they have elsewhere.

    >>> layer = Embedding(10, 3)
    >>> layer(np.array([[1, 2, 3]])).shape
    (1, 3, 3)
    """

    kinds: ClassVar = {"embeddings": "uniform"}

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        input_length: int | Sequence[int | None] | None = None,
        fixed_rows: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            **options,
        )
        self.input_dim = whole_number("input_dim", input_dim)
        self.output_dim = whole_number("output_dim", output_dim)
        self.mask_zero = bool(mask_zero)
        self.input_length: tuple[int | None, ...] | None = _lengths(input_length)
        self._given = None if weights is None else self._given_table(weights)
        self.fixed_rows = None if fixed_rows is None else _fixed(fixed_rows, self.input_dim)
        self.coverage: Coverage | None = None  # what `from_vectors` found
        if self.first_shape is None:
            self.first_shape = (None, *(self.input_length or (None,)))

    @classmethod
    def from_vectors(
        cls, vectors: Vectors, tokenizer: Any, missing: Missing = "uniform", case: Case = "exact",
        trainable: bool | Literal["missing"] = True, **options: Any,
    ) -> Embedding:  # fmt: skip
        """Return a layer whose words have the rows that vectors have for them.

        tokenizer: whose ids the layer takes. missing: what words without a row begin
        with: "uniform" (numbers with the variance of the others), "mean", "subword"
        (of the vectors' character n-grams) or "zeros". case: "fallback" also takes rows
        of words that differ in upper and lower case. trainable: "missing" trains the
        rows of words without a row alone; the others stay as they are, bit for bit.
        The row of id 0, padding, is zeros and stays. options: other arguments of the
        layer. What was found stands in `coverage`, to be printed.

        >>> from wordrow import Tokenizer
        >>> from wordrow.vectors import Vectors
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["a fine film", "a fien film"])
        >>> vectors = Vectors(["a", "fine", "film"], [[1, 0], [0, 1], [1, 1]])
        >>> layer = Embedding.from_vectors(vectors, tokenizer, trainable="missing")
        >>> layer(np.array([1, 2])).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
        >>> print(layer.coverage)
        3 of 4 words have rows (75.0%), which are 83.3% of the text
          found as they are: 3
          missing: 1: fien (1 times)
          likely misspellings: 1: fien (fine)
        """
        if trainable not in (True, False, "missing"):
            raise ValueError(
                f"`trainable` must be True, False or 'missing'; received {show(trainable)}."
            )
        table, is_found, coverage = table_for(
            vectors, tokenizer, missing=missing, case=case, rng=random.generator()
        )
        fixed = is_found if trainable == "missing" else np.arange(len(table)) == 0
        layer = cls(
            len(table), vectors.dim, weights=table, fixed_rows=fixed if trainable else None,
            trainable=bool(trainable), **options,
        )  # fmt: skip
        layer.coverage = coverage
        return layer

    def rows_that_stay(self) -> Any:
        """Return which rows are not trained: bool [input_dim]; None where all are."""
        return self.fixed_rows if self.trainable else np.ones(self.input_dim, bool)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the table, or take the one given as `weights`."""
        self._check_length(spec.shape)
        shape = (self.input_dim, self.output_dim)
        table = self.draw("embeddings", shape, rng) if self._given is None else self._given
        return {"embeddings": table}, {}, Spec((*spec.shape, self.output_dim))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the rows of the ids; with `mask_zero`, id 0 is masked."""
        lookup, mask, state = self.look_up(weights, state, inputs, mask, training=training, rng=rng)
        return ops.laid_out(lookup), mask, state

    def look_up(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the same, with the rows not laid out yet."""
        ids = ops.as_ids(inputs)
        if self.mask_zero:
            mask = ids != 0 if mask is None else mask & (ids != 0)
        return ops.Lookup(weights["embeddings"], ids), mask, state

    def grow(self, table: Any) -> None:
        """Take a table that is this one with more rows behind it."""
        self.input_dim, self._given = len(table), None
        self._weights = {"embeddings": table}

    @property
    def n_rows(self) -> int:
        """The number of rows of the table."""
        return self.input_dim

    def check(self, inputs: Any) -> None:
        """Raise ValueError for an id outside the table."""
        if not ops.is_jax(inputs):
            check_ids(ops.as_ids(inputs), self.input_dim, self.name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        config = super().get_config()
        if self.fixed_rows is not None:
            config["fixed_rows"] = base64.b64encode(np.packbits(self.fixed_rows).tobytes()).decode()
        return config | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "mask_zero": self.mask_zero,
            "input_length": None if self.input_length is None else list(self.input_length),
        }

    def _given_table(self, weights: Any) -> Any:
        table = np.array(weights[0] if isinstance(weights, list | tuple) else weights, np.float32)
        if table.shape != (self.input_dim, self.output_dim):
            raise ValueError(
                f"`weights` must have the shape (input_dim, output_dim) = "
                f"{(self.input_dim, self.output_dim)}; received {table.shape}."
            )
        return table

    def _check_length(self, shape: Shape) -> None:
        pairs = zip(self.input_length or (), shape[1:], strict=False)
        if any(want is not None and got is not None and want != got for want, got in pairs):
            raise ValueError(
                f"layer {self.name!r} has input_length={self.input_length}; received inputs of "
                f"shape {shape}. Pad to that length, or leave `input_length` out."
            )


def _fixed(given: Any, n_rows: int) -> Any:
    """Return which rows are fixed, bool [n_rows]: given so, by their numbers, or as in a config."""
    if isinstance(given, str):
        bits = np.unpackbits(np.frombuffer(base64.b64decode(given), np.uint8))
        return bits[:n_rows].astype(bool)
    array = np.asarray(given)
    if array.dtype == bool and array.shape == (n_rows,):
        return array.copy()
    if array.dtype == bool or array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"`fixed_rows` must be bool of shape ({n_rows},), or numbers of rows; received "
            f"{array.dtype} of shape {array.shape}."
        )
    if array.size and (array.min() < 0 or array.max() >= n_rows):
        raise ValueError(
            f"`fixed_rows` must be rows of the table, 0 to {n_rows - 1}; received "
            f"{int(array.min())} to {int(array.max())}."
        )
    fixed = np.zeros(n_rows, bool)
    fixed[array.astype(np.int64)] = True
    return fixed


def check_ids(ids: Any, input_dim: int, layer_name: str) -> None:
    """Raise ValueError, naming text and position, for an id outside [0, input_dim).

    ids: an array or a Ragged.
    """
    if isinstance(ids, Ragged):
        _check_ragged(ids, input_dim, layer_name)
        return
    if ids_fit(ids, input_dim):
        return
    where = tuple(int(i) for i in np.argwhere((ids < 0) | (ids >= input_dim))[0])
    raise bad_id_error(int(ids[where]), where, input_dim, layer_name)


def _check_ragged(ragged: Ragged, input_dim: int, layer_name: str) -> None:
    ids = ragged.ids
    if ids_fit(ids, input_dim):
        return
    at = int(np.argmax((ids < 0) | (ids >= input_dim)))
    text = int(np.searchsorted(ragged.offsets, at, side="right")) - 1
    raise bad_id_error(int(ids[at]), (text, at - int(ragged.offsets[text])), input_dim, layer_name)


def ids_fit(ids: Any, input_dim: int) -> bool:
    """Return whether every id is in [0, input_dim)."""
    return bool(ids.size == 0 or (ids.min() >= 0 and ids.max() < input_dim))


def bad_id_error(found: int, where: tuple[int, ...], input_dim: int, layer_name: str) -> ValueError:
    """Return the error for an id outside the table; where: (text, position...)."""
    expected = (
        "ids must not be negative" if found < 0 else "`input_dim` must be greater than every id"
    )
    place = f" at position {', '.join(map(str, where[1:]))}" if len(where) > 1 else ""
    return ValueError(
        f"{expected}: text {where[0]} has id {found}{place}, the table of layer {layer_name!r} has "
        f"{input_dim} rows. Use input_dim=len(tokenizer.word_index) + 1."
    )


def _lengths(value: int | Sequence[int | None] | None) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    return tuple(value) if isinstance(value, Sequence) else (int(value),)
