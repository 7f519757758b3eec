"""tf.keras: how many stars a review gives, as a number, by stacked GRUs."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models, regularizers

tf.random.set_seed(0)
rng = np.random.default_rng(0)
x = rng.integers(1, 30, (40, 9))
stars = (x[:, :1] % 5 + 1).astype("float32")
model = models.Sequential()
model.add(layers.Embedding(30, 8, mask_zero=True))
model.add(layers.SpatialDropout1D(0.1))
model.add(layers.GRU(8, return_sequences=True, kernel_regularizer=regularizers.l2(1e-4)))
model.add(layers.Bidirectional(layers.GRU(6)))
model.add(layers.BatchNormalization())
model.add(layers.Dense(1))
model.compile(tf.keras.optimizers.Adam(1e-2), tf.keras.losses.MeanSquaredError(), metrics=["mae"])
model.fit(x, stars, epochs=3, batch_size=8, verbose=0)
print(model.evaluate(x, stars, verbose=0, return_dict=True))
