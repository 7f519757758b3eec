"""Keras 2: word vectors from pairs of words, as word2vec learns them."""

import numpy as np
from keras.layers import Dense, Dot, Embedding, Input, Reshape
from keras.models import Model
from keras.preprocessing.sequence import make_sampling_table, skipgrams
from keras.preprocessing.text import Tokenizer

corpus = ["the king rules the land", "the queen rules the land", "a dog chases a cat"]
tokenizer = Tokenizer()
tokenizer.fit_on_texts(corpus)
V, dim = len(tokenizer.word_index) + 1, 8
target, context = Input((1,), dtype="int32"), Input((1,), dtype="int32")
w = Reshape((dim,))(Embedding(V, dim, input_length=1, name="words")(target))
c = Reshape((dim,))(Embedding(V, dim, input_length=1, name="contexts")(context))
model = Model([target, context], Dense(1, activation="sigmoid")(Dot(axes=1)([w, c])))
model.compile(loss="binary_crossentropy", optimizer="rmsprop")
for _ in range(3):
    loss = 0.0
    for sequence in tokenizer.texts_to_sequences(corpus):
        pairs, labels = skipgrams(sequence, V, window_size=2, negative_samples=1.0)
        first, second = (np.array(side, dtype="int32") for side in zip(*pairs))
        loss += model.train_on_batch([first, second], np.array(labels))
print(loss, model.get_layer("words").get_weights()[0].shape, make_sampling_table(V)[:2])
