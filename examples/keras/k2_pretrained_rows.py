"""Keras 2: rows from elsewhere, frozen, as with GloVe files."""

import io

import numpy as np
from keras.layers import Conv1D, Dense, Embedding, Flatten, GlobalMaxPooling1D, Input, MaxPooling1D
from keras.models import Model
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.utils import to_categorical

glove = io.StringIO("film 0.1 0.2 0.3 0.4\ngood 0.5 0.5 0.1 0.0\nbad -0.5 -0.5 0.1 0.0\n")
vectors = {}
for line in glove:
    word, *values = line.split()
    vectors[word] = np.asarray(values, dtype="float32")

texts = ["a good film", "a bad film", "good good", "bad bad"] * 6
labels = to_categorical(np.asarray([1, 0, 1, 0] * 6))
tokenizer = Tokenizer(num_words=20)
tokenizer.fit_on_texts(texts)
data = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=12)
matrix = np.zeros((20, 4))
for word, i in tokenizer.word_index.items():
    if word in vectors:
        matrix[i] = vectors[word]

ids = Input(shape=(12,), dtype="int32")
x = Embedding(20, 4, weights=[matrix], input_length=12, trainable=False)(ids)
x = Conv1D(8, 3, activation="relu")(x)
x = MaxPooling1D(2)(x)
x = Flatten()(x)
model = Model(ids, Dense(2, activation="softmax")(x))
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
model.fit(data, labels, epochs=3, batch_size=8, verbose=0)
assert np.allclose(model.layers[1].get_weights()[0], matrix)
print(model.predict(data[:2]).round(2), GlobalMaxPooling1D.__name__)
