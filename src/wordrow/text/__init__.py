"""Raw text to ids, on NumPy and the compiled core; never JAX."""

from wordrow.text.pad import pad_sequences
from wordrow.text.skipgram import make_sampling_table, skipgrams
from wordrow.text.tokenizer import Tokenizer, tokenizer_from_json
from wordrow.text.words import hashing_trick, one_hot, text_to_word_sequence

__all__ = [
    "Tokenizer",
    "hashing_trick",
    "make_sampling_table",
    "one_hot",
    "pad_sequences",
    "skipgrams",
    "text_to_word_sequence",
    "tokenizer_from_json",
]
