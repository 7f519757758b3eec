"""Keras 2: callbacks that watch, stop, slow down, write and say."""

import os
import tempfile

import numpy as np
from keras.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from keras.layers import Dense, Embedding, GlobalAveragePooling1D
from keras.models import Sequential
from keras.optimizers import SGD


class LossHistory(Callback):
    def on_train_begin(self, logs={}):
        self.losses = []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get("loss"))


np.random.seed(0)
x, y = np.random.randint(1, 30, (48, 6)), np.random.randint(0, 2, 48)
model = Sequential(
    [Embedding(30, 4, input_length=6), GlobalAveragePooling1D(), Dense(1, activation="sigmoid")]
)
model.compile(
    SGD(lr=0.1, decay=1e-3, momentum=0.9, nesterov=True),
    "binary_crossentropy",
    metrics=["accuracy"],
)
kept, path = LossHistory(), os.path.join(tempfile.mkdtemp(), "log.csv")
history = model.fit(
    x,
    y,
    validation_split=0.25,
    epochs=6,
    batch_size=12,
    verbose=0,
    callbacks=[
        kept,
        CSVLogger(path),
        EarlyStopping(monitor="val_acc", patience=2),
        ReduceLROnPlateau(factor=0.5, patience=1, min_lr=1e-4),
        LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, round(logs["loss"], 3))),
        LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch)),
    ],
)
print(len(kept.losses), open(path).readline().strip(), history.history["acc"][-1])
