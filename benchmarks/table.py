"""A training step against the number of rows: 64 texts of 200 ids spread over the whole table.

Embedding(V, 64), mean, Dense, Adam. Every V is given the same number of different
ids a step. Keras updates the whole table, and so is asked for the smaller ones only.
"""

import os
import sys
import time

import numpy as np

from side_by_side import race, report, save, serve

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
KERAS_SIZES = SIZES[:3]
STEPS, TURNS = 10, 10  # 100 steps each


def batches(n_rows, n):
    """n batches with exactly 8,000 different ids each, from the whole table."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        different = rng.choice(n_rows - 1, 8000, replace=False).astype(np.int32) + 1
        ids = np.concatenate([different, rng.choice(different, 64 * 200 - 8000)])
        yield rng.permutation(ids).reshape(64, 200), rng.integers(0, 2, 64)


def turn_of(library):
    n_rows = int(sys.argv[-1])
    k = library if hasattr(library, "Embedding") else library.layers
    model = library.Sequential([
        library.Input((200,), dtype="int32"), k.Embedding(n_rows, 64),
        k.GlobalAveragePooling1D(), k.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    ready = list(batches(n_rows, STEPS))
    model.train_on_batch(*ready[0])

    def turn():
        start = time.perf_counter()
        for x, y in ready:
            model.train_on_batch(x, y)
        return time.perf_counter() - start, {"rows": n_rows, "different_ids": 8000}

    return turn


def ours():
    import wordrow

    return turn_of(wordrow)


def keras():
    import keras

    return turn_of(keras)


CONTENDERS = {"wordrow": ours, "Keras/JAX": keras}


def main():
    parts = []
    for n_rows in SIZES:
        names = list(CONTENDERS) if n_rows in KERAS_SIZES else ["wordrow"]
        found = race(__file__, names, turns=TURNS, options=[str(n_rows)])
        parts.append(
            report(f"{n_rows:,} rows of 64, 8,000 different ids: a step", found, per=STEPS)
        )
    save("table", parts, "keras", "jax")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    serve(CONTENDERS)
    main()
