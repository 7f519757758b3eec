"""Initializers: functions of a shape and a NumPy generator that return float32 weights.

Defaults and names are Keras's. `INITIALIZERS.get` takes a name, an object,
a config or any function of (shape, rng).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow.nn import random
from wordrow.nn.registry import Registry, config_of

__all__ = [
    "INITIALIZERS",
    "Constant",
    "Identity",
    "Initializer",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "initializer_config",
]

Weights = npt.NDArray[np.float32]
Initializer = Callable[[tuple[int, ...], np.random.Generator], Weights]


class _Initializer:
    """What the initializers share: they are functions."""

    def __call__(self, shape: Sequence[int], rng: Any = None, dtype: Any = None) -> Weights:
        """Return float32 weights of a shape. rng: wordrow's own generator unless given."""
        own = rng if isinstance(rng, np.random.Generator) else random.generator()
        return self.draw(tuple(shape), own)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(_Initializer):
    """The same value everywhere."""

    value: float = 0.0

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        return np.full(shape, self.value, np.float32)


@dataclass(frozen=True)
class RandomUniform(_Initializer):
    """Uniformly distributed over [minval, maxval)."""

    minval: float = -0.05
    maxval: float = 0.05

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        unit = rng.random(shape, dtype=np.float32)
        return np.float32(self.minval) + unit * np.float32(self.maxval - self.minval)


@dataclass(frozen=True)
class RandomNormal(_Initializer):
    """Normally distributed."""

    mean: float = 0.0
    stddev: float = 0.05

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        normal = rng.standard_normal(shape, dtype=np.float32)
        return np.float32(self.mean) + normal * np.float32(self.stddev)


@dataclass(frozen=True)
class TruncatedNormal(_Initializer):
    """Normally distributed; values beyond two standard deviations are drawn again."""

    mean: float = 0.0
    stddev: float = 0.05

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        normal = rng.standard_normal(shape, dtype=np.float32)
        while (beyond := np.abs(normal) > 2).any():
            normal[beyond] = rng.standard_normal(int(beyond.sum()), dtype=np.float32)
        return np.float32(self.mean) + normal * np.float32(self.stddev)


@dataclass(frozen=True)
class VarianceScaling(_Initializer):
    """Variance scale / n, where n is the number of inputs, of outputs, or their mean.

    Glorot & Bengio 2010; He et al. 2015.
    """

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape."""
        fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = (3 * variance) ** 0.5
            return RandomUniform(-limit, limit)(shape, rng)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, variance**0.5)(shape, rng)
        # 0.8796 is the standard deviation of a unit normal truncated at two of them.
        return TruncatedNormal(0.0, variance**0.5 / 0.87962566103423978)(shape, rng)


@dataclass(frozen=True)
class Orthogonal(_Initializer):
    """Orthogonal columns (or rows, if there are fewer rows) of length `gain`.

    Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning".
    """

    gain: float = 1.0

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape of at least two axes."""
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q = q * np.sign(np.diag(r))  # the factorization alone would not draw random signs
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(np.float32)


@dataclass(frozen=True)
class Identity(_Initializer):
    """`gain` on the diagonal, zeros elsewhere."""

    gain: float = 1.0

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Weights:
        """Return float32 weights of a shape of two axes."""
        return self.gain * np.eye(*shape, dtype=np.float32)


INITIALIZERS = Registry(
    "an initializer",
    classes={
        cls.__name__: cls
        for cls in (
            Constant,
            Identity,
            Orthogonal,
            RandomNormal,
            RandomUniform,
            TruncatedNormal,
            VarianceScaling,
        )
    },
    names={
        "zeros": Constant(0.0),
        "ones": Constant(1.0),
        "zero": Constant(0.0),
        "one": Constant(1.0),
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
        "orthogonal": Orthogonal(),
        "identity": Identity(),
    },
)


def initializer_config(initializer: Initializer) -> dict[str, Any] | str:
    """Return the name or config from which `INITIALIZERS.get` recreates this initializer.

    For a user-defined function that is "zeros": a loaded model has its weights, so its
    initializers are never called.
    """
    known = type(initializer) in INITIALIZERS.classes.values()
    return config_of(initializer) if known else "zeros"


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    if len(shape) == 1:
        return shape[0], shape[0]
    receptive = float(np.prod(shape[:-2]))
    return shape[-2] * receptive, shape[-1] * receptive
