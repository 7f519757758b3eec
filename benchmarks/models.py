"""The models that the benchmarks train, in wordrow and in Keras, and their data.

5,000 words of the IMDB reviews, the last 500 of each, padded in front.
"""

import numpy as np

from side_by_side import data_folder, labelled

KINDS = {
    "mean": "mean of rows, masked",
    "lstm-masked": "LSTM(100), masked",
    "lstm": "LSTM(100), not masked",
    "conv": "Conv1D(32, 3), MaxPooling1D, Flatten, Dense(250)",
    "flatten": "Flatten, Dense(250)",
}
BATCH = {"mean": 64, "lstm-masked": 64, "lstm": 64, "conv": 128, "flatten": 128}
N_WORDS, N_STEPS = 5000, 500


def ids_and_labels():
    """((ids, labels) of the training reviews, (ids, labels) of the test reviews)."""
    from wordrow import Tokenizer, pad_sequences

    texts, _ = labelled(data_folder() / "imdb_train.tsv")
    tokenizer = Tokenizer(N_WORDS)
    tokenizer.fit_on_texts(texts)
    parts = []
    for split in ("train", "test"):
        texts, labels = labelled(data_folder() / f"imdb_{split}.tsv")
        ids = pad_sequences(tokenizer.texts_to_sequences(texts), N_STEPS)
        parts.append((ids, np.array([int(label) for label in labels])))
    return parts


def examples(part, n, seed=0):
    """n examples of a part, drawn at random."""
    rows = np.random.default_rng(seed).permutation(len(part[0]))[:n]
    return part[0][rows], part[1][rows]


def model_of(kind, library):
    """A compiled model; library: wordrow or keras."""
    k = library if hasattr(library, "Embedding") else library.layers
    table = k.Embedding(N_WORDS, 32, mask_zero=kind in ("mean", "lstm-masked"))
    layers = {
        "mean": lambda: [k.GlobalAveragePooling1D()],
        "lstm-masked": lambda: [k.LSTM(100)],
        "lstm": lambda: [k.LSTM(100)],
        "conv": lambda: [
            k.Conv1D(32, 3, padding="same", activation="relu"),
            k.MaxPooling1D(2),
            k.Flatten(),
            k.Dense(250, activation="relu"),
        ],
        "flatten": lambda: [k.Flatten(), k.Dense(250, activation="relu")],
    }[kind]()
    inputs = library.Input((N_STEPS,), dtype="int32")
    model = library.Sequential([inputs, table, *layers, k.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
