"""Texts to ids, or to counts."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Unpack

import numpy as np

from wordrow.arguments import whole_number
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
from wordrow.nn.spec import Spec
from wordrow.text import Tokenizer
from wordrow.types import Ragged

__all__ = ["TextVectorization"]

# TensorFlow lower-cases and splits ASCII only.
_LOWER = {ord(c): c.lower() for c in string.ascii_uppercase}
_NO_PUNCTUATION: dict[int, str | None] = {ord(c): None for c in string.punctuation}
_SPACE = {ord(c): " " for c in "\t\n\r\x0b\x0c"}
_STANDARDIZE: dict[str | None, dict[int, str | None]] = {
    "lower_and_strip_punctuation": {**_NO_PUNCTUATION, **_LOWER},
    "lower": {**_LOWER},
    "strip_punctuation": _NO_PUNCTUATION,
    None: {},
}


class TextVectorization(VocabularyLayer):
    """Turns texts into ids or counts: a Tokenizer as the first layer of a model.

    [B] or [B, 1] texts -> [B, T] ids: 0 is padding, 1 stands for unknown words, then come the
    words of the vocabulary. With output_mode "multi_hot", "count" or "tf_idf": [B, V], whose
    first column is for unknown words. max_tokens: the maximum number of ids.
    standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function
    of an array of texts. split: "whitespace", "character", None, or a function from a text to its
    tokens. ngrams: also use n-grams of up to this length, or of the lengths in a tuple.
    output_sequence_length: T; by default that of the longest text. ragged: return a Ragged.

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["This is a text", "This is not a text"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'this', 'text', 'is', 'a', 'not']
    >>> layer(["Is this new?"]).tolist()
    [[4, 2, 1, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[Any], Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[[str], Iterable[str]] | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: OutputMode = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        check_output_mode(output_mode, ("int", "multi_hot", "count", "tf_idf"))
        if not callable(standardize) and standardize not in _STANDARDIZE:
            raise ValueError(
                f"`standardize` must be one of {list(_STANDARDIZE)} or a function; received "
                f"{show(standardize)}."
            )
        if not callable(split) and split not in ("whitespace", "character", None):
            raise ValueError(
                "`split` must be 'whitespace', 'character', None or a function; received "
                f"{show(split)}."
            )
        if encoding.lower().replace("-", "") != "utf8":
            raise ValueError(f"`encoding` must be 'utf-8'; received {show(encoding)}.")
        self.max_tokens = check_max_tokens(max_tokens)
        self.standardize, self.split, self.output_mode = standardize, split, output_mode
        self.ngrams = ngrams
        self._ngram_lengths = _ngram_lengths(ngrams)
        self.output_sequence_length = (
            None
            if output_sequence_length is None
            else whole_number("output_sequence_length", output_sequence_length)
        )
        self.pad_to_max_tokens, self.ragged = bool(pad_to_max_tokens), bool(ragged)
        self._begin(vocabulary, idf_weights)

    @property
    def _specials(self) -> list[str]:
        return ["", UNKNOWN] if self.output_mode == "int" else [UNKNOWN]

    def _vocabulary_changed(self) -> None:
        self._ids = {token: i for i, token in enumerate(self._tokens, len(self._specials))}
        self._core: Tokenizer | None = None
        if self._ngram_lengths == (1,) and self.split == "whitespace":
            self._core = _plain_tokenizer(UNKNOWN)
            self._core.fit_on_texts([self._tokens])

    def _standardized(self, texts: list[str]) -> list[str]:
        if callable(self.standardize):
            return [str(text) for text in np.asarray(self.standardize(np.array(texts, object)))]
        table = dict(_STANDARDIZE[self.standardize])
        if self.split == "whitespace":
            table |= _SPACE
        return [text.translate(table) for text in texts]

    def _tokens_of(self, text: str) -> list[str]:
        if callable(self.split):
            tokens = [str(token) for token in self.split(text)]
        elif self.split == "whitespace":
            tokens = [token for token in text.split(" ") if token]
        else:
            tokens = list(text) if self.split == "character" else [text]
        return [
            " ".join(tokens[i : i + n]) if n > 1 else tokens[i]
            for n in self._ngram_lengths
            for i in range(len(tokens) - n + 1)
        ]

    def _counted(self, texts: list[str]) -> tuple[dict[str, int], dict[str, int], int]:
        ready = self._standardized(texts)
        if self._core is not None:
            counter = _plain_tokenizer(None)
            counter.fit_on_texts(ready)
            return dict(counter.word_counts), dict(counter.word_docs), len(texts)
        counts: Counter[str] = Counter()
        documents: Counter[str] = Counter()
        for text in ready:
            tokens = self._tokens_of(text)
            counts.update(tokens)
            documents.update(set(tokens))
        return dict(counts), dict(documents), len(texts)

    def _encoded(self, texts: list[str]) -> Ragged:
        """Return the ids of texts, in the order of `get_vocabulary`."""
        ready = self._standardized(texts)
        if self._core is not None:
            ids = self._core.encode(ready)  # 1 for unknown tokens
            if self.output_mode == "int":
                return ids
            return Ragged(ids=ids.ids - 1, offsets=ids.offsets)
        unknown = len(self._specials) - 1
        return Ragged.from_lists(
            [[self._ids.get(token, unknown) for token in self._tokens_of(text)] for text in ready]
        )

    def column(self, texts: Any) -> Any:
        """Return ids [B, T] or rows [B, V]; for a single text, without the batch axis."""
        ids = self._encoded(as_texts(texts))
        if self.output_mode != "int":
            found: Any = self._as_rows(ids)
        elif self.ragged:
            return ids
        else:
            found = ids.pad(self.output_sequence_length, padding="post", truncating="post").ids
        return found[0] if np.ndim(texts) == 0 else found

    def _shape_of_ids(self, spec: Spec) -> tuple[int | None, ...]:
        return (spec.shape[0], self.output_sequence_length)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer.

        Raises ValueError for user-defined functions, which a file cannot hold.
        """
        for name in ("standardize", "split"):
            if callable(getattr(self, name)):
                raise ValueError(
                    f"the layer {self.name!r} has a user-defined function as `{name}`, which a "
                    "file cannot hold: keep the weights, and make the model by its code."
                )
        ngrams = list(self.ngrams) if isinstance(self.ngrams, Sequence) else self.ngrams
        return (
            super().get_config()
            | self._config_of_vocabulary()
            | {
                "standardize": self.standardize,
                "split": self.split,
                "ngrams": ngrams,
                "output_sequence_length": self.output_sequence_length,
                "ragged": self.ragged,
            }
        )


def _plain_tokenizer(oov_token: str | None) -> Tokenizer:
    return Tokenizer(filters="", lower=False, split=" ", oov_token=oov_token)


def _ngram_lengths(ngrams: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the lengths of the n-grams."""
    if ngrams is None:
        return (1,)
    if isinstance(ngrams, int):
        return tuple(range(1, whole_number("ngrams", ngrams) + 1))
    return tuple(whole_number("ngrams", n) for n in ngrams)
