"""A model whose layers follow one another."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from wordrow.errors import show
from wordrow.nn import random
from wordrow.nn.columns import Column, as_array
from wordrow.nn.graph import Graph, graph_of
from wordrow.nn.layers import Input, Layer
from wordrow.nn.layers.layer import Shape, UnknownDimensionError
from wordrow.nn.model import Model
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

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        self._begin(name or "sequential")
        self._input: Input | None = None
        self._input_given = False  # by an Input, and not taken from the first layer
        self._layers = []
        self._graph = None
        for layer in layers or ():
            self.add(layer)

    @classmethod
    def from_layers(cls, layers: Sequence[Layer], name: str, rng: Any) -> Sequential:
        """Return a model of layers that have their names, their weights drawn from `rng`."""
        model = cls(name=name)
        model._input = next((layer for layer in layers if isinstance(layer, Input)), None)
        model._layers = [layer for layer in layers if not isinstance(layer, Input)]
        for layer in model._layers:
            layer.in_a_model = True
        model._build_if_known(rng)
        return model

    # ---- the chain ------------------------------------------------------

    def add(self, layer: Layer) -> None:
        """Append a layer, or the layers of a model that is a chain of them.

        Raises TypeError for what is no layer, ValueError for a layer that does
        not fit the shapes before it (the model then stays as it was).
        """
        if isinstance(layer, Model):
            self._add_model(layer)
            return
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

    def _add_model(self, model: Model) -> None:
        """Append the layers of a chain: they have one set of weights, here and there."""
        if model._graph is not None and not model.graph.is_chain:
            raise TypeError(
                f"`add` takes a layer, or a model whose layers follow one another; {model.name!r} "
                "branches. Call it on a symbol: Model(inputs, model(…))."
            )
        if model._graph is not None and not self._layers and self._input is None:
            self._input = Input(batch_shape=model.input_shapes[0])
        for layer in model.layers:
            if isinstance(layer, Input):
                continue
            if layer.name in {other.name for other in self._layers}:
                if model._trainer is not None:
                    model._trainer.release()
                layer.name = f"{model.name}_{layer.name}"
            self.add(layer)

    def pop(self) -> Layer:
        """Remove the last layer and return it."""
        if not self._layers:
            raise TypeError("there is no layer to remove.")
        layer = self._layers.pop()
        if not self._layers and not self._input_given:
            self._input = None
        self._build_if_known(random.generator())
        return layer

    def _name_apart(self, layer: Layer) -> None:
        """Number layers of the same kind; refuse two with one name that may not change."""
        taken = {other.name for other in self._layers}
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
        if not self._layers:
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
        if self._trainer is not None:
            self._trainer.release()
        self._graph, self._objective, self._trainer = graph, None, None

    def _built_graph(self, rng: Any) -> Graph:
        assert self._input is not None
        first = last = self._input.symbol
        for layer in self._layers:
            last = layer.call_on([last], is_list=False, rng=rng)
            if isinstance(last, list):
                raise ValueError(
                    f"layer {layer.name!r} puts out {len(last)} things, and a Sequential has one "
                    "after another. Use Model(inputs, outputs)."
                )
        return graph_of([first], [last])

    def _build_if_known(self, rng: Any) -> None:
        self._set_graph(None)
        if self._input is not None and self._layers:
            # An axis may become known with the first data.
            with contextlib.suppress(UnknownDimensionError):
                self._set_graph(self._built_graph(rng))

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
            if isinstance(one, Ragged):
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
        entries = [
            {"class_name": type(layer).__name__, "config": layer.get_config()}
            for layer in (*first, *self._layers)
        ]
        return {"name": self.name, "layers": entries}
