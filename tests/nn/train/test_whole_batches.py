"""What looks over a whole batch sees the true examples, in the last batch too."""

import keras
import numpy as np
import pytest

import wordrow

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def scalar_loss(y_true, y_pred):
    return ((y_true - y_pred) ** 2).mean()


def summed(y_true, y_pred):
    return ((y_true - y_pred) ** 2).sum()


def centred(y_true, y_pred):
    """One value per example, of a mean over the batch."""
    return ((y_pred - y_pred.mean(axis=0) - y_true) ** 2).mean(axis=-1)


def f1(y_true, y_pred):
    right = (y_true * y_pred).sum()
    return 2 * right / (y_true.sum() + y_pred.sum() + 1e-7)


def chain(library, *layers):
    k = library.layers
    return library.Sequential(
        [library.Input((3,)), k.Dense(4, "tanh"), *layers, k.Dense(1, "sigmoid")]
    )


def both(make):
    theirs, ours = make(keras), make(wordrow)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("batch_size", [64, 10])
@pytest.mark.parametrize("loss", [scalar_loss, summed, centred])
def test_losses_of_ones_own(loss, batch_size, rng):
    ours, theirs = both(chain)
    check(ours, theirs, loss, rng, batch_size)


@pytest.mark.parametrize("where", ["lambda", "activation", "layer"])
def test_functions_over_the_batch(where, rng):
    def over(x):
        return x - x.mean(axis=0, keepdims=True)

    def make(library):
        k = library.layers
        if where == "lambda":
            return chain(library, k.Lambda(over))
        if where == "activation":
            return chain(library, k.Dense(3, activation=over))

        class Centred(k.Layer):
            def call(self, inputs):
                return over(inputs)

        return chain(library, Centred())

    check(*both(make), "binary_crossentropy", rng, 16)


def check(ours, theirs, loss, rng, batch_size):
    x = rng.standard_normal((37, 3)).astype("float32")
    y = rng.integers(0, 2, (37, 1)).astype("float32")
    logs = []
    for model, library in ((ours, wordrow), (theirs, keras)):
        model.compile(library.optimizers.SGD(0.05), loss, metrics=[f1])
        fitted = model.fit(x, y, batch_size, 2, shuffle=False, verbose=0)
        logs.append([*fitted.history["loss"], *fitted.history["f1"]])
        logs[-1] += model.evaluate(x, y, batch_size=batch_size, verbose=0)
    np.testing.assert_allclose(*logs, rtol=2e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_built_in_functions_are_compiled_for_one_size(rng):
    ours = chain(wordrow)
    ours.compile("sgd", "mse", metrics=["accuracy", wordrow.metrics.AUC()])
    ours.fit(rng.random((37, 3)), rng.integers(0, 2, 37), batch_size=16, verbose=0)
    assert ours._training.jax_engine.step_program.compiled == ["step"]
    ours.compile("sgd", scalar_loss)
    ours.fit(rng.random((37, 3)), rng.integers(0, 2, 37), batch_size=16, verbose=0)
    assert ours._training.jax_engine.step_program.compiled == ["step"] * 2
