"""A TextClassifier as one file: rows, vocabulary and settings, tied by a hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from wordrow import store
from wordrow.classifier.estimator import check_params
from wordrow.classifier.model import table_of
from wordrow.errors import FileFormatError
from wordrow.nn.family import match
from wordrow.nn.model.loading import BROKEN, model_from_parts
from wordrow.nn.model.model import Model
from wordrow.nn.model.saving import FORMAT_VERSION, check_kind, model_parts
from wordrow.text.tokenizer import Tokenizer

__all__ = ["Parts", "from_bytes", "parts_of", "read", "to_bytes", "unpacked", "write"]

Parts: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any]]  # tensors and config
Fitted: TypeAlias = tuple[dict[str, Any], Tokenizer, Model, npt.NDArray[Any]]
_KIND = "classifier"
# What tokenizer and classifier both have as a setting.
_SHARED = ("num_words", "filters", "lower", "split", "ngrams", "buckets", "min_count")
_TOKENIZER = (*_SHARED, "document_count")
_VOCABULARY = ("bytes", "offsets", "occurrences", "documents")


def write(path: str | os.PathLike[str], parts: Parts) -> None:
    """Write a fitted classifier to a file, whole or not at all."""
    store.write(path, *parts)


def read(path: str | os.PathLike[str]) -> tuple[Parts, str]:
    """Return what is in a file, and its name."""
    return store.read(path), os.fspath(path)


def to_bytes(parts: Parts) -> bytes:
    """Return the bytes of the file of a fitted classifier."""
    return store.to_bytes(*parts)


def from_bytes(data: bytes) -> tuple[Parts, str]:
    """Return what is in the bytes of a file, and a name for it."""
    name = "the pickled classifier"
    return store.from_bytes(data, name=name), name


def parts_of(
    params: Mapping[str, Any], tokenizer: Tokenizer, model: Model, classes: npt.NDArray[Any]
) -> Parts:
    """Return a fitted classifier as tensors and config."""
    texts, occurrences, documents, _ = tokenizer.ranked_entries()
    packed, offsets = store.pack_strings(texts)
    arrays = (packed, offsets, occurrences, documents)
    tensors = {f"vocabulary/{k}": array for k, array in zip(_VOCABULARY, arrays, strict=True)}
    if tokenizer.buckets:
        kept = np.packbits(tokenizer.kept_buckets(), bitorder="little")
        tensors["vocabulary/kept_buckets"] = kept
    is_own = params["model"] is not None
    weights, model_config = model_parts(model, with_state=False, with_compile=is_own)
    plain = {**params, "model": None}
    config = {
        "kind": _KIND,
        "version": FORMAT_VERSION,
        "classes": {"kind": classes.dtype.kind, "labels": classes.tolist()},
        # Not the settings of the next fit, which set_params may have changed.
        "tokenizer": {name: getattr(tokenizer, name) for name in _TOKENIZER},
        "model": model_config,
        "model_of_its_own": is_own,
        "params": {k: v.item() if isinstance(v, np.generic) else v for k, v in plain.items()},
        "vocabulary_hash": _hash(packed, offsets, tensors.get("vocabulary/kept_buckets")),
    }
    return tensors | weights, config


def unpacked(parts: Parts, name: str) -> Fitted:
    """Return (settings, tokenizer, model, classes) of a fitted classifier.

    Raises FileFormatError for a damaged or foreign file, or a table that does not belong to the
    vocabulary beside it.
    """
    tensors, config = parts
    if config.get("kind") == "model":
        raise FileFormatError(f"{name} holds a model without a vocabulary: use load_model(path).")
    check_kind(config, _KIND, name)
    try:
        return _unpacked(tensors, config, name)
    except FileFormatError:
        raise
    except BROKEN as error:
        raise FileFormatError(
            f"{name}: the classifier in it does not fit together: {error!r}"
        ) from error


def _unpacked(tensors: Mapping[str, Any], config: Mapping[str, Any], name: str) -> Fitted:
    params = dict(config["params"])
    check_params(params)
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
    check_params(params | {k: settings[k] for k in _SHARED})
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
    if not own and ((layers := match(model.graph)) is None or not layers.has_mean):
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
    return params | {"model": model if own else None}, tokenizer, model, classes


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
