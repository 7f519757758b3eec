"""tf.keras 2.x: several labels a text, weighed classes, and metrics by name."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer, tokenizer_from_json

tf.random.set_seed(1)
texts = ["cheap and fast", "cheap but slow", "fast and dear", "slow and dear"] * 8
tags = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 8)
tokenizer = Tokenizer(num_words=20, oov_token="<OOV>")
tokenizer.fit_on_texts(texts)
again = tokenizer_from_json(tokenizer.to_json())
X = pad_sequences(again.texts_to_sequences(texts), maxlen=4, padding="post")
model = tf.keras.Sequential(
    [
        tf.keras.layers.Embedding(20, 8, input_length=4),
        tf.keras.layers.SpatialDropout1D(0.1),
        tf.keras.layers.SeparableConv1D(8, 2, padding="same", activation="relu"),
        tf.keras.layers.GlobalMaxPool1D(),
        tf.keras.layers.Dense(2, activation="sigmoid"),
    ]
)
model.compile(
    optimizer=tf.keras.optimizers.RMSprop(learning_rate=0.01),
    loss="binary_crossentropy",
    metrics=[tf.keras.metrics.AUC(name="auc"), tf.keras.metrics.Precision(name="precision")],
)
history = model.fit(X, tags, epochs=2, verbose=0, sample_weight=np.linspace(0.5, 1.5, len(X)))
results = model.evaluate(X, tags, verbose=0, return_dict=True)
print(sorted(history.history), sorted(results))
