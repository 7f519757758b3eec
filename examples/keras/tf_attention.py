"""tf.keras: a decoder that looks back at the encoder's steps."""

import numpy as np
from tensorflow.keras.layers import LSTM, Attention, Concatenate, Dense, Embedding, Input
from tensorflow.keras.models import Model

rng = np.random.default_rng(0)
source = rng.integers(1, 12, (32, 6))
target = np.concatenate([np.zeros((32, 1), int), source[:, ::-1]], axis=1)
encoder_in, decoder_in = Input(shape=(None,)), Input(shape=(None,))
steps, h, c = LSTM(12, return_sequences=True, return_state=True)(Embedding(12, 8)(encoder_in))
answers = LSTM(12, return_sequences=True)(Embedding(12, 8)(decoder_in), initial_state=[h, c])
seen = Attention()([answers, steps])
out = Dense(12, activation="softmax")(Concatenate()([answers, seen]))
model = Model([encoder_in, decoder_in], out)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit([source, target[:, :-1]], target[:, 1:], epochs=2, batch_size=8, verbose=0)
print(model.predict([source[:2], target[:2, :-1]]).shape)
