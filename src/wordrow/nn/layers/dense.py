"""Weighted sums over the last axis."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.arguments import whole_number
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, UnknownDimensionError

__all__ = ["Dense", "KernelOptions", "last_axis"]


class KernelOptions(LayerOptions, total=False):
    """The keyword arguments of layers with a kernel and a bias."""

    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any


def last_axis(layer: Layer, spec: Spec) -> int:
    """Return the length of the last axis of a layer's inputs.

    Raises UnknownDimensionError if it is unknown.
    """
    last = spec.shape[-1]
    if last is None:
        raise UnknownDimensionError(
            f"layer {layer.name!r} needs to know the last axis of its inputs; received the "
            f"shape {spec.shape}. Give the length of the texts: Input((T,)), or "
            "Embedding(…, input_length=T)."
        )
    return last


class Dense(Layer):
    """activation(inputs @ kernel + bias): [..., D] -> [..., units]. Propagates the mask.

    >>> Dense(2)(np.zeros((4, 3), np.float32)).shape
    (4, 2)
    """

    kinds: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}
    accepts = frozenset({ops.Form.GATHERED, ops.Form.FLATTENED})

    def __init__(
        self,
        units: int,
        activation: str | Function | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        *,
        input_dim: int | None = None,
        **options: Unpack[KernelOptions],
    ) -> None:
        if input_dim is not None:
            options["input_shape"] = (input_dim,)
        super().__init__(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, **options
        )
        self.units = whole_number("units", units)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw the kernel [D, units] and the bias [units]."""
        weights = {"kernel": self.draw("kernel", (last_axis(self, spec), self.units), rng)}
        if self.use_bias:
            weights["bias"] = self.draw("bias", (self.units,), rng)
        return weights, {}, Spec((*spec.shape[:-1], self.units))

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
        """Return activation(inputs @ kernel + bias)."""
        if isinstance(inputs, ops.GatheredRows) and inputs.is_flat:
            outputs = ops.flat_product(inputs, weights["kernel"])
        else:
            outputs = ops.product(ops.materialize(inputs), weights["kernel"])
        if self.use_bias:
            outputs = outputs + weights["bias"]
        return self.activation(outputs), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "units": self.units,
            "activation": ACTIVATIONS.config(self.activation),
            "use_bias": self.use_bias,
        }
