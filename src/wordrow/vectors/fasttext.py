"""Models that fastText has trained: their rows, their labels, what they predict."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.arguments import whole_number
from wordrow.errors import FileFormatError, TextTypeError, show
from wordrow.vectors.formats.fasttext import FastTextFile, read_model, why_no_fasttext
from wordrow.vectors.formats.source import Source
from wordrow.vectors.vectors import Vectors

__all__ = ["FastText"]

Predicted = list[tuple[str, float]]

_BETWEEN = re.compile("[ \n\r\t\v\f\0]+")
_END_OF_LINE = "</s>"
_LABEL = "__label__"
_MOST_TEXTS, _MOST_CHANCES = 1024, 1 << 21  # answered together
_SMALL = 1e-5  # what fastText adds before it takes a logarithm
_BITS = (1 << 64) - 1


class FastText:
    """A model in fastText's own format, .bin or .ftz, supervised or not.

    It answers as fastText does (where the loss is ns or ova to 0.01, since fastText
    looks its sigmoid up in a table); training goes on with `TextClassifier` and
    `train_vectors`.

    >>> FastText.load("lid.176.ftz").predict("Wie geht es dir?")  # doctest: +SKIP
    [('__label__de', 0.9994049668312073)]
    """

    def __init__(self, file: FastTextFile) -> None:
        self._file = file

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *,
        encoding_errors: Literal["strict", "replace"] = "replace",
    ) -> FastText:  # fmt: skip
        """Return the model of a file, whose matrices are mapped.

        Raises FileFormatError where it is none of fastText's, or damaged.
        """
        source = Source(path)
        if (why := why_no_fasttext(source)) is not None:
            raise FileFormatError(f"{source.name}: expected a model of fastText's; {why}.")
        return cls(read_model(source, replaces=encoding_errors == "replace"))

    @property
    def kind(self) -> str:
        """ "supervised", "skipgram" or "cbow"."""
        return self._file.kind

    @cached_property
    def labels(self) -> list[str]:
        """The labels of a supervised model, the most frequent first."""
        return list(self._file.labels)

    @cached_property
    def vectors(self) -> Vectors:
        """The rows of its words, with sub-words for others where it has them."""
        return self._file.vectors()

    @overload
    def predict(self, texts: str, k: int = 1, threshold: float = 0.0) -> Predicted: ...
    @overload
    def predict(self, texts: list[str], k: int = 1, threshold: float = 0.0) -> list[Predicted]: ...
    def predict(
        self, texts: str | list[str], k: int = 1, threshold: float = 0.0
    ) -> Predicted | list[Predicted]:
        """Return the k likeliest labels of a text, or of each text, with their probabilities.

        k: -1 for all.

        threshold: leave labels out that are less likely. A text without a known
        word or n-gram has none. Line ends count as spaces.
        Raises ValueError for a model that is not supervised, FileFormatError where its
        file is damaged in what is used.
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
        n_at_once = max(1, min(_MOST_TEXTS, _MOST_CHANCES // (len(self.labels) + 1)))
        for begin in range(0, len(texts), n_at_once):
            out += self._predict(texts[begin : begin + n_at_once], k, threshold)
        return out

    def _predict(self, texts: list[str], k: int, threshold: float) -> list[Predicted]:
        lists = [self._ids(text) for text in texts]
        offsets = np.cumsum([0, *map(len, lists)])
        distinct, places = np.unique(
            np.array([i for ids in lists for i in ids], np.int64), return_inverse=True
        )
        if not len(distinct) or not self.labels:
            return [[] for _ in texts]
        rows = np.ascontiguousarray(self._finite(self._file.input[distinct]))
        hidden = _core.bag_mean(rows, places.astype(np.int32), offsets)
        chances = self._chances(hidden)
        order = np.argsort(-chances, axis=1, kind="stable")[:, :k]
        return [
            [(self.labels[i], float(chances[t, i])) for i in order[t] if chances[t, i] >= threshold]
            if ids else []
            for t, ids in enumerate(lists)
        ]  # fmt: skip

    def _finite(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if not np.isfinite(rows).all():
            raise FileFormatError(
                f"{self._file.name}: a row holds a number that is not finite. The file is damaged."
            )
        return rows

    # ---- texts to ids ---------------------------------------------------

    def _ids(self, text: str) -> list[int]:
        """Return the rows that a text is the mean of: words, their n-grams, n-grams of words."""
        if not isinstance(text, str):
            raise TextTypeError(f"expected a text; received {show(text)}.")
        file = self._file
        tokens = [token for token in _BETWEEN.split(text) if token]
        if _END_OF_LINE in tokens:  # fastText reads no further
            tokens = tokens[: tokens.index(_END_OF_LINE)]
        words = [word for word in (*tokens, _END_OF_LINE) if not word.startswith(_LABEL)]
        known = file.words.rows(words).tolist()
        if file.subwords is None:
            ids = [row for row in known if row >= 0]
        else:
            grams = file.subwords.ids(words)
            ids = []
            for i, (word, row) in enumerate(zip(words, known, strict=True)):
                ids += [row] if row >= 0 else []
                if file.is_cut(word):
                    ids += (grams[i] + len(file.words)).tolist()
        return ids + self._runs(words)

    def _runs(self, words: list[str]) -> list[int]:
        """Return the rows of runs of words, in fastText's order and by its hash."""
        file = self._file
        if file.word_ngrams <= 1 or not file.n_buckets or file.kept == {}:
            return []
        hashes = _core.subword_hashes(words).view(np.int32).tolist()
        ids = []
        for first in range(len(hashes)):
            run = hashes[first] & _BITS
            for other in hashes[first + 1 : first + file.word_ngrams]:
                run = (run * 116049371 + other) & _BITS
                bucket: int | None = run % file.n_buckets
                if file.kept is not None:
                    bucket = file.kept.get(run % file.n_buckets)
                if bucket is not None:
                    ids.append(len(file.words) + bucket)
        return ids

    # ---- rows to labels -------------------------------------------------

    def _chances(self, hidden: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the probability of each label: [B, labels]."""
        logits = hidden.astype(np.float64) @ self._output.T
        if self._file.loss == "softmax":
            logits = np.exp(logits - logits.max(axis=1, keepdims=True))
            found: npt.NDArray[np.float64] = logits / logits.sum(axis=1, keepdims=True)
            return found
        right = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        return self._down_the_tree(right) if self._file.loss == "hs" else right

    @cached_property
    def _output(self) -> Any:
        return self._finite(self._file.output[np.arange(len(self.labels))]).astype(np.float64)

    def _down_the_tree(self, right: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of leaves: products on the way from the root, as fastText's."""
        n = len(self.labels)
        chances = np.ones((len(right), 2 * n - 1))
        for node in range(2 * n - 2, n - 1, -1):
            left_child, right_child = self._tree[node - n]
            chances[:, left_child] = chances[:, node] * (1 - right[:, node - n] + _SMALL)
            chances[:, right_child] = chances[:, node] * (right[:, node - n] + _SMALL)
        return np.minimum(chances[:, :n], 1.0)

    @cached_property
    def _tree(self) -> list[tuple[int, int]]:
        """The children of each inner node of Huffman's tree; the labels are its leaves."""
        n = len(self.labels)
        counts = [*self._file.counts[len(self._file.words) :].tolist(), *[10**15] * (n - 1)]
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
        sizes = f"{len(self._file.words):,} words, {self._file.dim} dimensions"
        return f"FastText({self.kind}, {sizes}{labels})"
