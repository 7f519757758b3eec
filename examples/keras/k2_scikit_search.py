"""Keras 2: a model as a scikit-learn estimator."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier


def create_model(units=4, optimizer="adam"):
    model = Sequential()
    model.add(Dense(units, input_dim=5, activation="relu"))
    model.add(Dense(3, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["acc"])
    return model


rng = np.random.RandomState(0)
x = rng.rand(60, 5)
y = np.array(["low", "middle", "high"])[x.argmax(axis=1) % 3]
model = KerasClassifier(build_fn=create_model, units=8, epochs=20, batch_size=10, verbose=0)
model.fit(x, y)
print(model.score(x, y), model.predict(x[:3]), model.predict_proba(x[:1]).shape)
