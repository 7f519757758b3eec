"""Two models joined by a Merge layer, as in Keras 1: titles and texts of two topics."""

import numpy as np

np.random.seed(1337)

from keras.models import Sequential
from keras.optimizers import Adam
from keras.layers import Merge
from keras.layers.core import Dense, Dropout, Activation
from keras.layers.embeddings import Embedding
from keras.layers.recurrent import LSTM
from keras.preprocessing import sequence
from keras.preprocessing.text import Tokenizer

titles = [
    "match report",
    "a new recipe",
    "cup final",
    "food of the week",
    "the big race",
    "what to cook",
] * 12
texts = [
    "the team won at home",
    "take two eggs and flour",
    "a late goal in the rain",
    "soup with fresh bread",
    "she ran faster than all",
    "bake it with sugar",
] * 12
y = np.array([1, 0, 1, 0, 1, 0] * 12)
tokenizer = Tokenizer()
tokenizer.fit_on_texts(titles + texts)
nb_words = len(tokenizer.word_index) + 1


def padded(texts):
    return sequence.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=6)


X_left = padded(titles)
X_right = padded(texts)

left = Sequential()
left.add(Embedding(nb_words, 8, input_length=6))
left.add(LSTM(output_dim=8))
right_branch = Sequential()
right_branch.add(Embedding(nb_words, 8, input_length=6))
right_branch.add(LSTM(output_dim=8))

model = Sequential()
model.add(Merge([left, right_branch], mode="concat"))
model.add(Dense(16, init="uniform"))
model.add(Activation("tanh"))
model.add(Dropout(0.1))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(
    loss="binary_crossentropy", optimizer=Adam(lr=0.02), class_mode="binary", metrics=["accuracy"]
)
model.fit([X_left, X_right], y, batch_size=16, nb_epoch=40, verbose=0)
score, acc = model.evaluate([X_left, X_right], y, batch_size=32, verbose=0)
print("accuracy:", round(acc, 2))
print(model.predict_classes([X_left[:2], X_right[:2]]).ravel())
assert acc > 0.9
