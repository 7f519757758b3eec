"""Keras 2.1: what the layers of a trained model give, by K.function."""

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Dense, Dropout, Embedding
from keras.models import Sequential

np.random.seed(7)
X = np.random.randint(0, 20, (32, 5))
y = (X[:, -1] > 9).astype(int)
model = Sequential()
model.add(Embedding(20, 4, input_length=5))
model.add(LSTM(6))
model.add(Dropout(0.5))
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy")
model.fit(X, y, epochs=1, verbose=0)
rows = K.function([model.layers[0].input], [model.layers[0].output])([X[:2]])[0]
table = model.layers[0].get_weights()[0]
print(rows.shape, np.array_equal(rows, table[X[:2]]))
get_output = K.function([model.layers[0].input, K.learning_phase()], [model.layers[-1].output])
print(get_output([X[:2], 0])[0].shape, get_output([X[:2], 1])[0].shape)
K.set_value(model.optimizer.lr, 0.5 * K.get_value(model.optimizer.lr))
print(round(float(K.get_value(model.optimizer.lr)), 6))
