"""Readable Python versions of what the core does: oracles beside Keras."""

import numpy as np


def words(text, *, filters, lower=True, split=" "):
    """Keras's text_to_word_sequence, in its own steps."""
    if lower:
        text = text.lower()
    text = text.translate({ord(c): split for c in filters})
    return [word for word in text.split(split) if word]


def word_ngrams(tokens, ngrams):
    """The words, then the 2-grams, and so on, as tuples."""
    return [
        tuple(tokens[i : i + n]) for n in range(1, ngrams + 1) for i in range(len(tokens) - n + 1)
    ]


def ngram_index(documents, *, ngrams, min_count):
    """n-gram -> id: by falling count; ties words first, then by first appearance."""
    counts = {}
    for n in range(1, ngrams + 1):
        for tokens in documents:
            for gram in word_ngrams(tokens, ngrams):
                if len(gram) == n:
                    counts[gram] = counts.get(gram, 0) + 1
    kept = [gram for gram in counts if counts[gram] >= min_count]
    kept.sort(key=lambda gram: -counts[gram])
    return {gram: i for i, gram in enumerate(kept, 1)}


class DenseAdam:
    """Keras's Adam on whole arrays."""

    def __init__(self, weights, *, dtype=np.float64, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.weights = [np.array(w, dtype) for w in weights]
        self.m = [np.zeros_like(w) for w in self.weights]
        self.v = [np.zeros_like(w) for w in self.weights]
        self.beta_1, self.beta_2, self.epsilon, self.t = beta_1, beta_2, epsilon, 0

    def step(self, gradients, learning_rate):
        self.t += 1
        alpha = learning_rate * np.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        for w, m, v, g in zip(self.weights, self.m, self.v, gradients, strict=True):
            m += (1 - self.beta_1) * (g - m)
            v += (1 - self.beta_2) * (g * g - v)
            w -= alpha * m / (np.sqrt(v) + self.epsilon)


def bag_gradients(weights, documents, labels):
    """Mean loss and dense gradients of rows -> mean -> dense (sigmoid or softmax)."""
    table, kernel, bias = weights
    hidden = np.array(
        [
            table[ids].mean(axis=0) if len(ids) else np.zeros(table.shape[1], table.dtype)
            for ids in documents
        ]
    )
    logits = hidden @ kernel + bias
    if kernel.shape[1] == 1:
        p = 1 / (1 + np.exp(-logits))
        y = labels[:, None].astype(table.dtype)
        loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1)
    else:
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        y = np.eye(kernel.shape[1], dtype=table.dtype)[labels]
        loss = -np.log((p * y).sum(axis=1))
    d_logits = (p - y) / len(documents)
    d_hidden = d_logits @ kernel.T
    d_table = np.zeros_like(table)
    for ids, d in zip(documents, d_hidden, strict=True):
        for i in ids:
            d_table[i] += d / len(ids)
    return loss, [d_table, hidden.T @ d_logits, d_logits.sum(axis=0)]
