"""What does the embedding layer do? Two sentences, step by step.

Only the imports differ from what the same steps look like in Keras.
"""

import numpy as np

from wordrow import Embedding, Sequential, Tokenizer, pad_sequences

texts = ["This is a text", "This is not a text"]

# Every word gets a number, the most frequent words the lowest.
tokenizer = Tokenizer(10)
tokenizer.fit_on_texts(texts)
print(tokenizer.word_index)

# Each text becomes the numbers of its words; zeros in front make all equally long.
sequences = tokenizer.texts_to_sequences(texts)
padded = pad_sequences(sequences, 6)
print(padded)

# The layer's one weight is a table: 10 rows, one for each number, of 3 values each.
model = Sequential()
model.add(Embedding(10, 3, input_length=6, mask_zero=True))
model.compile("rmsprop", "mse")
output = model.predict(padded)
table = model.layers[0].get_weights()[0]
print(output.shape, table.shape)

# All it does: put the row in the place of the number.
for text, ids, vectors in zip(texts, padded, output, strict=True):
    print(text)
    for number, vector in zip(ids, vectors, strict=True):
        print(f"  {number} -> {np.round(vector, 3)}")
assert (output == table[padded]).all()
