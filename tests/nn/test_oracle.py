"""Layers against Keras's: the same weights and inputs, the same outputs."""

import keras
import numpy as np
import pytest

import wordrow
from wordrow.nn.activations import ACTIVATIONS, get_activation
from wordrow.nn.initializers import INITIALIZERS

V, D, T = 11, 4, 6

# Inside Keras, of NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def ids(rng, *, padded=True):
    x = rng.integers(1, V, (8, T))
    if padded:
        x *= np.arange(T) >= rng.integers(0, T, 8)[:, None]  # in front; never a whole row
    return x


def pair(layers):
    """The same chain of layers in Keras and here, with Keras's weights."""
    theirs = keras.Sequential([keras.Input((T,)), *(make(keras.layers) for make in layers)])
    ours = wordrow.Sequential([wordrow.Input((T,)), *(make(wordrow) for make in layers)])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


CHAINS = {
    "embedding": [lambda k: k.Embedding(V, D)],
    "mask_zero": [lambda k: k.Embedding(V, D, mask_zero=True)],
    "average": [lambda k: k.Embedding(V, D), lambda k: k.GlobalAveragePooling1D()],
    "masked average": [
        lambda k: k.Embedding(V, D, mask_zero=True),
        lambda k: k.Dropout(0.5),
        lambda k: k.SpatialDropout1D(0.5),
        lambda k: k.GlobalAveragePooling1D(keepdims=True),
    ],
    "max": [lambda k: k.Embedding(V, D), lambda k: k.GlobalMaxPooling1D(keepdims=True)],
    "flatten": [lambda k: k.Embedding(V, D), lambda k: k.Flatten(), lambda k: k.Dense(3, "relu")],
    "dense on steps": [
        lambda k: k.Embedding(V, D, mask_zero=True),
        lambda k: k.Dense(5, use_bias=False),
        lambda k: k.Activation("tanh"),
        lambda k: k.GlobalAveragePooling1D(),
        lambda k: k.Dense(1, activation="sigmoid"),
    ],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_outputs_as_keras(chain, rng):
    ours, theirs = pair(CHAINS[chain])
    x = ids(rng)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-6)
    assert ours.count_params() == theirs.count_params()
    assert ours.output_shape == theirs.output_shape
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert mine.shape == other.shape


@pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask")  # Keras drops it
@pytest.mark.parametrize("layer", ["Flatten", "GlobalMaxPooling1D"])
def test_dropped_masks_as_keras(layer, rng):
    """mask="drop" is what Keras does with these."""

    def last(k):
        extra = {"mask": "drop"} if k is wordrow else {}
        return getattr(k, layer)(**extra)

    ours, theirs = pair([lambda k: k.Embedding(V, D, mask_zero=True), last])
    x = ids(rng)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS.names)
def test_activations_as_keras(name, rng):
    x = (rng.standard_normal((5, 7)) * 4).astype(np.float32)
    expected = keras.activations.get(name)(keras.ops.convert_to_tensor(x))
    np.testing.assert_allclose(get_activation(name)(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", INITIALIZERS.names)
def test_initializers_spread_as_keras(name):
    """The same distribution: mean, standard deviation and extremes agree."""
    shape = (300, 200)
    ours = INITIALIZERS.get(name)(shape, np.random.default_rng(0))
    same = {"normal": "random_normal", "uniform": "random_uniform", "zero": "zeros", "one": "ones"}
    keras_name = same.get(name, name)
    theirs = np.asarray(keras.initializers.get(keras_name)(shape))
    assert ours.dtype == np.float32
    spread = theirs.std() or 1.0
    assert abs(ours.mean() - theirs.mean()) < 0.03 * spread
    assert abs(ours.std() - theirs.std()) < 0.02 * spread
    if ("normal" not in name and name != "orthogonal") or "truncated" in name:
        assert abs(np.abs(ours).max() - np.abs(theirs).max()) < 0.05 * spread
    assert abs(np.quantile(ours, 0.9) - np.quantile(theirs, 0.9)) < 0.03 * spread
