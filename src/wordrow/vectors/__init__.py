"""Rows as a thing of their own: loaded and saved, compared, trained. Never JAX."""

from wordrow.vectors.subword import Subwords
from wordrow.vectors.vectors import Moved, Vectors
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["Moved", "Subwords", "Vectors", "Vocabulary"]
