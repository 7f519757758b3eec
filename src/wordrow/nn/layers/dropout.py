"""Regularization: dropout (Srivastava et al. 2014), noise, penalties on outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from wordrow.arguments import not_negative, share
from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.functions.regularizers import L1L2
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng

__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
]


class Dropout(Layer):
    """In training, sets a fraction `rate` of the inputs to zero and scales up the rest.

    noise_shape: along its axes of length 1, elements are dropped together. Propagates the mask.

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if not 0 <= rate <= 1:
            raise ValueError(f"`rate` must be from 0 to 1; received {show(rate)}.")
        self.rate = float(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed

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
        """Return the inputs; in training, with some of them set to zero."""
        if not training or self.rate == 0:
            return inputs, mask, state
        if self.rate == 1:
            return ops.namespace(inputs).zeros_like(inputs), mask, state
        shape = self._noise_shape(inputs.shape)
        return ops.dropout(inputs, self.rate, rng, shape), mask, state

    def _noise_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.noise_shape is None:
            return shape
        pairs = zip(self.noise_shape, shape, strict=True)
        return tuple(n if given is None else given for given, n in pairs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        noise_shape = None if self.noise_shape is None else list(self.noise_shape)
        return super().get_config() | {
            "rate": self.rate,
            "noise_shape": noise_shape,
            "seed": self.seed,
        }


class SpatialDropout1D(Dropout):
    """Dropout of whole features: the same ones at every step of a text. [B, T, D] -> [B, T, D].

    >>> import numpy as np
    >>> SpatialDropout1D(0.5)(np.ones((1, 2, 3))).shape
    (1, 2, 3)
    """

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(rate, noise_shape=(None, 1, None), seed=seed, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        config = super().get_config()
        del config["noise_shape"]
        return config


class AlphaDropout(Dropout):
    """Dropout for SELU: keeps the mean and variance of its inputs (Klambauer et al. 2017).

    >>> import numpy as np
    >>> AlphaDropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

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
        """Return the inputs; in training, some are SELU's lowest value, and all are rescaled."""
        if not training or self.rate == 0:
            return inputs, mask, state
        lowest = -1.0507009873554805 * 1.6732632423543772  # SELU's scale times alpha
        keep = ops.bernoulli(rng, 1 - self.rate, self._noise_shape(inputs.shape))
        kept = ops.namespace(inputs).where(keep, inputs, lowest)
        scale = ((1 - self.rate) * (1 + self.rate * lowest**2)) ** -0.5 if self.rate < 1 else 0.0
        return (scale * kept - scale * lowest * self.rate).astype(inputs.dtype), mask, state


class GaussianNoise(Layer):
    """In training, adds normal noise of this standard deviation. Propagates the mask.

    >>> import numpy as np
    >>> GaussianNoise(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self, stddev: float, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.stddev, self.seed = not_negative("stddev", stddev), seed

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
        """Return the inputs; in training, with noise."""
        if not training or self.stddev == 0:
            return inputs, mask, state
        noise = ops.normal(rng, inputs.shape)
        return inputs + noise * inputs.dtype.type(self.stddev), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"stddev": self.stddev, "seed": self.seed}


class GaussianDropout(Layer):
    """In training, multiplies by normal noise around 1, with the variance of dropout.

    Srivastava et al. 2014, section 10: standard deviation sqrt(rate / (1 - rate)).

    >>> import numpy as np
    >>> GaussianDropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self, rate: float, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.rate, self.seed = share("rate", rate), seed

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
        """Return the inputs; in training, times noise."""
        if not training or self.rate == 0:
            return inputs, mask, state
        spread = inputs.dtype.type((self.rate / (1 - self.rate)) ** 0.5)
        return inputs * (1 + spread * ops.normal(rng, inputs.shape)), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"rate": self.rate, "seed": self.seed}


class ActivityRegularization(Layer):
    """Passes its inputs on, and adds l1 * |x| + l2 * x^2 to the loss. Propagates the mask.

    >>> import numpy as np
    >>> ActivityRegularization(l2=0.1)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**{"activity_regularizer": L1L2(l1, l2)} | options)
        self.l1, self.l2 = float(l1), float(l2)

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
        """Return the inputs."""
        return inputs, mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        config = super().get_config() | {"l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config
