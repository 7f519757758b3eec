"""Keras 2: the mean of a text's rows, by a Lambda layer, and its contents looked at."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Embedding, Lambda
from keras.models import Model, Sequential

np.random.seed(3)
x, y = np.random.randint(0, 12, (24, 5)), np.random.randint(0, 2, 24)
model = Sequential()
model.add(Embedding(12, 6, input_length=5, name="rows"))
model.add(Lambda(lambda rows: K.mean(rows, axis=1), output_shape=(6,), name="mean"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adagrad", metrics=["accuracy"])
model.fit(x, y, epochs=2, verbose=0)
inner = Model(inputs=model.input, outputs=model.get_layer("mean").output)
rows = model.get_layer("rows").get_weights()[0]
assert np.allclose(inner.predict(x), rows[x].mean(axis=1), atol=1e-6)
print(inner.predict(x).shape)
