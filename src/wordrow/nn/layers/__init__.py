"""The layers, in one table: what a saved model may name, what the contract test runs."""

from wordrow.nn.layers.dense import Activation, Dense
from wordrow.nn.layers.dropout import Dropout, SpatialDropout1D
from wordrow.nn.layers.embedding import Embedding
from wordrow.nn.layers.input import Input
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.pooling import Flatten, GlobalAveragePooling1D, GlobalMaxPooling1D

__all__ = [
    "LAYERS",
    "Activation",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Input",
    "Layer",
    "SpatialDropout1D",
]

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Activation,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        GlobalAveragePooling1D,
        GlobalMaxPooling1D,
        Input,
        SpatialDropout1D,
    )
}
