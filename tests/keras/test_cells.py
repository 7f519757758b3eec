"""RNN of cells, and the layers of Keras 1, against Keras where it has them."""

import keras
import numpy as np
import pytest
from wordrow.keras.models import Model, Sequential, load_model

from wordrow.keras import backend, layers

X = np.random.default_rng(0).random((3, 8, 5)).astype(np.float32)
# Inside Keras, of NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CELLS = {
    "lstm": lambda k: k.RNN(k.LSTMCell(4)),
    "lstm backwards": lambda k: k.RNN(
        k.LSTMCell(4, unit_forget_bias=False, activation="relu"),
        return_sequences=True,
        go_backwards=True,
    ),
    "gru": lambda k: k.RNN(k.GRUCell(4), return_sequences=True),
    "gru reset before": lambda k: k.RNN(k.GRUCell(4, reset_after=False)),
    "simple": lambda k: k.RNN(k.SimpleRNNCell(4, use_bias=False)),
    "stacked": lambda k: k.RNN([k.LSTMCell(4), k.GRUCell(3)], return_sequences=True),
    "wrapped stack": lambda k: k.RNN(k.StackedRNNCells([k.GRUCell(3), k.GRUCell(2)])),
}


@pytest.mark.parametrize("name", CELLS)
def test_as_keras(name, tmp_path):
    theirs = keras.Sequential([keras.Input((8, 5)), CELLS[name](keras.layers)])
    ours = Sequential([layers.Input((8, 5)), CELLS[name](layers)])
    ours.set_weights(theirs.get_weights())
    expected = theirs.predict(X, verbose=0)
    np.testing.assert_allclose(ours.predict(X, verbose=0), expected, atol=1e-5)
    for format_ in ("keras", "h5", "st"):
        ours.save(tmp_path / f"ours.{format_}")
        again = load_model(tmp_path / f"ours.{format_}")
        np.testing.assert_allclose(again.predict(X, verbose=0), expected, atol=1e-5)
    theirs.save(tmp_path / "theirs.keras")
    ours = load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(ours.predict(X, verbose=0), expected, atol=1e-5)
    there = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(there.predict(X, verbose=0), expected, atol=1e-5)
    for model in (ours, there):
        model.compile("sgd", "mse")
        model.fit(X, np.zeros_like(expected), verbose=0)
    for one, two in zip(ours.get_weights(), there.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("has_states", [False, True])
def test_masks_and_states_as_keras(has_states):
    found = []
    weights = None
    ids = np.random.default_rng(1).integers(1, 9, (4, 8))
    ids[:, :3] = 0
    for k, model in ((keras.layers, keras.Model), (layers, Model)):
        x, h, c = k.Input((8,)), k.Input((4,)), k.Input((4,))
        rows = k.Embedding(9, 5, mask_zero=not has_states)(x)
        cell = k.RNN(k.LSTMCell(4), return_sequences=True, return_state=True)
        states = {"initial_state": [h, c]} if has_states else {}
        made = model([x, h, c] if has_states else x, cell(rows, **states))
        if weights is not None:
            made.set_weights(weights)
        weights = made.get_weights()
        start = np.ones((4, 4), np.float32)
        inputs = [ids, start, start / 2] if has_states else ids
        found.append(made.predict(inputs, verbose=0))
    for ours, theirs in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


class Minimal(layers.Layer):
    def __init__(self, units, **options):
        self.units = self.state_size = units
        super().__init__(**options)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="uniform", name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs, states):
        output = backend.dot(inputs, self.kernel) + backend.dot(states[0], self.recurrent_kernel)
        return output, [output]


def test_cells_of_one_s_own():
    model = Sequential([layers.Input((8, 5)), layers.RNN([Minimal(3), Minimal(2)])])
    model.compile("sgd", "mse")
    weights = model.get_weights()
    h = g = np.zeros((3, 3), np.float32)
    g = g[:, :2]
    for t in range(8):
        h = X[:, t] @ weights[0] + h @ weights[1]
        g = h @ weights[2] + g @ weights[3]
    np.testing.assert_allclose(model.predict(X, verbose=0), g, atol=1e-6)
    model.fit(X, np.ones((3, 2)), verbose=0)
    assert all((a != b).any() for a, b in zip(weights, model.get_weights(), strict=True))
    with pytest.raises(ValueError, match="a cell must have `state_size`"):
        layers.RNN(layers.Dense(3))
    with pytest.raises(ValueError, match="no dropout here: use the layer"):
        layers.LSTMCell(3, dropout=0.5)


class Decoder(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.inner = layers.Dense(3)

    def call(self, inputs, context, scale=1.0):
        return self.inner(inputs) * context * scale


class Outer(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.decoder = Decoder()

    def call(self, inputs):
        return self.decoder(inputs, inputs[:, :1], scale=2.0)


def test_call_may_take_more_than_its_inputs():
    x = X[:, 0]
    layer = Decoder()
    found = layer(x, x[:, :1], scale=2.0)
    np.testing.assert_allclose(found, layer.inner(x) * x[:, :1] * 2, atol=1e-6)
    model = Sequential([layers.Input((5,)), Outer()])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert len(before) == 2
    model.fit(x, np.zeros((3, 3)), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_layers_of_keras_1(tmp_path):
    model = Sequential(
        [
            layers.Dense(6, input_dim=5),
            layers.Highway(activation="tanh"),
            layers.MaxoutDense(3, nb_feature=2),
        ]
    )
    model.compile("sgd", "mse")
    x = X[:, 0]
    model.fit(x, np.ones((3, 3)), verbose=0)
    kernel, bias, w, v, b, c, maxout, shift = model.get_weights()
    hidden = x @ kernel + bias
    t = 1 / (1 + np.exp(-(hidden @ v + c)))
    hidden = t * np.tanh(hidden @ w + b) + (1 - t) * hidden
    expected = (np.einsum("bd,fdu->bfu", hidden, maxout) + shift).max(axis=1)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
    for format_ in ("st", "keras", "h5"):
        model.save(tmp_path / f"m.{format_}")
        again = load_model(tmp_path / f"m.{format_}")
        np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_kim_s_network_as_in_keras_1(ordering):
    shape, window = ((9, 6, 1), (7, 1)) if ordering == "tf" else ((1, 9, 6), (7, 1))
    model = Sequential(
        [
            layers.Embedding(20, 6, input_length=9),
            layers.Reshape(shape),
            layers.Convolution2D(4, 3, 6, border_mode="valid", dim_ordering=ordering),
            layers.MaxPooling2D(pool_size=window, dim_ordering=ordering),
            layers.Flatten(),
        ]
    )
    ids = np.random.default_rng(1).integers(0, 20, (3, 9))
    table, kernel, bias = model.get_weights()
    rows = table[ids]
    windows = np.stack([rows[:, t : t + 3] for t in range(7)], axis=1)
    expected = (np.einsum("btij,ijf->btf", windows, kernel[:, :, 0]) + bias).max(axis=1)
    np.testing.assert_allclose(model.predict(ids, verbose=0), expected, atol=1e-5)
