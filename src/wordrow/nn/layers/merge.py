"""Several inputs to one output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec

__all__ = ["Add", "Concatenate"]


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


class Add(Layer):
    """The sum of its inputs, all [B, ...] of one shape or with axes of length 1.

    A step is real where it is in any input; elsewhere an input counts as zeros.

    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    takes_list = True

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the shapes fit."""
        shapes = [one.shape for one in spec]
        n_axes = max(len(shape) for shape in shapes)
        fit = len(shapes) > 1 and all(len(shape) == n_axes for shape in shapes)
        axes = [_agree([n for n in column if n != 1] or [1])
                for column in zip(*shapes, strict=False)] if fit else ["differ"]  # fmt: skip
        if "differ" in axes:
            raise ValueError(
                f"Add ({self.name!r}) takes two or more inputs of one shape; received the shapes "
                f"{shapes}."
            )
        return {}, {}, Spec(tuple(axes), spec[0].dtype)  # type: ignore[arg-type]

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the sum."""
        first, *rest = _real_parts(inputs, mask)
        for one in rest:
            first = first + one
        return first, _any_real(mask), state


def _agree(sizes: Sequence[int | None]) -> int | str | None:
    """Return the one length among lengths of an axis, "differ" where there are several."""
    known = {size for size in sizes if size is not None}
    if len(known) > 1:
        return "differ"
    return known.pop() if known else None


def _real_parts(inputs: list[Any], masks: list[Any]) -> list[Any]:
    """Return the inputs with zeros in the steps that are not real in them."""
    return [
        x
        if m is None
        else ops.namespace(x).where(m.reshape(m.shape + (1,) * (x.ndim - m.ndim)), x, 0)
        for x, m in zip(inputs, masks, strict=True)
    ]


def _any_real(masks: list[Any]) -> Any:
    """Return where any input is real; None, everywhere, where one has no mask."""
    if any(mask is None for mask in masks):
        return None
    first, *rest = masks
    for mask in rest:
        first = first | mask
    return first
