"""Initial weights: a shape and a NumPy generator in, float32 out.

The defaults and names are Keras's. `get_initializer` takes a name, an object,
a config or any function of (shape, rng).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow.errors import show

__all__ = [
    "Constant", "Initializer", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "VarianceScaling", "get_initializer", "initializer_config",
]  # fmt: skip

Weights = npt.NDArray[np.float32]
Initializer = Callable[[tuple[int, ...], np.random.Generator], Weights]


@dataclass(frozen=True)
class Constant:
    """The same value everywhere."""

    value: float = 0.0

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        return np.full(shape, self.value, np.float32)


@dataclass(frozen=True)
class RandomUniform:
    """Evenly spread over [minval, maxval)."""

    minval: float = -0.05
    maxval: float = 0.05

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        unit = rng.random(shape, dtype=np.float32)
        return np.float32(self.minval) + unit * np.float32(self.maxval - self.minval)


@dataclass(frozen=True)
class RandomNormal:
    """Normally distributed."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        normal = rng.standard_normal(shape, dtype=np.float32)
        return np.float32(self.mean) + normal * np.float32(self.stddev)


@dataclass(frozen=True)
class TruncatedNormal:
    """Normally distributed; values beyond two standard deviations are drawn again."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        normal = rng.standard_normal(shape, dtype=np.float32)
        while (beyond := np.abs(normal) > 2).any():
            normal[beyond] = rng.standard_normal(int(beyond.sum()), dtype=np.float32)
        return np.float32(self.mean) + normal * np.float32(self.stddev)


@dataclass(frozen=True)
class VarianceScaling:
    """Variance scale / n, where n is the number of inputs, of outputs, or their mean.

    Glorot & Bengio 2010; He et al. 2015.
    """

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = (3 * variance) ** 0.5
            return RandomUniform(-limit, limit)(shape, rng)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, variance**0.5)(shape, rng)
        # 0.8796 is the standard deviation of a unit normal cut at two of them.
        return TruncatedNormal(0.0, variance**0.5 / 0.87962566103423978)(shape, rng)


CLASSES: dict[str, type] = {
    cls.__name__: cls
    for cls in (Constant, RandomUniform, RandomNormal, TruncatedNormal, VarianceScaling)
}
NAMES: dict[str, Initializer] = {
    "zeros": Constant(0.0),
    "ones": Constant(1.0),
    "uniform": RandomUniform(),
    "random_uniform": RandomUniform(),
    "normal": RandomNormal(),
    "random_normal": RandomNormal(),
    "truncated_normal": TruncatedNormal(),
    "glorot_uniform": VarianceScaling(1.0, "fan_avg", "uniform"),
    "glorot_normal": VarianceScaling(1.0, "fan_avg"),
    "he_uniform": VarianceScaling(2.0, "fan_in", "uniform"),
    "he_normal": VarianceScaling(2.0, "fan_in"),
    "lecun_uniform": VarianceScaling(1.0, "fan_in", "uniform"),
    "lecun_normal": VarianceScaling(1.0, "fan_in"),
}


def get_initializer(initializer: str | dict[str, Any] | Initializer) -> Initializer:
    """Return the initializer of a name or config; a function is returned as it is.

    Raises ValueError for an unknown name.

    >>> get_initializer("zeros")((2,), None).tolist()
    [0.0, 0.0]
    """
    if callable(initializer):
        return initializer
    if isinstance(initializer, dict) and initializer.get("class_name") in CLASSES:
        made: Initializer = CLASSES[initializer["class_name"]](**initializer["config"])
        return made
    if isinstance(initializer, str) and initializer in NAMES:
        return NAMES[initializer]
    raise ValueError(
        f"an initializer must be a function of (shape, rng) or one of {sorted(NAMES)}; "
        f"received {show(initializer)}."
    )


def initializer_config(initializer: Initializer) -> dict[str, Any] | str:
    """Return what `get_initializer` makes this initializer from.

    That is "zeros" for a function of your own: a loaded model has its weights, so
    its initializers are never called.
    """
    if type(initializer) in CLASSES.values():
        return {"class_name": type(initializer).__name__, "config": asdict(initializer)}  # type: ignore[call-overload]
    return "zeros"


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    if len(shape) == 1:
        return shape[0], shape[0]
    receptive = float(np.prod(shape[:-2]))
    return shape[-2] * receptive, shape[-1] * receptive
