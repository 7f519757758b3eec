"""A model whose layers follow one another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from wordrow.errors import show
from wordrow.nn import random
from wordrow.nn.data.inputs import Column, as_array
from wordrow.nn.graph.graph import Graph, graph_of
from wordrow.nn.graph.symbol import symbols_in
from wordrow.nn.layers import Input, Layer
from wordrow.nn.model.model import Model
from wordrow.nn.model.network import layers_of
from wordrow.nn.registry import config_of
from wordrow.nn.spec import Shape, UnknownDimensionError
from wordrow.types import Padded, Ragged

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers that follow one another.

    It is built as soon as the shape of its input is known: from an `Input`, from
    the first layer's `input_shape` or `input_length`, or from the first data.

    >>> from wordrow import Embedding
    >>> model = Sequential([Embedding(10, 3, input_length=6, mask_zero=True)])
    >>> model.predict([[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]]).shape
    (2, 6, 3)
    """

    kind = "Sequential"

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        self._begin(name, "sequential")
        self._input: Input | None = None
        self._input_given = False  # by an Input, and not taken from the first layer
        self._graph = None
        if layers is not None and not isinstance(layers, Iterable):
            raise TypeError(f"Sequential takes a list of layers; received {show(layers)}.")
        for layer in layers or ():
            self.add(layer)

    @classmethod
    def from_layers(cls, layers: Sequence[Any], name: str, rng: Any) -> Sequential:
        """Return a model of layers that have their names, their weights drawn from `rng`."""
        model = cls(name=name)
        model._input = next((layer for layer in layers if isinstance(layer, Input)), None)
        model._units = [layer for layer in layers if not isinstance(layer, Input)]
        for layer in model._units:
            layer.in_a_model = True
        model._layers = layers_of(model._units)
        model._build_if_known(rng)
        return model

    # ---- the chain ------------------------------------------------------

    def add(self, layer: Layer | Model) -> None:
        """Append a layer, or a model of one input and one output.

        Raises TypeError for what is no layer, ValueError for a layer that does
        not fit the shapes before it (the model then stays as it was).
        """
        if not isinstance(layer, Layer | Model):
            raise TypeError(f"`add` takes a layer, for example Dense(1); received {show(layer)}.")
        if isinstance(layer, Input):
            if self._units or self._input:
                raise ValueError(f"an Input comes first; {self.name!r} has its input already.")
            self._input, self._input_given = layer, True
            return
        first = layer.first_shape if isinstance(layer, Layer) else layer.input_shape
        if isinstance(first, list):
            raise TypeError(
                f"`add` takes a layer, or a model of one input; {layer.name!r} has {len(first)}. "
                "Call it on symbols: Model(inputs, model(…))."
            )
        if not self._units and self._input is None and first is not None:
            self._input = Input(batch_shape=first)
        self._name_apart(layer)
        self._units.append(layer)
        self._layers = layers_of(self._units)
        try:
            self._build_if_known(random.generator())
        except ValueError:
            self._units.pop()
            self._layers = layers_of(self._units)
            raise

    def pop(self) -> Layer | Model:
        """Remove the last layer and return it."""
        if not self._units:
            raise TypeError("there is no layer to remove.")
        layer: Layer | Model = self._units.pop()
        self._layers = layers_of(self._units)
        if not self._units and not self._input_given:
            self._input = None
        self._build_if_known(random.generator())
        return layer

    def _name_apart(self, layer: Layer | Model) -> None:
        """Number layers of the same kind; refuse two with one name that may not change."""
        taken = {other.name for other in self._units}
        if layer.given_name is not None or layer.in_a_model:
            if layer.name in taken:
                raise ValueError(f"two layers are called {layer.name!r}: names must be unique.")
            return
        base, number = layer.name, 1
        while layer.name in taken:
            layer.name = f"{base}_{number}"
            number += 1
        layer.in_a_model = True

    # ---- building -------------------------------------------------------

    def build(self, input_shape: Shape | None = None) -> None:
        """Give the layers their weights, for inputs of this shape, the batch axis included."""
        if not self._units:
            raise ValueError(f"{self.name!r} has no layers yet: add one first.")
        if input_shape is not None and not self._input_given:
            self._input = Input(batch_shape=tuple(input_shape))
        if self._input is None:
            raise ValueError(
                f"{self.name!r} does not know the shape of its input: give the first layer "
                "input_shape=(T,), begin with Input((T,)), or call build((None, T))."
            )
        self._set_graph(None)  # what fails below leaves no half-built model
        self._set_graph(self._built_graph(random.generator()))

    def _set_graph(self, graph: Graph | None) -> None:
        self._end_training()
        self._graph, self._objective = graph, None

    def _built_graph(self, rng: Any) -> Graph:
        assert self._input is not None
        first = self._input.symbol
        last: Any = first
        for layer in self._units:
            if isinstance(layer, Model):
                last = layer(last)
            else:
                last = layer.call_on([last], is_list=False, rng=rng)
            if isinstance(last, list):
                raise ValueError(
                    f"layer {layer.name!r} puts out {len(last)} things, and a Sequential has one "
                    "after another. Use Model(inputs, outputs)."
                )
        return graph_of([first], [last])

    def _build_if_known(self, rng: Any) -> None:
        self._set_graph(None)
        if self._input is not None and self._units:
            # An axis may become known with the first data.
            with contextlib.suppress(UnknownDimensionError):
                self._set_graph(self._built_graph(rng))

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Return the outputs for arrays, or a symbol for a symbol; build it where it is not yet."""
        symbols = symbols_in(inputs)
        if symbols is not None and self._graph is None:
            self.build(symbols[0].shape)
        return super().__call__(inputs, training)

    def inputs_of(self, x: Any) -> list[Column]:
        """Return the one column of inputs; build the model for it where it is not built yet."""
        if self._graph is None:
            one = (
                x[0]
                if isinstance(x, list | tuple) and len(x) == 1 and hasattr(x[0], "shape")
                else x
            )
            if isinstance(one, dict) and len(one) == 1:
                (one,) = one.values()
            if self._units and getattr(self._units[0], "reads_text", False):
                self._input = Input(batch_shape=(None, 1), dtype="string")
                self.build()
            elif isinstance(one, Ragged):
                self.build((None, None))
            else:
                shape = one.ids.shape if isinstance(one, Padded) else as_array(one).shape
                self.build((None, *shape[1:]))
        return super().inputs_of(x)

    @property
    def input_shape(self) -> Shape | None:
        """The shape of the inputs, None for axes of any length."""
        return None if self._input is None else self._input.first_shape

    def get_config(self) -> dict[str, Any]:
        """Return the name, the input and the layers as JSON-able values."""
        first = [] if self._input is None else [self._input]
        return {"name": self.name, "layers": [_entry(one) for one in (*first, *self._units)]}


def _entry(unit: Layer | Model) -> dict[str, Any]:
    if isinstance(unit, Model):
        return {"class_name": unit.kind, "config": unit.get_config()}
    return config_of(unit)
