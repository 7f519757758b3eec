"""The layers, in one table: what a saved model may name, what the contract test runs."""

from wordrow.nn.layers.conv import Conv1D
from wordrow.nn.layers.dense import Activation, Dense
from wordrow.nn.layers.dropout import Dropout, SpatialDropout1D
from wordrow.nn.layers.embedding import Embedding
from wordrow.nn.layers.gru import GRU
from wordrow.nn.layers.input import Input
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.lstm import LSTM
from wordrow.nn.layers.masking import Masking
from wordrow.nn.layers.merge import Add, Concatenate
from wordrow.nn.layers.pooling import (
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)
from wordrow.nn.layers.recurrent import SimpleRNN
from wordrow.nn.layers.shape import Flatten, Reshape
from wordrow.nn.layers.wrapper import Bidirectional, TimeDistributed

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Activation, Add, AveragePooling1D, Bidirectional, Concatenate, Conv1D, Dense, Dropout,
        Embedding, Flatten, GRU, GlobalAveragePooling1D, GlobalMaxPooling1D, Input, LSTM, Masking,
        MaxPooling1D, Reshape, SimpleRNN, SpatialDropout1D, TimeDistributed,
    )
}  # fmt: skip

__all__ = [
    "GRU", "LAYERS", "LSTM", "Activation", "Add", "AveragePooling1D", "Bidirectional",
    "Concatenate", "Conv1D", "Dense", "Dropout", "Embedding", "Flatten", "GlobalAveragePooling1D",
    "GlobalMaxPooling1D", "Input", "Layer", "Masking", "MaxPooling1D", "Reshape", "SimpleRNN",
    "SpatialDropout1D", "TimeDistributed",
]  # fmt: skip
