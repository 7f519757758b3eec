"""Layers joined to a graph, and the pure functions that build and run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordrow.nn.layers import Embedding, Input, Layer
from wordrow.nn.layers.embedding import check_ids
from wordrow.nn.layers.layer import Arrays, Spec
from wordrow.nn.ops import as_ids

__all__ = ["Graph", "Node", "chain"]


@dataclass(frozen=True)
class Node:
    """A layer and the nodes, by number, that its inputs come from (none for an Input)."""

    layer: Layer
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each comes after its inputs."""

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def build(self, rng: np.random.Generator) -> None:
        """Build every layer that is not built yet, from the shapes of the Inputs."""
        specs: list[Spec] = []
        for node in self.nodes:
            if isinstance(node.layer, Input):
                spec = Spec(node.layer.first_shape or (None,), node.layer.dtype)
                specs.append(node.layer.build_in_place(spec, rng))
            else:
                specs.append(node.layer.build_in_place(specs[node.inputs[0]], rng))

    def apply(
        self,
        weights: dict[str, Arrays],
        state: dict[str, Arrays],
        inputs: Sequence[Any],
        masks: Sequence[Any],
        *,
        training: bool,
        rng: Any,
    ) -> tuple[list[Any], list[Any], dict[str, Arrays]]:
        """Return (outputs, their masks, new state). Weights and state are by layer name."""
        values: list[Any] = [None] * len(self.nodes)
        value_masks: list[Any] = [None] * len(self.nodes)
        new_state = dict(state)
        for number, value, mask in zip(self.inputs, inputs, masks, strict=True):
            values[number], value_masks[number] = value, mask
        for number, node in enumerate(self.nodes):
            if not node.inputs:
                continue
            name, source = node.layer.name, node.inputs[0]
            values[number], value_masks[number], new_state[name] = node.layer.run(
                weights[name], state[name], values[source], value_masks[source],
                training=training, rng=rng,
            )  # fmt: skip
        return (
            [values[number] for number in self.outputs],
            [value_masks[number] for number in self.outputs],
            new_state,
        )

    def check_ids(self, inputs: Sequence[Any]) -> None:
        """Raise ValueError for an id that an Embedding has no row for, before anything runs.

        Ids are followed from the Inputs through layers that keep them as they are.
        """
        holds_ids: dict[int, Any] = dict(zip(self.inputs, inputs, strict=True))
        for number, node in enumerate(self.nodes):
            source = node.inputs[0] if node.inputs else None
            if source not in holds_ids:
                continue
            if isinstance(node.layer, Embedding):
                check_ids(as_ids(holds_ids[source]), node.layer.input_dim, node.layer.name)
            elif node.layer.keeps_ids:
                holds_ids[number] = holds_ids[source]


def chain(layers: Sequence[Layer]) -> Graph:
    """Return the graph of layers that follow one another; the first is an Input."""
    nodes = tuple(Node(layer, (i - 1,) if i else ()) for i, layer in enumerate(layers))
    return Graph(nodes=nodes, inputs=(0,), outputs=(len(nodes) - 1,))
