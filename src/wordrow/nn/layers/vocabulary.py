"""What layers that turn texts into ids share: a vocabulary, as in Keras.

In a model they run first, on the host, before anything is padded, gathered or trained; the rest of
the graph sees only ids.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow.arguments import whole_number
from wordrow.errors import show
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, is_text
from wordrow.store import read_lines
from wordrow.types import Ragged

__all__ = [
    "UNKNOWN",
    "OutputMode",
    "VocabularyLayer",
    "as_texts",
    "check_max_tokens",
    "check_output_mode",
]

OutputMode = Literal["int", "multi_hot", "count", "tf_idf", "one_hot"]

UNKNOWN = "[UNK]"


class VocabularyLayer(Layer):
    """What both layers share: a list of tokens, given or learned by `adapt`."""

    reads_text = True
    _tokens: list[str]
    output_mode: str
    max_tokens: int | None
    pad_to_max_tokens: bool
    idf_weights: Any = None

    def _begin(self, vocabulary: Any, idf_weights: Any) -> None:
        self._tokens = []
        self._vocabulary_changed()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- the vocabulary -----------------------------------------------------

    @property
    def _specials(self) -> list[str]:
        """The special tokens, which come before the vocabulary."""
        raise TypeError(f"{type(self).__name__} does not say what is special: define `_specials`.")

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens, in the order of their ids."""
        return [*self._specials, *self._tokens] if include_special_tokens else list(self._tokens)

    def vocabulary_size(self) -> int:
        """Return the number of ids."""
        return len(self._specials) + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens: a list, or the path of a file with one token per line.

        idf_weights: one per token, for output_mode="tf_idf". Raises ValueError for a duplicate
        token.
        """
        if isinstance(vocabulary, str):
            vocabulary = read_lines(vocabulary)
        tokens = as_texts(vocabulary)
        specials = self._specials
        if tokens[: len(specials)] == specials:
            tokens = tokens[len(specials) :]
        twice = [token for token, n in Counter(tokens).items() if n > 1]
        if twice:
            raise ValueError(f"the vocabulary has {show(twice[0])} more than once.")
        if idf_weights is not None and len(idf_weights) != len(tokens):
            raise ValueError(
                f"`idf_weights` must be as many as the tokens; received {len(idf_weights)} for "
                f"{len(tokens)} tokens."
            )
        if idf_weights is not None and not np.isfinite(np.asarray(idf_weights, np.float32)).all():
            raise ValueError(f"`idf_weights` must be finite; received {show(idf_weights)}.")
        size = None if self.max_tokens is None else self.max_tokens - len(specials)
        self._tokens = tokens[:size]
        weights = None if idf_weights is None else np.asarray(idf_weights, np.float32)[:size]
        self.idf_weights = weights
        self._vocabulary_changed()

    def _vocabulary_changed(self) -> None:
        """Update what depends on the vocabulary."""

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent tokens first, ties in reverse alphabetical order.

        data: texts as a list, an array, a column, or batches of them.
        """
        counts, documents, n = self._counted(as_texts(data))
        ranked = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        tokens = [token for token in ranked if token not in self._specials]
        weights = None
        if self.output_mode == "tf_idf":
            weights = [np.log(1 + n / (1 + documents[token])) for token in tokens]
        self.set_vocabulary(tokens, weights)

    def _counted(self, texts: list[str]) -> tuple[dict[str, int], dict[str, int], int]:
        """Return (how often each token occurs, in how many texts, the number of texts)."""
        raise TypeError(f"{type(self).__name__} does not say how to count: define `_counted`.")

    # ---- the contract ---------------------------------------------------------

    @property
    def keeps_ids(self) -> bool:  # type: ignore[override]
        """Whether the outputs are ids, not counts."""
        return self.output_mode == "int"

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Return the spec of the outputs; ids pass through unchanged."""
        if not is_text(spec.dtype):
            return {}, {}, spec
        if self.output_mode == "int":
            return {}, {}, Spec(self._shape_of_ids(spec), "int32")
        return {}, {}, Spec((spec.shape[0], self._width()))

    def _shape_of_ids(self, spec: Spec) -> tuple[int | None, ...]:
        return spec.shape

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
        """Return the ids of texts; ids pass through unchanged."""
        if getattr(getattr(inputs, "dtype", None), "kind", "i") in "USO":
            return self.column(inputs), mask, state
        return inputs, mask, state

    def column(self, texts: Any) -> Any:
        """Return the outputs for texts: an array, or a Ragged for texts of any length."""
        raise TypeError(f"{type(self).__name__} does not say what it gives: define `column`.")

    # ---- rows of counts ---------------------------------------------------------

    def _width(self) -> int:
        padded = self.pad_to_max_tokens and self.max_tokens is not None
        return int(self.max_tokens or 0) if padded else self.vocabulary_size()

    def _as_rows(self, ids: Ragged) -> npt.NDArray[np.float32]:
        """Return [B, V]: whether, or how often, each id occurs, or its count times its weight."""
        counts = np.zeros((len(ids), self._width()), np.float32)
        row = np.repeat(np.arange(len(ids)), ids.lengths)
        np.add.at(counts, (row, ids.ids), 1)
        if self.output_mode in ("multi_hot", "one_hot"):
            return np.minimum(counts, 1)
        if self.output_mode == "tf_idf":
            if self.idf_weights is None:
                raise ValueError(
                    f"{self.name!r} has no weights of tokens: adapt(texts), or "
                    "set_vocabulary(tokens, idf_weights)."
                )
            known = np.asarray(self.idf_weights, np.float32)
            unknown = known.mean() if len(known) else 0
            counts[:, : 1 + len(known)] *= np.concatenate([[unknown], known])
        return counts

    def _config_of_vocabulary(self) -> dict[str, Any]:
        weights = self.idf_weights
        return {
            "max_tokens": self.max_tokens,
            "output_mode": self.output_mode,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary": list(self._tokens) or None,
            "idf_weights": None if weights is None else [float(w) for w in weights],
        }


def as_texts(data: Any) -> list[str]:
    """Return texts as a flat list.

    Raises TypeError for anything else.
    """
    if hasattr(data, "to_list") or hasattr(data, "to_pylist"):  # a column
        data = data.to_list() if hasattr(data, "to_list") else data.to_pylist()
    if not hasattr(data, "dtype") and not isinstance(data, str | bytes):
        parts = [np.asarray(one, object).reshape(-1) for one in data]
        data = np.concatenate(parts) if parts else np.zeros(0, object)
    found = [
        one.decode() if isinstance(one, bytes) else one
        for one in np.asarray(data, object).reshape(-1).tolist()
    ]
    for row, one in enumerate(found):
        if not isinstance(one, str):
            raise TypeError(f"expected strings; number {row} is {show(one)}.")
    return found


def check_max_tokens(max_tokens: int | None) -> int | None:
    """Return `max_tokens`; raise ValueError for less than two."""
    return None if max_tokens is None else whole_number("max_tokens", max_tokens, least=2)


def check_output_mode(mode: str, known: tuple[str, ...]) -> None:
    """Raise ValueError for an unknown `output_mode`."""
    if mode not in known:
        raise ValueError(f"`output_mode` must be one of {known}; received {show(mode)}.")
