"""A small model of texts, and texts to train it on."""

import numpy as np

import wordrow
from wordrow import (
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    Ragged,
    Sequential,
)

V, T = 30, 7


def examples(rng, n=60):
    """Texts whose label is whether word 1 is in them: something to learn."""
    lengths = rng.integers(1, T + 1, n)
    ragged = Ragged.from_lists([rng.integers(1, V, k).tolist() for k in lengths])
    return ragged, np.array([int((ids <= 10).mean() > 0.4) for ids in ragged])


def bag(units=1, *, seed=1, optimizer="adam", metrics=("accuracy",), **options):
    wordrow.set_random_seed(seed)
    activation, loss = (
        ("sigmoid", "binary_crossentropy")
        if units == 1
        else ("softmax", "sparse_categorical_crossentropy")
    )
    model = Sequential(
        [
            Embedding(V, 4, mask_zero=True, **options),
            GlobalAveragePooling1D(),
            Dense(units, activation),
        ]
    )
    model.compile(optimizer, loss, list(metrics))
    return model


def same(a, b):
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))
