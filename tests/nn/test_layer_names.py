"""What people call on layers and models because Keras has it."""

import keras
import numpy as np
import pytest

from wordrow import Dense, Input, Sequential, layers

BUILT = {
    "dense": (lambda k: k.Dense(3), (None, 4)),
    "embedding": (lambda k: k.Embedding(5, 3), (None, 4)),
    "lstm": (lambda k: k.LSTM(3), (None, 4, 2)),
    "both ways": (lambda k: k.Bidirectional(k.LSTM(3)), (None, 4, 2)),
    "steps": (lambda k: k.TimeDistributed(k.Dense(2)), (None, 4, 2)),
    "convolution": (lambda k: k.Conv1D(2, 2), (None, 5, 3)),
    "normalization": (lambda k: k.BatchNormalization(), (None, 3)),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_layer_is_built_by_a_shape(name):
    make, shape = BUILT[name]
    ours, theirs = make(layers), make(keras.layers)
    ours.build(shape)
    theirs.build(shape)
    assert ours.built
    assert [w.shape for w in ours.get_weights()] == [tuple(w.shape) for w in theirs.weights]


def test_masks_are_computed_as_in_keras():
    ids, rows = np.array([[0, 1, 2]]), np.ones((1, 3, 2), np.float32)
    given = np.array([[True, False, True]])
    for make, x, mask in (
        (lambda k: k.Embedding(5, 3, mask_zero=True), ids, None),
        (lambda k: k.Embedding(5, 3), ids, None),
        (lambda k: k.LSTM(2, return_sequences=True), rows, given),
        (lambda k: k.LSTM(2), rows, given),
        (lambda k: k.Masking(1.0), rows, None),
        (lambda k: k.GlobalAveragePooling1D(), rows, given),
    ):
        found, expected = (make(k).compute_mask(x, mask) for k in (layers, keras.layers))
        assert (found is None) == (expected is None)
        if expected is not None:
            np.testing.assert_array_equal(found, expected)


class Penalized(layers.Layer):
    def call(self, inputs):
        self.add_loss(0.5 * (inputs**2).sum())
        return inputs


class Outer(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.inner = Penalized()

    def call(self, inputs):
        return self.inner(inputs)


@pytest.mark.parametrize("kind", [Penalized, Outer])
def test_a_layer_adds_to_the_loss(kind):
    model = Sequential([Input((3,)), kind(), Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    x, y = np.ones((2, 3), np.float32), np.zeros(2)
    assert model.evaluate(x, y, verbose=0) == 3
    assert model.fit(x, y, verbose=0).history == {"loss": [3.0]}
    model.layers[0](x)
    assert model.layers[0].losses == [3.0]
    with pytest.raises(AttributeError, match="among its metrics"):
        model.layers[0].add_metric(1.0, name="one")


@pytest.mark.parametrize(
    "add",
    [
        lambda layer: layer.add_weight((4, 2), initializer="ones", name="w"),
        lambda layer: layer.add_weight((4, 2), "ones"),
        lambda layer: layer.add_weight((4, 2), "w", initializer="ones"),
        lambda layer: layer.add_weight("w", (4, 2), None, "ones"),
        lambda layer: layer.add_weight(shape=(4, 2), initializer="ones"),
        lambda layer: layer.add_weight("w", (4, 2), initializer="ones"),
    ],
)
def test_weights_are_added_in_every_version_s_order(add):
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = add(self)

        def call(self, inputs):
            return inputs @ self.w

    found = Sequential([Input((4,)), Own()]).predict(np.ones((1, 4)))
    np.testing.assert_array_equal(found, [[4, 4]])


def test_a_subclass_builds_on_its_base():
    class Scaled(Dense):
        def build(self, input_shape):
            super().build(input_shape)
            self.scale = self.add_weight((1,), "ones", name="scale")

        def call(self, inputs):
            return super().call(inputs) * self.scale

    model = Sequential([Input((4,)), Scaled(2)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert [w.shape for w in before] == [(4, 2), (2,), (1,)]
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    x = np.ones((1, 4), np.float32)
    kernel, bias, scale = model.get_weights()
    np.testing.assert_allclose(model.predict(x), (x @ kernel + bias) * scale, rtol=1e-6)


def test_an_optimizer_counts_its_steps():
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", "mse")
    assert model.optimizer.iterations == 0
    model.fit(np.ones((4, 2)), np.ones(4), batch_size=2, epochs=3, verbose=0)
    assert model.optimizer.iterations == model.step == 6
