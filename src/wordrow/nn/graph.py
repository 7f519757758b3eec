"""Layers joined to a graph, and the pure functions that run it.

A graph is drawn by calling layers on symbols, and is read back from the
symbols of its outputs. Each value is known by (node, number of the output).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wordrow.nn import ops
from wordrow.nn.layers import Conv1D, Embedding, Flatten, Input, Layer, MaxPooling1D
from wordrow.nn.layers.embedding import check_ids
from wordrow.nn.layers.layer import Arrays
from wordrow.nn.layers.strings import is_text
from wordrow.nn.layers.symbol import Call, Symbol
from wordrow.types import Padded, Ragged

__all__ = ["Graph", "Node", "graph_of", "name_apart"]

Place = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """One use of a layer, and the places that its inputs come from (none for an Input).

    call: where it was drawn.
    """

    layer: Layer
    inputs: tuple[Place, ...]
    is_list: bool
    call: Call

    @property
    def unit(self) -> Any:
        """The layer; or the model that was called, where this is part of its call."""
        return self.layer if self.call.within is None else self.call.within.model


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each comes after its inputs."""

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Place, ...]

    @property
    def layers(self) -> list[Layer]:
        """Each layer once, in the order of its first use."""
        return list({id(node.layer): node.layer for node in self.nodes}.values())

    @property
    def units(self) -> list[Any]:
        """The same in Keras's order, with a model that was called in the place of its layers.

        That is by how far they are from the outputs, the furthest first; those equally far as
        they are found on the way from the outputs to the inputs.
        """
        groups: dict[int, list[Node]] = {}  # the nodes of each call of a layer or model
        for node in self.nodes:
            groups.setdefault(_call_of(node), []).append(node)
        sources = {key: self._sources(nodes[0]) for key, nodes in groups.items()}
        ends = [_call_of(self.nodes[number]) for number, _ in self.outputs]
        found: dict[int, int] = {}  # by the id of a layer: its number on the way
        done: list[int] = []
        stack = [(key, False) for key in reversed(ends)]
        while stack:
            key, ready = stack.pop()
            if ready:
                done.append(key)
            elif key not in done:
                found.setdefault(id(groups[key][0].unit), len(found))
                stack.append((key, True))
                stack += [(one, False) for one in reversed(sources[key])]
        done = list(dict.fromkeys(done))
        far, far_of_call = dict.fromkeys(found, 0), dict.fromkeys(done, 0)
        for key in reversed(done):
            unit = id(groups[key][0].unit)
            far[unit] = far_of_call[key] = max(far_of_call[key], far[unit])
            for one in sources[key]:
                far_of_call[one] = max(far_of_call[one], far[unit] + 1)
        units = {id(node.unit): node.unit for node in self.nodes}
        return sorted(
            units.values(), key=lambda unit: (-far.get(id(unit), 0), found.get(id(unit), -1))
        )

    def _sources(self, node: Node) -> list[int]:
        """Return the calls that a call takes from."""
        if node.call.within is None:
            return [_call_of(self.nodes[number]) for number, _ in node.inputs]
        return [id(one.call.within or one.call) for one in node.call.within.inputs]

    @property
    def is_chain(self) -> bool:
        """Whether each layer takes what the one before puts out, from one input to one output."""
        froms = [node.inputs for node in self.nodes]
        last = ((len(self.nodes) - 1, 0),)
        return self.outputs == last and froms == [(), *(((i, 0),) for i in range(len(froms) - 1))]

    def apply(
        self,
        weights: Mapping[str, Arrays],
        state: Mapping[str, Arrays],
        inputs: Sequence[Any],
        masks: Sequence[Any],
        *,
        training: bool,
        rng: Any,
        places: Mapping[int, Any] | None = None,
        watch: Callable[[Layer, Any], None] | None = None,
    ) -> tuple[list[Any], list[Any], dict[str, Arrays]]:
        """Return (outputs, their masks, new state). Weights and state are by layer name.

        places: for some nodes, what they take instead of their inputs. watch is
        shown what each layer puts out (rows perhaps not laid out yet).
        """
        values: dict[Place, Any] = {}
        value_masks: dict[Place, Any] = {}
        new_state = dict(state)
        for number, value, mask in zip(self.inputs, inputs, masks, strict=True):
            values[number, 0], value_masks[number, 0] = value, mask
        for number, node in enumerate(self.nodes):
            if not node.inputs:
                continue
            taken = [values[place] for place in node.inputs]
            taken_masks = [value_masks[place] for place in node.inputs]
            if places is not None and number in places:
                taken = [places[number].reshape(taken[0].shape)]
            name = node.layer.name
            value, mask = (taken, taken_masks) if node.is_list else (taken[0], taken_masks[0])
            outputs, out_masks, new_state[name] = node.layer.run(
                weights.get(name, {}), new_state.get(name, {}), value, mask,
                training=training, rng=ops.rng_of(rng, number),
                as_lookup=number in self._looks_up_only,
            )  # fmt: skip
            if watch is not None:
                watch(node.layer, outputs)
            if not isinstance(outputs, list):
                outputs, out_masks = [outputs], [out_masks]
            for index, (output, mask) in enumerate(zip(outputs, out_masks, strict=True)):
                values[number, index], value_masks[number, index] = output, mask
        return (
            [values[place] for place in self.outputs],
            [value_masks[place] for place in self.outputs],
            new_state,
        )

    @functools.cached_property
    def _looks_up_only(self) -> frozenset[int]:
        """The nodes whose outputs need not be laid out: all that take them can do without."""
        found: set[int] = set()
        for number, node in enumerate(self.nodes):
            layer = node.layer
            if layer.activity_regularizer is not None or (number, 0) in self.outputs:
                continue
            takers = [other.layer for other in self.nodes if (number, 0) in other.inputs]
            if isinstance(layer, Conv1D):
                fits = all(taker.takes_sums for taker in takers)
            elif isinstance(layer, MaxPooling1D):
                fits = all(isinstance(taker, Flatten) for taker in takers)
            else:
                fits = all(taker.takes_lookups for taker in takers) and (
                    (isinstance(layer, Embedding) and len(layer.output_spec.shape) == 3)
                    or (isinstance(layer, Flatten) and node.inputs[0][0] in found)
                )
            if fits:
                found.add(number)
        return frozenset(found)

    def lookups(self) -> dict[int, int]:
        """Return node -> number of the input, for layers that look ids up straight from an input.

        Ids are followed from the Inputs through layers that keep them as they are.
        """
        source: dict[Place, int] = {(node, 0): i for i, node in enumerate(self.inputs)}
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
    def readers(self) -> dict[int, Layer]:
        """Return number of an input -> the layer that makes ids of the texts that come in there.

        Raises ValueError where several layers would, or none for an input of texts.
        """
        found: dict[int, Layer] = {}
        for number, first in enumerate(self.inputs):
            name, spec = self.nodes[first].layer.name, self.nodes[first].layer.output_spec
            takers = {id(n.layer): n.layer for n in self.nodes if (first, 0) in n.inputs}
            reading = [layer for layer in takers.values() if layer.reads_text]
            if is_text(spec.dtype) and (len(takers) != 1 or not reading):
                names = [layer.name for layer in takers.values()]
                raise ValueError(
                    f"the input {name!r} takes texts, and goes to {names}: exactly one layer must "
                    "make ids of them, a TextVectorization or StringLookup."
                )
            if is_text(spec.dtype):
                found[number] = reading[0]
        return found

    def check_columns(self, columns: Sequence[Any]) -> None:
        """Raise ValueError for an id that an Embedding has no row for, before anything runs.

        columns: for each input an array, a Padded or a Ragged.
        """
        for node, number in self.lookups().items():
            layer, column = self.nodes[node].layer, columns[number]
            if isinstance(column, Padded):
                column = column.ids
            ids = column if isinstance(column, Ragged) else ops.as_ids(column)
            check_ids(ids, layer.n_rows or 0, layer.name)

    def honours_padding(self, masked: Sequence[bool]) -> bool:
        """Return whether padding can be left away: every step that comes in is masked or pooled.

        masked: which inputs come with a mask of their own.
        """
        # What each place holds: raw inputs, steps with a mask, or nothing of the steps.
        holds: dict[Place, str] = {}
        for number, has_mask in zip(self.inputs, masked, strict=True):
            steps = len(self.nodes[number].layer.output_spec.shape) > 1
            holds[number, 0] = "masked" if has_mask else "raw" if steps else "free"
        for number, node in enumerate(self.nodes):
            if not node.inputs:
                continue
            taken = {holds[place] for place in node.inputs}
            layer, out = node.layer, "masked"
            if "raw" in taken:
                if not (isinstance(layer, Embedding) and layer.mask_zero):
                    return False
            elif taken == {"free"}:
                out = "free"
            elif layer.mask == "drop" or layer.mask_rule == "refuses":
                return False
            elif layer.mask_rule == "consumes":
                out = "free"
            elif taken != {"masked"} and layer.takes_list:
                return False
            specs = layer.output_spec
            for index in range(len(specs) if isinstance(specs, list) else 1):
                holds[number, index] = out if index == 0 else "free"
        return all(holds[place] == "free" for place in self.outputs)


def _call_of(node: Node) -> int:
    """Return the id of the call of a layer, or of the model that it is part of the call of."""
    return id(node.call.within or node.call)


def graph_of(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> Graph:
    """Return the graph between symbols.

    Raises ValueError where an output needs an Input that is not among `inputs`.
    """
    numbers: dict[int, int] = {}
    nodes: list[Node] = []
    for symbol in inputs:
        numbers[id(symbol.call)] = len(nodes)
        nodes.append(Node(symbol.call.layer, (), False, symbol.call))
    if len(numbers) != len(inputs):
        raise ValueError("an Input stands twice among the inputs of a model.")
    for symbol in outputs:
        for call in _in_order(symbol.call, numbers):
            places = tuple((numbers[id(one.call)], one.index) for one in call.inputs)
            numbers[id(call)] = len(nodes)
            nodes.append(Node(call.layer, places, call.is_list, call))
    return Graph(
        nodes=tuple(nodes),
        inputs=tuple(range(len(inputs))),
        outputs=tuple((numbers[id(symbol.call)], symbol.index) for symbol in outputs),
    )


def _in_order(last: Call, known: Mapping[int, int]) -> list[Call]:
    """Return the calls up to the last one that are not known yet, each after its inputs."""
    ordered: list[Call] = []
    done = set(known)
    stack = [(last, False)]  # a loop: models may be deeper than Python's stack
    while stack:
        call, ready = stack.pop()
        if id(call) in done:
            continue
        if ready:
            done.add(id(call))
            ordered.append(call)
            continue
        if isinstance(call.layer, Input):
            raise ValueError(
                f"an output needs the input {call.layer.name!r} of shape {call.layer.shape}, which "
                "is not among the model's inputs. Add it: Model(inputs=[…], outputs=…)."
            )
        stack.append((call, True))
        stack.extend((symbol.call, False) for symbol in reversed(call.inputs))
    return ordered


def name_apart(layers: Sequence[Any]) -> None:
    """Number layers (and models) of the same kind, so that names are unique in a model.

    Raises ValueError for two layers of one name where neither may change: it was
    given, or another model goes by it.
    """
    taken = set()
    for layer in layers:
        if layer.given_name is not None or layer.in_a_model:
            if layer.name in taken:
                raise ValueError(
                    f"two layers are called {layer.name!r}: names must be unique in a model. "
                    "Give one of them another name=…."
                )
            taken.add(layer.name)
    for layer in layers:
        if layer.given_name is None and not layer.in_a_model:
            base, number = layer.name, 1
            while layer.name in taken:
                layer.name, number = f"{base}_{number}", number + 1
            taken.add(layer.name)
    for layer in layers:
        layer.in_a_model = True
