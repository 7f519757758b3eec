"""Keras 2: windows of three sizes side by side (Kim 2014, "CNNs for Sentence Classification")."""

import numpy as np
from keras.layers import Concatenate, Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D, Input
from keras.layers.merge import concatenate
from keras.models import Model

np.random.seed(0)
x = np.random.randint(0, 40, (32, 12))
y = np.random.randint(0, 3, 32)
ids = Input(shape=(12,))
rows = Embedding(40, 10)(ids)
pooled = [
    GlobalMaxPooling1D()(Conv1D(6, size, padding="valid", activation="relu")(rows))
    for size in (3, 4, 5)
]
features = Dropout(0.5)(concatenate(pooled))
model = Model(inputs=ids, outputs=Dense(3, activation="softmax")(features))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=2, verbose=0)
print(model.output_shape, Concatenate.__name__, model.count_params())
