"""A graph of layers with names and weights: what a model is before it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from wordrow.errors import show
from wordrow.hints import Hinted
from wordrow.nn import ops, random
from wordrow.nn.data.inputs import Column, as_floats, input_columns
from wordrow.nn.graph.graph import Graph, graph_of
from wordrow.nn.graph.names import make_names_unique
from wordrow.nn.graph.order import units_of
from wordrow.nn.graph.symbol import ModelCall, Symbol, symbols_in
from wordrow.nn.inference.predict import predict
from wordrow.nn.layers import Input, Layer
from wordrow.nn.layers.context import current_call
from wordrow.nn.spec import Arrays, Shape
from wordrow.nn.table.weight import Weight

__all__ = ["Network", "layers_of"]


class Network(Hinted):
    """Layers joined to a graph, from inputs to outputs, and their weights; see `Model`."""

    kind = "Model"  # in files
    _input_names: list[str] | None
    _output_names: list[str] | None
    _units: list[Any]
    _layers: list[Layer]

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        self._begin(name)
        firsts, input_names = _symbols(inputs, "inputs")
        lasts, output_names = _symbols(outputs, "outputs")
        self._input_names, self._output_names = input_names, output_names
        for first in firsts:
            if not isinstance(first.call.layer, Input):
                raise ValueError(
                    f"`inputs` must be Inputs; received the output of {first.call.layer.name!r}."
                )
        self._one_output = not isinstance(outputs, list | tuple | Mapping)
        self._take_graph(graph_of(firsts, lasts))

    def _take_graph(self, graph: Graph) -> None:
        """Take a graph for the model's own; its layers get names that are unique."""
        self._graph: Graph | None = graph
        self._units = units_of(graph)
        make_names_unique(self._units)
        self._layers = layers_of(self._units, {id(layer) for layer in graph.layers})

    def arrange(self, names: Sequence[str]) -> None:
        """Sort the layers by a list of names; those that are not in it come last."""
        place = {name: i for i, name in enumerate(names)}
        self._units.sort(key=lambda unit: place.get(unit.name, len(place)))
        self._layers = layers_of(self._units, {id(layer) for layer in self.graph.layers})

    def _begin(self, name: str | None, kind: str = "model") -> None:
        self.name, self.given_name, self.in_a_model = name or kind, name, False
        self._units = []  # layers, and models that were called
        self._layers = []  # all layers, those of these models too
        self._one_output = True
        self._input_names, self._output_names = None, None

    # ---- the graph ------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The layers as a graph of pure functions.

        Raises ValueError before the model is built.
        """
        if self._graph is None:
            raise ValueError(
                f"{self.name!r} is not built yet: its first layer needs an input shape, or call "
                "build((None, T))."
            )
        return self._graph

    @property
    def built(self) -> bool:
        """Whether the layers have their weights."""
        return self._graph is not None

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: a model of inputs and outputs is built; see `Sequential.build`."""

    @property
    def layers(self) -> list[Any]:
        """The layers, each once, in the order of their use; models that were called among them."""
        return list(self._units)

    @property
    def all_layers(self) -> list[Layer]:
        """The layers, with those of models that were called in the place of these."""
        return self._layers

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols of the inputs."""
        return [self.graph.nodes[number].layer.symbol for number in self.graph.inputs]

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols of the outputs."""
        made = self._symbols_from(self.inputs)
        return [made[edge] for edge in self.graph.outputs]

    @property
    def input(self) -> Any:
        """The symbol of the input, or the list of several."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The symbol of the output, or the list of several."""
        return self.outputs[0] if self._one_output else self.outputs

    @property
    def given_input_names(self) -> list[str] | None:
        """The names of the inputs where they were given as a dict."""
        return self._input_names

    @property
    def given_output_names(self) -> list[str] | None:
        """The names of the outputs where they were given as a dict."""
        return self._output_names

    @property
    def has_one_output(self) -> bool:
        """Whether `predict` returns one array, not a list."""
        return self._one_output

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: those of a dict, or of the Inputs."""
        graph = self.graph
        return self._input_names or [graph.nodes[number].layer.name for number in graph.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of a dict, or of the layers they come from."""
        if self._output_names is not None:
            return self._output_names
        names: list[str] = []
        for number, _ in self.graph.outputs:
            base = name = self.graph.nodes[number].layer.name
            while name in names:
                name = f"{base}_{len(names)}"
            names.append(name)
        return names

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None for axes of any length; a list for several inputs."""
        if self._graph is None:
            return None
        shapes = self.input_shapes
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the output; a list for several. None before the model is built."""
        if self._graph is None:
            return None
        return self.output_shapes[0] if self._one_output else self.output_shapes

    @property
    def input_shapes(self) -> list[Shape]:
        """The shape of each input."""
        return [self.graph.nodes[number].layer.output_shape for number in self.graph.inputs]

    @property
    def output_shapes(self) -> list[Shape]:
        """The shape of each output."""
        found = []
        for number, index in self.graph.outputs:
            shape = self.graph.nodes[number].layer.output_shape
            found.append(shape[index] if isinstance(shape, list) else shape)
        return found

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer (or model inside) of a name or a place."""
        if (name is None) == (index is None):
            raise ValueError("`get_layer` takes either a name or an index.")
        if index is not None:
            if not -len(self._units) <= index < len(self._units):
                raise ValueError(f"there is no layer {index}: the model has {len(self._units)}.")
            return self._units[index]
        for layer in self._units:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self._units]
        raise ValueError(f"there is no layer {name!r}; the model has {names}.")

    def _symbols_from(
        self, inputs: Sequence[Symbol], within: Any = None
    ) -> dict[tuple[int, int], Symbol]:
        """Return the symbols of all edges, with the layers called on other inputs."""
        graph = self.graph
        made = {(number, 0): one for number, one in zip(graph.inputs, inputs, strict=True)}
        for number, node in enumerate(graph.nodes):
            if node.inputs:
                taken = [made[edge] for edge in node.inputs]
                outputs = node.layer.call_on(
                    taken, is_list=node.is_list, rng=random.generator(), within=within
                )
                for index, one in enumerate(outputs if isinstance(outputs, list) else [outputs]):
                    made[number, index] = one
        return made

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Return the outputs for arrays; or symbols for symbols, which makes it part of a model."""
        symbols = symbols_in(inputs)
        if symbols is None and current_call() is not None:  # within a custom layer
            return self._call_within(inputs)
        if symbols is None:
            return self._packed(predict(self, self.inputs_of(inputs), training=training))
        if len(symbols) != len(self.graph.inputs):
            raise ValueError(
                f"{self.name!r} takes {len(self.graph.inputs)} inputs; received {len(symbols)}."
            )
        call = ModelCall(self, tuple(symbols), [])
        made = self._symbols_from(symbols, within=call)
        call.outputs = [made[edge] for edge in self.graph.outputs]
        return self._packed([made[edge] for edge in self.graph.outputs])

    def _call_within(self, inputs: Any) -> Any:
        """Return the outputs for arrays of JAX or NumPy, within the call of a custom layer."""
        given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        if self._graph is None:
            self.build((None, *given[0].shape[1:]))
        context = current_call()
        assert context is not None
        stand_ins = {layer.name: layer.stand_in for layer in self._layers}
        outputs, _, state = self.graph.apply(
            {layer.name: layer.arrays_in_use() for layer in self._layers},
            {
                layer.name: layer.read_state() if (own := stand_ins[layer.name]) is None else own[1]
                for layer in self._layers
            },
            given,
            [None] * len(given),
            training=context.training,
            rng=context.next_rng(),
        )
        for layer in self._layers:
            own, after = layer.stand_in, state.get(layer.name, {})
            if own is None:
                layer.write_state({k: v for k, v in after.items() if k in layer.named_state()})
            else:
                layer.stand_in = own[0], after
        return self._packed([ops.materialize(one) for one in outputs])

    def _packed(self, outputs: list[Any]) -> Any:
        if self._output_names is not None:
            return dict(zip(self._output_names, outputs, strict=True))
        return outputs[0] if self._one_output else outputs

    def inputs_of(self, x: Any) -> list[Column]:
        """Return one column for each input; see `fit` for what x may be."""
        graph = self.graph
        columns = input_columns(x, self.input_names, self.input_shapes, self.name, graph.readers)
        looked_up = set(graph.lookups.values())
        return [
            column if number in looked_up else as_floats(column, self.inputs[number].dtype)
            for number, column in enumerate(columns)
        ]

    # ---- weights --------------------------------------------------------

    @property
    def weights(self) -> list[Weight]:
        """All weights, layer by layer."""
        return [weight for layer in self._layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes by gradients."""
        return [weight for layer in self._layers for weight in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that no gradient changes."""
        return [weight for layer in self._layers for weight in layer.non_trainable_weights]

    def read_weights(self) -> dict[str, Arrays]:
        """Return the weights of each layer by name, as NumPy's arrays, not to be changed."""
        return {layer.name: layer.read_weights() for layer in self._layers}

    def read_state(self) -> dict[str, Arrays]:
        """Return the state of each layer by name, as arrays."""
        return {layer.name: layer.read_state() for layer in self._layers}

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return copies of all weights, layer by layer."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take arrays of the shapes that `get_weights` gives; all or none are taken."""
        counts = [len(layer.weights) for layer in self._layers]
        if len(weights) != sum(counts):
            hint = "" if self.built else " It is not built yet: give it an input shape first."
            raise ValueError(
                f"{self.name!r} has {sum(counts)} weights; received {len(weights)}.{hint}"
            )
        before = [weight.read() for weight in self.weights]
        rest = list(weights)
        try:
            for layer, n in zip(self._layers, counts, strict=True):
                layer.set_weights(rest[:n])
                del rest[:n]
        except ValueError:
            for weight, array in zip(self.weights, before, strict=True):
                weight.replace(array)
            raise

    def count_params(self) -> int:
        """Return the number of single weights."""
        _ = self.graph
        return sum(layer.count_params() for layer in self._layers)

    def count_trained(self) -> int:
        """Return the number of single weights that training changes by gradients."""
        return sum(layer.count_trained() for layer in self._layers)

    @property
    def trainable(self) -> bool:
        """Whether training changes any layer's weights; setting it sets every layer's."""
        return any(layer.trainable for layer in self._layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._layers:
            layer.trainable = bool(value)

    _hints = {  # noqa: RUF012 never changed
        "evaluate_generator": "evaluate(batches)",
        "fit_generator": "fit(batches)",
        "parameters": "weights, or get_weights()",
        "predict_classes": "predict(x).argmax(axis=-1), or predict(x) > 0.5 for one unit",
        "predict_generator": "predict(batches)",
        "predict_proba": "predict(x)",
        "save_model": "save(path)",
        "state_dict": "get_weights(), or save_weights(path)",
        "to_json": "save(path), which writes layers and weights",
        "train": "fit(x, y)",
    }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {len(self._units)} layers>"


def _symbols(given: Any, what: str) -> tuple[list[Symbol], list[str] | None]:
    names = list(given) if isinstance(given, Mapping) else None
    items = list(given.values()) if isinstance(given, Mapping) else given
    empty = items is None or (isinstance(items, list | tuple) and not items)
    found = None if empty else symbols_in(items)
    if found is None:
        raise TypeError(
            f"`{what}` must be an Input and what layers made of it, or a list or dict of these; "
            f"received {show(given)}. For a chain of layers use Sequential."
        )
    return found, names


def layers_of(units: Sequence[Any], used: set[int] | None = None) -> list[Layer]:
    """Return all layers of layers and models, each once; used: by id, those that count.

    Layers in models may be called like others: these are renamed after their model.
    """
    found: dict[int, Layer] = {}
    taken = {unit.name for unit in units if isinstance(unit, Layer)}
    for unit in units:
        for layer in unit._layers if isinstance(unit, Network) else (unit,):
            if id(layer) in found or (isinstance(unit, Network) and isinstance(layer, Input)):
                continue
            if used is not None and id(layer) not in used:
                continue
            if isinstance(unit, Network) and layer.name in taken and layer not in units:
                base = name = f"{unit.name}_{layer.name}"
                while name in taken:
                    name = f"{base}_{len(taken)}"
                layer.name = name
            taken.add(layer.name)
            found[id(layer)] = layer
    return list(found.values())
