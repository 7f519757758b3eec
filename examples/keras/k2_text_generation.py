"""Keras 2.3: sentences of a model of the next word, which a callback prints."""

import numpy as np
from keras.callbacks import LambdaCallback
from keras.layers import LSTM, Dense, Dropout, Embedding
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.utils import to_categorical

np.random.seed(11)
corpus = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog sat"]
tokenizer = Tokenizer()
tokenizer.fit_on_texts(corpus)
total_words = len(tokenizer.word_index) + 1
input_sequences = []
for line in corpus:
    token_list = tokenizer.texts_to_sequences([line])[0]
    for i in range(1, len(token_list)):
        input_sequences.append(token_list[: i + 1])
max_len = max(len(x) for x in input_sequences)
input_sequences = np.array(pad_sequences(input_sequences, maxlen=max_len, padding="pre"))
predictors, label = input_sequences[:, :-1], input_sequences[:, -1]
label = to_categorical(label, num_classes=total_words)
model = Sequential()
model.add(Embedding(total_words, 10, input_length=max_len - 1))
model.add(LSTM(16))
model.add(Dropout(0.1))
model.add(Dense(total_words, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam")


def generate(seed, next_words=4):
    for _ in range(next_words):
        ids = pad_sequences(
            [tokenizer.texts_to_sequences([seed])[0]], maxlen=max_len - 1, padding="pre"
        )
        predicted = model.predict_classes(ids, verbose=0)
        for word, index in tokenizer.word_index.items():
            if index == predicted[0]:
                seed += " " + word
                break
    return seed


said = []
show = LambdaCallback(on_epoch_end=lambda epoch, logs: said.append(generate("the cat")))
model.fit(predictors, label, epochs=2, verbose=0, callbacks=[show])
print(len(said), said[-1].startswith("the cat"))
