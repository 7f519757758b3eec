"""Several inputs to one output."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract",
]  # fmt: skip


class Concatenate(Layer):
    """Inputs side by side along an axis: [B, T, D1], [B, T, D2] -> [B, T, D1 + D2].

    A step is real where it is in any input; elsewhere an input counts as zeros.
    Along the steps (axis=1) the masks are set side by side too.

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
        rest = [_agree([shape[i] for shape in shapes]) if fit and i != axis else None
                for i in range(n_axes)]  # fmt: skip
        if not fit or "differ" in rest:
            raise ValueError(
                f"Concatenate ({self.name!r}) along axis {self.axis} takes inputs that agree in "
                f"all other axes; received the shapes {shapes}."
            )
        sizes = [shape[axis] for shape in shapes]
        rest[axis] = None if None in sizes else sum(size for size in sizes if size is not None)
        return {}, {}, Spec(tuple(rest), spec[0].dtype)  # type: ignore[arg-type]

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the inputs side by side."""
        xp = ops.namespace(inputs[0])
        axis = self.axis % inputs[0].ndim
        joined = xp.concatenate(_real_parts(inputs, mask), axis=axis)
        if axis != 1 or inputs[0].ndim < 3:
            return joined, _any_real(mask), state
        if all(m is None for m in mask):
            return joined, None, state
        masks = [xp.ones(x.shape[:2], bool) if m is None else m
                 for x, m in zip(inputs, mask, strict=True)]  # fmt: skip
        return joined, xp.concatenate(masks, axis=1), state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {"axis": self.axis}


class _Merge(Layer):
    """One output from inputs of one shape, or with axes of length 1, number by number.

    A step is real where it is in any input; elsewhere an input counts as
    `neutral`, so that it changes nothing.
    """

    takes_list = True
    neutral: ClassVar[float] = 0.0
    exactly: ClassVar[int | None] = None  # so many inputs, where it must be one number

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the shapes fit."""
        shapes = [one.shape for one in spec]
        n_axes = max(len(shape) for shape in shapes)
        fit = len(shapes) > 1 and all(len(shape) == n_axes for shape in shapes)
        fit = fit and self.exactly in (None, len(shapes))
        axes = [_agree([n for n in column if n != 1] or [1])
                for column in zip(*shapes, strict=False)] if fit else ["differ"]  # fmt: skip
        if "differ" in axes:
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes {self.exactly or 'two or more'} "
                f"inputs of one shape; received the shapes {shapes}."
            )
        return {}, {}, Spec(tuple(axes), spec[0].dtype)  # type: ignore[arg-type]

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the inputs merged; zeros where no step is real."""
        real = _any_real(mask)
        merged = self.merge(_real_parts(inputs, mask, self.neutral), mask)
        if self.neutral:
            merged = ops.only_real(merged, real)
        return merged, real, state

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return one array from several; what is not real is neutral in them."""
        raise NotImplementedError


class Add(_Merge):
    """The sum of its inputs, all [B, ...] of one shape or with axes of length 1.

    A step is real where it is in any input; elsewhere an input counts as zeros.

    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return the sum."""
        return functools.reduce(operator.add, parts)


class Subtract(_Merge):
    """The first input less the second; see Add.

    >>> Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    exactly = 2

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return the difference."""
        return parts[0] - parts[1]


class Multiply(_Merge):
    """The product of its inputs, number by number; a step not real in one counts as ones there.

    >>> Multiply()([np.full((1, 2), 2.0), np.full((1, 2), 3.0)]).tolist()
    [[6.0, 6.0]]
    """

    neutral = 1.0

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return the product."""
        return functools.reduce(operator.mul, parts)


class Average(_Merge):
    """The mean of its inputs; where a step is not real in some, of the others. See Add.

    >>> Average()([np.ones((1, 2)), np.zeros((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return the mean."""
        total = functools.reduce(operator.add, parts)
        if all(mask is None for mask in masks):
            return total / len(parts)
        xp = ops.namespace(total)
        number = sum(1 if mask is None else mask.astype(np.float32) for mask in masks)
        number = xp.maximum(number, 1)
        return total / number.reshape(number.shape + (1,) * (total.ndim - number.ndim))


class Maximum(_Merge):
    """The largest of its inputs, number by number; a step not real in one is left out there.

    >>> Maximum()([np.ones((1, 2)), np.zeros((1, 2))]).tolist()
    [[1.0, 1.0]]
    """

    neutral = -3e38

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return the largest."""
        return functools.reduce(ops.namespace(parts[0]).maximum, parts)


class Minimum(_Merge):
    """The smallest of its inputs, number by number; a step not real in one is left out there.

    >>> Minimum()([np.ones((1, 2)), np.zeros((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    neutral = 3e38

    def merge(self, parts: list[Any], masks: list[Any]) -> Any:
        """Return the smallest."""
        return functools.reduce(ops.namespace(parts[0]).minimum, parts)


class Dot(Layer):
    """Products of two inputs, summed along an axis of each: `axes`, one number for both or two.

    normalize: lengths along those axes are made 1 first, which gives cosines. Two
    [B, D] give [B, 1]; [B, T, D] and [B, S, D] along 2 give [B, T, S]. Steps that
    are not real count as zeros, and no mask comes out.

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
        """Check that the two axes are as long."""
        shapes = [one.shape for one in spec]
        places = [axis % len(shape) for axis, shape in zip(self.axes, shapes, strict=False)]
        fit = len(shapes) == 2 and all(len(shape) in (2, 3) for shape in shapes)
        along = [shape[i] for shape, i in zip(shapes, places, strict=False)]
        if not fit or _agree(along) == "differ":
            raise ValueError(
                f"Dot ({self.name!r}) takes two inputs, as long along the axes {self.axes}; "
                f"received the shapes {shapes}."
            )
        rest = [n for shape, place in zip(shapes, places, strict=True)
                for i, n in enumerate(shape) if i not in (0, place)]  # fmt: skip
        return {}, {}, Spec((shapes[0][0], *(rest or [1])))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the sums of products."""
        xp = ops.namespace(inputs[0])
        one, other = (
            xp.moveaxis(x, axis, -1)
            for x, axis in zip(_real_parts(inputs, mask), self.axes, strict=True)
        )
        if self.normalize:
            one, other = ops.of_length_one(one), ops.of_length_one(other)
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
        """Return the arguments that make this layer again."""
        return super().get_config() | {"axes": self.axes, "normalize": self.normalize}


def _agree(sizes: Sequence[int | None]) -> int | str | None:
    """Return the one length among lengths of an axis, "differ" where there are several."""
    known = {size for size in sizes if size is not None}
    if len(known) > 1:
        return "differ"
    return known.pop() if known else None


def _real_parts(inputs: list[Any], masks: list[Any], neutral: float = 0.0) -> list[Any]:
    """Return the inputs with `neutral` in the steps that are not real in them."""
    return [ops.only_real(x, m, neutral) for x, m in zip(inputs, masks, strict=True)]


def _any_real(masks: list[Any]) -> Any:
    """Return where any input is real; None, everywhere, where one has no mask."""
    if any(mask is None for mask in masks):
        return None
    first, *rest = masks
    for mask in rest:
        first = first | mask
    return first
