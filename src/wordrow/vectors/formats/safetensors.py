"""wordrow's own file: safetensors with the table, the words, and the rows of sub-words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core, store
from wordrow.errors import FileFormatError
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.source import Source, open_target
from wordrow.vectors.subword import Subwords
from wordrow.vectors.vocabulary import Vocabulary

__all__ = ["FORMAT", "from_bytes", "to_bytes"]

Tensors = dict[str, npt.NDArray[Any]]

_KIND = "vectors"


def _mismatch(source: Source) -> str | None:
    head = source.head
    n_header = int.from_bytes(head[:8], "little")
    if len(head) < 10 or head[8:9] != b"{" or n_header > source.n_bytes * 1100:
        return "it does not begin with a length and JSON"
    return None


def _read(source: Source, options: LoadOptions) -> VectorData:
    """Return the vectors; the table stays in the file and is mapped."""
    if source.compression:
        tensors, config = store.from_bytes(source.read_all().tobytes(), name=source.name)
    else:
        tensors, config = store.read(source.path)
    if config.get("kind") != _KIND:
        raise FileFormatError(
            f"{source.name}: expected vectors; received a wordrow file that holds "
            f"{config.get('kind', 'a model')!r}. For its rows, load the model and call .vectors."
        )
    return options.select(_from_tensors(tensors, config, source.name))


def _write(data: VectorData, path: str) -> None:
    """Write words, table and sub-words; the same vectors give the same bytes."""
    with open_target(path) as file:
        file.write(to_bytes(data))


def to_bytes(data: VectorData) -> bytes:
    """Return the bytes of a file with these vectors."""
    return store.to_bytes(*_to_tensors(data))


def from_bytes(content: bytes) -> VectorData:
    """Return the vectors that `to_bytes` wrote."""
    return _from_tensors(*store.from_bytes(content, name="vectors"), "vectors")


def _to_tensors(data: VectorData) -> tuple[Tensors, dict[str, Any]]:
    """Return (tensors, config) of vectors, as they are in the file."""
    words, offsets = data.vocabulary.core.packed()
    tensors: Tensors = {"table": data.table, "words": words, "word_offsets": offsets}
    config: dict[str, Any] = {"kind": _KIND, "version": 1, "subwords": None}
    if (subwords := data.subwords) is not None:
        config["subwords"] = {
            "min_n": subwords.min_n,
            "max_n": subwords.max_n,
            "n_buckets": subwords.n_buckets,
            "divides": subwords.divides,
        }
        tensors["subwords"] = np.asarray(subwords.table[np.arange(subwords.table.shape[0])])
        if subwords.kept is not None:
            pairs = sorted(subwords.kept.items())
            tensors["kept_buckets"] = np.array(pairs, np.int64).reshape(-1, 2)
    return tensors, config


def _from_tensors(tensors: Tensors, config: dict[str, Any], name: str) -> VectorData:
    """Return the vectors of such tensors. Raises FileFormatError if they are inconsistent."""
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
            f"{name}: expected words and rows that match; but {error}. The file is damaged."
        ) from None
    return VectorData(Vocabulary.of(words), np.asarray(table), subwords)


def _subwords(tensors: Tensors, config: dict[str, Any] | None, dim: int) -> Subwords | None:
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
        min_n=int(config["min_n"]),
        max_n=int(config["max_n"]),
        n_buckets=n_buckets,
        table=table,
        kept=kept,
        divides=config.get("divides") is True,
    )


FORMAT = Format(
    name="safetensors",
    title="wordrow's safetensors",
    mismatch=_mismatch,
    read=_read,
    write=_write,
    suffixes=(".safetensors",),
)
