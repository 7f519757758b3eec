"""Activations as layers, some with parameters. All propagate the mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.arguments import not_negative
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, elu, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.contract import LayerOptions, MaskRule
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, UnknownDimensionError

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class Activation(Layer):
    """Applies an activation, given by name or as a function. Propagates the mask.

    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    def __init__(
        self,
        activation: str | Function | None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.activation = get_activation(activation)

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
        """Return activation(inputs)."""
        return self.activation(inputs), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"activation": ACTIVATIONS.config(self.activation)}


class _Parametrized(Layer):
    """An activation with parameters; `arguments` are their names."""

    arguments: ClassVar[tuple[str, ...]] = ()

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
        """Return the function of the inputs."""
        return self.function(inputs), mask, state

    def function(self, x: Array) -> Array:
        """Return the function of x."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `function`.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {name: getattr(self, name) for name in self.arguments}


class ReLU(_Parametrized):
    """x from `threshold` to `max_value`, max_value above, negative_slope * (x - threshold) below.

    >>> ReLU(max_value=1.0, negative_slope=0.1)(np.array([-1.0, 0.5, 2.0])).tolist()
    [-0.1, 0.5, 1.0]
    """

    arguments = ("max_value", "negative_slope", "threshold")

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.max_value = None if max_value is None else not_negative("max_value", max_value)
        self.negative_slope = not_negative("negative_slope", negative_slope)
        self.threshold = not_negative("threshold", threshold)

    def function(self, x: Array) -> Array:
        """Return x, clipped."""
        xp = ops.namespace(x)
        above = x if self.max_value is None else xp.minimum(x, self.max_value)
        return xp.where(x >= self.threshold, above, self.negative_slope * (x - self.threshold))


class LeakyReLU(_Parametrized):
    """x where positive, negative_slope * x elsewhere.

    >>> LeakyReLU(0.5)(np.array([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    arguments = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.3, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.negative_slope = float(negative_slope)

    def function(self, x: Array) -> Array:
        """Return the activations."""
        return ops.namespace(x).where(x > 0, x, self.negative_slope * x)


class ELU(_Parametrized):
    """x where positive, alpha * (exp(x) - 1) elsewhere.

    >>> ELU()(np.array([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.alpha = float(alpha)

    def function(self, x: Array) -> Array:
        """Return the activations."""
        return elu(x, self.alpha)


class Softmax(Layer):
    """exp(x) / sum(exp(x)) along an axis; along the steps (axis=1), over the real ones only.

    >>> Softmax()(np.array([[1.0, 1.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = int(axis)

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
        """Return the probabilities."""
        if mask is not None and self.axis % inputs.ndim == 1:
            inputs = ops.fill_masked(inputs, mask, -3e38)
        return ops.softmax(inputs, self.axis), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"axis": self.axis}


class PReLU(Layer):
    """x where positive, alpha * x elsewhere, with a learned alpha per element (He et al. 2015).

    shared_axes: axes along which alpha is shared; 1: one alpha for all steps.

    >>> PReLU()(np.array([[-1.0, 2.0]], np.float32)).tolist()
    [[0.0, 2.0]]
    """

    kinds: ClassVar = {"alpha": "zeros"}
    mask_rule: MaskRule = "refuses"

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        *,
        shared_axes: int | Sequence[int] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(alpha_initializer=alpha_initializer, **options)
        axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes or ())
        self.shared_axes = axes
        if 1 in axes:
            self.mask_rule = "propagates"

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw alpha, in the shape of one example."""
        shape = tuple(1 if i in self.shared_axes else n for i, n in enumerate(spec.shape[1:], 1))
        if None in shape:
            raise UnknownDimensionError(
                f"PReLU ({self.name!r}) has a number for each place of {spec.shape}, of which an "
                "axis may have any length: share it, PReLU(shared_axes=[1])."
            )
        return {"alpha": self.draw("alpha", shape, rng)}, {}, spec  # type: ignore[arg-type]

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
        """Return the activations."""
        xp = ops.namespace(inputs)
        outputs = xp.maximum(inputs, 0) + weights["alpha"] * xp.minimum(inputs, 0)
        return outputs, mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"shared_axes": self.shared_axes or None}
