"""Test accuracy after each epoch of the question's models on IMDB; with --keras, Keras's beside it.

5,000 words, the last 500 of each review, Adam, batches of 64. `python
benchmarks/accuracy.py mean` runs one kind only: mean, masked or unmasked.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np

import wordrow
from side_by_side import data_folder, labelled, machine

KINDS = {"mean": (1, 2, 3), "masked": (1,), "unmasked": (1,)}  # kind -> seeds


def examples(folder):
    texts, labels = labelled(folder / "imdb_train.tsv")
    tokenizer = wordrow.Tokenizer(5000)
    tokenizer.fit_on_texts(texts)
    parts = []
    for split in ("train", "test"):
        texts, labels = labelled(folder / f"imdb_{split}.tsv")
        ids = wordrow.pad_sequences(tokenizer.texts_to_sequences(texts), 500)
        parts.append((ids, np.array([int(label) for label in labels])))
    return parts


def model_of(kind, library):
    k = library if library is wordrow else library.layers
    pooling = k.GlobalAveragePooling1D() if kind == "mean" else k.LSTM(100)
    table = k.Embedding(5000, 32, mask_zero=kind != "unmasked")
    model = library.Sequential([table, pooling, k.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def run(kind, seed, library, train, test):
    seeded = library.set_random_seed if library is wordrow else library.utils.set_random_seed
    seeded(seed)
    start = time.perf_counter()
    history = model_of(kind, library).fit(
        *train, batch_size=64, epochs=5 if kind == "mean" else 3, validation_data=test, verbose=0
    )
    seconds = time.perf_counter() - start
    return history.history["val_accuracy"], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--keras", action="store_true", help="run Keras too, in turn")
    options = parser.parse_args()
    train, test = examples(data_folder())
    libraries = {"wordrow": wordrow}
    if options.keras:
        import keras

        libraries["Keras"] = keras
    print(machine())
    for kind in options.kinds or KINDS:
        last = {name: [] for name in libraries}
        for seed in KINDS[kind]:
            for name, library in libraries.items():
                found, seconds = run(kind, seed, library, train, test)
                last[name].append(found[-1])
                each = ", ".join(f"{accuracy:.4f}" for accuracy in found)
                print(f"{kind}, seed {seed}, {name}: {each} ({seconds:.0f} s)", flush=True)
        for name, found in last.items():
            print(f"{kind}, {name}: median of the last epoch {statistics.median(found):.4f}")


if __name__ == "__main__":
    main()
