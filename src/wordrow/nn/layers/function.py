"""A function as a layer."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wordrow.errors import show
from wordrow.nn.layers.layer import Layer, spec_by_trial
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, Specs, shapes_of

__all__ = ["Lambda"]


class Lambda(Layer):
    """A user-defined function as a layer: of arrays, with operators, array methods and jax.numpy.

    function may take a `mask`; `arguments` are passed to it by name. Give output_shape, without
    the batch, if it cannot be inferred by calling the function on zeros. The mask is propagated
    unless `mask` is another mask, or a function of (inputs, mask).

    >>> Lambda(lambda x: x * 2)(np.array([[1.0, 2.0]])).tolist()
    [[2.0, 4.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Mask = None,
        arguments: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        kept = isinstance(mask, str) and mask in ("drop", "keras")
        super().__init__(mask=mask if kept else None, **options)
        if not callable(function):
            raise TypeError(f"`function` must be a function; received {show(function)}.")
        self.function, self.given_shape = function, output_shape
        self.arguments, self.new_mask = dict(arguments or {}), None if kept else mask
        parameters: Mapping[str, Any] = {}
        with contextlib.suppress(TypeError, ValueError):
            parameters = inspect.signature(function).parameters
        self._takes = {name for name in ("mask", "training") if name in parameters}

    def _called(self, inputs: Any, **known: Any) -> Any:
        found = self.function(
            inputs, **self.arguments, **{k: v for k, v in known.items() if k in self._takes}
        )
        if found is None:
            raise TypeError(
                f"the function of layer {self.name!r} returns None: it must return an array."
            )
        return found

    def build(self, spec: Specs, rng: np.random.Generator) -> tuple[Arrays, Arrays, Specs]:
        """Infer the spec of the outputs."""
        if self.given_shape is None:
            made = spec_by_trial(lambda x: self._called(x, mask=None, training=False), spec)
            return {}, {}, made
        first = spec[0] if isinstance(spec, list) else spec
        if callable(self.given_shape):
            return {}, {}, Spec(tuple(self.given_shape(shapes_of(spec))))
        return {}, {}, Spec((first.shape[0], *self.given_shape))

    @property
    def mixes_texts(self) -> bool:
        """True: the function may look at the whole batch."""
        return True

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
        """Return the function's outputs."""
        outputs = self._called(inputs, mask=mask, training=training)
        if self.new_mask is not None:
            mask = self.new_mask(inputs, mask) if callable(self.new_mask) else self.new_mask
        elif isinstance(mask, list):
            mask = mask[0]

        def fitting(output: Array) -> Mask:  # without the steps there is no mask
            return mask if mask is not None and mask.shape == output.shape[: mask.ndim] else None

        if isinstance(outputs, list | tuple):
            return list(outputs), [fitting(one) for one in outputs], state
        return outputs, fitting(outputs), state

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
        """Return the function's outputs. It may take the mask, which ends here."""
        outputs, after, state = self.apply(weights, state, inputs, mask, training=training, rng=rng)
        self._warn_of_dropped_mask(mask if isinstance(mask, list) else [mask])
        return outputs, [None] * len(after) if isinstance(after, list) else None, state

    def get_config(self) -> dict[str, Any]:
        """Raise ValueError: a file cannot hold a function, because loading it never runs code."""
        raise ValueError(
            f"the Lambda layer {self.name!r} holds a user-defined function, which a file cannot: "
            "keep the weights (save_weights, load_weights) and make the model by its code."
        )
