"""Keras 2.1: callbacks of every kind, which read `acc` and `val_acc`."""

import os
import tempfile

import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping, LambdaCallback, LearningRateScheduler
from keras.callbacks import ModelCheckpoint, ReduceLROnPlateau
from keras.layers import Dense, Embedding, GlobalAveragePooling1D
from keras.models import Sequential, load_model

np.random.seed(5)
X = np.random.randint(1, 30, (80, 6))
y = (X[:, 0] > 15).astype(int)
folder = tempfile.mkdtemp()
model = Sequential()
model.add(Embedding(30, 8, input_length=6))
model.add(GlobalAveragePooling1D())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["acc"])
lines = []
checkpoint = ModelCheckpoint(
    os.path.join(folder, "weights-{epoch:02d}-{val_acc:.2f}.hdf5"),
    monitor="val_acc",
    verbose=0,
    save_best_only=False,
    mode="max",
    period=2,
)
history = model.fit(
    X,
    y,
    validation_split=0.25,
    epochs=4,
    batch_size=16,
    verbose=0,
    callbacks=[
        checkpoint,
        EarlyStopping(monitor="val_loss", patience=3, min_delta=1e-4),
        ReduceLROnPlateau(monitor="val_acc", factor=0.5, patience=1, min_lr=1e-5),
        LearningRateScheduler(lambda epoch: 0.01 * 0.9**epoch),
        CSVLogger(os.path.join(folder, "log.csv")),
        LambdaCallback(on_epoch_end=lambda epoch, logs: lines.append(logs["val_acc"])),
    ],
)
files = sorted(name for name in os.listdir(folder) if name.endswith(".hdf5"))
again = load_model(os.path.join(folder, files[-1]))
print(sorted(history.history), len(lines), [name[:10] for name in files], again.count_params())
