"""Keras 1's `merge` and `Merge`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wordrow.nn import layers as nn_layers

__all__ = ["Merge", "merge"]


class Merge:
    """Keras 1's layer that joins models (or layers) at the start of a Sequential."""

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        mode: str | Callable[..., Any] = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        self.models = list(layers or ())
        self.layer = _merging_layer(mode, concat_axis, dot_axes, output_shape, name)

    def __call__(self, inputs: Any) -> Any:
        """Return the merged symbols."""
        return self.layer(inputs)


def merge(
    inputs: Any,
    mode: str | Callable[..., Any] = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    name: str | None = None,
    **options: Any,
) -> Any:
    """Merge symbols by "sum", "mul", "concat", "ave", "max", "dot" or "cos"."""
    return _merging_layer(mode, concat_axis, dot_axes, output_shape, name)(inputs)


def _merging_layer(
    mode: str | Callable[..., Any],
    concat_axis: int,
    dot_axes: Any,
    output_shape: Any,
    name: str | None,
) -> Any:
    """Return the layer that does what a Keras 1 `mode` says."""
    if callable(mode):
        return nn_layers.Lambda(mode, output_shape, name=name)
    is_single = isinstance(dot_axes, list | tuple) and len(dot_axes) == 1
    axes = dot_axes[0] if is_single else dot_axes
    if axes == 0:  # counted without the batch, before Keras 1.1
        axes = 1
    modes: dict[str, tuple[Any, dict[str, Any]]] = {
        "sum": (nn_layers.Add, {}),
        "mul": (nn_layers.Multiply, {}),
        "ave": (nn_layers.Average, {}),
        "max": (nn_layers.Maximum, {}),
        "concat": (nn_layers.Concatenate, {"axis": concat_axis}),
        "dot": (nn_layers.Dot, {"axes": axes}),
        "cos": (nn_layers.Dot, {"axes": axes, "normalize": True}),
    }
    if mode not in modes:
        raise ValueError(f"`mode` must be one of {sorted(modes)}; received {mode!r}.")
    cls, options = modes[mode]
    return cls(**options, name=name)
