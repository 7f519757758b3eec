"""Keras 2: languages by their characters, with an out-of-vocabulary token."""

import numpy as np
from keras.layers import Conv1D, Dense, Dropout, Embedding, Flatten, MaxPooling1D
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

texts = ["the weather is fine", "das wetter ist gut", "what a lovely day", "was für ein tag"] * 6
labels = np.array([0, 1, 0, 1] * 6)
tokenizer = Tokenizer(char_level=True, oov_token="UNK")
tokenizer.fit_on_texts(texts)
x = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=20, padding="post")
model = Sequential(
    [
        Embedding(len(tokenizer.word_index) + 1, 8, input_length=20),
        Conv1D(12, 3, activation="relu"),
        MaxPooling1D(3),
        Flatten(),
        Dropout(0.2),
        Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, labels, epochs=6, batch_size=8, verbose=0)
print(model.evaluate(x, labels, verbose=0)[1])
