"""Keras 1: skip-grams, with two tables whose rows are multiplied."""

import numpy as np
from keras.layers import Merge
from keras.layers.core import Dense, Reshape
from keras.layers.embeddings import Embedding
from keras.models import Sequential
from keras.preprocessing.sequence import skipgrams
from keras.preprocessing.text import Tokenizer, one_hot

np.random.seed(3)
lines = ["i love green eggs and ham", "i do not like them in a box"]
tokenizer = Tokenizer()
tokenizer.fit_on_texts(lines)
vocab_size, embed_size = len(tokenizer.word_index) + 1, 5
word_model = Sequential()
word_model.add(Embedding(vocab_size, embed_size, init="glorot_uniform", input_length=1))
word_model.add(Reshape((embed_size,)))
context_model = Sequential()
context_model.add(Embedding(vocab_size, embed_size, init="glorot_uniform", input_length=1))
context_model.add(Reshape((embed_size,)))
model = Sequential()
model.add(Merge([word_model, context_model], mode="dot", dot_axes=0))
model.add(Dense(1, init="glorot_uniform", activation="sigmoid"))
model.compile(loss="mean_squared_error", optimizer="adam")
for _ in range(2):
    loss = 0.0
    for ids in tokenizer.texts_to_sequences(lines):
        couples, labels = skipgrams(ids, vocab_size, window_size=2)
        words, contexts = (np.array(column, dtype="int32") for column in zip(*couples))
        loss += model.train_on_batch([words, contexts], np.array(labels, dtype="int32"))
rows = word_model.get_weights()[0]
print(rows.shape, np.isfinite(loss), len(one_hot(lines[0], 50)))
