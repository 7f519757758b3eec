"""Models that the tests of Keras's files build with Keras and with wordrow.keras (`k`)."""

import numpy as np

V, T = 11, 6


def ids(rng):
    x = rng.integers(1, V, (8, T))
    return x * (np.arange(T) >= rng.integers(0, T, 8)[:, None])


def classifier(k):
    model = k.Sequential(
        [
            k.Input((T,)),
            k.layers.Embedding(V, 4, mask_zero=True),
            k.layers.LSTM(3),
            k.layers.Dense(1, "sigmoid", kernel_regularizer=k.regularizers.L2(0.01)),
        ]
    )
    model.compile(
        k.optimizers.Adam(0.01, clipnorm=1.0),
        "binary_crossentropy",
        metrics=["accuracy", k.metrics.AUC(name="area")],
    )
    return model


def convolution(k):
    return k.Sequential(
        [
            k.Input((T,)),
            k.layers.Embedding(V, 4, mask_zero=True),
            k.layers.Conv1D(5, 3, padding="same", activation="relu"),
            k.layers.MaxPooling1D(2),
            k.layers.SpatialDropout1D(0.3),
            k.layers.Flatten(),
            k.layers.BatchNormalization(),
            k.layers.Dense(3, kernel_initializer="he_normal", kernel_constraint="max_norm"),
            k.layers.LeakyReLU(0.2),
            k.layers.Softmax(),
        ]
    )


def shapes(k):
    return k.Sequential(
        [
            k.Input((T,)),
            k.layers.Embedding(V, 4),
            k.layers.ZeroPadding1D(1),
            k.layers.Cropping1D((0, 2)),
            k.layers.UpSampling1D(2),
            k.layers.Permute((2, 1)),
            k.layers.PReLU(),
            k.layers.LayerNormalization(),
            k.layers.Reshape((2, -1)),
            k.layers.TimeDistributed(k.layers.Dense(3)),
            k.layers.GlobalMaxPooling1D(),
            k.layers.RepeatVector(2),
            k.layers.SimpleRNN(2),
            k.layers.ELU(0.5),
        ]
    )


def joined(k):
    """A graph with a bidirectional layer, attention, an inner model, branches and arithmetic."""
    first, second = k.Input((T,), name="first"), k.Input((T,), name="second")
    rows = k.layers.Embedding(V, 4, mask_zero=True)
    inner = k.Sequential([k.Input((6,)), k.layers.Dense(4, "tanh")], name="inner")
    ends = []
    for one in (first, second):
        steps = k.layers.Bidirectional(k.layers.GRU(3, return_sequences=True))(rows(one))
        steps = k.layers.MultiHeadAttention(2, 3)(steps, steps, use_causal_mask=True)
        ends.append(inner(k.layers.GlobalAveragePooling1D()(steps)))
    both = k.layers.Concatenate()([k.layers.Add()(ends), ends[0] - ends[1], ends[0] * ends[1]])
    model = k.Model(
        [first, second],
        {"one": k.layers.Dense(1, name="a")(both), "two": k.layers.Dense(2, name="b")(both)},
    )
    model.compile("rmsprop", {"one": "mse", "two": "mse"}, loss_weights={"one": 1.0, "two": 0.5})
    return model


def translation(k):
    source, target = k.Input((T,)), k.Input((T,))
    rows = k.layers.Embedding(V, 4, mask_zero=True)
    _, h, c = k.layers.LSTM(3, return_state=True)(rows(source))
    steps = k.layers.LSTM(3, return_sequences=True)(rows(target), initial_state=[h, c])
    steps = k.layers.Attention()([steps, steps])
    return k.Model([source, target], k.layers.Dense(V, "softmax")(steps))


MODELS = {
    "classifier": classifier,
    "convolution": convolution,
    "shapes": shapes,
    "joined": joined,
    "translation": translation,
}


def same(ours, theirs, x, atol=1e-5):
    mine, other = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    if isinstance(other, dict):
        mine, other = [mine[name] for name in other], list(other.values())
    if isinstance(mine, dict):  # Keras 2 has no names of outputs
        mine = list(mine.values())
    if not isinstance(other, list):
        mine, other = [mine], [other]
    for one, two in zip(mine, other, strict=True):
        np.testing.assert_allclose(one, two, atol=atol)
