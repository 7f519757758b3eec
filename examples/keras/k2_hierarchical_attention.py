"""Keras 2.1: attention over words, then over sentences."""

import numpy as np
from keras import backend as K
from keras import initializers
from keras.engine.topology import Layer
from keras.layers import GRU, Bidirectional, Dense, Embedding, Input, TimeDistributed
from keras.models import Model


class AttentionWithContext(Layer):
    def __init__(self, attention_dim=8, **kwargs):
        self.init = initializers.get("normal")
        self.supports_masking = True
        self.attention_dim = attention_dim
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        shape = (input_shape[-1], self.attention_dim)
        self.W = K.variable(self.init(shape))
        self.b = K.variable(self.init((self.attention_dim,)))
        self.u = K.variable(self.init((self.attention_dim, 1)))
        self.trainable_weights = [self.W, self.b, self.u]
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, x, mask=None):
        uit = K.tanh(K.bias_add(K.dot(x, self.W), self.b))
        ait = K.exp(K.squeeze(K.dot(uit, self.u), -1))
        if mask is not None:
            ait *= K.cast(mask, K.floatx())
        ait /= K.cast(K.sum(ait, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(ait), axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


np.random.seed(6)
MAX_SENTS, MAX_SENT_LENGTH, V = 4, 6, 30
data = np.random.randint(1, V, (24, MAX_SENTS, MAX_SENT_LENGTH))
labels = np.eye(2)[(data == 3).any(axis=(1, 2)).astype(int)]
sentence_input = Input(shape=(MAX_SENT_LENGTH,), dtype="int32")
words = Embedding(V, 8, input_length=MAX_SENT_LENGTH)(sentence_input)
words = Bidirectional(GRU(6, return_sequences=True))(words)
sent_encoder = Model(sentence_input, AttentionWithContext()(TimeDistributed(Dense(10))(words)))
review_input = Input(shape=(MAX_SENTS, MAX_SENT_LENGTH), dtype="int32")
review = TimeDistributed(sent_encoder)(review_input)
review = Bidirectional(GRU(6, return_sequences=True))(review)
review = AttentionWithContext()(TimeDistributed(Dense(10))(review))
model = Model(review_input, Dense(2, activation="softmax")(review))
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
before = [w.copy() for w in model.get_weights()]
model.fit(data, labels, epochs=1, batch_size=8, verbose=0)
moved = [bool((a != b).any()) for a, b in zip(before, model.get_weights())]
print(len(moved), all(moved), model.predict(data).shape)
