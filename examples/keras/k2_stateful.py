"""Keras 2: states that go on from batch to batch, until they are reset."""

import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential

series = np.sin(np.arange(0, 60) / 5.0)
x, y = series[:-1].reshape(-1, 1, 1), series[1:].reshape(-1, 1)
model = Sequential()
model.add(LSTM(8, batch_input_shape=(1, 1, 1), stateful=True))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
for _ in range(2):
    model.fit(x, y, epochs=1, batch_size=1, verbose=0, shuffle=False)
    model.reset_states()
first = model.predict(x[:1], batch_size=1)
again = model.predict(x[:1], batch_size=1)
model.reset_states()
assert not np.allclose(first, again)
print(first, again, model.predict(x[:1], batch_size=1))
