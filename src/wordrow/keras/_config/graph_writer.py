"""Functional models as configs: their layers, and the calls that connect them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wordrow.keras._config.entry import Entry, Style
from wordrow.nn.graph.graph import Node
from wordrow.nn.graph.order import units_of
from wordrow.nn.graph.symbol import Symbol
from wordrow.nn.layers import Bidirectional, Input, Layer, MultiHeadAttention
from wordrow.nn.layers.attention import Attention
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.model.model import Model

__all__ = ["GraphWriter", "fits_keras_2"]

OutputRef = list[Any]  # [layer name, number of the call, index of the output]


class GraphWriter:
    """Describes one functional model. write_unit: describes a layer or inner model."""

    def __init__(
        self, model: Model, style: Style, write_unit: Callable[[Layer | Model], Entry]
    ) -> None:
        self._model, self._graph = model, model.graph
        self._style, self._write_unit = style, write_unit
        nodes = self._graph.nodes
        self._node_of = {id(node.call): node for node in nodes}
        self._first_nodes: dict[int, Node] = {}  # call key -> its first node
        self._call_keys: dict[int, list[int]] = {}  # layer or inner model -> keys of its calls
        for node in nodes:
            keys = self._call_keys.setdefault(id(node.unit), [])
            if (key := _call_key(node)) not in self._first_nodes:
                self._first_nodes[key] = node
                keys.append(key)

    def config(self) -> dict[str, Any]:
        """Return the model's config."""
        inputs, outputs = self._model_ends()
        return {
            "name": self._model.name,
            "trainable": True,
            "layers": [self._entry(unit) for unit in units_of(self._graph)],
            "input_layers": inputs,
            "output_layers": outputs,
        }

    def _entry(self, unit: Any) -> Entry:
        """Return the entry of a layer or inner model, with its calls."""
        entry = self._write_unit(unit) | {"name": unit.name}
        nodes = [self._first_nodes[key] for key in self._call_keys[id(unit)]]
        is_input = isinstance(unit, Input)
        entry["inbound_nodes"] = [] if is_input else [self._inbound_node(node) for node in nodes]
        return entry

    def _model_ends(self) -> tuple[Any, Any]:
        """Return references to the model's inputs and outputs."""
        inputs: Any = [self._ref_at(number, 0) for number in self._graph.inputs]
        outputs: Any = [self._ref_at(number, index) for number, index in self._graph.outputs]
        if self._style == 2:
            return inputs, outputs
        if (names := self._model.given_input_names) is not None:
            inputs = dict(zip(names, inputs, strict=True))
        if (names := self._model._output_names) is not None:
            outputs = dict(zip(names, outputs, strict=True))
        is_single = isinstance(inputs, list) and len(inputs) == 1
        return (
            inputs[0] if is_single else inputs,
            outputs[0] if self._model.has_one_output else outputs,
        )

    def _ref_at(self, number: int, index: int) -> OutputRef:
        node = self._graph.nodes[number]
        return self._ref(Symbol(node.layer.output_spec, node.call, index))

    def _ref(self, symbol: Symbol) -> OutputRef:
        """Return the reference to a symbol: of a layer, or of the inner model that it left."""
        node = self._node_of[id(symbol.call)]
        index = symbol.index
        if (inner := node.call.within) is not None:
            index = next(
                i
                for i, output in enumerate(inner.outputs)
                if output is not None and (output.call, output.index) == (symbol.call, symbol.index)
            )
        return [node.unit.name, self._call_keys[id(node.unit)].index(_call_key(node)), index]

    def _inbound_node(self, node: Node) -> Any:
        """Return one call of a layer or inner model."""
        inner = node.call.within
        symbols = node.call.inputs if inner is None else inner.inputs
        if self._style == 2:
            return [[*self._ref(symbol), {}] for symbol in symbols]
        layer = node.unit
        options: dict[str, Any] = {}
        args: list[Any] = [self._tensor(symbol) for symbol in symbols]
        if isinstance(layer, Recurrent | Bidirectional) and len(args) > 1:
            options["initial_state"], args = args[1:], args[:1]
        elif isinstance(layer, MultiHeadAttention):
            options, args = dict(zip(("key", "attention_mask"), args[2:], strict=False)), args[:2]
        elif node.is_list or len(args) > 1:
            args = [args]
        if isinstance(layer, Attention | MultiHeadAttention):
            flags = {"use_causal_mask": layer.causal, "return_attention_scores": layer.with_scores}
            options |= {name: True for name, is_set in flags.items() if is_set}
        return {"args": args, "kwargs": options}

    def _tensor(self, symbol: Symbol) -> Entry:
        config = {
            "shape": list(symbol.shape),
            "dtype": symbol.dtype,
            "keras_history": self._ref(symbol),
        }
        return {"class_name": "__keras_tensor__", "config": config}


def _call_key(node: Node) -> int:
    """Return what identifies a node's call: nodes within an inner model share its call."""
    return id(node.call if node.call.within is None else node.call.within)


def fits_keras_2(model: Model) -> bool:
    """Return whether Keras 2's form can hold all calls of a model."""
    if model.given_input_names is not None or model.given_output_names is not None:
        return False
    for node in model.graph.nodes:
        takes_state = isinstance(node.layer, Recurrent | Bidirectional) and len(node.inputs) > 1
        if takes_state or isinstance(node.layer, Attention | MultiHeadAttention):
            return False
    return all(fits_keras_2(unit) for unit in model.layers if isinstance(unit, Model))
