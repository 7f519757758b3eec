"""The embedding table: one row per id."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Unpack

import numpy as np
import numpy.typing as npt

from wordrow.arguments import whole_number
from wordrow.errors import show
from wordrow.nn import ops, random
from wordrow.nn.ids import check_ids
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Spec
from wordrow.nn.table.table import Table
from wordrow.nn.table.weight import Weight
from wordrow.vectors.coverage import Case, Coverage, Missing, table_for
from wordrow.vectors.vectors import Vectors

__all__ = ["Embedding"]


class Embedding(Layer):
    """Gathers rows of a table by id: [B, T] -> [B, T, output_dim].

    The table, [input_dim, output_dim], is the layer's only weight: row i belongs to
    the word with id i. Rows are initialized at random (or from `weights`) and
    trained like any other weight.

    input_dim: ids must be below it; with a Tokenizer, len(word_index) + 1.
    mask_zero: id 0 is padding, which later layers skip.
    input_length: the length of the texts, if it is always the same.
    weights: the initial table, [input_dim, output_dim], or a list of one.
    fixed_rows: rows that are not trained: bool [input_dim], or their indices.
    `from_vectors` initializes the rows from pretrained vectors.

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
        weights: npt.ArrayLike | None = None,
        input_length: int | Sequence[int | None] | None = None,
        fixed_rows: npt.ArrayLike | None = None,
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
        self._fixed_rows = None if fixed_rows is None else _fixed(fixed_rows, self.input_dim)
        self.coverage: Coverage | None = None  # what `from_vectors` found
        if self.first_shape is None:
            self.first_shape = (None, *(self.input_length or (None,)))

    @classmethod
    def from_vectors(
        cls,
        vectors: Vectors,
        tokenizer: Any,
        missing: Missing = "uniform",
        case: Case = "exact",
        trainable: bool | Literal["missing"] = True,
        **options: Any,
    ) -> Embedding:
        """Return a layer whose rows are initialized from pretrained vectors.

        tokenizer: it assigns the ids. missing: the initial rows of words without a
        vector: "uniform" (random with the variance of the others), "mean", "subword"
        (from the vectors' character n-grams) or "zeros". case: "fallback" also takes
        vectors of words that differ only in case. trainable: "missing" trains only the
        rows of words without a vector; the others stay unchanged, bit for bit. The row
        of id 0, padding, is zeros and stays so. options: other arguments of the layer.
        `coverage` reports what was found, and can be printed.

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
            len(table),
            vectors.dim,
            weights=table,
            fixed_rows=fixed if trainable else None,
            trainable=bool(trainable),
            **options,
        )
        layer.coverage = coverage
        return layer

    @property
    def table(self) -> Table:
        """The table, once the layer is built."""
        table = self.named_weights()["embeddings"]
        assert isinstance(table, Table)
        return table

    @property
    def fixed_rows(self) -> npt.NDArray[np.bool_] | None:
        """The rows that are not trained: bool [input_dim]; None if all are."""
        return self.table.frozen if self.built else self._fixed_rows

    @fixed_rows.setter
    def fixed_rows(self, rows: npt.ArrayLike | None) -> None:
        self._fixed_rows = None if rows is None else _fixed(rows, self.input_dim)
        if self.built:
            self.table.frozen = self._fixed_rows

    def new_weight(self, name: str, array: Array) -> Weight:
        """Return the table."""
        return Table(array, name, frozen=self._fixed_rows)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the table, or use the one given as `weights`."""
        self._check_length(spec.shape)
        shape = (self.input_dim, self.output_dim)
        table = self.draw("embeddings", shape, rng) if self._given is None else self._given
        return {"embeddings": table}, {}, Spec((*spec.shape, self.output_dim))

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the rows of the ids; with `mask_zero`, id 0 is masked."""
        lookup, mask, state = self.apply_deferred(
            weights, state, inputs, mask, training=training, rng=rng
        )
        return ops.materialize(lookup), mask, state

    def emits(self, form: ops.Form | None) -> ops.Form | None:
        """Return that the rows may stay ungathered."""
        return ops.Form.GATHERED if len(self.output_spec.shape) == 3 else None

    @property
    def makes_mask(self) -> bool:
        """Whether id 0 is masked."""
        return self.mask_zero

    def apply_deferred(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the same, with the rows not gathered yet."""
        ids = ops.as_ids(inputs)
        if self.mask_zero:
            mask = ids != 0 if mask is None else mask & (ids != 0)
        return ops.GatheredRows(weights["embeddings"], ids), mask, state

    def grow(self, rows: npt.NDArray[np.float32], fixed: npt.NDArray[np.bool_] | None) -> None:
        """Append rows to the table; fixed: which of them are not trained, None for none."""
        self.table.grow(rows, fixed)
        self.input_dim, self._given = self.table.shape[0], None

    @property
    def n_rows(self) -> int:
        """The number of rows of the table."""
        return self.input_dim

    def check(self, inputs: Any) -> None:
        """Raise ValueError for an id outside the table."""
        if not ops.is_jax(inputs):
            check_ids(np.asarray(inputs), self.input_dim, self.name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        config = super().get_config()
        if self.fixed_rows is not None:
            packed = np.packbits(self.fixed_rows).tobytes()
            config["fixed_rows"] = base64.b64encode(packed).decode()
        return config | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "mask_zero": self.mask_zero,
            "input_length": None if self.input_length is None else list(self.input_length),
        }

    def _given_table(self, weights: Any) -> npt.NDArray[np.float32]:
        table = np.array(weights[0] if isinstance(weights, list | tuple) else weights, np.float32)
        if table.shape != (self.input_dim, self.output_dim):
            raise ValueError(
                f"`weights` must have the shape (input_dim, output_dim) = "
                f"{(self.input_dim, self.output_dim)}; received {table.shape}."
            )
        if not np.isfinite(table).all():
            row = int(np.isfinite(table).all(axis=1).argmin())
            raise ValueError(f"`weights` must be finite numbers; row {row} is not.")
        return table

    def _check_length(self, shape: Shape) -> None:
        pairs = zip(self.input_length or (), shape[1:], strict=False)
        if any(want is not None and got is not None and want != got for want, got in pairs):
            raise ValueError(
                f"layer {self.name!r} has input_length={self.input_length}; received inputs of "
                f"shape {shape}. Pad to that length, or leave `input_length` out."
            )


def _fixed(given: Any, n_rows: int) -> npt.NDArray[np.bool_]:
    """Return which rows are fixed, bool [n_rows]; given: that, indices, or a config's string."""
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


def _lengths(value: int | Sequence[int | None] | None) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    return tuple(value) if isinstance(value, Sequence) else (int(value),)
