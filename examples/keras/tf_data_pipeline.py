"""tf.keras 2.x: raw texts through tf.data and a TextVectorization layer."""

import re
import string

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses

tf.random.set_seed(0)
good, bad = "A <br />GREAT movie, really!", "a dull movie... really"
texts, labels = np.array([good, bad] * 20), np.array([1, 0] * 20)
raw = tf.data.Dataset.from_tensor_slices((texts, labels)).shuffle(40, seed=1).batch(8)


def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(stripped_html, "[%s]" % re.escape(string.punctuation), "")


vectorize_layer = layers.TextVectorization(
    standardize=custom_standardization, max_tokens=50, output_mode="int", output_sequence_length=6
)
vectorize_layer.adapt(raw.map(lambda x, y: x))


def vectorize_text(text, label):
    text = tf.expand_dims(text, -1)
    return vectorize_layer(text), label


train_ds = raw.map(vectorize_text).cache().prefetch(buffer_size=tf.data.AUTOTUNE)
text_batch, label_batch = next(iter(raw))
print(text_batch.shape, int(label_batch[0].numpy()) in (0, 1), len(raw))
model = tf.keras.Sequential(
    [
        layers.Embedding(51, 8),
        layers.Dropout(0.2),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1),
    ]
)
model.compile(
    loss=losses.BinaryCrossentropy(from_logits=True),
    optimizer="adam",
    metrics=[tf.metrics.BinaryAccuracy(threshold=0.0)],
)
history = model.fit(train_ds, validation_data=train_ds, epochs=2, verbose=0)
loss, accuracy = model.evaluate(train_ds, verbose=0)
print(sorted(history.history), loss > 0, vectorize_layer.get_vocabulary()[:2])
