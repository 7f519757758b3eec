"""The graph of a model's layers, and the pure function that runs it.

Calling layers on symbols draws a graph; `graph_of` reads it back from the output symbols. An edge
is (index of a node, index of its output).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from wordrow.nn import ops
from wordrow.nn.graph.symbol import Call, GraphLayer, Symbol
from wordrow.nn.spec import Array, Arrays, Mask, Rng, is_text

__all__ = ["Edge", "Graph", "Node", "graph_of"]

Edge: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """One use of a layer, and the edges of its inputs (none for an Input).

    call: the call that drew it.
    """

    layer: Any  # a GraphLayer
    inputs: tuple[Edge, ...]
    is_list: bool
    call: Call

    @property
    def unit(self) -> Any:
        """The layer; or the called model, if this node is part of its call."""
        return self.layer if self.call.within is None else self.call.within.model


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order."""

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Edge, ...]

    @property
    def layers(self) -> list[Any]:
        """Each layer once, in the order of its first use."""
        return list({id(node.layer): node.layer for node in self.nodes}.values())

    @property
    def is_chain(self) -> bool:
        """Whether the graph is a chain of layers from one input to one output."""
        froms = [node.inputs for node in self.nodes]
        last = ((len(self.nodes) - 1, 0),)
        return self.outputs == last and froms == [(), *(((i, 0),) for i in range(len(froms) - 1))]

    def apply(
        self,
        weights: Mapping[str, Arrays],
        state: Mapping[str, Arrays],
        inputs: Sequence[Array],
        masks: Sequence[Mask],
        *,
        training: bool,
        rng: Rng,
        row_indices: Mapping[int, Array] | None = None,
        watch: Callable[[Any, Any], None] | None = None,
    ) -> tuple[list[Array], list[Mask], dict[str, Arrays]]:
        """Return (outputs, their masks, new state). Weights and state are by layer name.

        row_indices: for nodes that gather rows by id, the indices to use instead, because their
        table holds only the rows in use. watch: called with each layer and its outputs,
        which may be deferred.
        """
        values: dict[Edge, Any] = {}
        value_masks: dict[Edge, Mask] = {}
        new_state = dict(state)
        for number, value, mask in zip(self.inputs, inputs, masks, strict=True):
            values[number, 0], value_masks[number, 0] = value, mask
        for number, node in enumerate(self.nodes):
            if not node.inputs:
                continue
            taken = [values[edge] for edge in node.inputs]
            taken_masks = [value_masks[edge] for edge in node.inputs]
            if row_indices is not None and number in row_indices:
                taken = [row_indices[number].reshape(taken[0].shape)]
            name = node.layer.name
            value, mask = (taken, taken_masks) if node.is_list else (taken[0], taken_masks[0])
            outputs, out_masks, new_state[name] = node.layer.run(
                weights.get(name, {}),
                new_state.get(name, {}),
                value,
                mask,
                training=training,
                rng=ops.fold_in(rng, number),
                deferred=number in self.deferred,
            )
            if watch is not None:
                watch(node.layer, outputs)
            if not isinstance(outputs, list):
                outputs, out_masks = [outputs], [out_masks]
            for index, (output, mask) in enumerate(zip(outputs, out_masks, strict=True)):
                values[number, index], value_masks[number, index] = output, mask
        return (
            [values[edge] for edge in self.outputs],
            [value_masks[edge] for edge in self.outputs],
            new_state,
        )

    @functools.cached_property
    def mixes_texts(self) -> bool:
        """Whether a layer may mix the texts of a batch."""
        return any(layer.mixes_texts for layer in self.layers)

    @functools.cached_property
    def deferred(self) -> dict[int, ops.Form]:
        """The nodes whose outputs stay deferred, since every layer that takes them accepts that."""
        found: dict[int, ops.Form] = {}
        for number, node in enumerate(self.nodes):
            layer: GraphLayer = node.layer
            form = layer.emits(found.get(node.inputs[0][0]) if node.inputs else None)
            if form is None or layer.activity_regularizer is not None:
                continue
            if (number, 0) in self.outputs:
                continue
            takers = [other.layer for other in self.nodes if (number, 0) in other.inputs]
            if all(form in taker.accepts for taker in takers):
                found[number] = form
        return found

    @functools.cached_property
    def lookups(self) -> dict[int, int]:
        """Node -> index of the input whose ids it gathers rows by.

        Ids are traced from the Inputs through layers that keep them unchanged.
        """
        source: dict[Edge, int] = {(node, 0): i for i, node in enumerate(self.inputs)}
        found = {}
        for number, node in enumerate(self.nodes):
            if len(node.inputs) != 1 or node.inputs[0] not in source:
                continue
            came_from = source[node.inputs[0]]
            if node.layer.n_rows is not None:
                found[number] = came_from
            elif node.layer.keeps_ids:
                source[number, 0] = came_from
        return found

    @functools.cached_property
    def readers(self) -> dict[int, Any]:
        """Index of an input -> the layer that turns its texts into ids.

        Raises ValueError if an input of texts has several such layers, or none.
        """
        found: dict[int, Any] = {}
        for number, first in enumerate(self.inputs):
            name, spec = self.nodes[first].layer.name, self.nodes[first].layer.output_spec
            takers = {id(n.layer): n.layer for n in self.nodes if (first, 0) in n.inputs}
            reading = [layer for layer in takers.values() if layer.reads_text]
            if is_text(spec.dtype) and (len(takers) != 1 or not reading):
                names = [layer.name for layer in takers.values()]
                raise ValueError(
                    f"the input {name!r} takes texts, and goes to {names}: exactly one layer must "
                    "turn them into ids, a TextVectorization or StringLookup."
                )
            if is_text(spec.dtype):
                found[number] = reading[0]
        return found


def graph_of(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> Graph:
    """Return the graph between symbols.

    Raises ValueError if an output needs an Input that is not among `inputs`.
    """
    numbers: dict[int, int] = {}
    nodes: list[Node] = []
    for symbol in inputs:
        numbers[id(symbol.call)] = len(nodes)
        nodes.append(Node(symbol.call.layer, (), False, symbol.call))
    if len(numbers) != len(inputs):
        raise ValueError("an Input is given twice among the inputs of a model.")
    for symbol in outputs:
        for call in _in_order(symbol.call, numbers):
            edges = tuple((numbers[id(one.call)], one.index) for one in call.inputs)
            numbers[id(call)] = len(nodes)
            nodes.append(Node(call.layer, edges, call.is_list, call))
    return Graph(
        nodes=tuple(nodes),
        inputs=tuple(range(len(inputs))),
        outputs=tuple((numbers[id(symbol.call)], symbol.index) for symbol in outputs),
    )


def _in_order(last: Call, known: Mapping[int, int]) -> list[Call]:
    """Return the calls up to the last one that are not known yet, in topological order."""
    ordered: list[Call] = []
    done = set(known)
    stack = [(last, False)]  # no recursion: models may be deeper than Python's stack
    while stack:
        call, ready = stack.pop()
        if id(call) in done:
            continue
        if ready:
            done.add(id(call))
            ordered.append(call)
            continue
        if call.layer.is_input:
            raise ValueError(
                f"an output needs the input {call.layer.name!r} of shape {call.layer.shape}, which "
                "is not among the model's inputs. Add it: Model(inputs=[…], outputs=…)."
            )
        stack.append((call, True))
        stack.extend((symbol.call, False) for symbol in reversed(call.inputs))
    return ordered
