"""What Keras keeps under `utils`."""

from wordrow.nn.functions.labels import to_categorical as to_categorical
from wordrow.nn.model.plot import plot_model as plot_model
from wordrow.nn.random import set_random_seed as set_random_seed
from wordrow.text import pad_sequences as pad_sequences

__all__ = ["pad_sequences", "plot_model", "set_random_seed", "to_categorical"]
