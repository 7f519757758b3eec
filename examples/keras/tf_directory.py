"""tf.keras 2.x: a folder of texts per class, split in two, with an LSTM both ways."""

import os
import tempfile

import tensorflow as tf
from tensorflow.keras import layers

folder = tempfile.mkdtemp()
for name, words in (("neg", "bad dull poor"), ("pos", "good warm rich")):
    os.makedirs(os.path.join(folder, "train", name))
    for i in range(10):
        with open(os.path.join(folder, "train", name, f"{i}.txt"), "w", encoding="utf-8") as file:
            file.write(f"{words} film number {i}")
options = {"batch_size": 4, "validation_split": 0.2, "seed": 42}
train_ds = tf.keras.utils.text_dataset_from_directory(
    os.path.join(folder, "train"), subset="training", **options
)
val_ds = tf.keras.preprocessing.text_dataset_from_directory(
    os.path.join(folder, "train"), subset="validation", **options
)
for text_batch, label_batch in train_ds.take(1):
    print(type(text_batch.numpy()[0]).__name__, train_ds.class_names[label_batch.numpy()[0]][:1])
encoder = layers.TextVectorization(max_tokens=40)
encoder.adapt(train_ds.map(lambda text, label: text))
model = tf.keras.Sequential(
    [
        encoder,
        layers.Embedding(len(encoder.get_vocabulary()), 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(8)),
        layers.Dense(8, activation="relu"),
        layers.Dense(1),
    ]
)
model.compile(
    loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    optimizer=tf.keras.optimizers.Adam(1e-2),
    metrics=["accuracy"],
)
history = model.fit(train_ds, epochs=2, validation_data=val_ds, verbose=0)
print(sorted(history.history), model.predict(val_ds, verbose=0).shape)
