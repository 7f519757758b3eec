"""wordrow: raw text to trained word vectors. Every word gets a row."""

from wordrow.classifier import TextClassifier
from wordrow.nn.labels import to_categorical
from wordrow.nn.layers import (
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
from wordrow.nn.model import Sequential
from wordrow.nn.random import set_random_seed
from wordrow.nn.saving import load_model
from wordrow.text import (
    Tokenizer,
    hashing_trick,
    make_sampling_table,
    one_hot,
    pad_sequences,
    skipgrams,
    text_to_word_sequence,
    tokenizer_from_json,
)
from wordrow.types import Padded, Ragged, SparseRows

__all__ = [
    "Activation",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Input",
    "Padded",
    "Ragged",
    "Sequential",
    "SparseRows",
    "SpatialDropout1D",
    "TextClassifier",
    "Tokenizer",
    "hashing_trick",
    "load_model",
    "make_sampling_table",
    "one_hot",
    "pad_sequences",
    "set_random_seed",
    "skipgrams",
    "text_to_word_sequence",
    "to_categorical",
    "tokenizer_from_json",
]
