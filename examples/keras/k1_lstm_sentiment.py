"""Keras 1: sentiment with an LSTM whose dropout stands in the layers."""

import numpy as np
from keras.layers.core import Activation, Dense
from keras.layers.embeddings import Embedding
from keras.layers.recurrent import LSTM
from keras.models import Sequential
from keras.preprocessing import sequence
from keras.preprocessing.text import Tokenizer

np.random.seed(1337)
good = ["a warm and funny film", "great acting and a great story", "i loved every minute"]
bad = ["a dull and empty film", "poor acting and a weak story", "i hated every minute"]
texts, labels = (good + bad) * 8, ([1] * 3 + [0] * 3) * 8

tokenizer = Tokenizer(nb_words=50)
tokenizer.fit_on_texts(texts)
X = sequence.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=8)
y = np.array(labels)

model = Sequential()
model.add(Embedding(50, 16, input_length=8, dropout=0.2))
model.add(LSTM(output_dim=16, dropout_W=0.2, dropout_U=0.2))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(X, y, batch_size=8, nb_epoch=3, validation_data=(X, y), verbose=0)
score, acc = model.evaluate(X, y, batch_size=8, verbose=0)
print("loss:", score, "accuracy:", acc, "by epoch:", history.history["val_acc"])
