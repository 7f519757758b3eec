"""wordrow: raw text to trained word vectors. Every word gets a row.

Names are loaded when first used, so that `import wordrow` costs next to nothing.
"""

from typing import TYPE_CHECKING

from wordrow.lazy import loader

if TYPE_CHECKING:
    from wordrow import datasets as datasets
    from wordrow.classifier import TextClassifier as TextClassifier
    from wordrow.nn import callbacks as callbacks
    from wordrow.nn import constraints as constraints
    from wordrow.nn import initializers as initializers
    from wordrow.nn import losses as losses
    from wordrow.nn import metrics as metrics
    from wordrow.nn import optimizers as optimizers
    from wordrow.nn import regularizers as regularizers
    from wordrow.nn import schedules as schedules
    from wordrow.nn.labels import to_categorical as to_categorical
    from wordrow.nn.layers import ELU as ELU
    from wordrow.nn.layers import GRU as GRU
    from wordrow.nn.layers import LSTM as LSTM
    from wordrow.nn.layers import Activation as Activation
    from wordrow.nn.layers import ActivityRegularization as ActivityRegularization
    from wordrow.nn.layers import Add as Add
    from wordrow.nn.layers import AdditiveAttention as AdditiveAttention
    from wordrow.nn.layers import Attention as Attention
    from wordrow.nn.layers import Average as Average
    from wordrow.nn.layers import AveragePooling1D as AveragePooling1D
    from wordrow.nn.layers import BatchNormalization as BatchNormalization
    from wordrow.nn.layers import Bidirectional as Bidirectional
    from wordrow.nn.layers import Concatenate as Concatenate
    from wordrow.nn.layers import Conv1D as Conv1D
    from wordrow.nn.layers import Cropping1D as Cropping1D
    from wordrow.nn.layers import Dense as Dense
    from wordrow.nn.layers import Dot as Dot
    from wordrow.nn.layers import Dropout as Dropout
    from wordrow.nn.layers import Embedding as Embedding
    from wordrow.nn.layers import Flatten as Flatten
    from wordrow.nn.layers import GaussianDropout as GaussianDropout
    from wordrow.nn.layers import GaussianNoise as GaussianNoise
    from wordrow.nn.layers import GlobalAveragePooling1D as GlobalAveragePooling1D
    from wordrow.nn.layers import GlobalMaxPooling1D as GlobalMaxPooling1D
    from wordrow.nn.layers import Input as Input
    from wordrow.nn.layers import Lambda as Lambda
    from wordrow.nn.layers import LayerNormalization as LayerNormalization
    from wordrow.nn.layers import LeakyReLU as LeakyReLU
    from wordrow.nn.layers import Masking as Masking
    from wordrow.nn.layers import Maximum as Maximum
    from wordrow.nn.layers import MaxPooling1D as MaxPooling1D
    from wordrow.nn.layers import Minimum as Minimum
    from wordrow.nn.layers import MultiHeadAttention as MultiHeadAttention
    from wordrow.nn.layers import Multiply as Multiply
    from wordrow.nn.layers import OwnLayer as OwnLayer
    from wordrow.nn.layers import Permute as Permute
    from wordrow.nn.layers import PReLU as PReLU
    from wordrow.nn.layers import ReLU as ReLU
    from wordrow.nn.layers import RepeatVector as RepeatVector
    from wordrow.nn.layers import Reshape as Reshape
    from wordrow.nn.layers import RMSNormalization as RMSNormalization
    from wordrow.nn.layers import SimpleRNN as SimpleRNN
    from wordrow.nn.layers import Softmax as Softmax
    from wordrow.nn.layers import SpatialDropout1D as SpatialDropout1D
    from wordrow.nn.layers import StringLookup as StringLookup
    from wordrow.nn.layers import Subtract as Subtract
    from wordrow.nn.layers import TextVectorization as TextVectorization
    from wordrow.nn.layers import TimeDistributed as TimeDistributed
    from wordrow.nn.layers import UpSampling1D as UpSampling1D
    from wordrow.nn.layers import ZeroPadding1D as ZeroPadding1D
    from wordrow.nn.model import Model as Model
    from wordrow.nn.plot import plot_model as plot_model
    from wordrow.nn.random import set_random_seed as set_random_seed
    from wordrow.nn.saving import load_model as load_model
    from wordrow.nn.sequential import Sequential as Sequential
    from wordrow.text import Tokenizer as Tokenizer
    from wordrow.text import hashing_trick as hashing_trick
    from wordrow.text import make_sampling_table as make_sampling_table
    from wordrow.text import one_hot as one_hot
    from wordrow.text import pad_sequences as pad_sequences
    from wordrow.text import skipgrams as skipgrams
    from wordrow.text import text_to_word_sequence as text_to_word_sequence
    from wordrow.text import tokenizer_from_json as tokenizer_from_json
    from wordrow.types import Padded as Padded
    from wordrow.types import Ragged as Ragged
    from wordrow.types import SparseRows as SparseRows
    from wordrow.vectors import FastText as FastText
    from wordrow.vectors import Vectors as Vectors
    from wordrow.vectors import train_vectors as train_vectors

_HOMES = {
    "Activation": "wordrow.nn.layers",
    "ActivityRegularization": "wordrow.nn.layers",
    "Add": "wordrow.nn.layers",
    "AdditiveAttention": "wordrow.nn.layers",
    "Attention": "wordrow.nn.layers",
    "Average": "wordrow.nn.layers",
    "AveragePooling1D": "wordrow.nn.layers",
    "BatchNormalization": "wordrow.nn.layers",
    "Bidirectional": "wordrow.nn.layers",
    "Concatenate": "wordrow.nn.layers",
    "Conv1D": "wordrow.nn.layers",
    "Cropping1D": "wordrow.nn.layers",
    "Dense": "wordrow.nn.layers",
    "Dot": "wordrow.nn.layers",
    "Dropout": "wordrow.nn.layers",
    "ELU": "wordrow.nn.layers",
    "Embedding": "wordrow.nn.layers",
    "FastText": "wordrow.vectors",
    "Flatten": "wordrow.nn.layers",
    "GRU": "wordrow.nn.layers",
    "GaussianDropout": "wordrow.nn.layers",
    "GaussianNoise": "wordrow.nn.layers",
    "GlobalAveragePooling1D": "wordrow.nn.layers",
    "GlobalMaxPooling1D": "wordrow.nn.layers",
    "Input": "wordrow.nn.layers",
    "LSTM": "wordrow.nn.layers",
    "Lambda": "wordrow.nn.layers",
    "LayerNormalization": "wordrow.nn.layers",
    "LeakyReLU": "wordrow.nn.layers",
    "Masking": "wordrow.nn.layers",
    "MaxPooling1D": "wordrow.nn.layers",
    "Maximum": "wordrow.nn.layers",
    "Minimum": "wordrow.nn.layers",
    "Model": "wordrow.nn.model",
    "MultiHeadAttention": "wordrow.nn.layers",
    "Multiply": "wordrow.nn.layers",
    "OwnLayer": "wordrow.nn.layers",
    "PReLU": "wordrow.nn.layers",
    "Padded": "wordrow.types",
    "Permute": "wordrow.nn.layers",
    "RMSNormalization": "wordrow.nn.layers",
    "Ragged": "wordrow.types",
    "ReLU": "wordrow.nn.layers",
    "RepeatVector": "wordrow.nn.layers",
    "Reshape": "wordrow.nn.layers",
    "Sequential": "wordrow.nn.sequential",
    "SimpleRNN": "wordrow.nn.layers",
    "Softmax": "wordrow.nn.layers",
    "SparseRows": "wordrow.types",
    "SpatialDropout1D": "wordrow.nn.layers",
    "StringLookup": "wordrow.nn.layers",
    "Subtract": "wordrow.nn.layers",
    "TextClassifier": "wordrow.classifier",
    "TextVectorization": "wordrow.nn.layers",
    "TimeDistributed": "wordrow.nn.layers",
    "Tokenizer": "wordrow.text",
    "UpSampling1D": "wordrow.nn.layers",
    "Vectors": "wordrow.vectors",
    "ZeroPadding1D": "wordrow.nn.layers",
    "callbacks": "wordrow.nn.callbacks",
    "constraints": "wordrow.nn.constraints",
    "datasets": "wordrow.datasets",
    "hashing_trick": "wordrow.text",
    "initializers": "wordrow.nn.initializers",
    "load_model": "wordrow.nn.saving",
    "losses": "wordrow.nn.losses",
    "make_sampling_table": "wordrow.text",
    "metrics": "wordrow.nn.metrics",
    "one_hot": "wordrow.text",
    "optimizers": "wordrow.nn.optimizers",
    "pad_sequences": "wordrow.text",
    "plot_model": "wordrow.nn.plot",
    "regularizers": "wordrow.nn.regularizers",
    "schedules": "wordrow.nn.schedules",
    "set_random_seed": "wordrow.nn.random",
    "skipgrams": "wordrow.text",
    "text_to_word_sequence": "wordrow.text",
    "to_categorical": "wordrow.nn.labels",
    "tokenizer_from_json": "wordrow.text",
    "train_vectors": "wordrow.vectors",
}
__all__ = list(_HOMES)
__version__ = "0.1.0"


__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
