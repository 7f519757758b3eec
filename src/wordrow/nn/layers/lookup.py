"""Whole strings to ids, and back."""

from __future__ import annotations

from collections import Counter
from typing import Any, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.vocabulary import (
    UNKNOWN,
    OutputMode,
    VocabularyLayer,
    as_texts,
    check_max_tokens,
    check_output_mode,
)
from wordrow.nn.spec import Array, Arrays, Mask, Rng
from wordrow.types import Ragged

__all__ = ["StringLookup"]


class StringLookup(VocabularyLayer):
    """Turns whole strings into ids: labels, tokens, categories.

    [B, ...] strings -> ids of that shape: 0 for unknown strings (1 if there is a mask_token,
    which then has id 0), then the vocabulary. invert: from ids to strings. num_oov_indices: 1,
    or 0 if an unknown string is an error. output_mode: also "one_hot", "multi_hot" and
    "count".

    >>> layer = StringLookup(vocabulary=["pos", "neg"])
    >>> layer(["neg", "pos", "?"]).tolist()
    [2, 1, 0]
    >>> StringLookup(vocabulary=["pos", "neg"], invert=True)([2, 1]).tolist()
    ['neg', 'pos']
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = UNKNOWN,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: OutputMode = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        check_output_mode(output_mode, ("int", "one_hot", "multi_hot", "count", "tf_idf"))
        if num_oov_indices not in (0, 1):
            raise ValueError(
                "`num_oov_indices` must be 0 or 1: strings without an id have one together; "
                f"received {show(num_oov_indices)}."
            )
        if invert and output_mode != "int":
            raise ValueError("`invert` gives strings: leave output_mode='int'.")
        self.max_tokens = check_max_tokens(max_tokens)
        self.num_oov_indices, self.mask_token = int(num_oov_indices), mask_token
        self.oov_token, self.invert = oov_token, bool(invert)
        self.output_mode, self.pad_to_max_tokens = output_mode, bool(pad_to_max_tokens)
        self._begin(vocabulary, idf_weights)

    @property
    def _specials(self) -> list[str]:
        masks = [] if self.mask_token is None or self.output_mode != "int" else [self.mask_token]
        return [*masks, *[self.oov_token] * self.num_oov_indices]

    def _vocabulary_changed(self) -> None:
        self._ids = {token: i for i, token in enumerate(self.get_vocabulary())}

    def _counted(self, texts: list[str]) -> tuple[dict[str, int], dict[str, int], int]:
        counts = Counter(texts)
        return dict(counts), dict(counts), len(texts)

    def column(self, texts: Any) -> Any:
        """Return ids in the strings' shape, or rows [B, V]."""
        strings = np.asarray(texts, object)
        different, where = np.unique(np.array(as_texts(strings), object), return_inverse=True)
        unknown = len(self._specials) - 1
        missing = [one for one in different if one not in self._ids]
        if missing and not self.num_oov_indices:
            raise ValueError(
                f"{self.name!r} has no id for {show(missing[0])}, and num_oov_indices=0. Its "
                f"vocabulary has {len(self._tokens)} strings."
            )
        table = np.array([self._ids.get(one, unknown) for one in different], np.int32)
        ids = table[where.reshape(strings.shape)] if strings.size else np.zeros(strings.shape, int)
        if self.output_mode == "int":
            return ids
        rows = ids.reshape(len(ids), -1) if ids.ndim else ids.reshape(1, 1)
        found = self._as_rows(Ragged.from_lists(rows.tolist()))
        return found if ids.ndim else found[0]

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the ids of strings (ids pass through); with `invert`, the strings of ids."""
        if self.invert:
            names = np.array(self.get_vocabulary(), object)
            ids = np.asarray(inputs).astype(np.int64)
            known = np.where((ids >= 0) & (ids < len(names)), ids, len(self._specials) - 1)
            return names[known], mask, state
        return super().apply(weights, state, inputs, mask, training=training, rng=rng)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return (
            super().get_config()
            | self._config_of_vocabulary()
            | {
                "num_oov_indices": self.num_oov_indices,
                "mask_token": self.mask_token,
                "oov_token": self.oov_token,
                "invert": self.invert,
            }
        )
