"""Training steps and answers of five models on padded IMDB ids, beside Keras's backends.

`python benchmarks/steps.py lstm-masked` runs one; the accuracies of the same
models, trained to the end, are accuracy.py's.
"""

import os
import sys
import time

from models import BATCH, KINDS, examples, ids_and_labels, model_of
from side_by_side import race, report, save, serve

BACKENDS = {"Keras/JAX": "jax", "Keras/TensorFlow": "tensorflow"}
STEPS, EPOCHS = {"mean": 390}, {"mean": 5}  # of a turn: a whole training; else 20 steps
TURNS = 6  # so that each contender takes 120 steps or more


def turn_of(kind, library):
    """A turn of so many training steps: `fit` over as many batches."""
    train, _ = ids_and_labels()
    x, y = examples(train, BATCH[kind] * STEPS.get(kind, 20))
    model = model_of(kind, library)
    model.fit(x, y, batch_size=BATCH[kind], epochs=2, verbose=0)

    def turn():
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH[kind], epochs=EPOCHS.get(kind, 1), verbose=0)
        return time.perf_counter() - start

    return turn


def ours():
    import wordrow

    return turn_of(kind_asked(), wordrow)


def keras():
    import keras

    return turn_of(kind_asked(), keras)


def kind_asked():
    return sys.argv[-1]


CONTENDERS = {"wordrow": ours} | dict.fromkeys(BACKENDS, keras)


def main():
    kinds = [kind for kind in sys.argv[1:] if kind in KINDS] or list(KINDS)
    env = {
        name: {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        for name, backend in BACKENDS.items()
    }
    for kind in kinds:
        found = race(__file__, CONTENDERS, turns=TURNS, options=[kind], env=env)
        title = f"{KINDS[kind]}, batches of {BATCH[kind]}: a training step"
        part = report(title, found, per=STEPS.get(kind, 20) * EPOCHS.get(kind, 1))
        save(f"steps-{kind}", [part], "keras", "jax", "tensorflow-cpu")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    serve(CONTENDERS)
    main()
