"""A model's weights in Keras's order, and taking those of a file."""

from __future__ import annotations

from typing import NamedTuple

from wordrow.errors import FileFormatError
from wordrow.keras._files.hdf5 import Array
from wordrow.nn.layers import Layer
from wordrow.nn.model.model import Model

__all__ = ["LayerWeights", "Weight", "array_of", "assign", "in_keras_order", "split_by_training"]

LayerWeights = dict[Layer, dict[str, Array]]  # layer -> name of a weight -> array


class Weight(NamedTuple):
    """One weight of a layer, by name."""

    layer: Layer
    name: str


def array_of(weight: Weight) -> Array:
    """Return a weight's array."""
    return weight.layer.named_weights()[weight.name].read()


def split_by_training(unit: Layer | Model) -> tuple[list[Weight], list[Weight]]:
    """Return (trainable, non-trainable) weights of a layer or model."""
    trainable: list[Weight] = []
    frozen: list[Weight] = []
    for layer in unit.all_layers if isinstance(unit, Model) else [unit]:
        for name in layer.named_weights():
            is_frozen = not layer.trainable or name in layer.fixed
            (frozen if is_frozen else trainable).append(Weight(layer, name))
    return trainable, frozen


def in_keras_order(unit: Layer | Model) -> list[Weight]:
    """Return the weights of a layer or model as Keras orders them: trainable ones first."""
    trainable, frozen = split_by_training(unit)
    return trainable + frozen


def assign(found: LayerWeights) -> None:
    """Set the weights of layers: all of them, or none where a shape differs."""
    for layer, arrays in found.items():
        current = layer.named_weights()
        for name, array in arrays.items():
            if current[name].shape != array.shape:
                raise FileFormatError(
                    f"layer {layer.name!r}: expected {name} of the shape {current[name].shape}, "
                    f"received {array.shape}. The file is of another model."
                )
    for layer, arrays in found.items():
        for name, array in arrays.items():
            layer.named_weights()[name].assign(array)
