"""Frozen GloVe rows, mean, Dense, on SST-2 (dev) and TREC-6 (test): accuracy beside Keras.

Both begin with the same weights and see the same batches; texts without a known word are left
out of training, since Keras's mean of them is NaN. With trainable="missing" the rows that GloVe
has are compared bit for bit before and after.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np

import wordrow
from side_by_side import data_folder, labelled, save
from wordrow import (
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    Sequential,
    Tokenizer,
    Vectors,
    pad_sequences,
)

SETS = {
    "SST-2": ("sst2_train.tsv", "sst2_dev.tsv", 5, 50),
    "TREC-6": ("trec6_train.tsv", "trec6_test.tsv", 30, 30),
}
SEEDS = (1, 2, 3)


class Task:
    """Texts as ids, with the labels as numbers."""

    def __init__(self, train, test, n_epochs, length):
        self.n_epochs = n_epochs
        texts, labels = labelled(data_folder() / train)
        self.tokenizer = Tokenizer()
        self.tokenizer.fit_on_texts(texts)
        self.classes = sorted(set(labels))
        self.x, self.y = self._arrays(texts, labels, length)
        known = self.x.any(axis=1)
        self.x, self.y = self.x[known], self.y[known]
        self.test_x, self.test_y = self._arrays(*labelled(data_folder() / test), length)
        self.vectors = Vectors.load(
            data_folder() / "glove.6B.100d.top50k.txt", words=self.tokenizer
        )

    def _arrays(self, texts, labels, length):
        ids = pad_sequences(self.tokenizer.texts_to_sequences(texts), length, padding="post")
        return ids, np.array([self.classes.index(label) for label in labels])

    def fit(self, model):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(self.x, self.y, epochs=self.n_epochs, batch_size=64, shuffle=False, verbose=0)
        return float(model.evaluate(self.test_x, self.test_y, verbose=0)[1])

    def ours(self, trainable):
        layer = Embedding.from_vectors(
            self.vectors, self.tokenizer, trainable=trainable, mask_zero=True
        )
        dense = Dense(len(self.classes), activation="softmax")
        model = Sequential([layer, GlobalAveragePooling1D(), dense])
        model.predict(self.x[:1])
        return model

    def keras(self, weights):
        import keras

        model = keras.Sequential(
            [
                keras.layers.Embedding(*weights[0].shape, mask_zero=True, trainable=False),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(len(self.classes), activation="softmax"),
            ]
        )
        model.build((None, self.x.shape[1]))
        model.layers[0].set_weights(weights[:1])
        model.layers[-1].set_weights(weights[1:])
        return model


def main():
    rows = []
    for name, settings in SETS.items():
        task = Task(*settings)
        for seed in SEEDS:
            wordrow.set_random_seed(seed)
            model = task.ours(False)
            first = model.get_weights()
            found = {"data": name, "seed": seed, "wordrow": task.fit(model)}
            found["Keras"] = task.fit(task.keras(first))
            wordrow.set_random_seed(seed)
            model = task.ours("missing")
            before = model.get_weights()[0]
            found["trainable='missing'"] = task.fit(model)
            fixed = model.layers[0].fixed_rows
            same = before.view(np.int32) == model.get_weights()[0].view(np.int32)
            found["fixed rows are the same bits"] = bool(same[fixed].all())
            found["other rows moved"] = int((~same[~fixed].all(axis=1)).sum())
            print(found, flush=True)
            rows.append(found)
        print(model.layers[0].coverage)
    save("pretrained", [{"title": "frozen GloVe rows, mean, Dense", "runs": rows}], "keras", "jax")


if __name__ == "__main__":
    main()
