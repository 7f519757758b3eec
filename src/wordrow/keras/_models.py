"""Model and Sequential with the methods and arguments of Keras 1, 2 and 3."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import wordrow
from wordrow.keras._config.reader import Reader
from wordrow.keras._custom_objects import CUSTOM_OBJECTS
from wordrow.keras._merge import Merge
from wordrow.keras._model_methods import KerasMethods
from wordrow.nn.graph.graph import graph_of
from wordrow.nn.graph.names import make_names_unique
from wordrow.nn.graph.symbol import symbols_in
from wordrow.nn.model.loading import load_model as load_wordrow_model
from wordrow.nn.model.loading import model_from_parts
from wordrow.nn.model.network import layers_of

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]


class _KerasModel(KerasMethods):
    """What Model and Sequential share."""

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the model of a `get_config`, with new weights."""
        entry = {"class_name": cls.__name__, "config": config}
        return _with_keras_class(_with_new_weights(entry, custom_objects))


class Model(_KerasModel, wordrow.Model):  # type: ignore[misc]
    """wordrow.Model with Keras's arguments: `input` and `output` are inputs and outputs.

    A subclass may define `call` instead. It runs once, on symbols, when the shape of the
    first data is known; the layers it uses are the model's.
    """

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, **options: Any
    ) -> None:
        inputs, outputs = options.pop("input", inputs), options.pop("output", outputs)
        options.pop("trainable", None)
        if inputs is None and outputs is None and type(self) is not Model:
            self._begin(name, type(self).__name__.lower())
            self._graph = None
            return
        if isinstance(outputs, list | tuple) and len(outputs) == 1:
            (outputs,) = outputs  # predict then returns an array, not a list of one
        if options:
            raise TypeError(
                f"Model takes inputs, outputs and name; received {sorted(options)} too."
            )
        super().__init__(inputs, outputs, name)

    def call(self, inputs: Any) -> Any:
        """Return the outputs for symbols; subclasses define it."""
        raise TypeError(
            f"{type(self).__name__} must define `call`, or be given inputs and outputs."
        )

    def build(self, input_shape: Any = None) -> None:
        """Run `call` on symbols of a shape that includes the batch axis, or of a list of shapes."""
        if self._graph is not None:
            return
        is_list = isinstance(input_shape, list)
        shapes = input_shape if is_list else [input_shape]
        inputs = [wordrow.Input(batch_shape=shape).symbol for shape in shapes]
        has_training = "training" in inspect.signature(self.call).parameters
        options = {"training": False} if has_training else {}
        outputs = self.call(inputs if is_list else inputs[0], **options)
        if isinstance(outputs, Mapping):
            self._output_names, outputs = list(outputs), list(outputs.values())
        self._one_output = not isinstance(outputs, list | tuple)
        self._take_graph(graph_of(inputs, [outputs] if self._one_output else list(outputs)))

    def __call__(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        """Return the outputs for arrays, or symbols for symbols; builds the model."""
        if arguments and not isinstance(arguments[0], bool | None):
            raise TypeError(
                f"{type(self).__name__} is called with {len(arguments)} arguments behind its "
                "inputs. A model takes one input or a list of them; what takes more is a Layer."
            )
        symbols = symbols_in(inputs)
        if self._graph is None and symbols is not None:
            shapes = [symbol.shape for symbol in symbols]
            self.build(shapes if isinstance(inputs, list | tuple) else shapes[0])
        return super().__call__(inputs, *arguments, **options)

    def inputs_of(self, x: Any) -> Any:
        """Return one array for each input; build the model for them if it is not built yet."""
        if self._graph is None:
            is_list = isinstance(x, list | tuple) and len(x) > 0 and hasattr(x[0], "shape")
            shapes = [(None, *np.shape(one)[1:]) for one in (x if is_list else [x])]
            self.build(shapes if is_list else shapes[0])
        return super().inputs_of(x)


class Sequential(_KerasModel, wordrow.Sequential):  # type: ignore[misc]
    """wordrow.Sequential with Keras's arguments; it may begin with Keras 1's Merge of models."""

    _merged: Any = None  # the models of a leading Merge and its layer, as one model
    merged_inputs: list[tuple[Any, int]] | None = None  # (model, number of its input) of each

    def add(self, layer: Any) -> None:
        """Append a layer, or begin with a Merge of models."""
        if not isinstance(layer, Merge) or not layer.models:
            super().add(layer.layer if isinstance(layer, Merge) else layer)
            return
        if self._units or self._input is not None:
            raise ValueError(
                "a Merge of models must be the first layer. Elsewhere, call it on a list of "
                "symbols."
            )
        self._merged, self.merged_inputs = _merged_model(layer)
        self._units = [self._merged]
        self._layers = layers_of(self._units)
        self._build_if_known(None)

    def _built_graph(self, rng: Any) -> Any:
        if self._merged is None:
            return super()._built_graph(rng)
        inputs = [wordrow.Input(batch_shape=shape) for shape in self._merged.input_shapes]
        make_names_unique(inputs)
        output = self._merged(inputs)
        for unit in self._units[1:]:
            output = unit(output)
        return graph_of([one.symbol for one in inputs], [output])

    def _build_if_known(self, rng: Any) -> None:
        if self._merged is None:
            super()._build_if_known(rng)
        else:
            self._set_graph(self._built_graph(rng))

    def inputs_of(self, x: Any) -> Any:
        """Return one array for each input: with a Merge, for each input of its models."""
        if self._merged is None:
            return super().inputs_of(x)
        return wordrow.Model.inputs_of(self, x)

    @property
    def input_shape(self) -> Any:
        """The shape of the input; with a Merge, those of its models' inputs."""
        return super().input_shape if self._merged is None else self._merged.input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the layers as JSON-able values; with a Merge, as a graph."""
        if self._merged is None:
            return dict(super().get_config())
        return dict(wordrow.Model.get_config(self))


def _merged_model(layer: Merge) -> tuple[Any, list[tuple[Any, int]]]:
    """Return one model of a Merge's models and the layer that joins them, and whose inputs it has.

    A model that occurs twice, perhaps within another one, has one input.
    """
    inputs: dict[tuple[int, int], Any] = {}  # by model, and by number: a model has one input
    outputs, places = [], []
    for model in layer.models:
        known = model.input_shape if isinstance(model, wordrow.Model) else model.first_shape
        shapes = known if isinstance(known, list) else [known]
        if shapes[0] is None:
            raise ValueError(
                f"{model.name!r} does not know the shape of its input. Give its first layer an "
                "input_shape, input_dim or input_length before merging it."
            )
        keys = getattr(model, "merged_inputs", None) or [(model, i) for i in range(len(shapes))]
        own = []
        for (source, number), shape in zip(keys, shapes, strict=True):
            key = id(source), number
            if key not in inputs:
                inputs[key] = wordrow.Input(batch_shape=shape)
                places.append((source, number))
            own.append(inputs[key])
        outputs.append(model(own if len(own) > 1 else own[0]))
    return wordrow.Model(list(inputs.values()), layer.layer(outputs), "merge"), places


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002
    safe_mode: bool = True,
    **options: Any,
) -> Any:
    """Return the model that `save` wrote."""
    known = {**CUSTOM_OBJECTS, **(custom_objects or {})}
    return _with_keras_class(load_wordrow_model(filepath, compile=compile, custom_objects=known))


def save_model(model: Any, filepath: Any, overwrite: bool = True, **options: Any) -> None:
    """Write a model to a file; see wordrow.Model.save."""
    model.save(filepath, overwrite, **options)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that `to_json` described, here or in Keras 1, 2 or 3, with new weights.

    custom_objects: classes and functions by name; they come before built-in ones.
    """
    return _with_keras_class(_with_new_weights(json.loads(json_string), custom_objects))


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[..., Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return a model of the same layers, with new weights."""
    entry = {"class_name": type(model).__name__, "config": model.get_config()}
    return _with_keras_class(_with_new_weights(entry, custom_objects))


def _with_new_weights(
    entry: Mapping[str, Any], custom_objects: Mapping[str, Any] | None
) -> wordrow.Model:
    """Return the model of {"class_name", "config"}, in wordrow's form or in Keras's."""
    config, custom = entry["config"], {**CUSTOM_OBJECTS, **(custom_objects or {})}
    if _is_of_keras(config):
        reader = Reader("the config", custom, str(entry.get("keras_version", "3")))
        model: wordrow.Model = reader.model(entry)
        return model
    return model_from_parts(None, config, name="the config", compiled=False, custom=custom)


def _is_of_keras(config: Any) -> bool:
    """Return whether a model's config has Keras's form: ours has no dtypes, modules and calls."""
    if isinstance(config, list) or "input_layers" in config:
        return True
    entries = [] if "nodes" in config else config["layers"]
    marks = ("dtype", "batch_input_shape", "input_dtype")
    return any(
        "module" in one or "inbound_nodes" in one or any(mark in one["config"] for mark in marks)
        for one in entries
        if isinstance(one["config"], Mapping)
    )


def _with_keras_class(model: Any) -> Any:
    """Make a model one of the classes above; its graph, layers and weights stay."""
    model.__class__ = Sequential if isinstance(model, wordrow.Sequential) else Model
    return model


Model.__module__ = Sequential.__module__ = "wordrow.keras"
