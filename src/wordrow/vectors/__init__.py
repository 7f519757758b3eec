"""Rows as a thing of their own: loaded and saved, compared, trained. Never JAX.

Names are loaded when first used: a model that has an Embedding needs few of them.
"""

from typing import TYPE_CHECKING

from wordrow.lazy import loader

if TYPE_CHECKING:
    from wordrow.vectors.coverage import Coverage as Coverage
    from wordrow.vectors.evaluation import evaluate_analogies as evaluate_analogies
    from wordrow.vectors.evaluation import evaluate_similarities as evaluate_similarities
    from wordrow.vectors.evaluation import neighbour_overlap as neighbour_overlap
    from wordrow.vectors.fasttext import FastText as FastText
    from wordrow.vectors.index import Index as Index
    from wordrow.vectors.phrase import join_phrases as join_phrases
    from wordrow.vectors.subword import Subwords as Subwords
    from wordrow.vectors.training import train_vectors as train_vectors
    from wordrow.vectors.vectors import Moved as Moved
    from wordrow.vectors.vectors import Vectors as Vectors
    from wordrow.vectors.vocabulary import Vocabulary as Vocabulary

_HOMES = {
    "Coverage": "wordrow.vectors.coverage",
    "FastText": "wordrow.vectors.fasttext",
    "Index": "wordrow.vectors.index",
    "Moved": "wordrow.vectors.vectors",
    "Subwords": "wordrow.vectors.subword",
    "Vectors": "wordrow.vectors.vectors",
    "Vocabulary": "wordrow.vectors.vocabulary",
    "evaluate_analogies": "wordrow.vectors.evaluation",
    "evaluate_similarities": "wordrow.vectors.evaluation",
    "join_phrases": "wordrow.vectors.phrase",
    "neighbour_overlap": "wordrow.vectors.evaluation",
    "train_vectors": "wordrow.vectors.training",
}
__all__ = list(_HOMES)
__getattr__ = loader(__name__, _HOMES)
