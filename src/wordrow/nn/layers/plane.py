"""Convolution and pooling over two axes, as in Kim's network over texts [B, T, D, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.arguments import check_choice, whole_number
from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.dense import KernelOptions, last_axis
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Spec

__all__ = [
    "AveragePooling2D",
    "Conv2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "MaxPooling2D",
]

Pair = tuple[int, int]
DataFormat = Literal["channels_last", "channels_first"]


def _pair(name: str, value: Any) -> Pair:
    """Return two whole numbers, given as one or two."""
    items = list(value) if isinstance(value, Sequence | np.ndarray) else [value, value]
    if len(items) != 2:
        raise ValueError(f"`{name}` must be one or two whole numbers; received {show(value)}.")
    return whole_number(name, items[0]), whole_number(name, items[1])


class _Plane(Layer):
    """What these layers share: inputs [B, H, W, C], or [B, C, H, W] with channels first."""

    mask_rule = "refuses"

    def __init__(self, data_format: DataFormat | None, **options: Any) -> None:
        super().__init__(**options)
        self.data_format = data_format or "channels_last"
        check_choice("data_format", self.data_format, ("channels_last", "channels_first"))

    def _last(self, shape: Shape) -> Shape:
        """Return a shape of the inputs with the channels last."""
        if len(shape) != 4:
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes [batch, height, width, channels]; "
                f"received the shape {shape}. Add an axis with Reshape((T, D, 1))."
            )
        if self.data_format == "channels_last":
            return shape
        return (shape[0], *shape[2:], shape[1])

    def _placed(self, shape: Shape) -> Shape:
        """Return a shape [B, H, W, C] with the channels where this layer has them."""
        if self.data_format == "channels_last":
            return shape
        return (shape[0], shape[3], *shape[1:3])

    def _plane(self, x: Array) -> Array:
        return x if self.data_format == "channels_last" else x.transpose(0, 2, 3, 1)

    def _back(self, x: Array) -> Array:
        return x if self.data_format == "channels_last" else x.transpose(0, 3, 1, 2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"data_format": self.data_format}


class _Windowed(_Plane):
    """What layers with windows share."""

    def _take_windows(self, size: Pair, strides: Pair, dilation: Pair, padding: str) -> None:
        check_choice("padding", padding, ("valid", "same"))
        self.size, self.strides, self.dilation_rate = size, strides, dilation
        self.padding: Any = padding

    def _counts(self, shape: Shape) -> Shape:
        """Return the numbers of windows along both axes of [B, H, W, C]."""
        found: list[int | None] = []
        parts = zip(shape[1:3], self.size, self.strides, self.dilation_rate, strict=True)
        for n, size, step, dilation in parts:
            reach = (size - 1) * dilation + 1
            if n is None:
                found.append(None)
            elif self.padding == "same":
                found.append(-(-n // step))
            elif n < reach:
                raise ValueError(
                    f"{type(self).__name__} ({self.name!r}) looks at {reach} places at once; "
                    f"received the shape {shape}. Use a smaller window, or padding='same'."
                )
            else:
                found.append((n - reach) // step + 1)
        return tuple(found)


class Conv2D(_Windowed):
    """activation(each window @ kernel + bias): [B, H, W, C] -> [B, H', W', filters].

    kernel_size, strides, dilation_rate: one number, or one for each axis.

    >>> Conv2D(2, (3, 4))(np.zeros((5, 6, 4, 1), np.float32)).shape
    (5, 4, 1, 2)
    """

    kinds: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = 1,
        padding: Literal["valid", "same"] = "valid",
        data_format: DataFormat | None = None,
        dilation_rate: int | Pair = 1,
        *,
        activation: str | Function | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **options: Unpack[KernelOptions],
    ) -> None:
        super().__init__(
            data_format,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            **options,
        )
        self.filters = whole_number("filters", filters)
        self._take_windows(
            _pair("kernel_size", kernel_size),
            _pair("strides", strides),
            _pair("dilation_rate", dilation_rate),
            padding,
        )
        self.activation, self.use_bias = get_activation(activation), bool(use_bias)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the kernel [h, w, C, filters] and the bias [filters]."""
        shape = self._last(spec.shape)
        channels = last_axis(self, Spec(shape))
        weights = {"kernel": self.draw("kernel", (*self.size, channels, self.filters), rng)}
        if self.use_bias:
            weights["bias"] = self.draw("bias", (self.filters,), rng)
        return weights, {}, Spec(self._placed((shape[0], *self._counts(shape), self.filters)))

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
        """Return activation(each window @ kernel + bias)."""
        outputs = ops.convolve_plane(
            self._plane(inputs), weights["kernel"], self.strides, self.padding, self.dilation_rate
        )
        if self.use_bias:
            outputs = outputs + weights["bias"]
        return self._back(self.activation(outputs)), None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": list(self.size),
            "strides": list(self.strides),
            "padding": self.padding,
            "dilation_rate": list(self.dilation_rate),
            "activation": ACTIVATIONS.config(self.activation),
            "use_bias": self.use_bias,
        }


class _Pooling2D(_Windowed):
    pool: ClassVar[Literal["max", "mean"]]

    def __init__(
        self,
        pool_size: int | Pair = 2,
        strides: int | Pair | None = None,
        padding: Literal["valid", "same"] = "valid",
        data_format: DataFormat | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(data_format, **options)
        size = _pair("pool_size", pool_size)
        steps = size if strides is None else _pair("strides", strides)
        self._take_windows(size, steps, (1, 1), padding)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, H, W, C]."""
        shape = self._last(spec.shape)
        return {}, {}, Spec(self._placed((shape[0], *self._counts(shape), shape[3])))

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
        """Pool over each window."""
        found = ops.pool_plane(
            self._plane(inputs), self.size, self.strides, self.padding, type(self).pool
        )
        return self._back(found), None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "pool_size": list(self.size),
            "strides": list(self.strides),
            "padding": self.padding,
        }


class MaxPooling2D(_Pooling2D):
    """The maximum over each window: [B, H, W, C] -> [B, H', W', C].

    >>> MaxPooling2D((2, 1))(np.array([[[[1.0]], [[3.0]], [[2.0]], [[0.0]]]])).ravel().tolist()
    [3.0, 2.0]
    """

    pool = "max"


class AveragePooling2D(_Pooling2D):
    """The mean of each window: [B, H, W, C] -> [B, H', W', C].

    >>> AveragePooling2D((2, 1))(np.array([[[[1.0]], [[3.0]], [[2.0]], [[0.0]]]])).ravel().tolist()
    [2.0, 1.0]
    """

    pool = "mean"


class _GlobalPooling2D(_Plane):
    pool: ClassVar[Literal["max", "mean"]]

    def __init__(
        self,
        data_format: DataFormat | None = None,
        keepdims: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(data_format, **options)
        self.keepdims = bool(keepdims)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the inputs are [B, H, W, C]."""
        batch, _, _, channels = self._last(spec.shape)
        kept = self._placed((batch, 1, 1, channels))
        return {}, {}, Spec(kept if self.keepdims else (batch, channels))

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
        """Pool over both axes."""
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        found = getattr(inputs, type(self).pool)(axis=axes, keepdims=self.keepdims)
        return found, None, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"keepdims": self.keepdims}


class GlobalMaxPooling2D(_GlobalPooling2D):
    """The maximum over both axes: [B, H, W, C] -> [B, C].

    >>> GlobalMaxPooling2D()(np.zeros((5, 6, 4, 2))).shape
    (5, 2)
    """

    pool = "max"


class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean over both axes: [B, H, W, C] -> [B, C].

    >>> GlobalAveragePooling2D()(np.zeros((5, 6, 4, 2))).shape
    (5, 2)
    """

    pool = "mean"
