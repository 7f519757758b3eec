"""Keras 2: the question that wordrow begins with, on a handful of reviews."""

import numpy as np
from keras.layers import LSTM, Dense
from keras.layers.embeddings import Embedding
from keras.models import Sequential
from keras.preprocessing import sequence

np.random.seed(7)
top_words, max_review_length = 5000, 40
X_train = [list(np.random.randint(1, top_words, n)) for n in range(20, 52)]
y_train = np.array([n % 2 for n in range(32)])
X_train = sequence.pad_sequences(X_train, maxlen=max_review_length)
embedding_vecor_length = 32
model = Sequential()
model.add(Embedding(top_words, embedding_vecor_length, input_length=max_review_length))
model.add(LSTM(100))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()
model.fit(X_train, y_train, epochs=1, batch_size=16, verbose=0)
scores = model.evaluate(X_train, y_train, verbose=0)
print("Accuracy: %.2f%%" % (scores[1] * 100))
