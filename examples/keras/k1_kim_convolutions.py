"""Keras 1: Kim's network, with windows of several heights over texts as planes."""

import numpy as np
from keras.layers import Convolution2D, Dense, Dropout, Embedding, Flatten, Input
from keras.layers import MaxPooling2D, Reshape, merge
from keras.models import Model

np.random.seed(1)
sequence_length, vocabulary_size, embedding_dim, num_filters = 14, 50, 8, 6
X = np.random.randint(0, vocabulary_size, (48, sequence_length))
y = np.eye(2)[(X == 3).any(axis=1).astype(int)]

inputs = Input(shape=(sequence_length,), dtype="int32")
embedding = Embedding(
    output_dim=embedding_dim, input_dim=vocabulary_size, input_length=sequence_length
)(inputs)
reshape = Reshape((sequence_length, embedding_dim, 1))(embedding)
pooled = []
for size in (3, 4, 5):
    conv = Convolution2D(
        num_filters,
        size,
        embedding_dim,
        border_mode="valid",
        init="normal",
        activation="relu",
        dim_ordering="tf",
    )(reshape)
    pooled.append(
        MaxPooling2D(
            pool_size=(sequence_length - size + 1, 1),
            strides=(1, 1),
            border_mode="valid",
            dim_ordering="tf",
        )(conv)
    )
merged = merge(pooled, mode="concat", concat_axis=1)
dropout = Dropout(0.5)(Flatten()(merged))
output = Dense(output_dim=2, activation="softmax")(dropout)
model = Model(input=inputs, output=output)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, batch_size=16, verbose=0, nb_epoch=2)
print(model.predict(X, verbose=0).shape)
