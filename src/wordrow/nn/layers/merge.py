"""Layers that merge several inputs into one output."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
]

_DIFFER = -1  # in place of a length, for inputs that do not fit


class Concatenate(Layer):
    """Concatenates inputs along an axis: [B, T, D1], [B, T, D2] -> [B, T, D1 + D2].

    A step is real if it is real in any input; masked steps of an input count as zeros.
    Along the steps (axis=1) the masks are concatenated too.

    >>> Concatenate()([np.zeros((2, 3)), np.ones((2, 1))]).tolist()[0]
    [0.0, 0.0, 0.0, 1.0]
    """

    takes_list = True

    def __init__(self, axis: int = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = int(axis)
        if self.axis == 0:
            raise ValueError("`axis` must not be 0, which is the batch; use axis=-1.")

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the other axes agree."""
        shapes = [one.shape for one in spec]
        n_axes = len(shapes[0])
        axis = self.axis % n_axes if -n_axes <= self.axis < n_axes else 0
        fit = axis and all(len(shape) == n_axes for shape in shapes)
        rest = [
            _agree([shape[i] for shape in shapes]) if fit and i != axis else None
            for i in range(n_axes)
        ]
        if not fit or _DIFFER in rest:
            raise ValueError(
                f"Concatenate ({self.name!r}) along axis {self.axis} takes inputs that agree in "
                f"all other axes; received the shapes {shapes}."
            )
        sizes = [shape[axis] for shape in shapes]
        rest[axis] = None if None in sizes else sum(size for size in sizes if size is not None)
        return {}, {}, Spec(tuple(rest), spec[0].dtype)

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
        """Return the concatenated inputs."""
        xp = ops.namespace(inputs[0])
        axis = self.axis % inputs[0].ndim
        joined = xp.concatenate(_real_parts(inputs, mask), axis=axis)
        if axis != 1 or inputs[0].ndim < 3:
            return joined, _any_real(mask), state
        if all(m is None for m in mask):
            return joined, None, state
        masks = [
            xp.ones(x.shape[:2], bool) if m is None else m
            for x, m in zip(inputs, mask, strict=True)
        ]
        return joined, xp.concatenate(masks, axis=1), state

    def apply_as_keras(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the concatenated inputs, padding too; real where an input is, or has no mask."""
        xp = ops.namespace(inputs[0])
        axis = self.axis % inputs[0].ndim
        joined = xp.concatenate(inputs, axis=axis)
        if all(m is None for m in mask):
            return joined, None, state
        masks = [
            xp.ones(x.shape[:-1], bool) if m is None else m
            for x, m in zip(inputs, mask, strict=True)
        ]
        if axis == inputs[0].ndim - 1:
            return joined, functools.reduce(operator.or_, masks), state
        return joined, xp.concatenate(masks, axis=axis), state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"axis": self.axis}


class _Merge(Layer):
    """An elementwise function of inputs of one shape, with axes of length 1, or with fewer axes.

    A step is real if it is real in any input; masked steps of an input count as
    `neutral`, so that they change nothing.
    """

    takes_list = True
    neutral: ClassVar[float] = 0.0
    exactly: ClassVar[int | None] = None  # the required number of inputs

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the shapes fit."""
        n_axes = max(len(one.shape) for one in spec)
        shapes = [(one.shape[0], *[1] * (n_axes - len(one.shape)), *one.shape[1:]) for one in spec]
        fit = len(shapes) > 1
        fit = fit and self.exactly in (None, len(shapes))
        axes: list[int | None] = (
            [_agree([n for n in column if n != 1] or [1]) for column in zip(*shapes, strict=False)]
            if fit
            else [_DIFFER]
        )
        if _DIFFER in axes:
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes {self.exactly or 'two or more'} "
                f"inputs of one shape; received the shapes {[one.shape for one in spec]}."
            )
        return {}, {}, Spec(tuple(axes), spec[0].dtype)

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
        """Return the merged inputs; zeros for steps that are masked in all of them."""
        inputs = _of_one_rank(inputs)
        real = _any_real(mask)
        merged = self.merge(_real_parts(inputs, mask, self.neutral), mask)
        if self.neutral:
            merged = ops.fill_masked(merged, real)
        return merged, real, state

    def apply_as_keras(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the merged inputs, padding too; real where any is, if all have masks."""
        return self.merge(_of_one_rank(inputs), [None] * len(inputs)), _any_real(mask), state

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return one array from several, whose masked steps are neutral."""
        raise NotImplementedError


class Add(_Merge):
    """The sum of the inputs, [B, ...] of one shape or with axes of length 1.

    A step is real if it is real in any input; masked steps of an input count as zeros.

    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return the sum."""
        return functools.reduce(operator.add, parts)


class Subtract(_Merge):
    """The first input minus the second; see Add.

    >>> Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    exactly = 2

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return the difference."""
        return parts[0] - parts[1]


class Multiply(_Merge):
    """The elementwise product of the inputs; masked steps of an input count as ones.

    >>> Multiply()([np.full((1, 2), 2.0), np.full((1, 2), 3.0)]).tolist()
    [[6.0, 6.0]]
    """

    neutral = 1.0

    def apply_as_keras(self, *arguments: Any, **options: Any) -> tuple[Array, Mask, Arrays]:
        """Return what `apply` does: Keras's honours masks too."""
        return self.apply(*arguments, **options)

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return the product."""
        return functools.reduce(operator.mul, parts)


class Average(_Merge):
    """The mean of the inputs; at each step, of those where it is real. See Add.

    >>> Average()([np.ones((1, 2)), np.zeros((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return the mean."""
        total = functools.reduce(operator.add, parts)
        if all(mask is None for mask in masks):
            return total / len(parts)
        xp = ops.namespace(total)
        count = sum(1 if mask is None else mask.astype(np.float32) for mask in masks)
        count = xp.maximum(count, 1)
        return total / ops.with_axes(count, total.ndim)


class _Extreme(_Merge):
    """What Maximum and Minimum share."""

    def apply_as_keras(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the merged inputs; the first one for steps that are masked in all of them."""
        inputs = _of_one_rank(inputs)
        xp = ops.namespace(inputs[0])
        merged, real = inputs[0], mask[0]
        for x, own in zip(inputs[1:], mask[1:], strict=True):
            other = x if own is None else xp.where(own[..., None], x, merged)
            if real is not None:
                merged = xp.where(real[..., None], merged, other)
            real = None if real is None or own is None else real | own
            merged = self.merge([merged, other], [None, None])
        return merged, real, state


class Maximum(_Extreme):
    """The elementwise maximum of the inputs; masked steps of an input are skipped.

    >>> Maximum()([np.ones((1, 2)), np.zeros((1, 2))]).tolist()
    [[1.0, 1.0]]
    """

    neutral = -3e38

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return the maximum."""
        return functools.reduce(ops.namespace(parts[0]).maximum, parts)


class Minimum(_Extreme):
    """The elementwise minimum of the inputs; masked steps of an input are skipped.

    >>> Minimum()([np.ones((1, 2)), np.zeros((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    neutral = 3e38

    def merge(self, parts: list[Array], masks: list[Mask]) -> Array:
        """Return the minimum."""
        return functools.reduce(ops.namespace(parts[0]).minimum, parts)


class Dot(Layer):
    """Dot products of two inputs along `axes`: one axis for both, or one for each.

    normalize: normalize to length 1 along those axes first, which gives cosines. Two
    inputs [B, D] give [B, 1]; [B, T, D] and [B, S, D] along axis 2 give [B, T, S].
    Masked steps count as zeros, and the outputs have no mask.

    >>> Dot(1)([np.ones((1, 3)), np.full((1, 3), 2.0)]).tolist()
    [[6.0]]
    """

    takes_list = True
    mask_rule = "consumes"

    def __init__(
        self, axes: int | Sequence[int], normalize: bool = False, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        pair = [axes, axes] if isinstance(axes, int) else [int(axis) for axis in axes]
        if len(pair) != 2 or 0 in pair:
            raise ValueError(
                f"`axes` must be one or two axes behind the batch; received {show(axes)}."
            )
        self.axes, self.normalize = pair, bool(normalize)

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the two axes have the same length."""
        shapes = [one.shape for one in spec]
        positive = [axis % len(shape) for axis, shape in zip(self.axes, shapes, strict=False)]
        fit = len(shapes) == 2 and all(len(shape) in (2, 3) for shape in shapes)
        along = [shape[i] for shape, i in zip(shapes, positive, strict=False)]
        if not fit or _agree(along) == _DIFFER:
            raise ValueError(
                f"Dot ({self.name!r}) takes two inputs, as long along the axes {self.axes}; "
                f"received the shapes {shapes}."
            )
        rest = [
            n
            for shape, axis in zip(shapes, positive, strict=True)
            for i, n in enumerate(shape)
            if i not in (0, axis)
        ]
        return {}, {}, Spec((shapes[0][0], *(rest or [1])))

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
        """Return the dot products."""
        xp = ops.namespace(inputs[0])
        one, other = (
            xp.moveaxis(x, axis, -1)
            for x, axis in zip(_real_parts(inputs, mask), self.axes, strict=True)
        )
        if self.normalize:
            one, other = ops.l2_normalize(one), ops.l2_normalize(other)
        if one.ndim == other.ndim == 2:
            return (one * other).sum(axis=-1, keepdims=True), None, state
        a, b = (x[:, None] if x.ndim == 2 else x for x in (one, other))
        found = a @ b.swapaxes(1, 2)
        if one.ndim == 2:
            found = found[:, 0]
        elif other.ndim == 2:
            found = found[..., 0]
        return found, None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"axes": self.axes, "normalize": self.normalize}


def _agree(sizes: Sequence[int | None]) -> int | None:
    """Return the common length of an axis, None if unknown; _DIFFER if there are several."""
    known = {size for size in sizes if size is not None}
    if len(known) > 1:
        return _DIFFER
    return known.pop() if known else None


def _of_one_rank(inputs: list[Array]) -> list[Array]:
    """Return the inputs with as many axes, new ones behind the batch: [B, D] -> [B, 1, D]."""
    n = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *[1] * (n - x.ndim), *x.shape[1:]) for x in inputs]


def _real_parts(inputs: list[Array], masks: list[Mask], neutral: float = 0.0) -> list[Array]:
    """Return the inputs with `neutral` in their masked steps."""
    return [ops.fill_masked(x, m, neutral) for x, m in zip(inputs, masks, strict=True)]


def _any_real(masks: list[Mask]) -> Mask:
    """Return where any input is real; None (everywhere) if one has no mask."""
    if any(mask is None for mask in masks):
        return None
    first, *rest = masks
    for mask in rest:
        first = first | mask
    return first
