"""Keras 2.1: two sentences, one LSTM, and the Manhattan distance in a Lambda."""

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Embedding, Input, Lambda
from keras.models import Model
from keras.optimizers import Adadelta

np.random.seed(9)
max_seq_length, V = 7, 25
embeddings = np.random.randn(V, 6)
embeddings[0] = 0
left = np.random.randint(1, V, (40, max_seq_length))
right = np.where(np.random.rand(40, 1) > 0.5, left, np.random.randint(1, V, left.shape))
y = (left == right).all(axis=1).astype("float32")


def exponent_neg_manhattan_distance(left, right):
    return K.exp(-K.sum(K.abs(left - right), axis=1, keepdims=True))


left_input = Input(shape=(max_seq_length,), dtype="int32")
right_input = Input(shape=(max_seq_length,), dtype="int32")
embedding_layer = Embedding(
    len(embeddings), 6, weights=[embeddings], input_length=max_seq_length, trainable=False
)
shared_lstm = LSTM(10)
left_output = shared_lstm(embedding_layer(left_input))
right_output = shared_lstm(embedding_layer(right_input))
distance = Lambda(
    function=lambda x: exponent_neg_manhattan_distance(x[0], x[1]),
    output_shape=lambda x: (x[0][0], 1),
)([left_output, right_output])
malstm = Model([left_input, right_input], [distance])
malstm.compile(loss="mean_squared_error", optimizer=Adadelta(clipnorm=1.25), metrics=["accuracy"])
trained = malstm.fit([left, right], y, batch_size=8, epochs=2, verbose=0)
print(sorted(trained.history), malstm.predict([left, right]).shape)
