"""Keras 2.1: a model as JSON and weights apart, frozen and trained on."""

import os
import tempfile

import numpy as np
from keras.layers import Dense, Embedding, Flatten, LeakyReLU
from keras.models import Sequential, model_from_json
from keras.optimizers import SGD
from keras.regularizers import l2

np.random.seed(15)
X = np.random.randint(0, 20, (40, 4))
y = np.eye(3)[X[:, 0] % 3]
model = Sequential(name="head")
model.add(Embedding(20, 6, input_length=4, name="rows"))
model.add(Flatten())
model.add(Dense(8, kernel_regularizer=l2(1e-3), name="hidden"))
model.add(LeakyReLU(alpha=0.1))
model.add(Dense(3, activation="softmax"))
model.compile(SGD(lr=0.1, momentum=0.9, nesterov=True), "categorical_crossentropy", ["acc"])
model.fit(X, y, epochs=2, verbose=0)
folder = tempfile.mkdtemp()
with open(os.path.join(folder, "model.json"), "w") as json_file:
    json_file.write(model.to_json())
model.save_weights(os.path.join(folder, "model.h5"))
with open(os.path.join(folder, "model.json")) as json_file:
    loaded = model_from_json(json_file.read())
loaded.load_weights(os.path.join(folder, "model.h5"))
assert np.allclose(loaded.predict(X), model.predict(X), atol=1e-6)
loaded.get_layer("rows").trainable = False
loaded.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
rows = loaded.get_layer("rows").get_weights()[0].copy()
loaded.fit(X, y, epochs=1, verbose=0, class_weight={0: 1.0, 1: 2.0, 2: 1.0})
print(np.array_equal(rows, loaded.get_layer("rows").get_weights()[0]), loaded.metrics_names)
