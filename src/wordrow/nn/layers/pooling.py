"""Pooling over the steps of a text: over all of them, or over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec
from wordrow.nn.layers.window import Windows, check_data_format, check_steps

__all__ = ["AveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "MaxPooling1D"]


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
        check_data_format(data_format)
        self.keepdims = bool(keepdims)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, T, D]."""
        batch, _, features = check_steps(self, spec)
        return {}, {}, Spec((batch, 1, features) if self.keepdims else (batch, features))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Pool over the real steps."""
        inputs = ops.laid_out(inputs)
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
    takes_lookups = True

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Take the mean of the real steps."""
        if isinstance(inputs, ops.Lookup):
            mean = ops.mean_of_rows(inputs, mask)
            return mean[:, None] if self.keepdims else mean, None, state
        return super().apply(weights, state, inputs, mask, training=training, rng=rng)


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest of a text's real steps, feature by feature: [B, T, D] -> [B, D].

    Zeros for a text of padding alone. Keras lets padding count here; mask="drop"
    does the same.

    >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[3.0]]
    """

    pool = staticmethod(ops.masked_max)
    takes_lookups = takes_sums = True

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Take the largest of the real steps."""
        if not ops.has_kernel(inputs):
            return super().apply(weights, state, inputs, mask, training=training, rng=rng)
        sums = ops.Sums.of(inputs)
        pools = ops.all_places(sums)
        if mask is not None:
            pools = ops.namespace(sums).where(mask, pools, -1)
        largest = ops.window_max(sums, pools[:, None])
        return largest if self.keepdims else largest[:, 0], None, state


class _Pooling1D(Layer):
    pool: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        pool_size: int = 2,
        strides: int | None = None,
        padding: Literal["valid", "same"] = "valid",
        data_format: Literal["channels_last"] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        check_data_format(data_format)
        self.pool_size = whole_number("pool_size", pool_size)
        self.strides = whole_number("strides", self.pool_size if strides is None else strides)
        self.windows = Windows(self.pool_size, self.strides, 1, padding, ("valid", "same"))

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, T, D]."""
        batch, steps, features = check_steps(self, spec)
        return {}, {}, Spec((batch, self.windows.count(self, steps), features))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Pool over the real steps of each window."""
        xp, inputs = ops.namespace(inputs), ops.laid_out(inputs)
        inputs, real, mask = self.windows.place(inputs, mask)
        values = xp.stack(self.windows.taps(inputs), axis=2)  # [B, windows, pool_size, D]
        reals = xp.stack(self.windows.taps(real), axis=2)
        reals = xp.broadcast_to(reals, values.shape[:3])
        return type(self).pool(values, reals, 2), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.windows.padding,
        }


class MaxPooling1D(_Pooling1D):
    """The largest of each window of steps: [B, T, D] -> [B, T', D].

    padding: "valid" leaves out a last window that the text does not fill, "same"
    keeps it. Under a mask, windows begin at each text's first real step.

    >>> MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).tolist()
    [[[3.0], [2.0]]]
    """

    pool = staticmethod(ops.masked_max)
    takes_lookups = takes_sums = True

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Take the largest of the real steps of each window."""
        if not ops.has_kernel(inputs):
            return super().apply(weights, state, inputs, mask, training=training, rng=rng)
        sums = ops.Sums.of(inputs)
        pools, mask = self.windows.places(ops.all_places(sums), mask)
        return ops.window_max(sums, pools), mask, state

    def look_up(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the same as rows, of which windows over padding alone share one a step."""
        if mask is not None or not isinstance(inputs, ops.Sums) or not inputs.shares_rows:
            return self.apply(weights, state, inputs, mask, training=training, rng=rng)
        pools, mask = self.windows.places(ops.all_places(inputs), mask)
        return ops.pooled_rows(inputs, pools), mask, state


class AveragePooling1D(_Pooling1D):
    """The mean of each window of steps: [B, T, D] -> [B, T', D]; see MaxPooling1D.

    >>> AveragePooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).tolist()
    [[[2.0], [1.0]]]
    """

    pool = staticmethod(ops.masked_mean)
