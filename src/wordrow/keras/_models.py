"""Model and Sequential with what Keras 1, 2 and 3 had beside ours: generators, old arguments."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

import wordrow
from wordrow.keras._custom import CUSTOM
from wordrow.keras._layers import Merge
from wordrow.nn.graph import graph_of, name_apart
from wordrow.nn.model import layers_of
from wordrow.nn.saving import load_model as _load
from wordrow.nn.saving import model_from_parts

__all__ = [
    "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model",
]  # fmt: skip

_OLD = {"nb_epoch": "epochs", "nb_val_samples": "validation_steps", "samples_per_epoch": None,
        "show_accuracy": None, "max_q_size": None, "max_queue_size": None, "nb_worker": None,
        "workers": None, "use_multiprocessing": None, "pickle_safe": None}  # fmt: skip
_ACCURACY = {"acc": "accuracy", "val_acc": "val_accuracy", "accuracy": "acc",
             "val_accuracy": "val_acc"}  # fmt: skip


class _Numbers(dict[str, Any]):
    """Numbers by name, where `acc` and `accuracy` (`lr` too) are one, as they were by turns."""

    def __missing__(self, name: str) -> Any:
        other = (_ACCURACY | {"lr": "learning_rate"}).get(name)
        if other is None or other not in self:
            raise KeyError(name)
        return self[other]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else dict.get(self, _ACCURACY.get(name, name), default)


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by today's names; those that say how to work change nothing here."""
    return {_OLD.get(k) or k: v for k, v in options.items() if k not in _OLD or _OLD[k]}


def _listening(callbacks: Any, names: list[str]) -> Any:
    """Let callbacks that watch `acc` watch what this model calls it."""
    listed = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in listed:
        watched = str(getattr(callback, "monitor", None))
        plain = watched.removeprefix("val_")
        if plain in _ACCURACY and plain not in names and _ACCURACY[plain] in names:
            callback.monitor = _ACCURACY[watched]
    return callbacks


class _Old:
    """What both kinds of models had."""

    def compile(self: Any, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None,
                loss_weights: Any = None, **options: Any) -> None:  # fmt: skip
        """See wordrow.Model.compile; Keras 1's class_mode and sample_weight_mode are taken."""
        for way in ("class_mode", "sample_weight_mode", "target_tensors", "distribute"):
            options.pop(way, None)
        super().compile(optimizer, loss, metrics, loss_weights, **options)  # type: ignore[misc]

    def fit(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, **options: Any) -> Any:
        """See wordrow.Model.fit; nb_epoch is epochs."""
        options = _renamed(options)
        if options.get("callbacks"):
            _listening(options["callbacks"], self._metric_names())
        history = super().fit(x, y, batch_size, **options)  # type: ignore[misc]
        history.history = _Numbers(history.history)
        return history

    def _metric_names(self: Any) -> list[str]:
        try:
            return list(self.metrics_names)
        except ValueError:
            return []

    def fit_generator(self: Any, generator: Any, steps_per_epoch: Any = None, epochs: int = 1,
                      verbose: Any = 1, callbacks: Any = None, validation_data: Any = None,
                      validation_steps: Any = None, **options: Any) -> Any:  # fmt: skip
        """Fit on batches from a generator; samples_per_epoch was Keras 1's way to say how many."""
        samples = options.get("samples_per_epoch")
        held = options.pop("nb_val_samples", None)
        options = _renamed(options)
        epochs = options.pop("epochs", epochs)
        if samples is not None and steps_per_epoch is None:
            generator, size = _sized(generator)
            steps_per_epoch = -(-int(samples) // size)
        if held is not None and hasattr(validation_data, "__next__"):
            validation_data, size = _sized(validation_data)
            validation_steps = -(-int(held) // size)
        return self.fit(
            generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose,
            callbacks=callbacks, validation_data=validation_data,
            validation_steps=validation_steps, **options,
        )  # fmt: skip

    def evaluate(self: Any, x: Any = None, y: Any = None, *given: Any, **options: Any) -> Any:
        """See wordrow.Model.evaluate."""
        return super().evaluate(x, y, *given, **_renamed(options))  # type: ignore[misc]

    def evaluate_generator(self: Any, generator: Any, steps: Any = None, *_: Any,
                           verbose: Any = 0, **options: Any) -> Any:  # fmt: skip
        """Evaluate on batches from a generator."""
        return self.evaluate(generator, steps=steps or options.get("val_samples"), verbose=verbose)

    def predict(self: Any, x: Any, batch_size: Any = None, *given: Any, **options: Any) -> Any:
        """See wordrow.Model.predict."""
        return super().predict(x, batch_size, *given, **_renamed(options))  # type: ignore[misc]

    def predict_generator(self: Any, generator: Any, steps: Any = None, *_: Any,
                          **options: Any) -> Any:  # fmt: skip
        """Predict for batches from a generator."""
        return self.predict(generator, steps=steps or options.get("val_samples"), verbose=0)

    def predict_proba(self: Any, x: Any, batch_size: int = 32, verbose: Any = 0) -> Any:
        """Return what `predict` does."""
        return self.predict(x, batch_size, verbose=verbose)

    def predict_classes(self: Any, x: Any, batch_size: int = 32, verbose: Any = 0) -> Any:
        """Return the likeliest class of each text; for one sigmoid [B, 1] of 0 and 1."""
        shares = self.predict(x, batch_size, verbose=verbose)
        if shares.shape[-1] > 1:
            return shares.argmax(axis=-1)
        return (shares > 0.5).astype("int32")

    def to_json(self: Any, **options: Any) -> str:
        """Return the model without weights, as JSON; `model_from_json` reads it."""
        entry = {"class_name": type(self).__name__, "config": self.get_config(),
                 "wordrow_version": wordrow.__version__}  # fmt: skip
        return json.dumps(entry, **options)

    def load_weights(self: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False,
                     **options: Any) -> None:  # fmt: skip
        """See wordrow.Model.load_weights; by_name: of layers that are called alike."""
        if by_name or skip_mismatch:
            from wordrow.keras._files import load_weights

            load_weights(self, filepath, by_name=True, skip_mismatch=skip_mismatch)
        else:
            super().load_weights(filepath)  # type: ignore[misc]

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        """Return the model of what `get_config` gave, with new weights."""
        return _as_ours(_drawn_anew(config))

    @property
    def weights(self: Any) -> list[Any]:
        """All weights, as arrays."""
        return list(self.get_weights())

    def reset_metrics(self) -> None:
        """Do nothing: metrics begin anew with each epoch and evaluation."""


class Model(_Old, wordrow.Model):  # type: ignore[misc]
    """wordrow.Model under Keras's arguments: `input` and `output` are inputs and outputs.

    A class of one's own may define `call` instead: it is called on symbols, once, when the
    shape of the first data is known, and the layers it uses are the model's.
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: Any = None,
                 **options: Any) -> None:  # fmt: skip
        inputs, outputs = options.pop("input", inputs), options.pop("output", outputs)
        options.pop("trainable", None)
        if inputs is None and outputs is None and type(self) is not Model:
            self._begin(name, type(self).__name__.lower())
            self._graph = None
            return
        if isinstance(outputs, list | tuple) and len(outputs) == 1:
            (outputs,) = outputs  # one answer is an array, and no list of one
        if options:
            raise TypeError(f"Model has no argument {sorted(options)}.")
        super().__init__(inputs, outputs, name)

    def call(self, inputs: Any) -> Any:
        """Return the outputs for symbols; to be written in a class of one's own."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `call`.")

    def build(self, input_shape: Any = None) -> None:
        """Call `call` on symbols of this shape, the batch axis included; or of a list of shapes."""
        if self._graph is not None:
            return
        several = isinstance(input_shape, list)
        firsts = [wordrow.Input(batch_shape=shape).symbol
                  for shape in (input_shape if several else [input_shape])]  # fmt: skip
        known = inspect.signature(self.call).parameters
        options = {"training": False} if "training" in known else {}
        lasts = self.call(firsts if several else firsts[0], **options)
        self._one_output = not isinstance(lasts, list | tuple)
        self._take_graph(graph_of(firsts, [lasts] if self._one_output else list(lasts)))

    def inputs_of(self, x: Any) -> Any:
        """Return one column for each input; build the model for them where it is not built."""
        if self._graph is None:
            several = isinstance(x, list | tuple) and len(x) > 0 and hasattr(x[0], "shape")
            shapes = [(None, *np.shape(one)[1:]) for one in (x if several else [x])]
            self.build(shapes if several else shapes[0])
        return super().inputs_of(x)


class Sequential(_Old, wordrow.Sequential):  # type: ignore[misc]
    """wordrow.Sequential under Keras's arguments; Keras 1's may begin with a Merge of models."""

    _front: Any = None  # the models of a Merge and what joins them, as one model

    def add(self, layer: Any) -> None:
        """Append a layer, or begin with a Merge of models."""
        if not isinstance(layer, Merge) or not layer.models:
            super().add(layer.layer if isinstance(layer, Merge) else layer)
            return
        if self._units or self._input is not None:
            raise ValueError("a Merge of models comes first; elsewhere, call it on symbols.")
        self._front = _front_of(layer)
        self._units = [self._front]
        self._layers = layers_of(self._units)
        self._build_if_known(None)

    def _built_graph(self, rng: Any) -> Any:
        if self._front is None:
            return super()._built_graph(rng)
        firsts = [wordrow.Input(batch_shape=shape) for shape in self._front.input_shapes]
        name_apart(firsts)
        last = self._front(firsts)
        for unit in self._units[1:]:
            last = unit(last)
        return graph_of([one.symbol for one in firsts], [last])

    def _build_if_known(self, rng: Any) -> None:
        if self._front is None:
            super()._build_if_known(rng)
        else:
            self._set_graph(self._built_graph(rng))

    def inputs_of(self, x: Any) -> Any:
        """Return the columns of the inputs: of a Merge, one for each input of its models."""
        if self._front is None:
            return super().inputs_of(x)
        return wordrow.Model.inputs_of(self, x)

    def get_config(self) -> dict[str, Any]:
        """Return the layers as JSON-able values; with a Merge, those of a graph."""
        if self._front is None:
            return dict(super().get_config())
        return dict(wordrow.Model.get_config(self))


def _front_of(layer: Merge) -> Any:
    """Return the model of a Merge's models and what joins them."""
    firsts, ends = [], []
    for model in layer.models:
        known = model.input_shape if isinstance(model, wordrow.Model) else model.first_shape
        shapes = known if isinstance(known, list) else [known]
        if shapes[0] is None:
            raise ValueError(
                f"{model.name!r} does not know the shape of its input: give its first layer an "
                "input_shape, input_dim or input_length, before it is merged."
            )
        own = [wordrow.Input(batch_shape=shape) for shape in shapes]
        firsts += own
        ends.append(model(own if len(own) > 1 else own[0]))
    return wordrow.Model(firsts, layer.layer(ends), "merge")


def _as_ours(model: Any) -> Any:
    """Return a model as one of the classes here: the same graph, layers and weights."""
    model.__class__ = Sequential if isinstance(model, wordrow.Sequential) else Model
    return model


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True,  # noqa: A002
               safe_mode: bool = True, **options: Any) -> Any:  # fmt: skip
    """Return the model that `save` wrote."""
    known = {**CUSTOM, **(custom_objects or {})}
    return _as_ours(_load(filepath, compile=compile, custom_objects=known))


def save_model(model: Any, filepath: Any, overwrite: bool = True, **options: Any) -> None:
    """Write a model to a file; see wordrow.Model.save."""
    model.save(filepath, overwrite, **options)


def _drawn_anew(config: Mapping[str, Any]) -> Any:
    """Return the model of a config, its weights drawn anew."""
    return model_from_parts(None, config, name="the config", compiled=False)


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """Return the model that `to_json` described, with new weights."""
    return _as_ours(_drawn_anew(json.loads(json_string)["config"]))


def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """Return a model of the same layers, with new weights."""
    return _as_ours(_drawn_anew(model.get_config()))


def _sized(generator: Any) -> tuple[Any, int]:
    """Return (a generator of the same batches, the size of the first)."""
    first = next(generator)
    x = first[0] if isinstance(first, tuple) else first
    if isinstance(x, list | Mapping):
        x = next(iter(x.values() if isinstance(x, Mapping) else x))

    def again() -> Any:
        yield first
        yield from generator

    return again(), max(1, len(np.asarray(x)))


Model.__module__ = Sequential.__module__ = "wordrow.keras"
