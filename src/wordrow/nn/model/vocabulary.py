"""A model's table by the words of a tokenizer: read as vectors, and grown."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from wordrow.arguments import check_choice
from wordrow.nn import random
from wordrow.nn.layers import Embedding
from wordrow.vectors.coverage import Case, Missing, first_rows, table_for
from wordrow.vectors.vectors import Vectors
from wordrow.vectors.vocabulary import entries_of

__all__ = ["grow_table", "vectors_of"]


def embedding_of(model: Any, name: str | None) -> Embedding:
    """Return a model's Embedding of this name, or its only one. Raises ValueError."""
    found = [layer for layer in model.graph.layers if isinstance(layer, Embedding)]
    if name is not None:
        found = [layer for layer in found if layer.name == name]
    if len(found) == 1:
        return found[0]
    names = [layer.name for layer in model.graph.layers if isinstance(layer, Embedding)]
    raise ValueError(
        f"expected the name of one of the Embeddings of {model.name!r}, {names}; received "
        f"{name!r}. Use layer=NAME."
    )


def vectors_of(model: Any, tokenizer: Any, name: str | None) -> Vectors:
    """Return the words of a tokenizer with their rows in a model's table, as they are now."""
    layer = embedding_of(model, name)
    words, _, ids = entries_of(tokenizer)
    if len(ids) and int(ids[-1]) >= layer.input_dim:
        raise ValueError(
            f"the tokenizer has the id {int(ids[-1])}, the table of layer {layer.name!r} has "
            f"{layer.input_dim} rows: they do not belong together, or the tokenizer has grown. "
            "Call model.grow_vocabulary(tokenizer)."
        )
    return Vectors(words, layer.get_weights()[0][ids])


def grow_table(
    model: Any,
    tokenizer: Any,
    vectors: Vectors | None,
    missing: Missing,
    case: Case,
    name: str | None,
) -> int:
    """Give a model's table a row for each new id of a tokenizer: see `Model.grow_vocabulary`."""
    check_choice("missing", missing, get_args(Missing))
    check_choice("case", case, get_args(Case))
    if missing == "subword" and vectors is None:
        raise ValueError(
            "missing='subword' needs `vectors` with sub-words, as fastText's .bin has them."
        )
    layer = embedding_of(model, name)
    n_before, n_new = layer.input_dim, int(tokenizer.n_ids) - layer.input_dim
    if n_new <= 0:
        return 0
    table, fixed, rng = layer.get_weights()[0], layer.fixed_rows, random.generator()
    if vectors is None:
        more = first_rows(table[1:], n_new, layer.output_dim, missing, rng)
        is_found = np.zeros(n_new, bool)
    else:
        if vectors.dim != layer.output_dim:
            raise ValueError(
                f"`vectors` must have rows of {layer.output_dim} numbers, as layer "
                f"{layer.name!r}; received rows of {vectors.dim}."
            )
        whole, found, _ = table_for(vectors, tokenizer, missing=missing, case=case, rng=rng)
        more, is_found = whole[n_before:], found[n_before:]
    # Where words with a row elsewhere are fixed, new ones of them are too.
    layer.grow(more, None if fixed is None else is_found & fixed[1:].any())
    return n_new
