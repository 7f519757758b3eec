"""tf.keras: tokens with an out-of-vocabulary word, padded behind, the mean of their rows."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

tf.random.set_seed(42)
sentences = ["I love my dog", "I love my cat", "I hate the rain", "the rain is awful"] * 6
labels = np.array([1, 1, 0, 0] * 6)
tokenizer = Tokenizer(num_words=100, oov_token="<OOV>")
tokenizer.fit_on_texts(sentences)
padded = pad_sequences(
    tokenizer.texts_to_sequences(sentences), maxlen=6, padding="post", truncating="post"
)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Embedding(100, 16, input_length=6),
        tf.keras.layers.GlobalAveragePooling1D(),
        tf.keras.layers.Dense(24, activation="relu"),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    loss="binary_crossentropy",
    optimizer=tf.keras.optimizers.Adam(learning_rate=0.01),
    metrics=["accuracy"],
)
history = model.fit(padded, labels, epochs=5, validation_data=(padded, labels), verbose=0)
print(tf.__version__, history.history["val_accuracy"])
