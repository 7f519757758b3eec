"""Keras 3: one block of a transformer over embedded words."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
ids = keras.Input(shape=(10,), dtype="int32")
x = layers.Embedding(40, 16, name="rows")(ids)
seen = layers.MultiHeadAttention(num_heads=2, key_dim=8, name="heads")(x, x)
x = layers.LayerNormalization(epsilon=1e-6, name="first")(layers.Add()([x, seen]))
wide = layers.Dense(16, name="out")(layers.Dense(32, activation="relu", name="wide")(x))
x = layers.LayerNormalization(epsilon=1e-6, name="second")(layers.Add()([x, wide]))
x = layers.GlobalAveragePooling1D()(x)
model = keras.Model(ids, layers.Dense(2, activation="softmax", name="answer")(x))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
rng = np.random.default_rng(0)
inputs, labels = rng.integers(0, 40, (64, 10)), rng.integers(0, 2, 64)
history = model.fit(inputs, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
print(history.history["loss"], model.predict(inputs, verbose=0)[:2])
