"""Models from files. Nothing in a file is ever run."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Mapping
from typing import Any

from wordrow import store
from wordrow.errors import FileFormatError
from wordrow.nn import random
from wordrow.nn.graph.order import units_of
from wordrow.nn.graph.symbol import ModelCall
from wordrow.nn.layers import LAYERS, Layer
from wordrow.nn.layers.layer import CallArguments
from wordrow.nn.model.formats import format_of, reads_models
from wordrow.nn.model.model import Model
from wordrow.nn.model.saving import KIND, WEIGHTS, check_kind, check_weights
from wordrow.nn.model.sequential import Sequential
from wordrow.nn.registry import KINDS
from wordrow.nn.train.training import SavedTraining, Training

__all__ = ["BROKEN", "load_model", "model_from_parts"]

# What taking apart a config that was written by something else may raise.
BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, MemoryError)


def load_model(
    path: str | os.PathLike[str],
    compile: bool = True,  # noqa: A002
    custom_objects: Mapping[str, Any] | None = None,
) -> Model:
    """Return the model that `save` wrote; it goes on training as if it had never stopped.

    Keras's own files are read too: `.keras`, and `.h5` of Keras 2 or 3 (with the extra
    `keras`). compile: whether it is compiled as it was saved. custom_objects: name -> class
    of a layer of your own, or the function of a Lambda layer.

    Raises FileFormatError for a damaged or foreign file, or one with a layer that is not
    here, which it names. Nothing in a file is ever run: it holds numbers, text and JSON.
    """
    if (other := format_of(path)) is not None:
        model: Model = other.load_model(path, compiled=compile, custom_objects=custom_objects)
        return model
    name = os.fspath(path)
    return _model_in(*store.read(path), name, compiled=compile, custom=custom_objects)


@reads_models
def _from_bytes(data: bytes) -> Model:
    """Return the model in the bytes of a file."""
    name = "the pickled model"
    return _model_in(*store.from_bytes(data, name=name), name, compiled=True)


def _model_in(
    tensors: Mapping[str, Any],
    config: Mapping[str, Any],
    name: str,
    *,
    compiled: bool,
    custom: Mapping[str, Any] | None = None,
) -> Model:
    if config.get("kind") == "classifier":
        raise FileFormatError(
            f"{name} holds a text classifier: use TextClassifier.load(path), and its `.model_`."
        )
    if config.get("kind") == WEIGHTS:
        raise FileFormatError(f"{name} holds weights alone: use model.load_weights(path).")
    check_kind(config, KIND, name)
    return model_from_parts(
        tensors, config.get("model"), name=name, compiled=compiled, custom=custom
    )


def model_from_parts(
    tensors: Mapping[str, Any] | None,
    config: Any,
    *,
    name: str,
    compiled: bool = True,
    custom: Mapping[str, Any] | None = None,
) -> Model:
    """Return the model of (tensors, config). Its weights are the tensors themselves.

    tensors: None for a model whose weights are drawn. custom: classes of custom layers by name.
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
                state = {
                    k.removeprefix("optimizer//"): t for k, t in tensors.items() if k not in weights
                }
                saved = SavedTraining(config=config["training"], tensors=state)
                seed = int(config["training"]["seed"])
                model.training = Training(model.graph, model.optimizer, model.objective, seed)
                model.training.restore(saved)
    except FileFormatError:
        raise
    except BROKEN as error:
        raise FileFormatError(f"{name}: the model in it does not fit together: {error}") from error
    return model


def _described(
    config: Mapping[str, Any],
    name: str,
    stack: contextlib.ExitStack | None,
    custom: Mapping[str, Any],
) -> Model:
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
            nodes = units_of(model.graph)
            model = Sequential.from_layers(nodes, inner["name"], rng)
        model.in_a_model = True
        models.append(model)
    return _joined(units, models, config, rng)


def _joined(layers: list[Layer], models: list[Model], config: Mapping[str, Any], rng: Any) -> Model:
    made: dict[tuple[int, int], Any] = {}
    calls = [ModelCall(models[call["model"]], (), []) for call in config.get("calls", ())]
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
        if (found := entry.get("arguments")) is not None:
            own.call_arguments = CallArguments(
                found["n_first"], tuple(found["names"]), found["fixed"]
            )
        return own
    if entry["class_name"] not in LAYERS and entry["class_name"] in KINDS:
        further: Layer = KINDS.make(entry)  # of a package above this one
        return further
    if entry["class_name"] not in LAYERS:
        raise FileFormatError(
            f"{name}: holds a layer {entry['class_name']!r}, which this wordrow does not have; "
            f"it has {sorted(LAYERS)}. Update wordrow; for a class of your own, "
            f"load_model(path, custom_objects={{{entry['class_name']!r}: …}})."
        )
    return LAYERS[entry["class_name"]](**entry["config"])


def _take_weights(model: Model, tensors: Mapping[str, Any]) -> None:
    check_weights(model, tensors)
    for layer in model.all_layers:
        for name, weight in layer.named_weights().items():
            weight.replace(tensors[f"{layer.name}/{name}"])


def _model_of(config: Any) -> Model:
    """Return a new model of a config; its weights are drawn."""
    return model_from_parts(None, config, name="the config", compiled=False)


KINDS.add("Model", _model_of)
KINDS.add("Sequential", _model_of)
