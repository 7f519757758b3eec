"""Rows as a thing of their own: loaded and saved, compared, trained. Never JAX."""

from wordrow.vectors.coverage import Coverage
from wordrow.vectors.evaluation import (
    evaluate_analogies,
    evaluate_similarities,
    neighbour_overlap,
)
from wordrow.vectors.fasttext import FastText
from wordrow.vectors.phrase import join_phrases
from wordrow.vectors.subword import Subwords
from wordrow.vectors.training import train_vectors
from wordrow.vectors.vectors import Moved, Vectors
from wordrow.vectors.vocabulary import Vocabulary

__all__ = [
    "Coverage", "FastText", "Moved", "Subwords", "Vectors", "Vocabulary", "evaluate_analogies",
    "evaluate_similarities", "join_phrases", "neighbour_overlap", "train_vectors",
]  # fmt: skip
