"""A training step against the number of rows: 64 texts of 200 ids spread over the whole table.

Embedding(V, 64), mean, Dense, Adam. Every V is given the same number of different
ids a step. Keras updates the whole table at every step, and so takes 10 a turn, and
not of the largest table; wordrow takes an epoch of 400, at the end of which all rows
are brought up to date, and by itself also single steps (train_on_batch), under JAX.
"""

import os
import sys
import time

import numpy as np

from side_by_side import race, report, save, serve

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
KERAS_SIZES = SIZES[:3]
STEPS = {"wordrow": 400, "wordrow, train_on_batch": 50, "Keras/JAX": 10}  # a turn
TURNS = 10


def batches(n_rows, n):
    """n batches with exactly 8,000 different ids each, from the whole table."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        different = rng.choice(n_rows - 1, 8000, replace=False).astype(np.int32) + 1
        ids = np.concatenate([different, rng.choice(different, 64 * 200 - 8000)])
        yield rng.permutation(ids).reshape(64, 200), rng.integers(0, 2, 64)


def turn_of(name, library):
    n_rows, n_steps = int(sys.argv[-1]), STEPS[name]
    k = library if hasattr(library, "Embedding") else library.layers
    model = library.Sequential(
        [
            library.Input((200,), dtype="int32"),
            k.Embedding(n_rows, 64),
            k.GlobalAveragePooling1D(),
            k.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    x, y = (np.concatenate(part) for part in zip(*batches(n_rows, n_steps), strict=True))

    def turn():
        start = time.perf_counter()
        if "train_on_batch" in name:
            for i in range(0, len(x), 64):
                model.train_on_batch(x[i : i + 64], y[i : i + 64])
        else:
            model.fit(x, y, batch_size=64, epochs=1, shuffle=False, verbose=0)
        seconds = (time.perf_counter() - start) / n_steps
        return seconds, {"rows": n_rows, "different_ids": 8000, "steps": n_steps}

    return turn


def ours():
    import wordrow

    return turn_of("wordrow", wordrow)


def keras():
    import keras

    return turn_of("Keras/JAX", keras)


def ours_by_step():
    import wordrow

    return turn_of("wordrow, train_on_batch", wordrow)


CONTENDERS = {"wordrow": ours, "wordrow, train_on_batch": ours_by_step, "Keras/JAX": keras}


def main():
    parts = []
    for n_rows in SIZES:
        names = [name for name in CONTENDERS if n_rows in KERAS_SIZES or "Keras" not in name]
        # Of the largest table there is room for one at a time.
        groups = [names] if n_rows in KERAS_SIZES else [[name] for name in names]
        found = {}
        for group in groups:
            found |= race(__file__, group, turns=TURNS, options=[str(n_rows)])
        parts.append(report(f"{n_rows:,} rows of 64, 8,000 different ids: a step", found))
    save("table", parts, "keras", "jax")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    serve(CONTENDERS)
    main()
