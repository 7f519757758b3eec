"""Keras's order of a model's layers, in which weights are listed and saved."""

from __future__ import annotations

from typing import Any

from wordrow.nn.graph.graph import Graph, Node

__all__ = ["units_of"]


def units_of(graph: Graph) -> list[Any]:
    """Return the layers in Keras's order; a called model stands for its layers.

    The order is by distance from the outputs, the furthest first; ties are in the order of a
    depth-first traversal from the outputs to the inputs.
    """
    groups: dict[int, list[Node]] = {}  # the nodes of each call of a layer or model
    for node in graph.nodes:
        groups.setdefault(_call_of(node), []).append(node)
    sources = {key: _sources(graph, nodes[0]) for key, nodes in groups.items()}
    ends = [_call_of(graph.nodes[number]) for number, _ in graph.outputs]
    found: dict[int, int] = {}  # id of a unit -> its position in the traversal
    done: list[int] = []
    stack = [(key, False) for key in reversed(ends)]
    while stack:
        key, ready = stack.pop()
        if ready:
            done.append(key)
        elif key not in done:
            found.setdefault(id(groups[key][0].unit), len(found))
            stack.append((key, True))
            stack += [(source, False) for source in reversed(sources[key])]
    done = list(dict.fromkeys(done))
    distance, distance_of_call = dict.fromkeys(found, 0), dict.fromkeys(done, 0)
    for key in reversed(done):
        unit = id(groups[key][0].unit)
        distance[unit] = distance_of_call[key] = max(distance_of_call[key], distance[unit])
        for source in sources[key]:
            distance_of_call[source] = max(distance_of_call[source], distance[unit] + 1)
    units = {id(node.unit): node.unit for node in graph.nodes}
    return sorted(
        units.values(), key=lambda unit: (-distance.get(id(unit), 0), found.get(id(unit), -1))
    )


def _sources(graph: Graph, node: Node) -> list[int]:
    """Return the calls whose outputs a call takes."""
    if node.call.within is None:
        return [_call_of(graph.nodes[number]) for number, _ in node.inputs]
    return [id(one.call.within or one.call) for one in node.call.within.inputs]


def _call_of(node: Node) -> int:
    """Return the id of a node's call, or of the model call that it is part of."""
    return id(node.call.within or node.call)
