"""Keras 2: batches by number, from a Sequence."""

import numpy as np
from keras.layers import LSTM, Dense, Embedding
from keras.models import Sequential
from keras.utils import Sequence


class Reviews(Sequence):
    def __init__(self, x, y, batch_size):
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return int(np.ceil(len(self.x) / float(self.batch_size)))

    def __getitem__(self, idx):
        part = slice(idx * self.batch_size, (idx + 1) * self.batch_size)
        return self.x[part], self.y[part]


rng = np.random.RandomState(0)
x = rng.randint(1, 20, (40, 6))
y = (x[:, 0] > 9).astype(int)
model = Sequential([Embedding(20, 6, mask_zero=True), LSTM(6), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit_generator(
    Reviews(x, y, 8),
    epochs=2,
    verbose=0,
    validation_data=Reviews(x, y, 8),
    workers=1,
    use_multiprocessing=False,
)
print(model.evaluate_generator(Reviews(x, y, 8)), model.predict_generator(Reviews(x, y, 8)).shape)
