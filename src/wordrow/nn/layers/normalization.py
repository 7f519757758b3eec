"""Normalization to mean 0 and variance 1, over the features of a step or over the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.arguments import not_negative
from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Spec, UnknownDimensionError

__all__ = [
    "BatchNormalization",
    "LayerNormalization",
    "NormalizationOptions",
    "RMSNormalization",
]


class NormalizationOptions(LayerOptions, total=False):
    """The keyword arguments for gamma and beta."""

    beta_initializer: Any
    gamma_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any


class _Normalization(Layer):
    """What the layers here share: the axes of gamma and beta."""

    kinds: ClassVar = {"gamma": "ones", "beta": "zeros"}

    def __init__(
        self,
        axis: int | Sequence[int],
        epsilon: float,
        center: bool,
        scale: bool,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.axis, self.epsilon = axis, not_negative("epsilon", epsilon)
        self.center, self.scale = bool(center), bool(scale)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw gamma, beta and the fixed weights, in the shape of the axes."""
        shape = tuple(spec.shape[one] for one in self.axes(spec.shape))
        kinds = (("gamma", self.scale), ("beta", self.center), *((one, True) for one in self.fixed))
        weights = {kind: self.draw(kind, shape, rng) for kind, used in kinds if used}  # type: ignore[arg-type]
        return weights, {}, Spec(spec.shape)

    def axes(self, shape: Shape) -> list[int]:
        """Return the axes as non-negative indices; check that their lengths are known."""
        n_axes = len(shape)
        given = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        axes = sorted(one % n_axes for one in given if -n_axes <= one < n_axes)
        if len(axes) != len(given) or 0 in axes:
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}): `axis` must be behind the batch's; "
                f"received {show(self.axis)} for inputs of the shape {shape}."
            )
        if any(shape[one] is None for one in axes):
            raise UnknownDimensionError(
                f"layer {self.name!r} needs to know the lengths of the axes {axes}; received the "
                f"shape {shape}."
            )
        return axes

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }


class LayerNormalization(_Normalization):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, over an axis of each step.

    Ba et al. 2016. center, scale: whether there is a beta, a gamma. Propagates the mask.

    >>> LayerNormalization(epsilon=0)(np.array([[1.0, 3.0]], np.float32)).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **options: Unpack[NormalizationOptions],
    ) -> None:
        super().__init__(axis, epsilon, center, scale, **options)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Draw gamma and beta; a normalization over steps refuses a mask."""
        steps = 1 in self.axes(spec.shape) and len(spec.shape) > 2
        self.mask_rule = "refuses" if steps else "propagates"
        return super().build(spec, rng)

    centers = True  # whether the mean is subtracted first

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
        """Return the normalized inputs."""
        xp = ops.namespace(inputs)
        axes = tuple(self.axes(inputs.shape))
        wide = tuple(n if i in axes else 1 for i, n in enumerate(inputs.shape))
        if self.centers:
            inputs = inputs - inputs.mean(axis=axes, keepdims=True)
        square = (inputs * inputs).mean(axis=axes, keepdims=True)
        outputs = inputs / xp.sqrt(square + np.float32(self.epsilon))
        if "gamma" in weights:
            outputs = outputs * weights["gamma"].reshape(wide)
        if "beta" in weights:
            outputs = outputs + weights["beta"].reshape(wide)
        return outputs, mask, state


class RMSNormalization(LayerNormalization):
    """x / sqrt(mean square + epsilon) * scale, over an axis of each step.

    Zhang & Sennrich 2019. Propagates the mask.

    >>> RMSNormalization(epsilon=0)(np.array([[2.0, -2.0]], np.float32)).tolist()
    [[1.0, -1.0]]
    """

    kinds: ClassVar = {"gamma": "ones"}
    centers = False

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-6,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(axis, epsilon, False, True, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        left = ("center", "scale", "gamma_initializer")
        return {k: v for k, v in super().get_config().items() if k not in left}


class BatchNormalization(_Normalization):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, for each feature along `axis`.

    Ioffe & Szegedy 2015. In training, mean and variance are those of the batch (of its real
    steps), and update the moving ones: momentum * moving + (1 - momentum) * batch. Otherwise, and
    if trainable=False, they are the moving ones. Propagates the mask.

    >>> BatchNormalization(epsilon=0)(np.array([[1.0, 3.0]], np.float32)).tolist()
    [[1.0, 3.0]]
    """

    kinds: ClassVar = _Normalization.kinds | {"moving_mean": "zeros", "moving_variance": "ones"}

    @property
    def mixes_texts(self) -> bool:
        """True: in training the batch's mean is used."""
        return True

    @property
    def fixed(self) -> tuple[str, ...]:
        """The moving mean and variance."""
        return "moving_mean", "moving_variance"

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        *,
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **options: Unpack[NormalizationOptions],
    ) -> None:
        super().__init__(
            int(axis),
            epsilon,
            center,
            scale,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            **options,
        )
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be from 0 to 1; received {show(momentum)}.")
        self.momentum = float(momentum)

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
        """Return the normalized inputs, and the new moving mean and variance as the state."""
        xp = ops.namespace(inputs)
        (axis,) = self.axes(inputs.shape)
        wide = tuple(n if i == axis else 1 for i, n in enumerate(inputs.shape))
        own = {name: state[name] if name in state else weights[name] for name in self.fixed}
        if training and self.trainable:
            mean, variance = _moments(inputs, mask, axis)
            kept = np.float32(self.momentum)
            state = state | {
                name: kept * own[name] + (1 - kept) * new
                for name, new in zip(self.fixed, (mean, variance), strict=True)
            }
        else:
            mean, variance = (own[name] for name in self.fixed)
        scale = 1 / xp.sqrt(variance + np.float32(self.epsilon))
        if "gamma" in weights:
            scale = scale * weights["gamma"]
        outputs = (inputs - mean.reshape(wide)) * scale.reshape(wide)
        if "beta" in weights:
            outputs = outputs + weights["beta"].reshape(wide)
        return outputs, mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"momentum": self.momentum}


def _moments(x: Array, mask: Mask, axis: int) -> tuple[Array, Array]:
    """Return the mean and variance for each feature along an axis, over the real steps."""
    rest = tuple(i for i in range(x.ndim) if i != axis)
    if mask is None or axis < mask.ndim:
        mean = x.mean(axis=rest, keepdims=True)
        variance = ((x - mean) ** 2).mean(axis=rest)
        return mean.reshape(-1), variance
    xp = ops.namespace(x)
    real = ops.with_axes(mask, x.ndim).astype(x.dtype)
    count = xp.maximum((real * xp.ones_like(x)).sum(axis=rest), 1)
    mean = (x * real).sum(axis=rest, keepdims=True)
    mean = mean / count.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    variance = (((x - mean) * real) ** 2).sum(axis=rest) / count
    return mean.reshape(-1), variance
