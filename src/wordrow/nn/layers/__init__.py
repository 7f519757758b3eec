"""The layers, in one table: what a saved model may name, what the contract test runs."""

from wordrow.nn.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from wordrow.nn.layers.attention import AdditiveAttention, Attention, MultiHeadAttention
from wordrow.nn.layers.conv import Conv1D
from wordrow.nn.layers.dense import Dense
from wordrow.nn.layers.dropout import (
    ActivityRegularization,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
)
from wordrow.nn.layers.embedding import Embedding
from wordrow.nn.layers.gru import GRU
from wordrow.nn.layers.input import Input
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.lstm import LSTM
from wordrow.nn.layers.masking import Masking
from wordrow.nn.layers.merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from wordrow.nn.layers.normalization import (
    BatchNormalization,
    LayerNormalization,
    RMSNormalization,
)
from wordrow.nn.layers.own import Lambda, OwnLayer
from wordrow.nn.layers.pooling import (
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)
from wordrow.nn.layers.recurrent import SimpleRNN
from wordrow.nn.layers.shape import (
    Cropping1D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    UpSampling1D,
    ZeroPadding1D,
)
from wordrow.nn.layers.strings import StringLookup, TextVectorization
from wordrow.nn.layers.wrapper import Bidirectional, TimeDistributed

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Activation, ActivityRegularization, Add, AdditiveAttention, Attention, Average,
        AveragePooling1D, BatchNormalization, Bidirectional, Concatenate, Conv1D, Cropping1D,
        Dense, Dot, Dropout, ELU, Embedding, Flatten, GRU, GaussianDropout, GaussianNoise,
        GlobalAveragePooling1D, GlobalMaxPooling1D, Input, LSTM, Lambda, LayerNormalization,
        LeakyReLU, Masking, MaxPooling1D, Maximum, Minimum, MultiHeadAttention, Multiply, PReLU,
        Permute, RMSNormalization, ReLU, RepeatVector, Reshape, SimpleRNN, Softmax,
        SpatialDropout1D, StringLookup, Subtract, TextVectorization, TimeDistributed,
        UpSampling1D, ZeroPadding1D,
    )
}  # fmt: skip

__all__ = [
    "ELU", "GRU", "LAYERS", "LSTM", "Activation", "ActivityRegularization", "Add",
    "AdditiveAttention", "Attention", "Average", "AveragePooling1D", "BatchNormalization",
    "Bidirectional", "Concatenate", "Conv1D", "Cropping1D", "Dense", "Dot", "Dropout",
    "Embedding", "Flatten", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D",
    "GlobalMaxPooling1D", "Input", "Lambda", "Layer", "LayerNormalization", "LeakyReLU",
    "Masking", "MaxPooling1D", "Maximum", "Minimum", "MultiHeadAttention", "Multiply",
    "OwnLayer", "PReLU", "Permute", "RMSNormalization", "ReLU", "RepeatVector", "Reshape",
    "SimpleRNN", "Softmax", "SpatialDropout1D", "StringLookup", "Subtract",
    "TextVectorization", "TimeDistributed", "UpSampling1D", "ZeroPadding1D",
]  # fmt: skip
