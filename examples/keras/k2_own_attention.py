"""Keras 2: an attention layer of one's own, with build and call, as many scripts carry one."""

import numpy as np
from keras import backend as K
from keras import initializers, regularizers
from keras.engine.topology import Layer
from keras.layers import GRU, Bidirectional, Dense, Embedding, Input
from keras.models import Model


class AttentionWithContext(Layer):
    def __init__(self, W_regularizer=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializers.get("glorot_uniform")
        self.W_regularizer = regularizers.get(W_regularizer) if W_regularizer else None
        self.bias = bias
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight(
            shape=(input_shape[-1], input_shape[-1]),
            initializer=self.init,
            name="{}_W".format(self.name),
            regularizer=self.W_regularizer,
        )
        if self.bias:
            self.b = self.add_weight(
                shape=(input_shape[-1],), initializer="zero", name="{}_b".format(self.name)
            )
        self.u = self.add_weight(
            shape=(input_shape[-1],), initializer=self.init, name="{}_u".format(self.name)
        )
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        uit = K.dot(x, self.W)
        if self.bias:
            uit += self.b
        ait = K.dot(K.tanh(uit), K.expand_dims(self.u))
        a = K.exp(K.squeeze(ait, -1))
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(a), axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[-1]


rng = np.random.RandomState(0)
x = rng.randint(1, 20, (32, 8)) * (np.arange(8) >= rng.randint(0, 6, (32, 1)))
y = (x == 5).any(axis=1).astype(int)
ids = Input(shape=(8,), dtype="int32")
steps = Bidirectional(GRU(8, return_sequences=True))(Embedding(20, 8, mask_zero=True)(ids))
model = Model(ids, Dense(1, activation="sigmoid")(AttentionWithContext(W_regularizer="l2")(steps)))
model.compile("adam", "binary_crossentropy", metrics=["acc"])
model.fit(x, y, epochs=3, batch_size=8, verbose=0)
print([w.shape for w in model.layers[3].get_weights()], model.evaluate(x, y, verbose=0))
