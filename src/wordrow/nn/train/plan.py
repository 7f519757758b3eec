"""Which weights of a model are trained, and how: by rows, whole, or not at all."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from typing import Any

from wordrow.nn.graph.graph import Graph
from wordrow.nn.layers import Embedding
from wordrow.nn.layers.shell import PureLayer
from wordrow.nn.optimizers.optimizer import Optimizer
from wordrow.nn.table.table import Table
from wordrow.nn.table.weight import Path, Weight

__all__ = ["TrainedWeights", "plan_weights"]

_LARGE_TABLE = 4_000_000  # elements in a table whose whole update takes longer than most steps


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """The weights of a model by path, each once.

    state: of each layer, what its `apply` changes while training. aliases: paths of weights that
    stand under another path already.
    """

    tables: dict[Path, Table]
    whole: dict[Path, Weight]
    frozen: dict[Path, Weight]
    state: dict[str, dict[str, Weight]]
    aliases: dict[Path, Path]

    @functools.cached_property
    def trained(self) -> dict[Path, Weight]:
        """The weights that gradients change."""
        return {**self.tables, **self.whole}

    @property
    def key(self) -> Any:
        """What a compiled step depends on."""
        groups = (self.tables, self.whole, self.frozen)
        frozen_rows = {
            path: None if weight.frozen is None else weight.frozen.tobytes()
            for path, weight in self.trained.items()
            if isinstance(weight, Table)
        }
        return [[(p, id(w)) for p, w in group.items()] for group in groups], frozen_rows


def plan_weights(graph: Graph, optimizer: Optimizer, warned: set[str]) -> TrainedWeights:
    """Return which weights are trained, and how.

    warned: the layers whose users know that their table is updated whole.
    """
    tables: dict[Path, Table] = {}
    whole: dict[Path, Weight] = {}
    frozen: dict[Path, Weight] = {}
    state: dict[str, dict[str, Weight]] = {}
    aliases: dict[Path, Path] = {}
    paths: dict[int, Path] = {}
    shared = _uses(graph)
    for layer in graph.layers:
        state[layer.name] = dict(layer.named_state())
        reason = _why_whole(graph, layer, optimizer)
        trained = layer.trained
        for name, weight in layer.named_weights().items():
            path = (layer.name, name)
            if layer.trainable and name not in trained:
                state[layer.name][name] = weight
            elif id(weight) in paths:
                aliases[path] = paths[id(weight)]
            else:
                paths[id(weight)] = path
                if name not in trained:
                    frozen[path] = weight
                elif reason is None and isinstance(weight, Table) and shared[id(weight)] == 1:
                    tables[path] = weight
                else:
                    whole[path] = weight
                    _warn_of_whole(layer, reason, warned)
    return TrainedWeights(tables=tables, whole=whole, frozen=frozen, state=state, aliases=aliases)


def _uses(graph: Graph) -> dict[int, int]:
    """Return in how many layers each weight, by its id, stands."""
    found: dict[int, int] = {}
    for layer in graph.layers:
        for weight in layer.named_weights().values():
            found[id(weight)] = found.get(id(weight), 0) + 1
    return found


def _why_whole(graph: Graph, layer: PureLayer, optimizer: Optimizer) -> str | None:
    """Return why a layer's table cannot be trained by rows; None where it can, or has none."""
    if not isinstance(layer, Embedding):
        return "it is inside another layer"
    nodes = [number for number, node in enumerate(graph.nodes) if node.layer is layer]
    if not all(node in graph.lookups for node in nodes):
        return "its ids are made inside the model"
    if not optimizer.can_skip_rows:
        return f"{optimizer!r} cannot skip rows exactly"
    if layer.fixed_rows is not None and optimizer.weight_decay:
        return "weight decay moves all rows but the fixed ones"
    if layer.rule("embeddings", "regularizer") or layer.rule("embeddings", "constraint"):
        return "a regularizer or constraint moves every row"
    return None


def _warn_of_whole(layer: PureLayer, reason: str | None, warned: set[str]) -> None:
    """Warn once that a large table is updated whole at every step."""
    if not isinstance(layer, Embedding) or layer.name in warned or reason is None:
        return
    if layer.input_dim * layer.output_dim < _LARGE_TABLE:
        return
    warned.add(layer.name)
    warnings.warn(
        f"the table of layer {layer.name!r}, {layer.input_dim} x {layer.output_dim}, is "
        f"updated whole at every step, since {reason}; training by rows would be faster.",
        UserWarning,
        stacklevel=5,
    )
