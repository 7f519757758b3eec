"""Keras 1: the next character of a text, drawn at a temperature."""

import numpy as np
from keras.layers import LSTM, Activation, Dense
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(0)
text = "the cat sat on the mat. the dog sat on the log. " * 3
chars = sorted(set(text))
char_indices = {c: i for i, c in enumerate(chars)}
maxlen, step = 10, 3
starts = range(0, len(text) - maxlen, step)
X = np.zeros((len(starts), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(starts), len(chars)), dtype=bool)
for i, start in enumerate(starts):
    for t, char in enumerate(text[start : start + maxlen]):
        X[i, t, char_indices[char]] = 1
    y[i, char_indices[text[start + maxlen]]] = 1

model = Sequential()
model.add(LSTM(32, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars)))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01))
for _ in range(2):
    model.fit(X, y, batch_size=16, nb_epoch=1, verbose=0)


def sample(preds, temperature=1.0):
    preds = np.exp(np.log(np.asarray(preds).astype("float64")) / temperature)
    return np.argmax(np.random.multinomial(1, preds / preds.sum(), 1))


sentence = text[:maxlen]
for _ in range(20):
    x = np.zeros((1, maxlen, len(chars)))
    for t, char in enumerate(sentence[-maxlen:]):
        x[0, t, char_indices[char]] = 1.0
    sentence += chars[sample(model.predict(x, verbose=0)[0], 0.5)]
print(repr(sentence))
