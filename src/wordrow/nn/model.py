"""The Keras-shaped shell over the graph: it holds weights, names and settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import bag, random
from wordrow.nn.graph import Graph, chain
from wordrow.nn.layers import Input, Layer
from wordrow.nn.layers.layer import Arrays, Shape, UnknownDimensionError
from wordrow.nn.summary import summary_text
from wordrow.types import Padded, Ragged

__all__ = ["Sequential"]

_COMPILE_OPTIONS = (
    "loss_weights", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile",
    "auto_scale_loss",
)  # fmt: skip


class Sequential:
    """Layers that follow one another.

    It is built as soon as the shape of its input is known: from an `Input`, from
    the first layer's `input_shape` or `input_length`, or from the first data.

    >>> from wordrow import Embedding
    >>> model = Sequential([Embedding(10, 3, input_length=6, mask_zero=True)])
    >>> model.predict([[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]]).shape
    (2, 6, 3)
    """

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        self.name = name or "sequential"
        self._input: Input | None = None
        self._input_given = False  # by an Input, and not taken from the first layer
        self._layers: list[Layer] = []
        self._graph: Graph | None = None
        self.optimizer: Any = None
        self.loss: Any = None
        self.metrics: list[Any] = []
        self.compile_options: dict[str, Any] = {}
        for layer in layers or ():
            self.add(layer)

    @classmethod
    def from_layers(cls, layers: Sequence[Layer], name: str, rng: Any) -> Sequential:
        """Return a model of layers that have their names, their weights drawn from `rng`."""
        model = cls(name=name)
        model._input = next((layer for layer in layers if isinstance(layer, Input)), None)
        model._layers = [layer for layer in layers if not isinstance(layer, Input)]
        model._build_if_known(rng)
        return model

    # ---- the chain ------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return list(self._layers)

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Raises TypeError for what is no layer, ValueError for a layer that does
        not fit the shapes before it (the model then stays as it was).
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"`add` takes a layer, for example Dense(1); received {show(layer)}.")
        if isinstance(layer, Input):
            if self._layers or self._input:
                raise ValueError(f"an Input comes first; {self.name!r} has its input already.")
            self._input, self._input_given = layer, True
            return
        if not self._layers and self._input is None and layer.first_shape is not None:
            self._input = Input(batch_shape=layer.first_shape)
        self._name_apart(layer)
        self._layers.append(layer)
        try:
            self._build_if_known(random.generator())
        except ValueError:
            self._layers.pop()
            raise

    def pop(self) -> Layer:
        """Remove the last layer and return it."""
        if not self._layers:
            raise TypeError("there is no layer to remove.")
        layer = self._layers.pop()
        if not self._layers and not self._input_given:
            self._input = None
        self._build_if_known(random.generator())
        return layer

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of a name or a place."""
        if (name is None) == (index is None):
            raise ValueError("`get_layer` takes either a name or an index.")
        if index is not None:
            if not -len(self._layers) <= index < len(self._layers):
                raise ValueError(f"there is no layer {index}: the model has {len(self._layers)}.")
            return self._layers[index]
        for layer in self._layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self._layers]
        raise ValueError(f"there is no layer {name!r}; the model has {names}.")

    def _name_apart(self, layer: Layer) -> None:
        """Number layers of the same kind; refuse two with one given name."""
        taken = {other.name for other in self._layers}
        if layer.given_name is not None:
            if layer.name in taken:
                raise ValueError(f"two layers are called {layer.name!r}: names must be unique.")
            return
        base, number = layer.name, 1
        while layer.name in taken:
            layer.name = f"{base}_{number}"
            number += 1

    @property
    def graph(self) -> Graph:
        """The layers as a graph of pure functions.

        Raises ValueError before the model is built.
        """
        if self._graph is None:
            raise ValueError(f"{self.name!r} is not built yet: call build((None, T)) first.")
        return self._graph

    # ---- building -------------------------------------------------------

    @property
    def built(self) -> bool:
        """Whether all layers have their weights."""
        return self._graph is not None

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Draw all weights, for inputs of this shape (batch axis included, None for any length)."""
        if input_shape is not None:
            self._input = Input(batch_shape=tuple(input_shape))
        if self._input is None or not self._layers:
            raise ValueError(
                "the model needs at least one layer and the shape of its inputs: "
                "begin with Input((T,)), or call build((None, T))."
            )
        self._graph = None  # what fails below leaves no half-built model
        self._graph = self._built_graph(random.generator())

    def _built_graph(self, rng: Any) -> Graph:
        assert self._input is not None
        graph = chain([self._input, *self._layers])
        graph.build(rng)
        return graph

    def _build_if_known(self, rng: Any) -> None:
        self._graph = None
        if self._input is not None and self._layers:
            # An axis may become known with the first data.
            with contextlib.suppress(UnknownDimensionError):
                self._graph = self._built_graph(rng)

    def _graph_for(self, inputs: Any) -> Graph:
        """Return the graph, built for these inputs where it was not; check their shape."""
        shape: Shape = (None, *inputs.shape[1:])
        if self._graph is None:
            self.build(shape)
        assert self._graph is not None
        assert self._input is not None
        want = self._input.first_shape or ()
        fits = len(want) == len(shape) and all(
            w is None or g is None or w == g for w, g in zip(want[1:], shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                f"{self.name!r} takes inputs of shape {want}; received {inputs.shape}. "
                "Bring texts to one length with pad_sequences(sequences, maxlen)."
            )
        return self._graph

    # ---- answering ------------------------------------------------------

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto") -> Any:
        """Return the outputs for inputs [B, ...], as NumPy.

        x: an array or equal lists of ids, `Padded` (its mask counts), or
        `Ragged` (texts of any length). batch_size bounds the memory in use.

        Raises ValueError, before anything runs, for an id that is not in the
        table (which text, which position) and for inputs of another shape.
        """
        if isinstance(x, Ragged):
            layers = None if self._graph is None else bag.match(self._graph)
            if layers is not None:
                return layers.predict(x)
            x = x.pad()
        ids, mask = (x.ids, x.mask) if isinstance(x, Padded) else (_as_array(x), None)
        graph = self._graph_for(ids)
        graph.check_ids([ids])
        size = batch_size or 128
        outputs = []
        for start in range(0, max(1, len(ids)), size):
            part = slice(start, start + size)
            (output,), _, _ = graph.apply(
                self._weights(), self._state(), [ids[part]], [None if mask is None else mask[part]],
                training=False, rng=None,
            )  # fmt: skip
            outputs.append(output)
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, **options: Any
    ) -> None:
        """Keep the names or objects that training will use; they do not change what is predicted.

        Raises TypeError for an option that Keras does not have.
        """
        unknown = set(options) - set(_COMPILE_OPTIONS)
        if unknown:
            raise TypeError(
                f"compile has no option {sorted(unknown)}; it has optimizer, loss, metrics and "
                f"{', '.join(_COMPILE_OPTIONS)}."
            )
        self.optimizer, self.loss = optimizer, loss
        self.metrics = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
        self.metrics = [metric for metric in self.metrics if metric is not None]
        self.compile_options = options

    # ---- weights --------------------------------------------------------

    def _weights(self) -> dict[str, Arrays]:
        return {layer.name: layer._weights or {} for layer in self._layers}

    def _state(self) -> dict[str, Arrays]:
        return {layer.name: layer._state for layer in self._layers}

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return copies of all weights, layer by layer."""
        return [weight for layer in self._layers for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take arrays of the shapes that `get_weights` gives; all or none are taken."""
        counts = [len(layer._weights or {}) for layer in self._layers]
        if len(weights) != sum(counts):
            hint = "" if self.built else " It is not built yet: give it an input shape first."
            raise ValueError(
                f"{self.name!r} has {sum(counts)} weights; received {len(weights)}.{hint}"
            )
        before = [layer._weights for layer in self._layers]
        rest = list(weights)
        try:
            for layer, n in zip(self._layers, counts, strict=True):
                layer.set_weights(rest[:n])
                del rest[:n]
        except ValueError:
            for layer, own in zip(self._layers, before, strict=True):
                layer._weights = own
            raise

    def count_params(self) -> int:
        """Return the number of single weights."""
        if not self.built:
            raise ValueError(
                f"{self.name!r} is not built yet: its first layer needs an input shape, or call "
                "build((None, T))."
            )
        return sum(layer.count_params() for layer in self._layers)

    @property
    def input_shape(self) -> Shape | None:
        """The shape of the inputs, None for axes of any length."""
        return None if self._input is None else self._input.first_shape

    @property
    def output_shape(self) -> Shape | None:
        """The shape of the outputs; None before the model is built."""
        return self._layers[-1].output_shape if self.built else None

    def summary(self, print_fn: Callable[[str], object] | None = None) -> None:
        """Print the layers with their output shapes and numbers of weights."""
        (print_fn or print)(summary_text(self.name, self._layers))

    # ---- saving ---------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the name, the input and the layers as JSON-able values."""
        first = [] if self._input is None else [self._input]
        entries = [
            {"class_name": type(layer).__name__, "config": layer.get_config()}
            for layer in (*first, *self._layers)
        ]
        return {"name": self.name, "layers": entries}

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the model to one safetensors file; `load_model` reads it.

        Raises FileExistsError where `overwrite` is False and the file is there.
        """
        from wordrow.nn.saving import save_model

        save_model(self, path, overwrite=overwrite)

    def __repr__(self) -> str:
        return f"<Sequential {self.name!r}, {len(self._layers)} layers>"


def _as_array(x: Any) -> npt.NDArray[Any]:
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.asarray(x, dtype=object)
    if array.dtype == object:
        raise ValueError(
            "the inputs must be one array, and these are sequences of different lengths. "
            "Use pad_sequences(sequences, maxlen), or tokenizer.encode(texts)."
        )
    if array.dtype.kind not in "iufb":
        raise ValueError(
            f"the inputs must be numbers; received {show(x)}. Turn texts into ids with a Tokenizer."
        )
    if array.ndim == 0:
        raise ValueError(f"the inputs must have a batch axis; received {show(x)}.")
    return array
