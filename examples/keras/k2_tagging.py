"""Keras 2: a tag for every word, with a bidirectional LSTM over masked steps."""

from keras.layers import LSTM, Bidirectional, Dense, Embedding, TimeDistributed
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.utils import to_categorical

sentences = [[1, 2, 3], [4, 2], [1, 5, 2, 3], [4, 5, 2]] * 6
tags = [[1, 2, 1], [1, 2], [1, 3, 2, 1], [1, 3, 2]] * 6
x = pad_sequences(sentences, maxlen=6, padding="post")
y = to_categorical(pad_sequences(tags, maxlen=6, padding="post"), 4)
model = Sequential()
model.add(Embedding(6, 8, input_length=6, mask_zero=True))
model.add(Bidirectional(LSTM(8, return_sequences=True), merge_mode="concat"))
model.add(TimeDistributed(Dense(4, activation="softmax")))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=5, batch_size=8, verbose=0)
print(model.predict(x[:1]).argmax(axis=-1))
