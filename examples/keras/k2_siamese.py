"""Keras 2: do two questions mean the same? One LSTM for both, and the distance of its answers."""

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Embedding, Input, Lambda
from keras.models import Model
from keras.optimizers import Adam


def exponent_neg_manhattan_distance(pair):
    left, right = pair
    return K.exp(-K.sum(K.abs(left - right), axis=1, keepdims=True))


rng = np.random.RandomState(1)
a = rng.randint(1, 15, (40, 6))
b = np.where(rng.rand(40, 1) < 0.5, a, rng.randint(1, 15, (40, 6)))
same = (a == b).all(axis=1).astype("float32")
left_input, right_input = Input(shape=(6,), dtype="int32"), Input(shape=(6,), dtype="int32")
embedding_layer, shared_lstm = Embedding(15, 8), LSTM(8)
left, right = shared_lstm(embedding_layer(left_input)), shared_lstm(embedding_layer(right_input))
distance = Lambda(exponent_neg_manhattan_distance, output_shape=lambda x: (x[0][0], 1))(
    [left, right]
)
malstm = Model([left_input, right_input], [distance])
malstm.compile(
    loss="mean_squared_error", optimizer=Adam(lr=0.01, clipnorm=1.25), metrics=["accuracy"]
)
malstm.fit([a, b], same, batch_size=8, epochs=3, verbose=0)
print(malstm.predict([a[:3], b[:3]]).ravel().round(2), same[:3])
