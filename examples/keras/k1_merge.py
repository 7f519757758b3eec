"""Keras 1: question and answer, merged by mode, in the functional form of the time."""

import numpy as np
from keras.layers import LSTM, Dense, Embedding, Input, merge
from keras.models import Model

np.random.seed(0)
question = np.random.randint(1, 20, (32, 6))
answer = np.random.randint(1, 20, (32, 4))
fits = (question[:, 0] % 2 == answer[:, 0] % 2).astype(int)

first, second = Input(shape=(6,), dtype="int32"), Input(shape=(4,), dtype="int32")
embedding = Embedding(20, 8)
left, right = LSTM(8)(embedding(first)), LSTM(8)(embedding(second))
both = merge([left, right], mode="concat", concat_axis=-1)
alike = merge([left, right], mode="cos", dot_axes=1)
out = Dense(1, activation="sigmoid")(merge([both, alike], mode="concat"))
model = Model(input=[first, second], output=out)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit([question, answer], fits, nb_epoch=2, batch_size=8, verbose=0)
print(model.evaluate([question, answer], fits, verbose=0))
