"""Models trained by fastText: their vectors, labels and predictions."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.arguments import whole_number
from wordrow.errors import FileFormatError, TextTypeError, show
from wordrow.vectors.formats.fasttext import FORMAT, read_model
from wordrow.vectors.formats.fasttext_model import FastTextModel
from wordrow.vectors.formats.source import Source
from wordrow.vectors.vectors import Vectors

__all__ = ["FastText"]

Predicted = list[tuple[str, float]]

_BETWEEN = re.compile("[ \n\r\t\v\f\0]+")
_END_OF_LINE = "</s>"
_LABEL = "__label__"
_CHUNK_TEXTS, _CHUNK_PROBABILITIES = 1024, 1 << 21
_EPSILON = 1e-5  # which fastText adds before it takes a logarithm
_BITS = (1 << 64) - 1


class FastText:
    """A model in fastText's own format, .bin or .ftz, supervised or not.

    Predictions equal fastText's (up to 0.01 if the loss is ns or ova, since fastText
    reads its sigmoid from a table). To train, use `TextClassifier` and `train_vectors`.

    >>> FastText.load("lid.176.ftz").predict("Wie geht es dir?")  # doctest: +SKIP
    [('__label__de', 0.9994049668312073)]
    """

    def __init__(self, model: FastTextModel) -> None:
        self._model = model

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        encoding_errors: Literal["strict", "replace"] = "replace",
    ) -> FastText:
        """Return the model of a file; its matrices are mapped.

        Raises FileFormatError if the file is not a fastText model, or is damaged.
        """
        source = Source(path)
        if (reason := FORMAT.mismatch(source)) is not None:
            raise FileFormatError(f"{source.name}: expected a fastText model; {reason}.")
        return cls(read_model(source, replace_errors=encoding_errors == "replace"))

    @property
    def kind(self) -> str:
        """ "supervised", "skipgram" or "cbow"."""
        return self._model.kind

    @cached_property
    def labels(self) -> list[str]:
        """The labels of a supervised model, the most frequent first."""
        return list(self._model.labels)

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors of its words, with its sub-words if it has them."""
        return Vectors.from_data(self._model.vectors())

    @overload
    def predict(self, texts: str, k: int = 1, threshold: float = 0.0) -> Predicted: ...
    @overload
    def predict(self, texts: list[str], k: int = 1, threshold: float = 0.0) -> list[Predicted]: ...
    def predict(
        self, texts: str | list[str], k: int = 1, threshold: float = 0.0
    ) -> Predicted | list[Predicted]:
        """Return the k most likely labels of a text, or of each text, with their probabilities.

        k: -1 for all. threshold: the lowest probability of a returned label. A text
        without a known word or n-gram gets no label. Line ends count as spaces.

        Raises ValueError for a model that is not supervised, FileFormatError if the part
        of the file that is used is damaged.
        """
        if self.kind != "supervised":
            raise ValueError(
                f"only supervised models predict labels; this one is {self.kind}. Its rows are "
                "in .vectors."
            )
        k = len(self.labels) if k == -1 else whole_number("k", k)
        if isinstance(texts, str):
            return self._predict([texts], k, threshold)[0]
        out: list[Predicted] = []
        n_at_once = max(1, min(_CHUNK_TEXTS, _CHUNK_PROBABILITIES // (len(self.labels) + 1)))
        for begin in range(0, len(texts), n_at_once):
            out += self._predict(texts[begin : begin + n_at_once], k, threshold)
        return out

    def _predict(self, texts: list[str], k: int, threshold: float) -> list[Predicted]:
        lists = [self._ids(text) for text in texts]
        offsets = np.cumsum([0, *map(len, lists)])
        distinct, row_indices = np.unique(
            np.array([i for ids in lists for i in ids], np.int64), return_inverse=True
        )
        if not len(distinct) or not self.labels:
            return [[] for _ in texts]
        rows = np.ascontiguousarray(self._finite(self._model.input[distinct]))
        hidden = _core.bag_mean(rows, row_indices.astype(np.int32), offsets)
        probabilities = self._probabilities(hidden)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
        return [
            [
                (self.labels[i], float(probabilities[t, i]))
                for i in order[t]
                if probabilities[t, i] >= threshold
            ]
            if ids
            else []
            for t, ids in enumerate(lists)
        ]

    def _finite(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if not np.isfinite(rows).all():
            raise FileFormatError(
                f"{self._model.name}: a row holds a number that is not finite. The file is damaged."
            )
        return rows

    # ---- texts to ids ---------------------------------------------------

    def _ids(self, text: str) -> list[int]:
        """Return the input rows of a text: its words, their n-grams, and word n-grams."""
        if not isinstance(text, str):
            raise TextTypeError(f"expected a text; received {show(text)}.")
        model = self._model
        tokens = [token for token in _BETWEEN.split(text) if token]
        if _END_OF_LINE in tokens:  # fastText stops there
            tokens = tokens[: tokens.index(_END_OF_LINE)]
        words = [word for word in (*tokens, _END_OF_LINE) if not word.startswith(_LABEL)]
        known = model.words.rows(words).tolist()
        if model.subwords is None:
            ids = [row for row in known if row >= 0]
        else:
            grams = model.subwords.ids(words)
            ids = []
            for i, (word, row) in enumerate(zip(words, known, strict=True)):
                ids += [row] if row >= 0 else []
                if model.has_subwords(word):
                    ids += (grams[i] + len(model.words)).tolist()
        return ids + self._word_ngrams(words)

    def _word_ngrams(self, words: list[str]) -> list[int]:
        """Return the rows of word n-grams, in fastText's order and by its hash."""
        model = self._model
        if model.word_ngrams <= 1 or not model.n_buckets or model.kept == {}:
            return []
        hashes = _core.subword_hashes(words).view(np.int32).tolist()
        ids = []
        for first in range(len(hashes)):
            run = hashes[first] & _BITS
            for other in hashes[first + 1 : first + model.word_ngrams]:
                run = (run * 116049371 + other) & _BITS
                bucket: int | None = run % model.n_buckets
                if model.kept is not None:
                    bucket = model.kept.get(run % model.n_buckets)
                if bucket is not None:
                    ids.append(len(model.words) + bucket)
        return ids

    # ---- rows to labels -------------------------------------------------

    def _probabilities(self, hidden: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the probability of each label: [B, labels]."""
        logits = hidden.astype(np.float64) @ self._output.T
        if self._model.loss == "softmax":
            logits = np.exp(logits - logits.max(axis=1, keepdims=True))
            found: npt.NDArray[np.float64] = logits / logits.sum(axis=1, keepdims=True)
            return found
        right = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        return self._leaf_probabilities(right) if self._model.loss == "hs" else right

    @cached_property
    def _output(self) -> npt.NDArray[np.float64]:
        return self._finite(self._model.output[np.arange(len(self.labels))]).astype(np.float64)

    def _leaf_probabilities(self, right: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of leaves: products along the path from the root."""
        n = len(self.labels)
        probabilities = np.ones((len(right), 2 * n - 1))
        for node in range(2 * n - 2, n - 1, -1):
            left_child, right_child = self._tree[node - n]
            probabilities[:, left_child] = probabilities[:, node] * (
                1 - right[:, node - n] + _EPSILON
            )
            probabilities[:, right_child] = probabilities[:, node] * (right[:, node - n] + _EPSILON)
        return np.minimum(probabilities[:, :n], 1.0)

    @cached_property
    def _tree(self) -> list[tuple[int, int]]:
        """The children of each inner node of Huffman's tree; the labels are its leaves."""
        n = len(self.labels)
        counts = [*self._model.counts[len(self._model.words) :].tolist(), *[10**15] * (n - 1)]
        leaf, inner = n - 1, n
        children = []
        for node in range(n, 2 * n - 1):
            pair = []
            for _ in range(2):
                if leaf >= 0 and counts[leaf] < counts[inner]:
                    pair.append(leaf)
                    leaf -= 1
                else:
                    pair.append(inner)
                    inner += 1
            counts[node] = counts[pair[0]] + counts[pair[1]]
            children.append((pair[0], pair[1]))
        return children

    def __repr__(self) -> str:
        labels = f", {len(self.labels)} labels" if self.labels else ""
        sizes = f"{len(self._model.words):,} words, {self._model.dim} dimensions"
        return f"FastText({self.kind}, {sizes}{labels})"
