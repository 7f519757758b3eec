"""Pooling over the steps of a text: over all of them, or over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.nn import ops
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.window import Windows, check_data_format, check_steps
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec

__all__ = ["AveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "MaxPooling1D"]


class _GlobalPooling1D(Layer):
    mask_rule = "consumes"
    pool: ClassVar[Callable[..., Array]]

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
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Pool over the real steps."""
        inputs = ops.materialize(inputs)
        return type(self).pool(inputs, mask, 1, keepdims=self.keepdims), None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"keepdims": self.keepdims}


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean of a text's real steps: [B, T, D] -> [B, D]; zeros for a text of only padding.

    >>> GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[2.0]]
    """

    pool = staticmethod(ops.masked_mean)
    accepts = frozenset({ops.Form.GATHERED})

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
        """Return the mean of the real steps."""
        if isinstance(inputs, ops.GatheredRows):
            mean = ops.mean_of_rows(inputs, mask)
            return mean[:, None] if self.keepdims else mean, None, state
        return super().apply(weights, state, inputs, mask, training=training, rng=rng)


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The maximum over a text's real steps, for each feature: [B, T, D] -> [B, D].

    Zeros for a text of only padding. In Keras padding counts here, as with mask="drop".

    >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[3.0]]
    """

    pool = staticmethod(ops.masked_max)
    accepts = frozenset({ops.Form.GATHERED, ops.Form.WINDOWS})

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
        """Return the maximum over the real steps."""
        if not ops.has_kernel(inputs):
            return super().apply(weights, state, inputs, mask, training=training, rng=rng)
        sums = ops.as_windows(inputs)
        pools = ops.step_indices(sums)
        if mask is not None:
            pools = ops.namespace(sums).where(mask, pools, -1)
        largest = ops.window_max(sums, pools[:, None])
        return largest if self.keepdims else largest[:, 0], None, state


class _Pooling1D(Layer):
    pool: ClassVar[Callable[..., Array]]

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
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Pool over the real steps of each window."""
        xp, inputs = ops.namespace(inputs), ops.materialize(inputs)
        inputs, real, mask = self.windows.align(inputs, mask)
        values = xp.stack(self.windows.taps(inputs), axis=2)  # [B, windows, pool_size, D]
        reals = xp.stack(self.windows.taps(real), axis=2)
        reals = xp.broadcast_to(reals, values.shape[:3])
        return type(self).pool(values, reals, 2), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.windows.padding,
        }


class MaxPooling1D(_Pooling1D):
    """The maximum over each window of steps: [B, T, D] -> [B, T', D].

    padding: "valid" skips a last window that the text does not fill, "same" keeps
    it. Under a mask, windows start at each text's first real step.

    >>> MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).tolist()
    [[[3.0], [2.0]]]
    """

    pool = staticmethod(ops.masked_max)
    accepts = frozenset({ops.Form.GATHERED, ops.Form.WINDOWS})

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
        """Return the maximum over the real steps of each window."""
        if not ops.has_kernel(inputs):
            return super().apply(weights, state, inputs, mask, training=training, rng=rng)
        sums = ops.as_windows(inputs)
        pools, mask = self.windows.indices_of(ops.step_indices(sums), mask)
        return ops.window_max(sums, pools), mask, state

    def emits(self, form: ops.Form | None) -> ops.Form | None:
        """Return that pooled windows may stay rows, which padding shares."""
        return ops.Form.POOLED if form is ops.Form.WINDOWS else None

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
        """Return the same as rows; windows over only padding share one row per position."""
        if mask is not None or not isinstance(inputs, ops.WindowSums) or not inputs.shares_rows:
            return self.apply(weights, state, inputs, mask, training=training, rng=rng)
        pools, mask = self.windows.indices_of(ops.step_indices(inputs), mask)
        return ops.pooled_rows(inputs, pools), mask, state


class AveragePooling1D(_Pooling1D):
    """The mean of each window of steps: [B, T, D] -> [B, T', D]; see MaxPooling1D.

    >>> AveragePooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]])).tolist()
    [[[2.0], [1.0]]]
    """

    pool = staticmethod(ops.masked_mean)
