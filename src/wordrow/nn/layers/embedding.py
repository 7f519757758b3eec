"""A table with one row for every word: ids in, their rows out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Shape, Spec
from wordrow.types import Ragged

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
        if self.first_shape is None:
            self.first_shape = (None, *(self.input_length or (None,)))

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
        return super().get_config() | {
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
