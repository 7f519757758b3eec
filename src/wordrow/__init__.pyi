from wordrow import callbacks as callbacks
from wordrow import constraints as constraints
from wordrow import datasets as datasets
from wordrow import initializers as initializers
from wordrow import layers as layers
from wordrow import losses as losses
from wordrow import metrics as metrics
from wordrow import models as models
from wordrow import optimizers as optimizers
from wordrow import regularizers as regularizers
from wordrow import schedules as schedules
from wordrow import utils as utils
from wordrow import vectors as vectors
from wordrow.classifier import TextClassifier as TextClassifier
from wordrow.layers import *
from wordrow.nn.functions.labels import to_categorical as to_categorical
from wordrow.nn.model.loading import load_model as load_model
from wordrow.nn.model.model import Model as Model
from wordrow.nn.model.plot import plot_model as plot_model
from wordrow.nn.model.sequential import Sequential as Sequential
from wordrow.nn.random import set_random_seed as set_random_seed
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
from wordrow.versions import show_versions as show_versions

__version__: str
