"""A TextClassifier as one file: rows, vocabulary and settings, tied by a hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from wordrow import store
from wordrow.classifier_model import table_of
from wordrow.errors import FileFormatError
from wordrow.estimator import check_params
from wordrow.nn.bag import match
from wordrow.nn.saving import (
    BROKEN,
    FORMAT_VERSION,
    check_kind,
    model_from_parts,
    model_parts,
)
from wordrow.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from wordrow.classifier import TextClassifier

__all__ = ["from_bytes", "read", "to_bytes", "write"]

_KIND = "classifier"
# What tokenizer and classifier both have as a setting.
_SHARED = ("num_words", "filters", "lower", "split", "ngrams", "buckets", "min_count")
_TOKENIZER = (*_SHARED, "document_count")
_VOCABULARY = ("bytes", "offsets", "occurrences", "documents")


def write(classifier: TextClassifier, path: str | os.PathLike[str]) -> None:
    """Write a fitted classifier to a file, whole or not at all."""
    tensors, config = _parts(classifier)
    store.write(path, tensors, config)


def read(cls: type[TextClassifier], path: str | os.PathLike[str]) -> TextClassifier:
    """Return the classifier in a file."""
    tensors, config = store.read(path)
    return _from_parts(cls, tensors, config, os.fspath(path))


def to_bytes(classifier: TextClassifier) -> bytes:
    """Return the bytes of the file of a fitted classifier."""
    return store.to_bytes(*_parts(classifier))


def from_bytes(cls: type[TextClassifier], data: bytes) -> TextClassifier:
    """Return the classifier in the bytes of a file."""
    tensors, config = store.from_bytes(data, name="the pickled classifier")
    return _from_parts(cls, tensors, config, "the pickled classifier")


def _parts(classifier: TextClassifier) -> tuple[dict[str, Any], dict[str, Any]]:
    texts, occurrences, documents, _ = classifier.tokenizer.ranked_entries()
    packed, offsets = store.pack_strings(texts)
    arrays = (packed, offsets, occurrences, documents)
    tensors = {f"vocabulary/{k}": array for k, array in zip(_VOCABULARY, arrays, strict=True)}
    if classifier.tokenizer.buckets:
        kept = np.packbits(classifier.tokenizer.kept_buckets(), bitorder="little")
        tensors["vocabulary/kept_buckets"] = kept
    weights, model = model_parts(classifier.model_, with_state=False)
    params = classifier.get_params() | {"model": None}
    config = {
        "kind": _KIND,
        "version": FORMAT_VERSION,
        "classes": {"kind": classifier.classes_.dtype.kind, "labels": classifier.classes_.tolist()},
        # Not the settings of the next fit, which set_params may have changed.
        "tokenizer": {name: getattr(classifier.tokenizer, name) for name in _TOKENIZER},
        "model": model,
        "model_of_its_own": classifier.model is not None,
        "params": {k: v.item() if isinstance(v, np.generic) else v for k, v in params.items()},
        "vocabulary_hash": _hash(packed, offsets, tensors.get("vocabulary/kept_buckets")),
    }
    return tensors | weights, config


def _from_parts(
    cls: type[TextClassifier], tensors: Mapping[str, Any], config: Mapping[str, Any], name: str
) -> TextClassifier:
    if config.get("kind") == "model":
        raise FileFormatError(f"{name} holds a model without a vocabulary: use load_model(path).")
    check_kind(config, _KIND, name)
    try:
        classifier = _unpacked(cls, tensors, config, name)
    except FileFormatError:
        raise
    except BROKEN as error:
        raise FileFormatError(
            f"{name}: the classifier in it does not fit together: {error!r}"
        ) from error
    return classifier


def _unpacked(
    cls: type[TextClassifier], tensors: Mapping[str, Any], config: Mapping[str, Any], name: str
) -> TextClassifier:
    classifier = cls(**config["params"])
    check_params(classifier.get_params())
    packed, offsets, occurrences, documents = (
        tensors[f"vocabulary/{part}"] for part in _VOCABULARY
    )
    kept = tensors.get("vocabulary/kept_buckets")
    if _hash(packed, offsets, kept) != config["vocabulary_hash"]:
        raise FileFormatError(
            f"{name}: the vocabulary is not the one that the rows were trained with "
            "(their hashes differ); the file is damaged or was put together from two."
        )
    texts = store.unpack_strings(packed, offsets)
    if len(set(texts)) != len(texts):
        raise FileFormatError(f"{name}: a word stands twice in the vocabulary.")
    settings = config["tokenizer"]
    settings = {"buckets": None} | settings  # files of before had none
    check_params(classifier.get_params() | {k: settings[k] for k in _SHARED})
    tokenizer = Tokenizer(**{name: settings[name] for name in _TOKENIZER})
    if (kept is None) != (tokenizer.buckets is None):
        raise FileFormatError(f"{name}: buckets of n-grams need both a number and a table.")
    if tokenizer.buckets and kept is not None:
        kept = np.unpackbits(kept, count=tokenizer.buckets, bitorder="little").astype(np.bool_)
    tokenizer.take_ranked_entries(texts, occurrences, documents, kept)
    weights = {k: tensor for k, tensor in tensors.items() if not k.startswith("vocabulary/")}
    model = model_from_parts(weights, config["model"], name=name)
    classes = _classes(config["classes"])
    own = config.get("model_of_its_own", False)
    if not own and match(model.graph) is None:
        raise FileFormatError(f"{name}: its layers are not Embedding, mean and Dense.")
    units, n_rows = model.output_shapes[0][-1], table_of(model).input_dim
    if max(2, units or 0) != len(classes):
        raise FileFormatError(
            f"{name}: the model tells {max(2, units or 0)} classes apart, and the file "
            f"names {len(classes)}."
        )
    if n_rows < tokenizer.n_ids or (n_rows > tokenizer.n_ids and not own):
        raise FileFormatError(
            f"{name}: the table has {n_rows} rows and the vocabulary needs "
            f"{tokenizer.n_ids}; they do not belong together."
        )
    classifier.model = model if own else None
    classifier._tokenizer, classifier._model, classifier.classes_ = tokenizer, model, classes
    return classifier


def _classes(config: Mapping[str, Any]) -> Any:
    kinds = {"U": np.str_, "i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}
    classes: Any = np.array(config["labels"], kinds[config["kind"]])
    if classes.ndim != 1 or not np.array_equal(classes, np.unique(classes)):
        raise ValueError("the classes are not sorted and distinct")
    return classes


def _hash(packed: Any, offsets: Any, kept_buckets: Any) -> str:
    digest = hashlib.sha256(packed.tobytes())
    digest.update(offsets.astype("<i8").tobytes())
    if kept_buckets is not None:
        digest.update(kept_buckets.tobytes())
    return digest.hexdigest()
