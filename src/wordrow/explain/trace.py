"""The way of some texts through tokenizer and embedding, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn.layers import Embedding
from wordrow.text.pad import pad_sequences
from wordrow.text.tokenizer import Tokenizer
from wordrow.types import Ids

__all__ = ["Trace", "trace_texts"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """Each stage between raw texts and the rows that stand for them."""

    texts: list[str]
    word_index: dict[Any, int]
    ids: list[list[int]]  # of each text, as long as it is
    padded: Ids  # [B, T], filled up with 0 in front
    table: npt.NDArray[np.float32]  # [V, D]
    output: npt.NDArray[np.float32]  # [B, T, D]: output[b, t] is table[padded[b, t]]

    def word(self, i: int) -> str:
        """Return the word whose id is i; a dot for padding."""
        return next((str(word) for word, number in self.word_index.items() if number == i), "·")


def trace_texts(
    texts: list[str], tokenizer: Tokenizer, embedding: Embedding, *, maxlen: int | None = None
) -> Trace:
    """Take texts through a fitted tokenizer, padding and an embedding, keeping every stage.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["a text"])
    >>> trace = trace_texts(["a text"], tokenizer, Embedding(3, 2))
    >>> bool((trace.output == trace.table[trace.padded]).all())
    True
    """
    ids = tokenizer.texts_to_sequences(texts)
    padded = pad_sequences(ids, maxlen)
    output = embedding(padded)
    return Trace(
        texts=texts,
        word_index=dict(tokenizer.word_index),
        ids=ids,
        padded=padded,
        table=embedding.get_weights()[0],
        output=output,
    )
