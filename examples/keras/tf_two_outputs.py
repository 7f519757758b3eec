"""tf.keras: topic and urgency of a message at once, each with a loss and a weight of its own."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(0)
title = np.random.randint(1, 50, (40, 5))
body = np.random.randint(1, 50, (40, 12))
tags = np.random.randint(0, 2, (40, 3)).astype("float32")
title_input = keras.Input(shape=(5,), name="title")
body_input = keras.Input(shape=(12,), name="body")
tags_input = keras.Input(shape=(3,), name="tags")
title_features = layers.LSTM(8)(layers.Embedding(50, 8)(title_input))
body_features = layers.LSTM(4)(layers.Embedding(50, 8)(body_input))
x = layers.concatenate([title_features, body_features, tags_input])
priority = layers.Dense(1, name="priority")(x)
department = layers.Dense(4, name="department")(x)
model = keras.Model(inputs=[title_input, body_input, tags_input], outputs=[priority, department])
model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss={
        "priority": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    loss_weights={"priority": 1.0, "department": 0.2},
)
model.fit(
    {"title": title, "body": body, "tags": tags},
    {
        "priority": np.random.randint(0, 2, (40, 1)).astype("float32"),
        "department": np.eye(4)[np.random.randint(0, 4, 40)],
    },
    epochs=2,
    batch_size=16,
    verbose=0,
)
print([answer.shape for answer in model.predict([title, body, tags])])
