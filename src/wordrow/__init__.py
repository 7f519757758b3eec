"""wordrow: raw text to trained word vectors. Every word gets a row."""

from wordrow.text import Tokenizer, pad_sequences, tokenizer_from_json

__all__ = ["Tokenizer", "pad_sequences", "tokenizer_from_json"]
