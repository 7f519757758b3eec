"""Keras 1: highway layers, maxout and a callback that reads the accuracy."""

from keras.callbacks import Callback
from keras.layers.core import Dense, Dropout, Highway, MaxoutDense
from keras.models import Sequential
from keras.preprocessing.text import Tokenizer
from keras.utils import np_utils


class Seen(Callback):
    def on_train_begin(self, logs={}):
        self.acc = []

    def on_epoch_end(self, epoch, logs={}):
        self.acc.append((logs.get("acc"), logs.get("val_acc")))


texts = ["one two three", "four five six", "one three five", "two four six"] * 8
labels = np_utils.to_categorical([0, 1, 2, 1] * 8, 3)
tokenizer = Tokenizer(nb_words=10)
tokenizer.fit_on_texts(texts)
X = tokenizer.texts_to_matrix(texts, mode="tfidf")
model = Sequential()
model.add(Dense(12, input_shape=(10,), init="lecun_uniform", activation="relu"))
model.add(Highway(activation="tanh"))
model.add(Dropout(0.2))
model.add(MaxoutDense(6, nb_feature=3))
model.add(Dense(3, activation="softmax"))
model.compile("adadelta", "categorical_crossentropy", metrics=["accuracy"])
seen = Seen()
model.fit(X, labels, nb_epoch=3, batch_size=8, verbose=0, validation_split=0.25, callbacks=[seen])
assert all(a is not None and b is not None for a, b in seen.acc)
print(len(seen.acc), model.predict_classes(X[:4], verbose=0).shape)
