"""Keras 1: topics from rows of word counts."""

import numpy as np
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential
from keras.preprocessing.text import Tokenizer
from keras.utils import np_utils

texts = [
    "oil prices rise",
    "grain and wheat exports",
    "crude oil output",
    "wheat harvest falls",
    "gold and silver trade",
    "silver prices fall",
] * 5
topics = np.array([0, 1, 0, 1, 2, 2] * 5)
tokenizer = Tokenizer(nb_words=100)
tokenizer.fit_on_texts(texts)
X = tokenizer.sequences_to_matrix(tokenizer.texts_to_sequences(texts), mode="binary")
Y = np_utils.to_categorical(topics, 3)
model = Sequential()
model.add(Dense(32, input_shape=(100,)))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, Y, nb_epoch=5, batch_size=8, verbose=0, validation_split=0.1)
print(model.predict_classes(X[:6], verbose=0), model.predict_proba(X[:1], verbose=0).sum())
