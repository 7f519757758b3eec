"""Convolution over the steps of a text."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.dense import KernelOptions, last_axis
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.window import Windows, check_data_format, check_steps
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec

__all__ = ["Conv1D", "SeparableConv1D"]


def _windows(kernel_size: Any, strides: Any, dilation_rate: Any, padding: str) -> Windows:
    """Return the windows of a convolution; each number may stand alone in a tuple."""
    given = {"kernel_size": kernel_size, "strides": strides, "dilation_rate": dilation_rate}
    size, step, dilation = (
        whole_number(name, value[0] if isinstance(value, tuple | list) else value)
        for name, value in given.items()
    )
    return Windows(size, step, dilation, padding, ("valid", "same", "causal"))


class Conv1D(Layer):
    """activation(each window of steps @ kernel + bias): [B, T, D] -> [B, T', filters].

    padding: "valid" adds none; "same" keeps the number of steps; "causal" does too, with windows
    that never look ahead. Under a mask, the padding of texts does not count. groups: features and
    filters are split into this many groups; filters see only the features of their own group.

    >>> Conv1D(2, kernel_size=3)(np.zeros((4, 5, 3), np.float32)).shape
    (4, 3, 2)
    """

    kinds: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}
    accepts = frozenset({ops.Form.GATHERED})

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int],
        strides: int | tuple[int] = 1,
        padding: Literal["valid", "same", "causal"] = "valid",
        data_format: Literal["channels_last"] | None = None,
        dilation_rate: int | tuple[int] = 1,
        groups: int = 1,
        *,
        activation: str | Function | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **options: Unpack[KernelOptions],
    ) -> None:
        super().__init__(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, **options
        )
        check_data_format(data_format)
        self.filters = whole_number("filters", filters)
        self.windows = _windows(kernel_size, strides, dilation_rate, padding)
        self.kernel_size, self.strides = self.windows.size, self.windows.strides
        self.dilation_rate = self.windows.dilation
        self.groups = whole_number("groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"`filters` must be a multiple of `groups`; received {filters} and {groups}."
            )
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the kernel [kernel_size, D / groups, filters] and the bias [filters]."""
        batch, steps, _ = check_steps(self, spec)
        dim = last_axis(self, spec)
        if dim % self.groups:
            raise ValueError(
                f"Conv1D ({self.name!r}) with groups={self.groups} needs as many features as a "
                f"multiple of that; received the shape {spec.shape}."
            )
        shape = (self.kernel_size, dim // self.groups, self.filters)
        weights = {"kernel": self.draw("kernel", shape, rng)}
        if self.use_bias:
            weights["bias"] = self.draw("bias", (self.filters,), rng)
        return weights, {}, Spec((batch, self.windows.count(self, steps), self.filters))

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
        """Return activation(bias + the sum of step @ kernel over each window's steps)."""
        if self._is_kernel_for(weights):
            sums, mask, state = self.apply_deferred(
                weights, state, inputs, mask, training=training, rng=rng
            )
            return ops.window_sums(sums), mask, state
        inputs, _, mask = self.windows.align(ops.materialize(inputs), mask)
        taps, kernel = self.windows.taps(inputs), self._kernel(weights)
        outputs = taps[0] @ kernel[0]
        for i, tap in enumerate(taps[1:], 1):
            outputs = outputs + tap @ kernel[i]
        if self.use_bias:
            outputs = outputs + weights["bias"]
        return self.activation(outputs), mask, state

    def emits(self, form: ops.Form | None) -> ops.Form | None:
        """Return that the windows may stay unsummed."""
        return ops.Form.WINDOWS

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
        """Return the same, with windows that are not summed yet if the core has a kernel."""
        if not self._is_kernel_for(weights):
            return self.apply(weights, state, inputs, mask, training=training, rng=rng)
        kernel = self._kernel(weights)
        size, dim, filters = kernel.shape
        rows, row_indices = ops.rows_and_indices(inputs)
        row_indices, mask = self.windows.indices_of(row_indices, mask)
        rows = ops.product(rows, kernel.swapaxes(0, 1).reshape(dim, size * filters))
        sums = ops.WindowSums(
            rows.reshape(-1, size, filters),
            row_indices,
            weights.get("bias"),
            ACTIVATIONS.name(self.activation) or "linear",
            shares_rows=isinstance(inputs, ops.GatheredRows) and inputs.is_dense,
        )
        return sums, mask, state

    def _kernel(self, weights: Arrays) -> Array:
        """Return the kernel [kernel_size, D, filters], with zeros between groups."""
        kernel = weights["kernel"]
        if self.groups == 1:
            return kernel
        size, dim, filters = kernel.shape
        own = ops.namespace(kernel).eye(self.groups, dtype=kernel.dtype)[:, None, :, None]
        parts = kernel.reshape(size, 1, dim, self.groups, filters // self.groups) * own
        return parts.reshape(size, dim * self.groups, filters)

    def _is_kernel_for(self, weights: Arrays) -> bool:
        return ops.has_kernel(weights["kernel"], ACTIVATIONS.name(self.activation))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.windows.padding,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": ACTIVATIONS.config(self.activation),
            "use_bias": self.use_bias,
        }


class SeparableConv1D(Layer):
    """A convolution of each feature by itself, then a Dense layer over them, with fewer weights.

    [B, T, D] -> [B, T', filters]. depth_multiplier: how many convolutions each feature has. See
    Conv1D for the other arguments, and for masks.

    >>> SeparableConv1D(2, kernel_size=3)(np.zeros((4, 5, 3), np.float32)).shape
    (4, 3, 2)
    """

    kinds: ClassVar = {
        "depthwise": "glorot_uniform",
        "pointwise": "glorot_uniform",
        "bias": "zeros",
    }

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int],
        strides: int | tuple[int] = 1,
        padding: Literal["valid", "same", "causal"] = "valid",
        data_format: Literal["channels_last"] | None = None,
        dilation_rate: int | tuple[int] = 1,
        depth_multiplier: int = 1,
        *,
        activation: str | Function | None = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        check_data_format(data_format)
        self.filters = whole_number("filters", filters)
        self.windows = _windows(kernel_size, strides, dilation_rate, padding)
        self.kernel_size, self.strides = self.windows.size, self.windows.strides
        self.dilation_rate = self.windows.dilation
        self.depth_multiplier = whole_number("depth_multiplier", depth_multiplier)
        self.activation, self.use_bias = get_activation(activation), bool(use_bias)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the kernels [kernel_size, D, multiplier] and [1, D * multiplier, filters]."""
        batch, steps, _ = check_steps(self, spec)
        dim, n = last_axis(self, spec), self.depth_multiplier
        weights = {
            "depthwise": self.draw("depthwise", (self.kernel_size, dim, n), rng),
            "pointwise": self.draw("pointwise", (1, dim * n, self.filters), rng),
        }
        if self.use_bias:
            weights["bias"] = self.draw("bias", (self.filters,), rng)
        return weights, {}, Spec((batch, self.windows.count(self, steps), self.filters))

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
        """Return activation(bias + the depthwise sums of each window @ the pointwise kernel)."""
        inputs, _, mask = self.windows.align(ops.materialize(inputs), mask)
        kernel = weights["depthwise"]
        taps = self.windows.taps(inputs)
        sums = taps[0][..., None] * kernel[0]
        for i, tap in enumerate(taps[1:], 1):
            sums = sums + tap[..., None] * kernel[i]
        outputs = sums.reshape(*sums.shape[:2], -1) @ weights["pointwise"][0]
        if self.use_bias:
            outputs = outputs + weights["bias"]
        return self.activation(outputs), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.windows.padding,
            "dilation_rate": self.dilation_rate,
            "depth_multiplier": self.depth_multiplier,
            "activation": ACTIVATIONS.config(self.activation),
            "use_bias": self.use_bias,
        }
