"""wordrow's own file: safetensors with the table, the words, and the rows of sub-words."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from wordrow import _core, store
from wordrow.errors import FileFormatError
from wordrow.vectors.formats.choice import Choice, chosen
from wordrow.vectors.formats.source import Source, packing
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["from_bytes", "read_own", "to_bytes", "why_not_own", "write_own"]

_KIND = "vectors"


def why_not_own(source: Source) -> str | None:
    """Return why this is no safetensors file; None where it is."""
    head = source.head
    n_header = int.from_bytes(head[:8], "little")
    if len(head) < 10 or head[8:9] != b"{" or n_header > source.n_bytes * 1100:
        return "it does not begin with a length and JSON"
    return None


def read_own(source: Source, choice: Choice) -> Vectors:
    """Return the vectors; the table stays in the file and is mapped."""
    if source.packing:
        tensors, config = store.from_bytes(source.whole().tobytes(), name=source.name)
    else:
        tensors, config = store.read(source.path)
    if config.get("kind") != _KIND:
        raise FileFormatError(
            f"{source.name}: expected vectors; received a file of wordrow's that holds "
            f"{config.get('kind', 'a model')!r}. For its rows, load the model and call .vectors."
        )
    return chosen(_from_tensors(tensors, config, source.name), choice)


def write_own(vectors: Vectors, path: str | os.PathLike[str]) -> None:
    """Write words, table and sub-words; the same vectors give the same bytes."""
    with packing(path) as file:
        file.write(to_bytes(vectors))


def to_bytes(vectors: Vectors) -> bytes:
    """Return the bytes of a file with these vectors."""
    return store.to_bytes(*_to_tensors(vectors))


def from_bytes(data: bytes) -> Vectors:
    """Return the vectors that `to_bytes` wrote."""
    return _from_tensors(*store.from_bytes(data, name="vectors"), "vectors")


def _to_tensors(vectors: Vectors) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (tensors, config) of vectors, as the file has them."""
    data, offsets = vectors.vocabulary.core.packed()
    tensors = {"table": vectors.table, "words": data, "word_offsets": offsets}
    config: dict[str, Any] = {"kind": _KIND, "version": 1, "subwords": None}
    if (subwords := vectors.subwords) is not None:
        config["subwords"] = {
            "min_n": subwords.min_n, "max_n": subwords.max_n, "n_buckets": subwords.n_buckets,
            "divides": subwords.divides,
        }  # fmt: skip
        tensors["subwords"] = np.asarray(subwords.table[np.arange(subwords.table.shape[0])])
        if subwords.kept is not None:
            pairs = sorted(subwords.kept.items())
            tensors["kept_buckets"] = np.array(pairs, np.int64).reshape(-1, 2)
    return tensors, config


def _from_tensors(tensors: dict[str, Any], config: dict[str, Any], name: str) -> Vectors:
    """Return the vectors of such tensors. Raises FileFormatError where they do not fit."""
    try:
        table, data, offsets = tensors["table"], tensors["words"], tensors["word_offsets"]
        words = _core.Words()
        repeated = words.add_packed(np.ascontiguousarray(data), np.ascontiguousarray(offsets))
        if table.dtype != np.float32 or table.ndim != 2:
            raise ValueError(f"the table is {table.dtype} of shape {table.shape}")
        if len(repeated) or len(words) != len(table):
            raise ValueError(f"there are {len(words)} words for {len(table)} rows")
        subwords = _subwords(tensors, config["subwords"], table.shape[1])
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"{name}: expected words and rows that fit each other; received others: {error}. The "
            "file is damaged."
        ) from None
    return Vectors.of(Vocabulary.of(words), np.asarray(table), subwords=subwords)


def _subwords(tensors: dict[str, Any], config: Any, dim: int) -> Subwords | None:
    if config is None:
        return None
    table = np.asarray(tensors["subwords"])
    if table.dtype != np.float32 or table.ndim != 2 or table.shape[1] != dim:
        raise ValueError(f"the rows of sub-words are {table.dtype} of shape {table.shape}")
    n_buckets, kept = int(config["n_buckets"]), None
    if "kept_buckets" in tensors:
        pairs = np.asarray(tensors["kept_buckets"])
        if pairs.ndim != 2 or pairs.shape[1] != 2 or (pairs >= [n_buckets, len(table)]).any():
            raise ValueError("buckets that were kept have no rows")
        kept = {int(bucket): int(row) for bucket, row in pairs}
    elif n_buckets != len(table):
        raise ValueError(f"there are {n_buckets} buckets and {len(table)} rows of them")
    return Subwords(
        min_n=int(config["min_n"]), max_n=int(config["max_n"]), n_buckets=n_buckets, table=table,
        kept=kept, divides=config.get("divides") is True,
    )  # fmt: skip
