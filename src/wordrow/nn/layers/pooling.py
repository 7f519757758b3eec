"""From one vector a step to one vector a text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec

__all__ = ["Flatten", "GlobalAveragePooling1D", "GlobalMaxPooling1D"]


class _GlobalPooling1D(Layer):
    mask_rule = "consumes"
    pool: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        data_format: Literal["channels_last"] | None = None,
        keepdims: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if data_format not in (None, "channels_last"):
            raise ValueError(
                f"`data_format` must be 'channels_last', [batch, steps, features]; "
                f"received {data_format!r}."
            )
        self.keepdims = bool(keepdims)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, T, D]."""
        if len(spec.shape) != 3:
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes [batch, steps, features]; "
                f"received the shape {spec.shape}."
            )
        batch, _, features = spec.shape
        return {}, {}, Spec((batch, 1, features) if self.keepdims else (batch, features))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Pool over the real steps."""
        return type(self).pool(inputs, mask, 1, keepdims=self.keepdims), None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {"keepdims": self.keepdims}


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean of a text's real steps: [B, T, D] -> [B, D]; zeros for a text of padding alone.

    >>> GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[2.0]]
    """

    pool = staticmethod(ops.masked_mean)


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest of a text's real steps, feature by feature: [B, T, D] -> [B, D].

    Zeros for a text of padding alone. Keras lets padding count here; mask="drop"
    does the same.

    >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[3.0]]
    """

    pool = staticmethod(ops.masked_max)


class Flatten(Layer):
    """One long vector a text: [B, T, D] -> [B, T * D]. Refuses a mask.

    >>> Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    mask_rule = "refuses"
    keeps_ids = True

    def __init__(
        self,
        data_format: Literal["channels_last"] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if data_format not in (None, "channels_last"):
            raise ValueError(f"`data_format` must be 'channels_last'; received {data_format!r}.")

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Multiply the axes behind the batch."""
        size: int | None = 1
        for axis in spec.shape[1:]:
            size = None if size is None or axis is None else size * axis
        return {}, {}, Spec((spec.shape[0], size), spec.dtype)

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return [B, everything else]."""
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:])), mask, state
