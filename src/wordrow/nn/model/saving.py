"""Models to files: the config as JSON, weights and optimizer state as tensors."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from wordrow import store
from wordrow.errors import FileFormatError
from wordrow.nn.functions.losses import LOSSES
from wordrow.nn.layers.layer import Layer
from wordrow.nn.metrics import METRICS
from wordrow.nn.model.formats import format_of
from wordrow.nn.registry import config_of

__all__ = [
    "FORMAT_VERSION",
    "KIND",
    "WEIGHTS",
    "check_kind",
    "check_weights",
    "compile_config",
    "graph_config",
    "load_weights",
    "model_parts",
    "model_to_bytes",
    "save_model",
    "save_weights",
]

FORMAT_VERSION = 1
KIND, WEIGHTS = "model", "weights"


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = True,
    include_optimizer: bool = True,
) -> None:
    """Write a model to one safetensors file, or one of Keras's where the name ends as theirs do."""
    _check_target(path, overwrite)
    if (other := format_of(path)) is not None:
        other.save_model(model, path, include_optimizer=include_optimizer)
        return
    store.write(path, *_file_of(model, include_optimizer))


def model_to_bytes(model: Any) -> bytes:
    """Return the bytes of a model's file."""
    return store.to_bytes(*_file_of(model, True))


def save_weights(model: Any, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write a model's weights to one safetensors file, or one of Keras's."""
    _check_target(path, overwrite)
    if (other := format_of(path)) is not None:
        other.save_weights(model, path)
        return
    store.write(path, _weight_tensors(model), {"kind": WEIGHTS, "version": FORMAT_VERSION})


def load_weights(model: Any, path: str | os.PathLike[str]) -> None:
    """Give a model the weights of a file of a model or of weights."""
    if (other := format_of(path)) is not None:
        other.load_weights(model, path)
        return
    tensors, config = store.read(path)
    name = os.fspath(path)
    if config.get("kind") != WEIGHTS:
        check_kind(config, KIND, name)
    tensors = {k: tensor for k, tensor in tensors.items() if not k.startswith("optimizer//")}
    try:
        check_weights(model, tensors)
    except ValueError as error:
        raise FileFormatError(f"{name}: the weights in it are of another model: {error}") from None
    model.set_weights([tensors[k] for k in _weight_tensors(model)])


def _file_of(model: Any, with_state: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    tensors, config = model_parts(model, with_state=with_state)
    return tensors, {"kind": KIND, "version": FORMAT_VERSION, "model": config}


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


def _check_target(path: str | os.PathLike[str], overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)} is there already, and overwrite=False.")


def model_parts(
    model: Any, *, with_state: bool, with_compile: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (tensors, config) of a model, with the optimizer's state or without."""
    _ = model.graph  # or it has no weights to save
    config = model.get_config()
    tensors = _weight_tensors(model)
    compiled = compile_config(model) if with_compile else None
    if compiled is not None:
        config["compile"] = compiled
        if with_state and model.step:
            saved = model.training.save()
            config["training"] = saved.config
            tensors |= {f"optimizer//{k}": tensor for k, tensor in saved.tensors.items()}
    return tensors, config


def _weight_tensors(model: Any) -> dict[str, Any]:
    return {
        f"{layer}/{name}": np.asarray(array)
        for layer, weights in model.read_weights().items()
        for name, array in weights.items()
    }


def compile_config(model: Any, *, names: bool = False) -> dict[str, Any] | None:
    """Return what `compile` was given, as JSON; None where it was not, or cannot be saved.

    names: user-defined functions by their names alone.
    """
    if model.optimizer is None:
        return None
    plain, weighted = model.compiled_metrics
    try:
        return {
            "optimizer": config_of(model.optimizer),
            "loss": _named(model.loss, LOSSES, names),
            "metrics": _named(plain, METRICS, names),
            "weighted_metrics": _named(weighted, METRICS, names),
            "loss_weights": model.loss_weights,
        }
    except ValueError as error:
        warnings.warn(
            f"the model is saved without what `compile` said, so compile it again after loading: "
            f"{error}",
            UserWarning,
            stacklevel=5,
        )
        return None


def _named(value: Any, family: Any, names: bool) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return [_named(one, family, names) for one in value]
    if isinstance(value, Mapping):
        if "class_name" in value:
            return dict(value)
        return {k: _named(one, family, names) for k, one in value.items()}
    if names and inspect.isfunction(value) and family.name(value) is None:
        return value.__name__
    return family.config(value)


def graph_config(model: Any) -> dict[str, Any]:
    """Return the layers of a graph and how they are called, as JSON-able values."""
    layers = {id(layer): layer for layer in model.all_layers}
    models: dict[int, dict[str, Any]] = {}  # each after the models inside it
    config = _nodes_config(model, layers, models)
    config["layers"] = [_layer_entry(layer) for layer in layers.values()]
    return config | ({"models": list(models.values())} if models else {})


def _layer_entry(layer: Any) -> dict[str, Any]:
    arguments = getattr(layer, "call_arguments", None)
    return config_of(layer) | ({} if arguments is None else {"arguments": asdict(arguments)})


def _nodes_config(
    model: Any, layers: dict[int, Layer], models: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    """Return the calls of a graph, by the numbers of layers and models; new ones are added."""
    graph, nodes = model.graph, []
    numbers = {id(node.call): number for number, node in enumerate(graph.nodes)}
    calls: dict[int, dict[str, Any]] = {}  # of models, by the id of the call
    for node in graph.nodes:
        layers.setdefault(id(node.layer), node.layer)
        entry = {
            "layer": list(layers).index(id(node.layer)),
            "is_list": node.is_list,
            "inputs": [list(place) for place in node.inputs],
        }
        if (inside := node.call.within) is not None:
            inner = inside.model
            if id(inner) not in models:
                made = _nodes_config(inner, layers, models)
                models[id(inner)] = made | {"name": inner.name, "class_name": inner.kind}
            calls.setdefault(
                id(inside),
                {
                    "model": list(models).index(id(inner)),
                    "inputs": [[numbers[id(one.call)], one.index] for one in inside.inputs],
                    "outputs": [
                        [numbers[id(one.call)], one.index]
                        if one and id(one.call) in numbers
                        else None
                        for one in inside.outputs
                    ],
                },
            )
            entry["within"] = list(calls).index(id(inside))
        nodes.append(entry)
    return ({"calls": list(calls.values())} if calls else {}) | {
        "nodes": nodes,
        "inputs": list(graph.inputs),
        "outputs": [list(place) for place in graph.outputs],
        "input_names": model.given_input_names,
        "output_names": model.given_output_names,
        "one_output": model.has_one_output,
    }


def check_weights(model: Any, tensors: Mapping[str, Any]) -> None:
    """Raise ValueError for tensors that are not a model's weights by name, shape and dtype."""
    expected = {
        f"{layer.name}/{name}": (weight.shape, str(weight.dtype))
        for layer in model.all_layers
        for name, weight in layer.named_weights().items()
    }
    received = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
    if expected != received:
        raise ValueError(f"expected the weights {expected}, received {received}")
