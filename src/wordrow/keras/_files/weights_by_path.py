"""Weights as Keras 3 stores them: under paths such as `layers/dense_1/vars/0`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wordrow.errors import FileFormatError
from wordrow.keras._cells import RNN, StackedRNNCells
from wordrow.keras._config.naming import snake_case
from wordrow.keras._files.hdf5 import Group
from wordrow.keras._files.weights import LayerWeights, Weight, array_of
from wordrow.nn.layers import Bidirectional, Input, MultiHeadAttention, TimeDistributed
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.layers.shell import PureLayer
from wordrow.nn.model.model import Model

__all__ = ["read_by_path", "write_by_path"]


def read_by_path(model: Model, file: Group, file_name: str) -> LayerWeights:
    """Return the weights of each layer."""
    found: LayerWeights = {}
    is_tf_keras = "layers" not in file
    for (layer, name), path in _paths(model):
        if is_tf_keras:
            path = "_layer_checkpoint_dependencies/" + path.removeprefix("layers/")
        if path not in file:  # tf.keras has the parts of its attention under private names
            path = re.sub(r"/(\w+_dense)/", r"/_\1/", path)
        if path not in file:
            raise FileFormatError(
                f"{file_name}: expected the {name} of layer {layer.name!r}, a "
                f"{type(layer).__name__}, at {path}, which is missing. The file is of another "
                "model."
            )
        found.setdefault(layer, {})[name] = np.asarray(file[path])
    return found


def write_by_path(model: Model, file: Group) -> None:
    """Write the weights of each layer."""
    for weight, path in _paths(model):
        file[path] = array_of(weight)
        group = "/".join(path.split("/")[:2]) + "/vars"
        file.require_group(group).attrs["name"] = weight.layer.name


def _paths(model: Model, prefix: str = "") -> Iterator[tuple[Weight, str]]:
    """Yield (weight, its path)."""
    for unit, base in _numbered(model.layers):
        group = f"{prefix}layers/{base}"
        if isinstance(unit, Model):
            yield from _paths(unit, f"{group}/")
            continue
        names = list(unit.named_weights())
        for name, path in zip(names, _paths_in_layer(unit, names), strict=True):
            yield Weight(unit, name), f"{group}/{path}"


def _numbered(units: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """Yield each layer or inner model with its class in snake case, numbered if not the first."""
    counts: dict[str, int] = {}
    for unit in units:
        base = snake_case(_class_name(unit))
        number = counts[base] = counts.get(base, -1) + 1
        yield unit, f"{base}{f'_{number}' if number else ''}"


def _class_name(unit: PureLayer | Model) -> str:
    """Return the class that Keras has for a layer or inner model."""
    if isinstance(unit, Model):
        return "Sequential" if hasattr(unit, "add") else "Functional"
    return "InputLayer" if isinstance(unit, Input) else type(unit).__name__


def _paths_in_layer(layer: PureLayer, names: Sequence[str]) -> list[str]:
    """Return the paths of a layer's weights within its group."""
    if isinstance(layer, Bidirectional):
        return [
            *_paths_in_inner(layer.forward_layer, "forward_layer", "forward/", names),
            *_paths_in_inner(layer.backward_layer, "backward_layer", "backward/", names),
        ]
    if isinstance(layer, TimeDistributed):
        return _paths_in_inner(layer.layer, "layer", "layer/", names)
    if isinstance(layer, RNN):
        return _paths_in_inner(layer.cell, "cell", "cell/", names)
    if isinstance(layer, StackedRNNCells):
        found: list[str] = []
        for number, (cell, base) in enumerate(_numbered(layer.cells)):
            found += _paths_in_inner(cell, f"cells/{base}", f"cells_{number}/", names)
        return found
    if isinstance(layer, MultiHeadAttention):
        parts = [name.split("/") for name in names]
        groups = {"attention_output": "output_dense"}
        return [
            f"{groups.get(part, f'{part}_dense')}/vars/{int(kind == 'bias')}"
            for part, kind in parts
        ]
    in_order = sorted(names, key=lambda name: name in layer.fixed)  # trainable ones first
    cell = "cell/" if isinstance(layer, Recurrent) else ""
    return [f"{cell}vars/{in_order.index(name)}" for name in names]


def _paths_in_inner(layer: PureLayer, group: str, prefix: str, names: Sequence[str]) -> list[str]:
    """Return the paths of a wrapped layer's weights, whose names here begin with `prefix`."""
    inner = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return [f"{group}/{path}" for path in _paths_in_layer(layer, inner)]
