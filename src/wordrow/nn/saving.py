"""Models to files and back: the config as JSON, the weights as tensors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from wordrow import store
from wordrow.errors import FileFormatError
from wordrow.nn.layers import LAYERS, Layer
from wordrow.nn.model import Sequential

__all__ = [
    "BROKEN",
    "FORMAT_VERSION",
    "load_model",
    "model_from_parts",
    "model_parts",
    "save_model",
]

FORMAT_VERSION = 1
_KIND = "model"
# What taking apart a config that was written by something else may raise.
BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, MemoryError)


def save_model(model: Sequential, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write a model to one safetensors file."""
    _refuse_foreign_suffix(path)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)} is there already, and overwrite=False.")
    tensors, config = model_parts(model)
    store.write(path, tensors, {"kind": _KIND, "version": FORMAT_VERSION, "model": config})


def load_model(path: str | os.PathLike[str]) -> Sequential:
    """Return the model that `save` wrote.

    Raises FileFormatError for a damaged or foreign file. Nothing in a file is
    ever run: it holds numbers, text and JSON.
    """
    _refuse_foreign_suffix(path)
    tensors, config = store.read(path)
    name = os.fspath(path)
    if config.get("kind") == "classifier":
        raise FileFormatError(
            f"{name} holds a text classifier: use TextClassifier.load(path), and its `.model`."
        )
    check_kind(config, _KIND, name)
    return model_from_parts(tensors, config.get("model"), name=name)


def check_kind(config: Mapping[str, Any], kind: str, name: str) -> None:
    """Raise FileFormatError unless a file is of this kind and of a version we read."""
    if config.get("kind") != kind:
        raise FileFormatError(
            f"{name}: expected a file of kind {kind!r}, received {config.get('kind')!r}."
        )
    if config.get("version") != FORMAT_VERSION:
        raise FileFormatError(
            f"{name}: written in version {config.get('version')} of the format; this wordrow reads "
            f"version {FORMAT_VERSION}. Update wordrow, or save the model again."
        )


def model_parts(model: Sequential) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (tensors, config) of a model."""
    tensors = {
        f"{layer}/{name}": np.asarray(array)
        for layer, weights in model._weights().items()
        for name, array in weights.items()
    }
    config = model.get_config()
    compiled = {"optimizer": model.optimizer, "loss": model.loss, "metrics": model.metrics}
    if model.optimizer is not None and _all_names(list(compiled.values())):
        config["compile"] = compiled
    return tensors, config


def model_from_parts(tensors: Mapping[str, Any], config: Any, *, name: str) -> Sequential:
    """Return the model of (tensors, config). Its weights are the tensors themselves."""
    try:
        layers = [_layer(entry, name) for entry in config["layers"]]
        initializers = [_take_initializers(layer) for layer in layers]
        model = Sequential.from_layers(layers, config["name"], None)
        for layer, own in zip(layers, initializers, strict=True):
            vars(layer).update(own)
        if "compile" in config:
            model.compile(**config["compile"])
        _take_weights(model, tensors)
    except FileFormatError:
        raise
    except BROKEN as error:
        raise FileFormatError(f"{name}: the model in it does not fit together: {error}") from error
    return model


def _layer(entry: Mapping[str, Any], name: str) -> Layer:
    if entry["class_name"] not in LAYERS:
        raise FileFormatError(
            f"{name}: holds a layer {entry['class_name']!r}, which this wordrow does not have; "
            f"it has {sorted(LAYERS)}. Update wordrow."
        )
    return LAYERS[entry["class_name"]](**entry["config"])


def _take_initializers(layer: Layer) -> dict[str, Any]:
    """Make a layer draw weights that take no memory, as they are replaced; return its own ways."""
    own = {k: value for k, value in vars(layer).items() if k.endswith("_initializer")}
    vars(layer).update(dict.fromkeys(own, _shape_alone))
    return own


def _shape_alone(shape: tuple[int, ...], rng: Any) -> Any:
    return np.broadcast_to(np.float32(0), shape)


def _take_weights(model: Sequential, tensors: Mapping[str, Any]) -> None:
    expected = {
        f"{layer.name}/{name}": (weight.shape, str(weight.dtype))
        for layer in model.layers
        for name, weight in (layer._weights or {}).items()
    }
    received = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
    if expected != received:
        raise ValueError(f"expected the weights {expected}, received {received}")
    for layer in model.layers:
        for name in layer._weights or {}:
            assert layer._weights is not None
            layer._weights[name] = tensors[f"{layer.name}/{name}"]


def _all_names(values: list[Any]) -> bool:
    return all(
        value is None or isinstance(value, str) or (isinstance(value, list) and _all_names(value))
        for value in values
    )


def _refuse_foreign_suffix(path: str | os.PathLike[str]) -> None:
    if os.fspath(path).endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(
            f"{os.fspath(path)}: wordrow's models are safetensors files; "
            "Keras's own formats are not read or written. Use a name like model.safetensors."
        )
