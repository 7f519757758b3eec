"""Layers against Keras's: the same weights and inputs, the same outputs."""

import keras
import numpy as np
import pytest

import wordrow
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.initializers import INITIALIZERS

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
    "groups": [lambda k: k.Embedding(V, D), lambda k: k.Conv1D(6, 3, groups=2, padding="same")],
    "flatten": [lambda k: k.Embedding(V, D), lambda k: k.Flatten(), lambda k: k.Dense(3, "relu")],
    "normalized steps": [
        lambda k: k.Embedding(V, D, mask_zero=True),
        lambda k: k.LayerNormalization(),
        lambda k: k.LeakyReLU(),
        lambda k: k.ELU(0.5),
        lambda k: k.ReLU(2.0, 0.1, 0.2),
        lambda k: k.GaussianNoise(0.3),
        lambda k: k.GaussianDropout(0.3),
        lambda k: k.ActivityRegularization(0.1),
        lambda k: k.BatchNormalization(),
        lambda k: k.GlobalAveragePooling1D(),
    ],
    "other shapes": [
        lambda k: k.Embedding(V, D),
        lambda k: k.ZeroPadding1D((2, 1)),
        lambda k: k.UpSampling1D(2),
        lambda k: k.Cropping1D((1, 3)),
        lambda k: k.Permute((2, 1)),
        lambda k: k.RMSNormalization(),
        lambda k: k.PReLU("he_normal"),
        lambda k: k.Softmax(1),
        lambda k: k.Flatten(),
        lambda k: k.RepeatVector(3),
    ],
    "separable": [
        lambda k: k.Embedding(V, D),
        lambda k: k.SeparableConv1D(5, 3, padding="same", depth_multiplier=2),
        lambda k: k.SeparableConv1D(3, 2, strides=2, activation="tanh"),
        lambda k: k.AlphaDropout(0.5),
        lambda k: k.LeakyReLU(-1.0) if k is wordrow else k.Activation(keras.ops.abs),
    ],
    "planes": [
        lambda k: k.Embedding(V, D),
        lambda k: k.Reshape((T, D, 1)),
        lambda k: k.Conv2D(3, (3, 2), padding="same", activation="tanh"),
        lambda k: k.AveragePooling2D((2, 3), strides=1, padding="same"),
        lambda k: k.Conv2D(4, 2, dilation_rate=(2, 1)),
        lambda k: k.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
        lambda k: k.Conv2D(5, (1, 2), (1, 2), use_bias=False),
        lambda k: k.GlobalMaxPooling2D(),
    ],
    "means of planes": [
        lambda k: k.Embedding(V, D),
        lambda k: k.Reshape((T, D, 1)),
        lambda k: k.MaxPooling2D(2),
        lambda k: k.GlobalAveragePooling2D(keepdims=True),
    ],
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
    if name == "keras2_hard_sigmoid":  # which is in no Keras of today
        expected = np.clip(0.2 * x + 0.5, 0, 1)
    else:
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


MERGES = {
    "add": lambda k: k.Add(),
    "subtract": lambda k: k.Subtract(),
    "multiply": lambda k: k.Multiply(),
    "average": lambda k: k.Average(),
    "maximum": lambda k: k.Maximum(),
    "minimum": lambda k: k.Minimum(),
    "dot": lambda k: k.Dot((2, 2)),
    "dot, normalized": lambda k: k.Dot(1, normalize=True),
    "attention": lambda k: k.Attention(use_scale=True),
    "attention, concat": lambda k: k.Attention(score_mode="concat"),
    "additive attention": lambda k: k.AdditiveAttention(),
    "heads": lambda k: k.MultiHeadAttention(2, 3),
    "heads, other sizes": lambda k: k.MultiHeadAttention(2, 3, output_shape=5, use_bias=False),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", MERGES)
def test_two_inputs_as_keras(name, masked, rng):
    """Values and masks; where steps are real in one input alone, see test_differences."""

    def model(k, library):
        first, second = library.Input((T,)), library.Input((T,))
        rows = k.Embedding(V, D, mask_zero=masked)
        layer = MERGES[name](k)
        both = (rows(first), rows(second))
        out = layer(*both) if isinstance(layer, k.MultiHeadAttention) else layer(list(both))
        if name.startswith("dot"):
            return library.Model([first, second], out)
        return library.Model([first, second], k.GlobalAveragePooling1D()(out))

    theirs, ours = model(keras.layers, keras), model(wordrow, wordrow)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    ours.set_weights(theirs.get_weights())
    x = ids(rng, padded=masked)
    other = np.where(x == 0, 0, rng.integers(1, V, x.shape))
    if masked and name.startswith("dot"):  # Keras lets what is masked count in sums
        return
    np.testing.assert_allclose(
        ours.predict([x, other]), theirs.predict([x, other], verbose=0), atol=2e-6
    )


@pytest.mark.parametrize("masked", [False, True])
def test_batch_normalization_learns_as_keras(masked, rng):
    chain = [
        lambda k: k.Embedding(V, D, mask_zero=masked),
        lambda k: k.BatchNormalization(momentum=0.7),
        lambda k: k.GlobalAveragePooling1D(),
        lambda k: k.Dense(1),
    ]
    ours, theirs = pair(chain)
    x, y = np.concatenate([ids(rng, padded=masked) for _ in range(4)]), rng.normal(size=(32, 1))
    ours.compile(wordrow.optimizers.SGD(0.1), "mse")
    theirs.compile(keras.optimizers.SGD(0.1), "mse")
    for model in (ours, theirs):  # the last batch has 4 of 14
        model.fit(x, y, batch_size=14, epochs=3, shuffle=False, verbose=0)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-5)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=2e-5)
    ours.layers[1].trainable = False
    ours.compile("sgd", "mse")
    before = ours.layers[1].get_weights()
    ours.fit(x, y, verbose=0)
    for was, is_now in zip(before, ours.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(was, is_now)


@pytest.mark.parametrize("causal", [False, True])
def test_heads_with_scores_and_order(causal, rng):
    x = rng.normal(size=(3, T, D)).astype(np.float32)
    theirs, ours = keras.layers.MultiHeadAttention(2, 3), wordrow.MultiHeadAttention(2, 3)
    options = {"use_causal_mask": causal, "return_attention_scores": True}
    wanted = theirs(x, x, **options)
    ours(x, x, **options)
    ours.set_weights(theirs.get_weights())
    for mine, other in zip(ours(x, x, **options), wanted, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)
    allowed = rng.random((3, T, T)) < 0.7
    theirs, ours = keras.layers.MultiHeadAttention(2, 3), wordrow.MultiHeadAttention(2, 3)
    wanted = theirs(x, x, attention_mask=allowed)
    ours(x, x, attention_mask=allowed)
    ours.set_weights(theirs.get_weights())
    some = allowed.any(axis=-1)
    np.testing.assert_allclose(
        np.asarray(ours(x, x, attention_mask=allowed))[some], np.asarray(wanted)[some], atol=1e-6
    )
