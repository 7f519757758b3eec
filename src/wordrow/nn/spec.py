"""Type names for arrays, masks and shapes, and the specs of arrays that do not exist yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "Array",
    "Arrays",
    "Mask",
    "Rng",
    "Shape",
    "Spec",
    "Specs",
    "UnknownDimensionError",
    "is_text",
    "shapes_of",
    "spec_of",
]

# NumPy's or JAX's. Layers use the interface that both share, for which there is no common type.
Array: TypeAlias = Any
Arrays: TypeAlias = dict[str, Array]
# bool [B, T], True for a real token; None where every step is real; a list for several inputs.
Mask: TypeAlias = Any
Rng: TypeAlias = Any  # np.random.Generator; under JAX, a key of jax.random
Shape: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True)
class Spec:
    """Shape and dtype of an array. Axis 0 is the batch; None is an axis of any length."""

    shape: Shape
    dtype: str = "float32"


Specs: TypeAlias = Any  # a Spec; a list of them for several inputs or outputs


class UnknownDimensionError(ValueError):
    """A layer needs the length of an axis that is None in its input shape."""


def spec_of(array: Array) -> Spec:
    """Return the spec of an array, with any batch size."""
    return Spec((None, *array.shape[1:]), str(array.dtype))


def shapes_of(specs: Specs) -> Any:
    """Return the shape of a spec, or the shapes of a list of specs."""
    if isinstance(specs, list):
        return [spec.shape for spec in specs]
    return None if specs is None else specs.shape


def is_text(dtype: str) -> bool:
    """Return whether a spec's dtype is a string dtype."""
    return dtype in ("string", "str", "object") or dtype.startswith(("<U", "|S", ">U"))
