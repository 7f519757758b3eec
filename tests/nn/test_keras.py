"""Training against Keras's: the same weights and batches in, the same weights out.

After one step of plain SGD the weights differ from those before by the
gradient; after ten steps every slot has been used. Every comparison is to 1e-5.
"""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import wordrow
from wordrow.nn.functions.losses import LOSSES as LOSS_FUNCTIONS

V, D, T, B = 11, 4, 6, 8

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # in Keras
    pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask"),
]


class Ours:
    """wordrow's names where Keras has them."""

    def __getattr__(self, name):
        for place in (
            wordrow,
            wordrow.regularizers,
            wordrow.constraints,
            wordrow.losses,
            wordrow.optimizers,
            wordrow.metrics,
            wordrow.schedules,
        ):
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(name)


class Theirs:
    """Keras's names, all in one place."""

    def __getattr__(self, name):
        for place in (
            keras,
            keras.layers,
            keras.regularizers,
            keras.constraints,
            keras.losses,
            keras.optimizers,
            keras.metrics,
            keras.optimizers.schedules,
        ):
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(name)


OURS, THEIRS = Ours(), Theirs()


def ids(rng, n=B):
    """Ids padded in front; never a whole row, where Keras gives NaN."""
    return rng.integers(1, V, (n, T)) * (np.arange(T) >= rng.integers(0, T, n)[:, None])


def embedding(k, **options):
    return k.Embedding(V, D, **options)


def chain(*layers, mask_zero=False, head=True, **options):
    """A Sequential: Embedding, the layers, and a Dense to one number."""

    def build(k):
        made = [make(k) for make in layers]
        last = [k.Dense(1, activation="sigmoid")] if head else []
        return k.Sequential(
            [k.Input((T,)), embedding(k, mask_zero=mask_zero, **options), *made, *last]
        )

    return build


def flat(k):
    return k.Flatten()


def mean(k):
    return k.GlobalAveragePooling1D()


def two_inputs(k):
    a, b = k.Input((T,), name="a"), k.Input((T,), name="b")
    shared = embedding(k, mask_zero=True)
    x, y = shared(a), shared(b)
    joined = k.Concatenate()([k.LSTM(3)(x), k.GlobalAveragePooling1D()(y)])
    return k.Model([a, b], k.Dense(1, activation="sigmoid")(joined))


def residual(k):
    a = k.Input((T,))
    x = embedding(k, mask_zero=True)(a)
    y = k.Add()([x, k.Dense(D, activation="tanh")(x)])
    z = k.Concatenate(axis=1)([x, y])
    return k.Model(a, k.Dense(1, activation="sigmoid")(k.GlobalAveragePooling1D()(z)))


def from_states(k):
    a, b = k.Input((T,)), k.Input((T,))
    table = embedding(k)
    _, h, c = k.LSTM(3, return_state=True)(table(a))
    decoded = k.LSTM(3)(table(b), initial_state=[h, c])
    state = k.GRU(3, return_state=True)(table(b))[1]
    return k.Model([a, b], k.Dense(1, activation="sigmoid")(k.Concatenate()([decoded, state])))


def steps_of_floats(k):
    return k.Sequential(
        [k.Input((T, 3)), k.Masking(0.0), k.SimpleRNN(4), k.Dense(1, activation="sigmoid")]
    )


def sentences(k):
    return k.Sequential(
        [
            k.Input((3, T)),
            embedding(k, mask_zero=False),
            k.TimeDistributed(k.LSTM(3)),
            k.GlobalMaxPooling1D(),
            k.Dense(1, activation="sigmoid"),
        ]
    )


def both_ways(k):
    a = k.Input((T,))
    x = embedding(k, mask_zero=True)(a)
    merges = [k.Bidirectional(k.SimpleRNN(2), merge_mode=mode)(x) for mode in ("sum", "mul", "ave")]
    merges += [k.Bidirectional(k.LSTM(2), merge_mode="concat")(x)]
    return k.Model(a, k.Dense(1, activation="sigmoid")(k.Concatenate()(merges)))


MODELS = {
    "flatten": chain(
        lambda k: k.Reshape((3, -1)),
        flat,
        lambda k: k.Dense(3, "relu"),
        lambda k: k.Dropout(0.0),
        lambda k: k.Activation("elu"),
    ),
    "max": chain(lambda k: k.SpatialDropout1D(0.0), lambda k: k.GlobalMaxPooling1D()),
    "mean": chain(mean),
    "lstm": chain(lambda k: k.LSTM(5), mask_zero=True),
    "lstm otherwise": chain(
        lambda k: k.LSTM(
            4,
            activation="relu",
            recurrent_activation="hard_sigmoid",
            unit_forget_bias=False,
            go_backwards=True,
        )
    ),
    "lstm sequences": chain(
        lambda k: k.LSTM(3, return_sequences=True, use_bias=False),
        lambda k: k.TimeDistributed(k.Dense(3, activation="tanh")),
        lambda k: k.LSTM(2),
        mask_zero=True,
    ),
    "gru": chain(lambda k: k.GRU(5), mask_zero=True),
    "gru reset before": chain(lambda k: k.GRU(5, reset_after=False)),
    "rnn backwards": chain(
        lambda k: k.SimpleRNN(5, go_backwards=True, activation="relu"), mask_zero=True
    ),
    "both ways": both_ways,
    "both ways, sequences": chain(
        lambda k: k.Bidirectional(k.GRU(3, return_sequences=True), merge_mode="ave"),
        lambda k: k.GlobalMaxPooling1D(),
    ),
    "conv": chain(lambda k: k.Conv1D(4, 3, activation="relu"), lambda k: k.MaxPooling1D(2), flat),
    "conv same": chain(
        lambda k: k.Conv1D(4, 2, padding="causal", dilation_rate=2, use_bias=False),
        lambda k: k.Conv1D(4, 3, padding="same", strides=2),
        flat,
    ),
    "pooling": chain(
        lambda k: k.AveragePooling1D(2, padding="same", strides=1),
        lambda k: k.MaxPooling1D(3, strides=2, padding="same"),
        flat,
    ),
    "regularizers": chain(
        mean,
        lambda k: k.Dense(
            3,
            activation="tanh",
            kernel_regularizer=k.L1L2(0.01, 0.02),
            bias_regularizer="l2",
            activity_regularizer=k.L2(0.03),
        ),
        embeddings_regularizer="l2",
        mask_zero=True,
    ),
    "constraints": chain(
        lambda k: k.SimpleRNN(
            3,
            recurrent_constraint=k.MaxNorm(0.5),
            bias_constraint="non_neg",
            kernel_regularizer="l1",
        ),
        lambda k: k.Dense(
            3, kernel_constraint=k.UnitNorm(), bias_constraint=k.MinMaxNorm(0.1, 0.2, rate=0.5)
        ),
        embeddings_constraint="max_norm",
    ),
    "two inputs": two_inputs,
    "residual": residual,
    "from states": from_states,
    "masking": steps_of_floats,
    "sentences": sentences,
}


def inputs_for(model, rng):
    found = []
    for shape in model.input_shape if isinstance(model.input_shape, list) else [model.input_shape]:
        if shape == (None, T, 3):
            x = rng.standard_normal((B, T, 3)).astype(np.float32)
            found.append(x * (np.arange(T) >= rng.integers(0, T, B)[:, None])[..., None])
        elif shape == (None, 3, T):
            found.append(np.stack([ids(rng) for _ in range(3)], axis=1))
        else:
            found.append(ids(rng))
    return found[0] if len(found) == 1 else found


def pair(build):
    """The same model in Keras and here, with Keras's weights."""
    theirs, ours = build(THEIRS), build(OURS)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def assert_same_weights(ours, theirs):
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_outputs_gradients_and_ten_steps(name, rng):
    ours, theirs = pair(MODELS[name])
    x = inputs_for(theirs, rng)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-5)
    assert ours.output_shape == theirs.output_shape
    for k, model in ((OURS, ours), (THEIRS, theirs)):
        model.compile(k.SGD(0.5, momentum=0.9), "binary_crossentropy")
    before = ours.get_weights()
    for step in range(10):
        y = rng.integers(0, 2, (B, 1)).astype(np.float32)
        losses = [model.train_on_batch(x, y) for model in (ours, theirs)]
        if step == 0:
            assert losses[0] == pytest.approx(float(losses[1]), abs=1e-5)
            moved = [
                [(w - b) / 0.5 for w, b in zip(model.get_weights(), before, strict=True)]
                for model in (ours, theirs)
            ]
            assert any(np.abs(gradient).max() > 1e-3 for gradient in moved[1])
            for mine, other in zip(*moved, strict=True):
                np.testing.assert_allclose(mine, other, atol=1e-5)
        x = inputs_for(theirs, rng)
    assert_same_weights(ours, theirs)


OPTIMIZERS = {
    "sgd": lambda k: k.SGD(0.1),
    "sgd clipvalue": lambda k: k.SGD(0.5, clipvalue=0.002),
    "sgd nesterov": lambda k: k.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda k: k.RMSprop(0.01),
    "rmsprop centered": lambda k: k.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda k: k.Adagrad(0.1),
    "adadelta": lambda k: k.Adadelta(1.0),
    "adamax": lambda k: k.Adamax(0.01),
    "nadam": lambda k: k.Nadam(0.01),
    "adam": lambda k: k.Adam(0.01),
    "adam amsgrad": lambda k: k.Adam(0.01, beta_1=0.8, beta_2=0.99, amsgrad=True),
    "adam clipnorm": lambda k: k.Adam(0.01, clipnorm=0.01),
    "adam global_clipnorm": lambda k: k.Adam(0.01, global_clipnorm=0.01),
    "adam decay": lambda k: k.Adam(0.01, weight_decay=0.1),
    "adamw": lambda k: k.AdamW(0.01, weight_decay=0.5),
    "exponential": lambda k: k.SGD(k.ExponentialDecay(0.5, 3, 0.5, staircase=True)),
    "inverse": lambda k: k.SGD(k.InverseTimeDecay(0.5, 3, 0.5)),
    "piecewise": lambda k: k.SGD(k.PiecewiseConstantDecay([2, 5], [0.5, 0.2, 0.1])),
    "polynomial": lambda k: k.SGD(k.PolynomialDecay(0.5, 4, power=2.0, cycle=True)),
    "cosine": lambda k: k.SGD(k.CosineDecay(0.01, 5, alpha=0.1, warmup_target=0.5, warmup_steps=3)),
    "restarts": lambda k: k.SGD(k.CosineDecayRestarts(0.5, 3, m_mul=0.5, alpha=0.1)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, rng):
    """Ten updates of two weights, with gradients of all sizes."""
    ours, theirs = OPTIMIZERS[name](OURS), OPTIMIZERS[name](THEIRS)
    weights = {k: rng.standard_normal((3, 4)).astype(np.float32) for k in ("a", "b")}
    first = {k: w.copy() for k, w in weights.items()}
    slots = {k: ours.init(w) for k, w in weights.items()}
    variables = {k: keras.Variable(w) for k, w in weights.items()}
    for step in range(10):
        scale = 10.0 ** rng.integers(-8, 1, (3, 4))
        gradients = {k: (rng.standard_normal((3, 4)) * scale).astype(np.float32) for k in weights}
        theirs.apply(
            [keras.ops.convert_to_tensor(g) for g in gradients.values()], list(variables.values())
        )
        numbers = {k: np.float32(v) for k, v in ours.hyperparameters(step).items()}
        for k, gradient in ours.clip(gradients).items():
            weights[k], slots[k] = ours.update(weights[k], gradient, slots[k], numbers)
    for k, w in weights.items():
        np.testing.assert_allclose(w, np.asarray(variables[k]), atol=1e-5)
        assert np.abs(w - first[k]).max() > 1e-3


def labels(kind, rng, n=B, classes=3):
    numbers = rng.integers(0, classes, n)
    return {
        "numbers": numbers,
        "column": numbers[:, None],
        "one of each": np.eye(classes, dtype=np.float32)[numbers],
        "shares": rng.dirichlet(np.ones(classes), n).astype(np.float32),
        "binary": rng.integers(0, 2, (n, classes)).astype(np.float32),
        "signs": rng.choice([-1.0, 1.0], (n, classes)),
        "values": rng.standard_normal((n, classes)).astype(np.float32),
    }[kind]


LOSSES = {
    "binary_crossentropy": ("sigmoid", "binary"),
    "categorical_crossentropy": ("softmax", "one of each"),
    "sparse_categorical_crossentropy": ("softmax", "numbers"),
    "mse": ("linear", "values"),
    "mean_absolute_error": ("tanh", "values"),
    "hinge": ("tanh", "signs"),
    "squared_hinge": ("tanh", "binary"),
    "categorical_hinge": ("softmax", "one of each"),
    "kl_divergence": ("softmax", "shares"),
    "mape": ("tanh", "values"),
    "msle": ("sigmoid", "shares"),
    "log_cosh": ("linear", "values"),
    "poisson": ("sigmoid", "binary"),
    "cosine_similarity": ("linear", "values"),
    "huber": ("linear", "values"),
}
LOSS_OBJECTS = {
    "binary logits": (lambda k: k.BinaryCrossentropy(from_logits=True), "linear", "binary"),
    "binary smooth": (lambda k: k.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", "binary"),
    "categorical logits": (
        lambda k: k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        "linear",
        "one of each",
    ),
    "sparse logits": (
        lambda k: k.SparseCategoricalCrossentropy(from_logits=True),
        "linear",
        "column",
    ),
    "huber object": (lambda k: k.Huber(delta=0.5), "linear", "values"),
    "mse object": (lambda k: k.MeanSquaredError(), "linear", "values"),
}
LOSS_CASES = {name: (lambda k, name=name: name, *rest) for name, rest in LOSSES.items()}
LOSS_CASES |= LOSS_OBJECTS


@pytest.mark.parametrize("name", LOSS_CASES)
def test_losses_and_their_gradients(name, rng):
    loss, activation, kind = LOSS_CASES[name]
    y = labels(kind, rng)
    logits = 3 * rng.standard_normal((B, 3)).astype(np.float32)
    p = np.array(keras.activations.get(activation)(keras.ops.convert_to_tensor(logits)))
    function = LOSS_FUNCTIONS.get(loss(OURS))
    expected = keras.losses.get(loss(THEIRS))
    total = (
        expected
        if isinstance(expected, keras.losses.Loss)
        else (lambda y, p: keras.ops.mean(expected(y, p)))
    )
    np.testing.assert_allclose(function(y, p).mean(), float(total(y, p)), atol=1e-5)
    mine, other = (
        jax.grad(lambda p, f=f: f(jnp.asarray(y), p).mean())(p) for f in (function, total)
    )
    np.testing.assert_allclose(mine, other, atol=1e-5)


@pytest.mark.parametrize("name", ["binary logits", "sparse logits"])
def test_weights_and_metrics(name, rng):
    loss, activation, kind = LOSS_CASES[name]
    build = chain(mean, lambda k: k.Dense(3, activation=activation), mask_zero=True, head=False)
    ours, theirs = pair(build)
    for k, model in ((OURS, ours), (THEIRS, theirs)):
        model.compile(
            k.SGD(0.3, momentum=0.5),
            loss(k),
            metrics=["accuracy", "mae"] if kind not in ("numbers", "column") else ["accuracy"],
        )
    for _ in range(10):
        x, y, weight = ids(rng), labels(kind, rng), rng.random(B).astype(np.float32)
        for model in (ours, theirs):
            model.train_on_batch(x, y, sample_weight=weight)
    assert_same_weights(ours, theirs)
    x, y = ids(rng, 21), labels(kind, rng, 21)
    mine, other = (
        model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True) for model in (ours, theirs)
    )
    assert set(mine) == set(other)
    for number in mine:
        assert mine[number] == pytest.approx(other[number], abs=1e-5), number


METRICS = {
    "binary": (
        "sigmoid",
        "binary",
        lambda k: [
            k.AUC(),
            k.AUC(curve="PR", name="pr"),
            k.Precision(),
            k.Recall(thresholds=0.4),
            k.AUC(curve="PR", summation_method="minoring", name="low"),
            k.Precision(class_id=1, name="of_one"),
            k.BinaryAccuracy(threshold=0.3),
        ],
    ),
    "classes": (
        "softmax",
        "one of each",
        lambda k: [
            "accuracy",
            "acc",
            k.TopKCategoricalAccuracy(2),
            "categorical_accuracy",
            "kl_divergence",
            "categorical_crossentropy",
        ],
    ),
    "numbers": (
        "softmax",
        "numbers",
        lambda k: [
            "accuracy",
            k.SparseTopKCategoricalAccuracy(2),
            "sparse_categorical_accuracy",
            "sparse_categorical_crossentropy",
        ],
    ),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics(name, rng):
    keras.utils.clear_session()  # or it numbers the names of metrics on and on
    activation, kind, metrics = METRICS[name]
    build = chain(
        mean,
        lambda k: k.Dense(3, activation=activation),
        mask_zero=True,
        head=False,
        embeddings_initializer="normal",
    )
    ours, theirs = pair(build)
    weights = [w * 20 for w in theirs.get_weights()]
    for k, model in ((OURS, ours), (THEIRS, theirs)):
        model.set_weights(weights)
        loss = "sparse_categorical_crossentropy" if kind == "numbers" else "mse"
        model.compile(
            "sgd", loss, metrics=metrics(k), weighted_metrics=["mae"] * (kind == "binary")
        )
    x, y = ids(rng, 101), labels(kind, rng, 101)
    weight = rng.random(101).astype(np.float32)
    mine, other = (
        model.evaluate(x, y, batch_size=32, verbose=0, sample_weight=weight, return_dict=True)
        for model in (ours, theirs)
    )
    assert set(mine) == set(other)
    for number in mine:
        assert mine[number] == pytest.approx(other[number], abs=1e-5), number
    fitted = ours.fit(x, y, batch_size=101, verbose=0, sample_weight=weight).history
    for number, value in fitted.items():  # counted under JAX, before the one step
        assert value[0] == pytest.approx(mine[number], abs=1e-5), number


def test_a_loss_for_every_step_counts_real_steps_alone(rng):
    build = chain(
        lambda k: k.LSTM(4, return_sequences=True),
        lambda k: k.Dense(3, activation="softmax"),
        mask_zero=True,
        head=False,
    )
    ours, theirs = pair(build)
    for k, model in ((OURS, ours), (THEIRS, theirs)):
        model.compile(k.SGD(0.3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = ids(rng), rng.integers(0, 3, (B, T))
    for _ in range(3):
        mine, other = (model.train_on_batch(x, y)[0] for model in (ours, theirs))
        assert mine == pytest.approx(float(other), abs=1e-5)
    assert_same_weights(ours, theirs)
    mine, other = (model.evaluate(x, y, verbose=0) for model in (ours, theirs))
    np.testing.assert_allclose(mine, other, atol=1e-5)


def test_several_outputs(rng):
    def build(k):
        a = k.Input((T,), name="words")
        x = k.GlobalAveragePooling1D()(embedding(k)(a))
        return k.Model(
            a,
            [
                k.Dense(1, activation="sigmoid", name="tone")(x),
                k.Dense(3, activation="softmax", name="topic")(x),
            ],
        )

    ours, theirs = pair(build)
    for k, model in ((OURS, ours), (THEIRS, theirs)):
        model.compile(
            k.SGD(0.3),
            {"tone": "binary_crossentropy", "topic": "sparse_categorical_crossentropy"},
            loss_weights={"tone": 0.5, "topic": 2.0},
            metrics={"tone": ["accuracy"], "topic": ["accuracy", "sparse_categorical_accuracy"]},
        )
    x = ids(rng, 40)
    y = {"tone": rng.integers(0, 2, (40, 1)), "topic": rng.integers(0, 3, 40)}
    mine, other = (
        model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
        for model in (ours, theirs)
    )
    assert set(mine) == set(other)
    for name in mine:
        np.testing.assert_allclose(mine[name], other[name], atol=1e-5, err_msg=name)
    assert_same_weights(ours, theirs)
    for one, want in zip(ours.predict(x), theirs.predict(x, verbose=0), strict=True):
        np.testing.assert_allclose(one, want, atol=1e-5)


def test_fit_as_keras(rng):
    """Partial batches, validation_split, class_weight, epochs: the same history and weights."""
    ours, theirs = pair(chain(lambda k: k.LSTM(4), mask_zero=True))
    for k, model in ((OURS, ours), (THEIRS, theirs)):
        model.compile(k.Adam(0.01), "binary_crossentropy", metrics=["acc"])
    x, y = ids(rng, 53), rng.integers(0, 2, 53)
    mine, other = (
        model.fit(
            x,
            y,
            batch_size=8,
            epochs=3,
            shuffle=False,
            verbose=0,
            validation_split=0.2,
            class_weight={0: 1.0, 1: 2.5},
        )
        for model in (ours, theirs)
    )
    assert set(mine.history) == set(other.history) == {"loss", "acc", "val_loss", "val_acc"}
    for name in mine.history:
        np.testing.assert_allclose(mine.history[name], other.history[name], atol=1e-5, err_msg=name)
    assert mine.epoch == other.epoch
    assert_same_weights(ours, theirs)
