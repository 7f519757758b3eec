"""Keras 1: windows of three words and the largest answer of each filter."""

import numpy as np
from keras.layers import Convolution1D, Dense, Dropout, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.preprocessing import sequence

np.random.seed(0)
nb_words, maxlen = 30, 10
X = sequence.pad_sequences([np.random.randint(1, nb_words, n) for n in range(3, 35)], maxlen=maxlen)
y = (X == 7).any(axis=1).astype(int)

model = Sequential()
model.add(Embedding(nb_words, 12, input_length=maxlen))
model.add(Dropout(p=0.25))
model.add(
    Convolution1D(
        nb_filter=20, filter_length=3, border_mode="valid", activation="relu", subsample_length=1
    )
)
model.add(GlobalMaxPooling1D())
model.add(Dense(10, init="he_normal", activation="relu", W_regularizer="l2"))
model.add(Dense(output_dim=1, activation="sigmoid"))
model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, nb_epoch=2, batch_size=16, verbose=0)
print(model.predict_classes(X[:5], verbose=0).tolist())
