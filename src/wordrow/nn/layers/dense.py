"""A weighted sum of the last axis, and activations."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn import activations
from wordrow.nn.initializers import Initializer, get_initializer, initializer_config
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec, UnknownDimensionError

__all__ = ["Activation", "Dense"]


class Dense(Layer):
    """activation(inputs @ kernel + bias): [..., D] -> [..., units]. Carries the mask.

    >>> Dense(2)(np.zeros((4, 3), np.float32)).shape
    (4, 2)
    """

    def __init__(
        self,
        units: int,
        activation: str | activations.Activation | None = None,
        use_bias: bool = True,
        kernel_initializer: str | dict[str, Any] | Initializer = "glorot_uniform",
        bias_initializer: str | dict[str, Any] | Initializer = "zeros",
        *,
        input_dim: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        if input_dim is not None:
            options["input_shape"] = (input_dim,)
        super().__init__(**options)
        if int(units) < 1:
            raise ValueError(f"`units` must be a whole number above 0; received {show(units)}.")
        self.units = int(units)
        self.activation = activations.get_activation(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = get_initializer(kernel_initializer)
        self.bias_initializer = get_initializer(bias_initializer)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the kernel [D, units] and the bias [units]."""
        last = spec.shape[-1]
        if last is None:
            raise UnknownDimensionError(
                f"layer {self.name!r} needs to know the last axis of its inputs; received the "
                f"shape {spec.shape}. Give the length of the texts: Input((T,)), or "
                "Embedding(…, input_length=T)."
            )
        weights = {"kernel": self.kernel_initializer((last, self.units), rng)}
        if self.use_bias:
            weights["bias"] = self.bias_initializer((self.units,), rng)
        return weights, {}, Spec((*spec.shape[:-1], self.units))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return activation(inputs @ kernel + bias)."""
        outputs = inputs @ weights["kernel"]
        if self.use_bias:
            outputs = outputs + weights["bias"]
        return self.activation(outputs), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {
            "units": self.units,
            "activation": activations.activation_name(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializer_config(self.kernel_initializer),
            "bias_initializer": initializer_config(self.bias_initializer),
        }


class Activation(Layer):
    """Applies an activation function, by name or as a function. Carries the mask.

    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    def __init__(
        self,
        activation: str | activations.Activation | None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.activation = activations.get_activation(activation)

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return activation(inputs)."""
        return self.activation(inputs), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {"activation": activations.activation_name(self.activation)}
