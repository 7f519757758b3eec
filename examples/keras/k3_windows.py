"""Keras 3: causal, dilated windows, batch normalization, the largest step."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input(shape=(12,), dtype="int32"),
        layers.Embedding(30, 8),
        layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu"),
        layers.BatchNormalization(),
        layers.LeakyReLU(negative_slope=0.1),
        layers.MaxPooling1D(2),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
rng = np.random.default_rng(0)
inputs, labels = rng.integers(0, 30, (48, 12)), rng.integers(0, 2, 48)
history = model.fit(inputs, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
print(history.history["loss"], model.predict(inputs, verbose=0)[:2])
