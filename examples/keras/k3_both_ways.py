"""Keras 3: masked words read both ways, by a GRU and an LSTM."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input(shape=(9,), dtype="int32"),
        layers.Embedding(25, 8, mask_zero=True),
        layers.Bidirectional(layers.GRU(6, return_sequences=True), merge_mode="ave"),
        layers.LSTM(6),
        layers.Dense(3, activation="softmax"),
    ]
)
model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
rng = np.random.default_rng(0)
inputs = rng.integers(1, 25, (40, 9)) * (np.arange(9) >= rng.integers(0, 8, (40, 1)))
labels = np.eye(3)[rng.integers(0, 3, 40)]
history = model.fit(inputs, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
print(history.history["loss"], model.predict(inputs, verbose=0)[:2])
