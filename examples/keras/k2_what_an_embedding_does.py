"""Keras 2: two sentences through an Embedding; every output is a row of its table."""

import numpy as np
from keras.layers import Embedding
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

texts = ["This is a text", "This is not a text"]
tokenizer = Tokenizer(10)
tokenizer.fit_on_texts(texts)
ids = pad_sequences(tokenizer.texts_to_sequences(texts), 6)
model = Sequential()
model.add(Embedding(10, 3, input_length=6, mask_zero=True))
model.compile("rmsprop", "mse")
output = model.predict(ids)
table = model.layers[0].get_weights()[0]
print(ids.tolist(), output.shape)
assert np.array_equal(output, table[ids])
