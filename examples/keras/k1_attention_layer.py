"""Keras 1: attention over the steps of a GRU, as a layer written by hand."""

import numpy as np
from keras import backend as K
from keras import constraints, initializations, regularizers
from keras.engine.topology import Layer
from keras.layers import GRU, Bidirectional, Dense, Embedding, Input
from keras.models import Model


class AttLayer(Layer):
    def __init__(self, W_regularizer=None, W_constraint=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializations.get("glorot_uniform")
        self.W_regularizer = regularizers.get(W_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.bias = bias
        super(AttLayer, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight(
            (input_shape[-1], 1),
            initializer=self.init,
            name="{}_W".format(self.name),
            regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )
        if self.bias:
            self.b = self.add_weight((1,), initializer="zero", name="{}_b".format(self.name))
        self.built = True

    def compute_mask(self, input, mask=None):
        return None

    def call(self, x, mask=None):
        eij = K.squeeze(K.dot(x, self.W), axis=-1)
        if self.bias:
            eij += self.b
        a = K.exp(K.tanh(eij))
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(a), axis=1)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], input_shape[-1])


np.random.seed(0)
X = np.random.randint(1, 40, (64, 12))
X[:, :4] = 0
y = (X == 7).any(axis=1).astype(int)
words = Input(shape=(12,), dtype="int32")
steps = Bidirectional(GRU(8, return_sequences=True))(Embedding(40, 8, mask_zero=True)(words))
model = Model(input=words, output=Dense(1, activation="sigmoid")(AttLayer()(steps)))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["acc"])
history = model.fit(X, y, nb_epoch=2, batch_size=16, verbose=0)
print(sorted(history.history), model.layers[-2].W_regularizer)
