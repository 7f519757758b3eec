"""Layers that texts go into: words to ids at the door of a model, with Keras's vocabularies.

In a model they turn texts into ids before anything is padded, looked up or trained; the graph
behind them sees ids alone.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt

from wordrow.arguments import whole_number
from wordrow.errors import show
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec
from wordrow.text import Tokenizer
from wordrow.types import Ragged

__all__ = ["StringLookup", "TextVectorization", "is_text"]

OutputMode = Literal["int", "multi_hot", "count", "tf_idf", "one_hot"]

_UNKNOWN = "[UNK]"
# As TensorFlow lower-cases and splits: ASCII alone.
_LOWER = {ord(c): c.lower() for c in string.ascii_uppercase}
_BARE: dict[int, str | None] = {ord(c): None for c in string.punctuation}
_SPACE = {ord(c): " " for c in "\t\n\r\x0b\x0c"}
_STANDARDIZE: dict[str | None, dict[int, str | None]] = {
    "lower_and_strip_punctuation": {**_BARE, **_LOWER}, "lower": {**_LOWER},
    "strip_punctuation": _BARE, None: {},
}  # fmt: skip


def is_text(dtype: str) -> bool:
    """Return whether a type is that of strings."""
    return dtype in ("string", "str", "object") or dtype.startswith(("<U", "|S", ">U"))


class _Vocabulary(Layer):
    """What both layers share: a list of tokens, learned by `adapt` or given."""

    reads_text = True
    _tokens: list[str]
    output_mode: str
    max_tokens: int | None
    pad_to_max_tokens: bool
    idf_weights: Any = None

    def _begin(self, vocabulary: Any, idf_weights: Any) -> None:
        self._tokens = []
        self._made()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- the vocabulary -----------------------------------------------------

    @property
    def _specials(self) -> list[str]:
        """The tokens that stand before those of the vocabulary."""
        raise TypeError(f"{type(self).__name__} does not say what is special: define `_specials`.")

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens by their ids."""
        return [*self._specials, *self._tokens] if include_special_tokens else list(self._tokens)

    def vocabulary_size(self) -> int:
        """Return the number of ids."""
        return len(self._specials) + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take the tokens of a list, or of the lines of a file.

        idf_weights: of each token, for output_mode="tf_idf". Raises ValueError for a token that
        stands there twice.
        """
        if isinstance(vocabulary, str):
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = file.read().splitlines()
        tokens = [str(token) for token in vocabulary]
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
        room = None if self.max_tokens is None else self.max_tokens - len(specials)
        self._tokens = tokens[:room]
        weights = None if idf_weights is None else np.asarray(idf_weights, np.float32)[:room]
        self.idf_weights = weights
        self._made()

    def _made(self) -> None:
        """Take notice of a new vocabulary."""

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent tokens first, ties from the end of the alphabet.

        data: texts as a list, an array, a column, or batches of them.
        """
        counts, documents, n = self._counted(_texts(data))
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
        """Whether what comes out are ids, and not counts."""
        return self.output_mode == "int"

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Say what comes out of texts; ids go through as they are."""
        if not is_text(spec.dtype):
            return {}, {}, spec
        if self.output_mode == "int":
            return {}, {}, Spec(self._shape_of_ids(spec), "int32")
        return {}, {}, Spec((spec.shape[0], self._width()))

    def _shape_of_ids(self, spec: Spec) -> tuple[int | None, ...]:
        return spec.shape

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the ids of texts; ids as they are."""
        if getattr(getattr(inputs, "dtype", None), "kind", "i") in "USO":
            return self.column(inputs), mask, state
        return inputs, mask, state

    def column(self, texts: Any) -> Any:
        """Return what comes out of texts, as an array or, for texts of any length, a Ragged."""
        raise TypeError(f"{type(self).__name__} does not say what it gives: define `column`.")

    # ---- rows of counts ---------------------------------------------------------

    def _width(self) -> int:
        padded = self.pad_to_max_tokens and self.max_tokens is not None
        return int(self.max_tokens or 0) if padded else self.vocabulary_size()

    def _as_rows(self, ids: Ragged) -> npt.NDArray[np.float32]:
        """Return [B, V]: which ids a text has, how often, or how often times their weight."""
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
            "max_tokens": self.max_tokens, "output_mode": self.output_mode,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary": list(self._tokens) or None,
            "idf_weights": None if weights is None else [float(w) for w in weights],
        }  # fmt: skip


class TextVectorization(_Vocabulary):
    """Texts to ids, or to rows of counts: a Tokenizer as the first layer of a model.

    [B] or [B, 1] texts -> [B, T] ids, 0 for padding, 1 for words without an id, then the words
    of the vocabulary; or [B, V] with another output_mode ("multi_hot", "count", "tf_idf": there
    the first column is that of words without an id). max_tokens: the number of ids.
    standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function
    of an array of texts. split: "whitespace", "character", None, or a function of a text to its
    tokens. ngrams: also runs of up to so many tokens, or of the numbers of a tuple.
    output_sequence_length: T; the longest text's where it is not given. ragged: give a Ragged.

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["This is a text", "This is not a text"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'this', 'text', 'is', 'a', 'not']
    >>> layer(["Is this new?"]).tolist()
    [[4, 2, 1, 0]]
    """

    def __init__(
        self, max_tokens: int | None = None,
        standardize: str | Callable[[Any], Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[[str], Iterable[str]] | None = "whitespace",
        ngrams: int | Sequence[int] | None = None, output_mode: OutputMode = "int",
        output_sequence_length: int | None = None, pad_to_max_tokens: bool = False,
        vocabulary: Any = None, idf_weights: Any = None, sparse: bool = False,
        ragged: bool = False, encoding: str = "utf-8", **options: Unpack[LayerOptions],
    ) -> None:  # fmt: skip
        super().__init__(**options)
        _check_mode(output_mode, ("int", "multi_hot", "count", "tf_idf"))
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
        self.max_tokens = _room(max_tokens)
        self.standardize, self.split, self.output_mode = standardize, split, output_mode
        self.ngrams = ngrams
        self._runs = _runs(ngrams)
        self.output_sequence_length = None if output_sequence_length is None else whole_number(
            "output_sequence_length", output_sequence_length)  # fmt: skip
        self.pad_to_max_tokens, self.ragged = bool(pad_to_max_tokens), bool(ragged)
        self._begin(vocabulary, idf_weights)

    @property
    def _specials(self) -> list[str]:
        return ["", _UNKNOWN] if self.output_mode == "int" else [_UNKNOWN]

    def _made(self) -> None:
        self._ids = {token: i for i, token in enumerate(self._tokens, len(self._specials))}
        self._core: Tokenizer | None = None
        if self._runs == (1,) and self.split == "whitespace":
            self._core = _plain_tokenizer(_UNKNOWN)
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
            for n in self._runs for i in range(len(tokens) - n + 1)
        ]  # fmt: skip

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
        """Return the ids that `get_vocabulary` gives tokens."""
        ready = self._standardized(texts)
        if self._core is not None:
            ids = self._core.encode(ready)  # 1 for what is unknown
            if self.output_mode == "int":
                return ids
            return Ragged(ids=ids.ids - 1, offsets=ids.offsets)
        unknown = len(self._specials) - 1
        return Ragged.from_lists(
            [[self._ids.get(token, unknown) for token in self._tokens_of(text)] for text in ready]
        )

    def column(self, texts: Any) -> Any:
        """Return the ids of texts, [B, T]; or rows [B, V]; of a single text, its own alone."""
        ids = self._encoded(_texts(texts))
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
        """Return the arguments that make this layer again.

        Raises ValueError for functions of your own, which are no text.
        """
        for name in ("standardize", "split"):
            if callable(getattr(self, name)):
                raise ValueError(
                    f"the layer {self.name!r} has a function of your own as `{name}`, which a file "
                    "cannot hold: keep the weights, and make the model by its code."
                )
        ngrams = list(self.ngrams) if isinstance(self.ngrams, Sequence) else self.ngrams
        return super().get_config() | self._config_of_vocabulary() | {
            "standardize": self.standardize, "split": self.split, "ngrams": ngrams,
            "output_sequence_length": self.output_sequence_length, "ragged": self.ragged,
        }  # fmt: skip


class StringLookup(_Vocabulary):
    """Strings to ids, each as it is: labels, tokens, categories.

    [B, ...] strings -> ids of that shape: 0 for those without one (with a mask_token, which
    has 0, 1 for these), then the vocabulary's. invert: ids to strings. num_oov_indices: 1, or
    0 where a string without an id is an error. output_mode: also "one_hot", "multi_hot" and
    "count".

    >>> layer = StringLookup(vocabulary=["pos", "neg"])
    >>> layer(["neg", "pos", "?"]).tolist()
    [2, 1, 0]
    >>> StringLookup(vocabulary=["pos", "neg"], invert=True)([2, 1]).tolist()
    ['neg', 'pos']
    """

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1,
        mask_token: str | None = None, oov_token: str = _UNKNOWN, vocabulary: Any = None,
        idf_weights: Any = None, invert: bool = False, output_mode: OutputMode = "int",
        pad_to_max_tokens: bool = False, sparse: bool = False, encoding: str = "utf-8",
        **options: Unpack[LayerOptions],
    ) -> None:  # fmt: skip
        super().__init__(**options)
        _check_mode(output_mode, ("int", "one_hot", "multi_hot", "count", "tf_idf"))
        if num_oov_indices not in (0, 1):
            raise ValueError(
                "`num_oov_indices` must be 0 or 1: strings without an id have one together; "
                f"received {show(num_oov_indices)}."
            )
        if invert and output_mode != "int":
            raise ValueError("`invert` gives strings: leave output_mode='int'.")
        self.max_tokens = _room(max_tokens)
        self.num_oov_indices, self.mask_token = int(num_oov_indices), mask_token
        self.oov_token, self.invert = oov_token, bool(invert)
        self.output_mode, self.pad_to_max_tokens = output_mode, bool(pad_to_max_tokens)
        self._begin(vocabulary, idf_weights)

    @property
    def _specials(self) -> list[str]:
        masks = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" \
            else []  # fmt: skip
        return [*masks, *[self.oov_token] * self.num_oov_indices]

    def _made(self) -> None:
        self._ids = {token: i for i, token in enumerate(self.get_vocabulary())}

    def _counted(self, texts: list[str]) -> tuple[dict[str, int], dict[str, int], int]:
        counts = Counter(texts)
        return dict(counts), dict(counts), len(texts)

    def column(self, texts: Any) -> Any:
        """Return the ids of strings, in their shape; or rows [B, V]."""
        strings = np.asarray(texts, object)
        different, where = np.unique(np.array(_texts(strings), object), return_inverse=True)
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
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the ids of strings (ids as they are); with `invert`, the strings of ids."""
        if self.invert:
            names = np.array(self.get_vocabulary(), object)
            ids = np.asarray(inputs).astype(np.int64)
            known = np.where((ids >= 0) & (ids < len(names)), ids, len(self._specials) - 1)
            return names[known], mask, state
        return super().apply(weights, state, inputs, mask, training=training, rng=rng)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | self._config_of_vocabulary() | {
            "num_oov_indices": self.num_oov_indices, "mask_token": self.mask_token,
            "oov_token": self.oov_token, "invert": self.invert,
        }  # fmt: skip


def _plain_tokenizer(oov_token: str | None) -> Tokenizer:
    return Tokenizer(filters="", lower=False, split=" ", oov_token=oov_token)


def _texts(data: Any) -> list[str]:
    """Return texts as a flat list.

    Raises TypeError for what is no text.
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
            raise TypeError(f"expected texts; number {row} is {show(one)}.")
    return found


def _room(max_tokens: int | None) -> int | None:
    return None if max_tokens is None else whole_number("max_tokens", max_tokens, least=2)


def _runs(ngrams: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the lengths of the runs of tokens that have ids."""
    if ngrams is None:
        return (1,)
    if isinstance(ngrams, int):
        return tuple(range(1, whole_number("ngrams", ngrams) + 1))
    return tuple(whole_number("ngrams", n) for n in ngrams)


def _check_mode(mode: Any, known: tuple[str, ...]) -> None:
    if mode not in known:
        raise ValueError(f"`output_mode` must be one of {known}; received {show(mode)}.")
