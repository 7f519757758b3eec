"""tf.keras 2.x: a subclassed model with layers of its own, and a loss added in a layer."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Dropout, Embedding, GlobalAveragePooling1D, Input, Layer
from tensorflow.keras.models import Model


class ActivityPenalty(Layer):
    def __init__(self, rate=1e-2, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * tf.reduce_mean(tf.square(inputs)))
        return inputs


class Classifier(Model):
    def __init__(self, vocab_size, units=8):
        super().__init__()
        self.embedding = Embedding(vocab_size, units)
        self.pool = GlobalAveragePooling1D()
        self.penalty = ActivityPenalty()
        self.dropout = Dropout(0.2)
        self.out = Dense(2, activation="softmax")

    def call(self, inputs, training=False):
        x = self.penalty(self.pool(self.embedding(inputs)))
        return self.out(self.dropout(x, training=training))


np.random.seed(13)
X = np.random.randint(0, 30, (40, 5))
y = (X[:, 0] > 15).astype(int)
model = Classifier(30)
model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=0.01),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(),
    metrics=[tf.keras.metrics.SparseCategoricalAccuracy()],
)
history = model.fit(X, y, epochs=2, batch_size=8, validation_split=0.2, verbose=0)
inputs = Input((5,))
whole = Model(inputs, model(inputs))
print(
    sorted(history.history), np.allclose(whole.predict(X, verbose=0), model.predict(X, verbose=0))
)
