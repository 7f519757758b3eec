"""What each word added to a prediction.

The classifier is linear in its rows: the score of a class is a bias and, for
each word, its row times the class's weights, divided by the number of words.
So the parts below are exact, and add up to the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wordrow.classifier import TextClassifier
from wordrow.errors import TextTypeError, show
from wordrow.nn.family import match

__all__ = ["Contribution", "Explanation", "explain_text"]


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """A word or n-gram of a text, and what it added to the score of the predicted label."""

    word: str
    id: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A prediction and its parts: `score` is `bias` plus the sum of the contributions.

    score: of the predicted label against the other one (two classes), or
    against the mean of all (more classes).
    """

    text: str
    label: Any
    probability: float
    score: float
    bias: float
    contributions: list[Contribution]  # in the order of the text, words before n-grams
    unknown: list[str]  # words without a row, which add nothing


def explain_text(classifier: TextClassifier, text: str) -> Explanation:
    """Return what each word of a text added to the label that is predicted.

    Raises TextTypeError where the text is no string.

    >>> classifier = TextClassifier(seed=1).fit(["fine", "dull"], ["good", "bad"])
    >>> explanation = explain_text(classifier, "fine")
    >>> explanation.label, explanation.contributions[0].score > 0
    ('good', True)
    """
    if not isinstance(text, str):
        raise TextTypeError(f"the text to explain must be a string; received {show(text)}.")
    probabilities = classifier.predict_proba([text])[0]
    best = int(probabilities.argmax())
    layers = match(classifier.model_.graph)
    if layers is None or not layers.has_mean:
        raise ValueError("only the answers of Embedding, mean and Dense are sums of words' parts.")
    embedding = layers.embedding
    kernel, biases = layers.dense.get_weights()
    direction, bias = _towards(best, kernel, biases)
    ids = classifier.tokenizer.encode([text])[0]
    scores = embedding(ids[None])[0] @ direction / max(1, len(ids))
    named = classifier.tokenizer.named_ids(text)
    parts = [
        Contribution(word=word, id=i, score=float(score))
        for (i, word), score in zip(named, scores, strict=True)
    ]
    return Explanation(
        text=text,
        label=classifier.classes_[best].item(),
        probability=float(probabilities[best]),
        score=float(bias + scores.sum()),
        bias=float(bias),
        contributions=parts,
        unknown=classifier.tokenizer.unknown_words(text),
    )


def _towards(best: int, kernel: Any, biases: Any) -> tuple[Any, Any]:
    """Return the weights [D] and the bias of the score of class `best`."""
    if kernel.shape[1] == 1:
        sign = np.float32(1 if best == 1 else -1)
        return kernel[:, 0] * sign, biases[0] * sign
    return kernel[:, best] - kernel.mean(axis=1), biases[best] - biases.mean()
