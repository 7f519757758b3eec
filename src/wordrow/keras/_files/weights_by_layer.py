"""Weights as Keras 1 and 2 store them: one group per layer, with a list of its weights."""

from __future__ import annotations

import numpy as np

from wordrow.errors import FileFormatError
from wordrow.keras._files.hdf5 import (
    Array,
    Group,
    read_names,
    read_weights,
    write_names,
    write_weights,
)
from wordrow.keras._files.weights import LayerWeights, Weight, array_of, in_keras_order
from wordrow.nn.layers import Bidirectional, Layer
from wordrow.nn.model.model import Model

__all__ = ["read_by_layer", "write_by_layer"]

Stored = dict[str, Array]  # a layer's weights in a file, by their names there
Pairs = list[tuple[Layer | Model, Stored]]


def read_by_layer(
    model: Model,
    group: Group,
    file_name: str,
    *,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> LayerWeights:
    """Return the weights of each layer.

    by_name: only of layers with the same name here and in the file. skip_mismatch: of those,
    only where the shapes agree.
    """
    found: LayerWeights = {}
    for unit, stored in _pairs(model, group, file_name, by_name):
        weights = in_keras_order(unit)
        if isinstance(unit, Model):
            arrays = _by_their_names(unit, weights, stored, file_name)
        else:
            arrays = _with_joined_gates(unit, list(stored.values()), len(weights))
        expected = [array_of(weight).shape for weight in weights]
        received = [array.shape for array in arrays]
        if received != expected:
            if by_name and skip_mismatch:
                continue
            raise FileFormatError(
                f"{file_name}: layer {unit.name!r} has weights of the shapes {expected}; the "
                f"file's have {received}."
            )
        for (layer, name), array in zip(weights, arrays, strict=True):
            found.setdefault(layer, {})[name] = array
    return found


def _pairs(model: Model, group: Group, file_name: str, by_name: bool) -> Pairs:
    """Return (layer or inner model, its arrays in the file), by name or else by order."""
    stored = {name: _stored(group[name]) for name in read_names(group, "layer_names")}
    stored = {name: arrays for name, arrays in stored.items() if arrays}
    units = {unit.name: unit for unit in model.layers if in_keras_order(unit)}
    if by_name or set(units) == set(stored):
        return [(unit, stored[name]) for name, unit in units.items() if name in stored]
    if len(units) != len(stored):
        raise FileFormatError(
            f"{file_name}: has weights for {len(stored)} layers {sorted(stored)}; the model has "
            f"{len(units)} {sorted(units)}. Use by_name=True to load those with equal names."
        )
    return list(zip(units.values(), stored.values(), strict=True))


def _stored(group: Group) -> Stored:
    names, arrays = read_names(group, "weight_names"), read_weights(group)
    return dict(zip(names, arrays, strict=True))


def _by_their_names(
    unit: Model, weights: list[Weight], stored: Stored, file_name: str
) -> list[Array]:
    """Return an inner model's arrays in the order of its weights.

    Files list those first that were trained when they were written, so that their order says
    nothing where other layers are frozen now.
    """
    parts = {name: name.split(":")[0].split("/") for name in stored}
    found = []
    for layer, name in weights:
        *inner, last = name.split("/")
        fitting = [
            path
            for path, own in parts.items()
            if layer.name in own[:-1]
            and own[-1] == last
            and all(any(part.startswith(one) for part in own) for one in inner)
        ]
        found += fitting if len(fitting) == 1 else []
    if len(set(found)) == len(stored) == len(weights):
        return [stored[path] for path in found]
    if any(not layer.trainable for layer in unit.all_layers):
        raise FileFormatError(
            f"{file_name}: the layers of the inner model {unit.name!r} have other names there, "
            f"{sorted(stored)}, and some are frozen here, so it is unclear which are which. Name "
            "them as in the file, or freeze them after loading."
        )
    return list(stored.values())


def _with_joined_gates(unit: Layer, arrays: list[Array], n_weights: int) -> list[Array]:
    """Return weights as they are stored today: Keras 1 kept those of each gate apart."""
    if isinstance(unit, Bidirectional) and len(arrays) > n_weights:
        half = len(arrays) // 2
        return [
            *_with_joined_gates(unit.forward_layer, arrays[:half], n_weights // 2),
            *_with_joined_gates(unit.backward_layer, arrays[half:], n_weights // 2),
        ]
    gates = {"LSTM": (0, 2, 1, 3), "GRU": (0, 1, 2)}  # Keras 1's LSTM had the cell second
    kind = type(unit).__name__
    if kind in gates and len(arrays) == 3 * len(gates[kind]):
        return [np.concatenate([arrays[3 * g + i] for g in gates[kind]], axis=-1) for i in range(3)]
    if kind == "Conv1D" and arrays[0].ndim == 4:
        return [arrays[0][:, 0], *arrays[1:]]
    return arrays


def write_by_layer(model: Model, group: Group, keras_version: str) -> None:
    """Write the weights of each layer as Keras 2 does."""
    group.attrs["keras_version"], group.attrs["backend"] = keras_version, "tensorflow"
    write_names(group, "layer_names", [unit.name for unit in model.layers])
    for unit in model.layers:
        weights = in_keras_order(unit)
        names = [f"{unit.name}/{layer.name}/{name}:0" for layer, name in weights]
        write_weights(group.create_group(unit.name), names, [array_of(one) for one in weights])
