"""Models to files and back: the config as JSON, weights and optimizer state as tensors."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from wordrow import store
from wordrow.errors import FileFormatError
from wordrow.nn import random
from wordrow.nn.layers import LAYERS, Layer
from wordrow.nn.layers.symbol import Inside
from wordrow.nn.losses import LOSSES
from wordrow.nn.metrics import METRICS
from wordrow.nn.model import Model
from wordrow.nn.named import config_of
from wordrow.nn.sequential import Sequential
from wordrow.nn.trainer import Saved, Trainer

__all__ = [
    "BROKEN", "FORMAT_VERSION", "check_kind", "compile_config", "graph_config", "load_model",
    "load_weights", "model_from_bytes", "model_from_parts", "model_parts", "model_to_bytes",
    "save_model", "save_weights",
]  # fmt: skip

FORMAT_VERSION = 1
_KIND, _WEIGHTS = "model", "weights"
# What taking apart a config that was written by something else may raise.
BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, MemoryError)

# ---- whole files ------------------------------------------------------------


def save_model(
    model: Model, path: str | os.PathLike[str], *, overwrite: bool = True,
    include_optimizer: bool = True,
) -> None:  # fmt: skip
    """Write a model to one safetensors file, or one of Keras's where the name ends as theirs do."""
    _check_target(path, overwrite)
    if (keras := _of_keras(path)) is not None:
        keras.save_model(model, path, include_optimizer=include_optimizer)
        return
    store.write(path, *_file_of(model, include_optimizer))


def load_model(
    path: str | os.PathLike[str], compile: bool = True,  # noqa: A002
    custom_objects: Mapping[str, Any] | None = None,
) -> Model:  # fmt: skip
    """Return the model that `save` wrote; it goes on training as if it had never stopped.

    Keras's own files are read too: `.keras`, and `.h5` of Keras 2 or 3 (with the extra
    `keras`). compile: whether it is compiled as it was saved. custom_objects: name -> class
    of a layer of your own, or the function of a Lambda layer.

    Raises FileFormatError for a damaged or foreign file, or one with a layer that is not
    here, which it names. Nothing in a file is ever run: it holds numbers, text and JSON.
    """
    if (keras := _of_keras(path)) is not None:
        model: Model = keras.load_model(path, compiled=compile, custom_objects=custom_objects)
        return model
    name = os.fspath(path)
    return _model_in(*store.read(path), name, compiled=compile, custom=custom_objects)


def model_to_bytes(model: Model) -> bytes:
    """Return the bytes of a model's file."""
    return store.to_bytes(*_file_of(model, True))


def model_from_bytes(data: bytes) -> Model:
    """Return the model in the bytes of a file."""
    name = "the pickled model"
    return _model_in(*store.from_bytes(data, name=name), name, compiled=True)


def save_weights(model: Model, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write a model's weights to one safetensors file, or one of Keras's."""
    _check_target(path, overwrite)
    if (keras := _of_keras(path)) is not None:
        keras.save_weights(model, path)
        return
    store.write(path, _weight_tensors(model), {"kind": _WEIGHTS, "version": FORMAT_VERSION})


def load_weights(model: Model, path: str | os.PathLike[str]) -> None:
    """Give a model the weights of a file of a model or of weights."""
    if (keras := _of_keras(path)) is not None:
        keras.load_weights(model, path)
        return
    tensors, config = store.read(path)
    name = os.fspath(path)
    if config.get("kind") != _WEIGHTS:
        check_kind(config, _KIND, name)
    tensors = {k: tensor for k, tensor in tensors.items() if not k.startswith("optimizer//")}
    try:
        _check_weights(model, tensors)
    except ValueError as error:
        raise FileFormatError(f"{name}: the weights in it are of another model: {error}") from None
    model.set_weights([tensors[k] for k in _weight_tensors(model)])


def _file_of(model: Model, with_state: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    tensors, config = model_parts(model, with_state=with_state)
    return tensors, {"kind": _KIND, "version": FORMAT_VERSION, "model": config}


def _model_in(
    tensors: Mapping[str, Any], config: Mapping[str, Any], name: str, *, compiled: bool,
    custom: Mapping[str, Any] | None = None,
) -> Model:  # fmt: skip
    if config.get("kind") == "classifier":
        raise FileFormatError(
            f"{name} holds a text classifier: use TextClassifier.load(path), and its `.model_`."
        )
    if config.get("kind") == _WEIGHTS:
        raise FileFormatError(f"{name} holds weights alone: use model.load_weights(path).")
    check_kind(config, _KIND, name)
    return model_from_parts(
        tensors, config.get("model"), name=name, compiled=compiled, custom=custom
    )


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


def _of_keras(path: str | os.PathLike[str]) -> Any:
    """Return what reads and writes Keras's files, for a name that ends as theirs; else None."""
    if not os.fspath(path).endswith(store.OF_KERAS):
        return None
    return importlib.import_module("wordrow.keras._files")


# ---- a model's parts --------------------------------------------------------


def model_parts(model: Model, *, with_state: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (tensors, config) of a model, with the optimizer's state or without."""
    _ = model.graph  # or it has no weights to save
    config = model.get_config()
    tensors = _weight_tensors(model)
    compiled = compile_config(model)
    if compiled is not None:
        config["compile"] = compiled
        if with_state and model.step:
            saved = model.trainer.save()
            config["training"] = saved.config
            tensors |= {f"optimizer//{k}": tensor for k, tensor in saved.tensors.items()}
    return tensors, config


def _weight_tensors(model: Model) -> dict[str, Any]:
    return {
        f"{layer}/{name}": np.asarray(array)
        for layer, weights in model._weights().items()
        for name, array in weights.items()
    }


def compile_config(model: Model, *, names: bool = False) -> dict[str, Any] | None:
    """Return what `compile` was given, as JSON; None where it was not, or cannot be saved.

    names: functions of one's own by their names alone.
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


def graph_config(model: Model) -> dict[str, Any]:
    """Return the layers of a graph and how they are called, as JSON-able values."""
    layers = {id(layer): layer for layer in model._layers}
    models: dict[int, dict[str, Any]] = {}  # each after the models inside it
    config = _nodes_config(model, layers, models)
    config["layers"] = [config_of(layer) for layer in layers.values()]
    return config | ({"models": list(models.values())} if models else {})


def _nodes_config(
    model: Model, layers: dict[int, Layer], models: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    """Return the calls of a graph, by the numbers of layers and models; new ones are added."""
    graph, nodes = model.graph, []
    numbers = {id(node.call): number for number, node in enumerate(graph.nodes)}
    calls: dict[int, dict[str, Any]] = {}  # of models, by the id of the call
    for node in graph.nodes:
        layers.setdefault(id(node.layer), node.layer)
        entry = {"layer": list(layers).index(id(node.layer)), "is_list": node.is_list,
                 "inputs": [list(place) for place in node.inputs]}  # fmt: skip
        if (inside := node.call.within) is not None:
            inner = inside.model
            if id(inner) not in models:
                made = _nodes_config(inner, layers, models)
                kind = "Sequential" if isinstance(inner, Sequential) else "Model"
                models[id(inner)] = made | {"name": inner.name, "class_name": kind}
            calls.setdefault(id(inside), {
                "model": list(models).index(id(inner)),
                "inputs": [[numbers[id(one.call)], one.index] for one in inside.inputs],
                "outputs": [
                    [numbers[id(one.call)], one.index] if one and id(one.call) in numbers else None
                    for one in inside.outputs
                ],
            })  # fmt: skip
            entry["within"] = list(calls).index(id(inside))
        nodes.append(entry)
    return ({"calls": list(calls.values())} if calls else {}) | {
        "nodes": nodes,
        "inputs": list(graph.inputs),
        "outputs": [list(place) for place in graph.outputs],
        "input_names": model._input_names,
        "output_names": model._output_names,
        "one_output": model._one_output,
    }


def model_from_parts(
    tensors: Mapping[str, Any] | None, config: Any, *, name: str, compiled: bool = True,
    custom: Mapping[str, Any] | None = None,
) -> Model:  # fmt: skip
    """Return the model of (tensors, config). Its weights are the tensors themselves.

    tensors: None for a model whose weights are drawn anew. custom: classes of layers of
    one's own, by name.
    """
    try:
        with contextlib.ExitStack() as stack:
            model = _described(config, name, None if tensors is None else stack, custom or {})
        if tensors is None:
            return model
        weights = {k: tensor for k, tensor in tensors.items() if not k.startswith("optimizer//")}
        _take_weights(model, weights)
        if compiled and "compile" in config:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what was to be said was said before saving
                model.compile(**config["compile"])
            if "training" in config:
                state = {k.removeprefix("optimizer//"): t for k, t in tensors.items()
                         if k not in weights}  # fmt: skip
                model._trainer = Trainer.restored(
                    model.graph, model.optimizer, model.objective,
                    Saved(config=config["training"], tensors=state),
                )  # fmt: skip
    except FileFormatError:
        raise
    except BROKEN as error:
        raise FileFormatError(f"{name}: the model in it does not fit together: {error}") from error
    return model


def _described(
    config: Mapping[str, Any], name: str, stack: contextlib.ExitStack | None,
    custom: Mapping[str, Any],
) -> Model:  # fmt: skip
    """Return the model of a config; its weights are not drawn where there is a stack for that."""
    rng = random.generator() if stack is None else None
    units: list[Any] = []
    for entry in config["layers"]:
        if entry["class_name"] in ("Model", "Sequential"):
            units.append(_described(entry["config"], name, stack, custom))
            continue
        units.append(_layer(entry, name, custom))
        if stack is not None:
            stack.enter_context(units[-1].without_drawing())
    if "nodes" not in config:
        return Sequential.from_layers(units, config["name"], rng)
    models: list[Model] = []
    for inner in config.get("models", ()):
        model = _joined(units, models, inner, rng)
        if inner["class_name"] == "Sequential":
            nodes = model.graph.units
            model = Sequential.from_layers(nodes, inner["name"], rng)
        model.in_a_model = True
        models.append(model)
    return _joined(units, models, config, rng)


def _joined(layers: list[Layer], models: list[Model], config: Mapping[str, Any], rng: Any) -> Model:
    made: dict[tuple[int, int], Any] = {}
    calls = [Inside(models[call["model"]], (), []) for call in config.get("calls", ())]
    for number, node in enumerate(config["nodes"]):
        layer: Any = layers[node["layer"]]
        if not node["inputs"]:
            made[number, 0] = layer.symbol
            continue
        taken = [made[n, index] for n, index in node["inputs"]]
        within = calls[node["within"]] if "within" in node else None
        outputs = layer.call_on(taken, is_list=node["is_list"], rng=rng, within=within)
        for index, one in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            made[number, index] = one
    for inside, call in zip(calls, config.get("calls", ()), strict=True):
        inside.inputs = tuple(made[number, index] for number, index in call["inputs"])
        inside.outputs = [made[*place] if place else None for place in call["outputs"]]
    firsts: Any = [made[number, 0] for number in config["inputs"]]
    lasts: Any = [made[number, index] for number, index in config["outputs"]]
    if config["input_names"] is not None:
        firsts = dict(zip(config["input_names"], firsts, strict=True))
    if config["output_names"] is not None:
        lasts = dict(zip(config["output_names"], lasts, strict=True))
    elif config["one_output"]:
        (lasts,) = lasts
    return Model(firsts, lasts, config["name"])


def _layer(entry: Mapping[str, Any], name: str, custom: Mapping[str, Any]) -> Layer:
    if entry["class_name"] in custom:
        own: Layer = custom[entry["class_name"]].from_config(entry["config"])
        return own
    if entry["class_name"] not in LAYERS:
        raise FileFormatError(
            f"{name}: holds a layer {entry['class_name']!r}, which this wordrow does not have; "
            f"it has {sorted(LAYERS)}. Update wordrow; for a class of your own, "
            f"load_model(path, custom_objects={{{entry['class_name']!r}: …}})."
        )
    return LAYERS[entry["class_name"]](**entry["config"])


def _check_weights(model: Model, tensors: Mapping[str, Any]) -> None:
    expected = {
        f"{layer.name}/{name}": (weight.shape, str(weight.dtype))
        for layer in model._layers
        for name, weight in (layer._held or {}).items()
    }
    received = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
    if expected != received:
        raise ValueError(f"expected the weights {expected}, received {received}")


def _take_weights(model: Model, tensors: Mapping[str, Any]) -> None:
    _check_weights(model, tensors)
    for layer in model._layers:
        layer._weights = {name: tensors[f"{layer.name}/{name}"] for name in layer._held or {}}
