"""Raw texts into a model: TextVectorization before the Embedding, as in tf.keras 2.6 and later."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.layers import TextVectorization

tf.random.set_seed(7)
good = [
    "a lovely film, truly lovely",
    "Great fun!",
    "great acting and a good story",
    "what a good evening",
    "lovely music and great fun",
]
bad = [
    "a dull film",
    "Boring; truly boring...",
    "no story and bad acting",
    "what a bad evening",
    "dull music, and no fun",
]
texts = np.array((good + bad) * 8)
labels = np.array(([1] * len(good) + [0] * len(bad)) * 8)

max_features, sequence_length, embedding_dim = 100, 8, 8
vectorize_layer = TextVectorization(
    max_tokens=max_features, output_mode="int", output_sequence_length=sequence_length
)
vectorize_layer.adapt(texts)
print(vectorize_layer.get_vocabulary()[:6])

model = tf.keras.Sequential(
    [
        layers.Embedding(max_features + 1, embedding_dim),
        layers.Dropout(0.2),
        layers.GlobalAveragePooling1D(),
        layers.Dropout(0.2),
        layers.Dense(1),
    ]
)
model.compile(
    loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    optimizer=tf.keras.optimizers.Adam(0.05),
    metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.0)],
)
model.fit(vectorize_layer(texts), labels, epochs=12, verbose=0)

export_model = tf.keras.Sequential([vectorize_layer, model, layers.Activation("sigmoid")])
export_model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
loss, accuracy = export_model.evaluate(texts, labels, verbose=0)
print("accuracy", round(accuracy, 2))
print(export_model.predict(np.array(["a great story", "dull, and so boring"]), verbose=0).round(1))
assert accuracy > 0.9
