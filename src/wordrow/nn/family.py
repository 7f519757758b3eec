"""The family of models that the core runs and trains alone: Embedding, mean or max, Dense.

It is recognised here and nowhere else. Predicting is one pass over the ids, without padding.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS
from wordrow.nn.graph.graph import Graph
from wordrow.nn.ids import check_ids
from wordrow.nn.layers import (
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
)
from wordrow.nn.spec import Array
from wordrow.types import Ragged

__all__ = ["FusedLayers", "match"]


@dataclass(frozen=True, kw_only=True)
class FusedLayers:
    """The layers of a model of this family."""

    embedding: Embedding
    pooling: GlobalAveragePooling1D | GlobalMaxPooling1D
    dropout: Dropout | None
    dense: Dense

    @property
    def has_mean(self) -> bool:
        """Whether rows are pooled by their mean: then texts of any length can be answered."""
        return isinstance(self.pooling, GlobalAveragePooling1D)

    @functools.cached_property
    def activation(self) -> str | None:
        """The name of the last layer's activation; None for a user-defined one."""
        return ACTIVATIONS.name(self.dense.activation)

    def pool(self, ragged: Ragged) -> Array:
        """Return the mean row of each text: [B, D]. Ids are checked first."""
        check_ids(ragged, self.embedding.input_dim, self.embedding.name)
        return ops.bag_mean(self.embedding.table.read(), ragged)

    def predict(self, ragged: Ragged, *, checked: bool = False) -> Array:
        """Return the outputs for texts of any length: [B, units].

        checked: the ids are known to be rows of the table.
        """
        weights = self.dense.read_weights()
        name = self.activation
        if name in ("sigmoid", "softmax") and "bias" in weights:
            if not checked:
                check_ids(ragged, self.embedding.input_dim, self.embedding.name)
            table = self.embedding.table.read()
            return ops.bag_predict(
                table, ragged, weights["kernel"], weights["bias"], sigmoid=name == "sigmoid"
            )
        hidden = self.pool(ragged)
        return self.dense.apply(weights, {}, hidden, None, training=False, rng=None)[0]


def match(graph: Graph) -> FusedLayers | None:
    """Return the layers of a graph of this family, or None for another one."""
    layers = [node.layer for node in graph.nodes]
    if not graph.is_chain or not 4 <= len(layers) <= 5:
        return None
    _, embedding, pooling, *between, dense = layers
    if (
        type(embedding) is Embedding
        and type(pooling) in (GlobalAveragePooling1D, GlobalMaxPooling1D)
        and all(type(layer) is Dropout for layer in between)
        and type(dense) is Dense
        and not pooling.keepdims
        and not any(layer.mask for layer in layers)
    ):
        dropout = between[0] if between else None
        return FusedLayers(embedding=embedding, pooling=pooling, dropout=dropout, dense=dense)
    return None
