"""What people type because another library calls it so, and what to use here instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["NAMES", "Hinted", "argument_error", "no_such_name"]

NAMES = {  # of other libraries' modules -> what to use of this one
    "CountVectorizer": "Tokenizer and its texts_to_matrix(texts, mode='count')",
    "DataLoader": "fit(x, y, batch_size=32)",
    "Doc2Vec": "TextClassifier and its pooled(texts)",
    "EmbeddingBag": "Embedding and GlobalAveragePooling1D",
    "KerasClassifier": "TextClassifier, or wordrow.keras.wrappers.scikit_learn",
    "KeyedVectors": "Vectors",
    "LogisticRegression": "TextClassifier",
    "TfidfVectorizer": "Tokenizer and its texts_to_matrix(texts, mode='tfidf')",
    "Word2Vec": "train_vectors(texts)",
    "build_vocab": "Tokenizer and its fit_on_texts(texts)",
    "load_facebook_model": "Vectors.load(path)",
    "load_facebook_vectors": "Vectors.load(path)",
    "load_word2vec_format": "Vectors.load(path)",
    "optim": "wordrow.optimizers",
    "pad_sequence": "pad_sequences(sequences, maxlen)",
    "train_supervised": "TextClassifier().fit(texts, labels)",
    "train_unsupervised": "train_vectors(texts)",
}

_ARGUMENTS = {  # of other libraries -> what it is here
    "alpha": "learning_rate",
    "bucket": "buckets",
    "embedding_dim": "output_dim",
    "epoch": "epochs",
    "hidden_size": "units",
    "iter": "epochs",
    "lr": "learning_rate",
    "max_features": "num_words",
    "maxn": "subwords=(minn, maxn)",
    "minCount": "min_count",
    "min_alpha": "end_learning_rate",
    "minn": "subwords=(minn, maxn)",
    "neg": "negative",
    "nb_epoch": "epochs",
    "ngram_range": "ngrams",
    "num_embeddings": "input_dim",
    "out_features": "units",
    "padding_idx": "mask_zero=True, by which id 0 is padding",
    "sg": "model='skipgram' or model='cbow'",
    "size": "dim",
    "thread": "the environment variable WORDROW_THREADS",
    "vector_size": "dim",
    "vocab_size": "input_dim",
    "wordNgrams": "ngrams",
    "workers": "the environment variable WORDROW_THREADS",
    "ws": "window",
}


def no_such_name(owner: str, name: str, known: Mapping[str, str]) -> AttributeError:
    """Return the error for an attribute that is not there. known: name -> what to use."""
    return AttributeError(f"{owner} has no {name!r}; use {known[name]}.")


def argument_error(owner: str, unknown: Iterable[str], accepted: Iterable[str]) -> TypeError:
    """Return the error for arguments that a function does not take."""
    unknown, accepted = sorted(unknown), list(accepted)
    hints = []
    for name in unknown:
        near = difflib.get_close_matches(name, accepted, 1, 0.8)
        known = _ARGUMENTS.get(name)
        if known is not None and (not known.isidentifier() or known in accepted):
            hints.append(f" For {name!r} use {known}.")
        elif near:
            hints.append(f" Did you mean {near[0]!r}?")
    return TypeError(f"{owner} has no argument {unknown}.{''.join(hints)}")


class Hinted:
    """A class whose missing attributes and arguments are answered by hints."""

    _hints: Mapping[str, str] = {}  # attribute of other libraries -> what to use

    def __getattr__(self, name: str) -> Any:
        if name in self._hints:
            raise no_such_name(type(self).__name__, name, self._hints)
        return object.__getattribute__(self, name)  # raises what it raised before
