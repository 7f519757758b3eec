"""Keras 1: training from a generator, so many samples an epoch."""

import numpy as np
from keras.layers import GRU, Dense, Embedding
from keras.models import Sequential


def batches(size=16):
    rng = np.random.RandomState(0)
    while True:
        x = rng.randint(1, 25, (size, 7))
        yield x, (x[:, -1] > 12).astype(int)


model = Sequential([Embedding(25, 8, input_length=7), GRU(12), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit_generator(
    batches(),
    samples_per_epoch=128,
    nb_epoch=2,
    verbose=0,
    validation_data=batches(),
    nb_val_samples=32,
)
print(sorted(history.history), model.predict_generator(batches(), val_samples=2).shape)
