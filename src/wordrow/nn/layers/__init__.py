"""The layers. To add one: its class, its name in the imports and in `__all__` below, and its case
in the contract test (tests/nn/test_layers.py)."""

from wordrow.nn.graph.symbol import OPERATIONS
from wordrow.nn.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from wordrow.nn.layers.attention import AdditiveAttention, Attention, MultiHeadAttention
from wordrow.nn.layers.conv import Conv1D, SeparableConv1D
from wordrow.nn.layers.dense import Dense
from wordrow.nn.layers.dropout import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
)
from wordrow.nn.layers.embedding import Embedding
from wordrow.nn.layers.function import Lambda
from wordrow.nn.layers.gru import GRU
from wordrow.nn.layers.input import Input
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.lookup import StringLookup
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
from wordrow.nn.layers.normalization import BatchNormalization, LayerNormalization, RMSNormalization
from wordrow.nn.layers.plane import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
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
from wordrow.nn.layers.vectorization import TextVectorization
from wordrow.nn.layers.wrapper import Bidirectional, TimeDistributed
from wordrow.nn.registry import KINDS, subclasses

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Cropping1D",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "Input",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv1D",
    "SimpleRNN",
    "Softmax",
    "SpatialDropout1D",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UpSampling1D",
    "ZeroPadding1D",
]

LAYERS: dict[str, type[Layer]] = subclasses(globals(), Layer)
for _name, _class in LAYERS.items():
    KINDS.add(_name, _class.from_config)
OPERATIONS.update({name: LAYERS[name] for name in ("Add", "Lambda", "Multiply", "Subtract")})
