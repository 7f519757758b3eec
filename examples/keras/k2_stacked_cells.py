"""Keras 2.1: an RNN of cells, one of them written by hand."""

import keras
import numpy as np
from keras import backend as K


class MinimalRNNCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        self.units = units
        self.state_size = units
        super(MinimalRNNCell, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="uniform", name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )
        self.built = True

    def call(self, inputs, states):
        prev_output = states[0]
        h = K.dot(inputs, self.kernel)
        output = h + K.dot(prev_output, self.recurrent_kernel)
        return output, [output]


np.random.seed(10)
x = keras.layers.Input((6,), dtype="int32")
rows = keras.layers.Embedding(20, 5, mask_zero=True)(x)
steps = keras.layers.RNN([MinimalRNNCell(8), keras.layers.LSTMCell(6)], return_sequences=True)(rows)
y = keras.layers.RNN(keras.layers.GRUCell(4))(steps)
model = keras.models.Model(x, keras.layers.Dense(1, activation="sigmoid")(y))
model.compile("adam", "binary_crossentropy")
X = np.random.randint(0, 20, (32, 6))
model.fit(X, (X[:, 0] > 9).astype(int), epochs=1, verbose=0)
print(len(model.get_weights()), model.predict(X).shape)
