"""Layers that change the shape of their inputs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.window import check_data_format, check_steps
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Spec, UnknownDimensionError

__all__ = [
    "Cropping1D",
    "Flatten",
    "Permute",
    "RepeatVector",
    "Reshape",
    "UpSampling1D",
    "ZeroPadding1D",
]


class Flatten(Layer):
    """Flattens each text to a vector: [B, T, D] -> [B, T * D]. Refuses a mask.

    >>> Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    mask_rule = "refuses"
    keeps_ids = True
    accepts = frozenset({ops.Form.GATHERED, ops.Form.POOLED})

    def __init__(
        self,
        data_format: Literal["channels_last"] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        check_data_format(data_format)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Multiply the axes behind the batch."""
        return {}, {}, Spec((spec.shape[0], _size(spec.shape[1:])), spec.dtype)

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
        """Return [B, everything else]."""
        inputs = ops.materialize(inputs)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:])), mask, state

    def emits(self, form: ops.Form | None) -> ops.Form | None:
        """Return that rows may stay ungathered, concatenated to one vector per text."""
        return ops.Form.FLATTENED if form in self.accepts else None

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
        """Return the same, with rows that are not gathered yet."""
        if not isinstance(inputs, ops.GatheredRows):
            return self.apply(weights, state, inputs, mask, training=training, rng=rng)
        return dataclasses.replace(inputs, is_flat=True), mask, state


class Reshape(Layer):
    """Another shape for each text: [B, ...] -> [B, *target_shape]. Refuses a mask.

    One axis of target_shape may be -1: it is inferred.

    >>> Reshape((2, -1))(np.zeros((5, 6))).shape
    (5, 2, 3)
    """

    mask_rule = "refuses"
    keeps_ids = True

    def __init__(self, target_shape: Sequence[int], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.target_shape = tuple(int(n) for n in target_shape)
        if self.target_shape.count(-1) > 1 or any(n < -1 or n == 0 for n in self.target_shape):
            raise ValueError(
                "`target_shape` must have whole numbers above 0, and at most one -1; "
                f"received {show(target_shape)}."
            )

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the sizes fit."""
        size = _size(spec.shape[1:])
        if size is None and -1 not in self.target_shape:
            raise UnknownDimensionError(
                f"layer {self.name!r} reshapes to {self.target_shape}; received {spec.shape}, of "
                "which an axis may have any length. Give it: Input((T,))."
            )
        known = math.prod(n for n in self.target_shape if n != -1)
        fits = size is None or (size % known == 0 if -1 in self.target_shape else size == known)
        if not fits:
            raise ValueError(
                f"layer {self.name!r} reshapes to {self.target_shape}; received {spec.shape}, "
                f"which holds {size} numbers a text. Use a shape of as many."
            )
        left = None if size is None else size // known
        shape = tuple(left if n == -1 else n for n in self.target_shape)
        return {}, {}, Spec((spec.shape[0], *shape), spec.dtype)

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
        """Return [B, *target_shape]."""
        left = math.prod(inputs.shape[1:]) // math.prod(n for n in self.target_shape if n != -1)
        shape = tuple(left if n == -1 else n for n in self.target_shape)
        return inputs.reshape(inputs.shape[0], *shape), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"target_shape": list(self.target_shape)}


class RepeatVector(Layer):
    """Repeats a vector for n steps: [B, D] -> [B, n, D].

    >>> RepeatVector(2)(np.array([[1.0, 3.0]])).tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]
    """

    mask_rule = "consumes"

    def __init__(self, n: int, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.n = whole_number("n", n)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, D]."""
        if len(spec.shape) != 2:
            raise ValueError(
                f"RepeatVector ({self.name!r}) takes one vector a text, [batch, features]; "
                f"received the shape {spec.shape}. Use return_sequences=False before it."
            )
        return {}, {}, Spec((spec.shape[0], self.n, spec.shape[1]), spec.dtype)

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
        """Return the vector n times."""
        return ops.namespace(inputs).repeat(inputs[:, None], self.n, axis=1), None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"n": self.n}


class Permute(Layer):
    """Permutes the axes of each text, counted from 1: (2, 1) swaps steps and features.

    Refuses a mask if the axis of steps moves.

    >>> Permute((2, 1))(np.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """

    def __init__(self, dims: Sequence[int], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.dims = tuple(int(n) for n in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"`dims` must be the axes from 1 on in some order; received {show(dims)}."
            )
        self.mask_rule = "propagates" if self.dims[:1] == (1,) else "refuses"

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check the number of axes."""
        if len(spec.shape) != len(self.dims) + 1:
            raise ValueError(
                f"Permute ({self.name!r}) orders {len(self.dims)} axes behind the batch; received "
                f"the shape {spec.shape}."
            )
        return {}, {}, Spec((spec.shape[0], *(spec.shape[n] for n in self.dims)), spec.dtype)

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
        """Return the permuted inputs."""
        return inputs.transpose(0, *self.dims), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"dims": list(self.dims)}


class ZeroPadding1D(Layer):
    """Adds steps of zeros, a before and b after: [B, T, D] -> [B, T + a + b, D].

    Under a mask the new steps are masked.

    >>> ZeroPadding1D((1, 0))(np.ones((1, 1, 2))).tolist()
    [[[0.0, 0.0], [1.0, 1.0]]]
    """

    def __init__(
        self,
        padding: int | Sequence[int] = 1,
        data_format: str | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        check_data_format(data_format)
        self.padding = _two("padding", padding)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, T, D]."""
        batch, steps, features = check_steps(self, spec)
        return {}, {}, Spec((batch, None if steps is None else steps + sum(self.padding), features))

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
        """Return the padded inputs."""
        xp = ops.namespace(inputs)
        if mask is not None:
            mask = xp.pad(mask, [(0, 0), self.padding])
        return xp.pad(inputs, [(0, 0), self.padding, (0, 0)]), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"padding": list(self.padding)}


class Cropping1D(Layer):
    """Removes steps, a at the start and b at the end: [B, T, D] -> [B, T - a - b, D].

    Refuses a mask: it would remove padding from one text and words from another.

    >>> Cropping1D((1, 0))(np.arange(3.0).reshape(1, 3, 1)).tolist()
    [[[1.0], [2.0]]]
    """

    mask_rule = "refuses"

    def __init__(
        self, cropping: int | Sequence[int] = (1, 1), **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.cropping = _two("cropping", cropping)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that some steps remain."""
        batch, steps, features = check_steps(self, spec)
        left = None if steps is None else steps - sum(self.cropping)
        if left is not None and left < 1:
            raise ValueError(
                f"Cropping1D ({self.name!r}) cuts {self.cropping} steps; received texts of {steps}."
            )
        return {}, {}, Spec((batch, left, features), spec.dtype)

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
        """Return the remaining steps."""
        first, last = self.cropping
        return inputs[:, first : inputs.shape[1] - last], mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"cropping": list(self.cropping)}


class UpSampling1D(Layer):
    """Repeats every step `size` times: [B, T, D] -> [B, T * size, D]. Propagates the mask.

    >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]])).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: int = 2, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.size = whole_number("size", size)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, T, D]."""
        batch, steps, features = check_steps(self, spec)
        return {}, {}, Spec((batch, None if steps is None else steps * self.size, features))

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
        """Return the repeated steps."""
        xp = ops.namespace(inputs)
        if mask is not None:
            mask = xp.repeat(mask, self.size, axis=1)
        return xp.repeat(inputs, self.size, axis=1), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"size": self.size}


def _two(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """Return (before, after) from one number or two."""
    pair = [value, value] if isinstance(value, int) else list(value)
    if len(pair) != 2:
        raise ValueError(f"`{name}` must be one whole number or two; received {show(value)}.")
    return whole_number(name, pair[0], least=0), whole_number(name, pair[1], least=0)


def _size(shape: Shape) -> int | None:
    size = 1
    for axis in shape:
        if axis is None:
            return None
        size *= axis
    return size
