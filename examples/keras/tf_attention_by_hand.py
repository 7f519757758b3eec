"""tf.keras 2.x: Bahdanau's attention as a layer, over the states of an LSTM."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Bidirectional, Concatenate, Dense, Embedding, Input


class Attention(tf.keras.layers.Layer):
    def __init__(self, units):
        super(Attention, self).__init__()
        self.W1 = Dense(units)
        self.W2 = Dense(units)
        self.V = Dense(1)

    def call(self, features, hidden):
        hidden_with_time_axis = tf.expand_dims(hidden, 1)
        score = tf.nn.tanh(self.W1(features) + self.W2(hidden_with_time_axis))
        attention_weights = tf.nn.softmax(self.V(score), axis=1)
        context_vector = tf.reduce_sum(attention_weights * features, axis=1)
        return context_vector, attention_weights


np.random.seed(14)
X = np.random.randint(1, 30, (32, 6))
y = (X[:, 2] > 15).astype(int)
sequence_input = Input(shape=(6,), dtype="int32")
embedded = Embedding(30, 8)(sequence_input)
lstm, forward_h, _, backward_h, _ = Bidirectional(
    LSTM(8, return_sequences=True, return_state=True)
)(embedded)
state_h = Concatenate()([forward_h, backward_h])
context_vector, attention_weights = Attention(10)(lstm, state_h)
output = Dense(1, activation="sigmoid")(Dense(8, activation="relu")(context_vector))
model = tf.keras.Model(inputs=sequence_input, outputs=output)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=1, batch_size=8, verbose=0)
weights = tf.keras.Model(sequence_input, attention_weights).predict(X, verbose=0)
print(weights.shape, np.allclose(weights.sum(axis=1), 1, atol=1e-5))
