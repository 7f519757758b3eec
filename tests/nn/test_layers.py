"""One table of layers, one contract. A layer that is not in the table fails a test."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wordrow.nn.layers import (
    LAYERS,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Input,
    SpatialDropout1D,
)
from wordrow.nn.layers.layer import Spec

B, T, D, V = 4, 5, 3, 7

# name -> (make the layer, what it takes: "ids" [B, T] or "steps" [B, T, D])
CASES = {
    "Activation": (lambda: Activation("tanh"), "steps"),
    "Activation softmax": (lambda: Activation("softmax"), "steps"),
    "Dense": (lambda: Dense(4, "relu"), "steps"),
    "Dense without bias": (
        lambda: Dense(4, use_bias=False, kernel_initializer="he_normal"),
        "steps",
    ),
    "Dropout": (lambda: Dropout(0.4), "steps"),
    "Embedding": (lambda: Embedding(V, D), "ids"),
    "Embedding mask_zero": (
        lambda: Embedding(V, D, mask_zero=True, embeddings_initializer="normal"),
        "ids",
    ),
    "Flatten": (Flatten, "steps"),
    "Flatten drop": (lambda: Flatten(mask="drop"), "steps"),
    "GlobalAveragePooling1D": (GlobalAveragePooling1D, "steps"),
    "GlobalAveragePooling1D keepdims": (lambda: GlobalAveragePooling1D(keepdims=True), "steps"),
    "GlobalMaxPooling1D": (GlobalMaxPooling1D, "steps"),
    "GlobalMaxPooling1D drop": (lambda: GlobalMaxPooling1D(mask="drop"), "steps"),
    "Input": (lambda: Input((T, D)), "steps"),
    "SpatialDropout1D": (lambda: SpatialDropout1D(0.4), "steps"),
}
CASE = pytest.mark.parametrize("case", CASES)


def make(case, seed=3):
    """Return (layer, weights, state, output spec, inputs, mask)."""
    factory, kind = CASES[case]
    layer, rng = factory(), np.random.default_rng(seed)
    if kind == "ids":
        inputs = rng.integers(1, V, (B, T)).astype(np.int32)
        spec = Spec((None, T), "int32")
    else:
        inputs = rng.standard_normal((B, T, D)).astype(np.float32)
        spec = Spec((None, T, D))
    lengths = np.array([T, 3, 1, 2])
    mask = np.arange(T) >= T - lengths[:, None]  # padded in front
    if kind == "ids":
        inputs = inputs * mask
    weights, state, output_spec = layer.build(spec, rng)
    return layer, weights, state, output_spec, inputs, mask


def run(layer, weights, state, inputs, mask, *, training=False, rng=None):
    return layer.run(weights, state, inputs, mask, training=training, rng=rng)


def taken_mask(layer, mask):
    return None if layer.mask_rule == "refuses" and layer.mask is None else mask


def test_the_table_has_every_layer():
    assert {case.split(" ")[0] for case in CASES} == set(LAYERS)


@CASE
def test_shapes_are_those_promised(case):
    layer, weights, state, spec, inputs, mask = make(case)
    outputs, out_mask, _ = run(layer, weights, state, inputs, taken_mask(layer, mask))
    assert outputs.dtype == np.float32
    assert spec.shape[0] is None
    assert outputs.shape[1:] == spec.shape[1:]
    if out_mask is not None:
        assert out_mask.shape == outputs.shape[: out_mask.ndim]


@CASE
def test_batched_equals_single(case):
    layer, weights, state, _, inputs, mask = make(case)
    mask = taken_mask(layer, mask)
    together = run(layer, weights, state, inputs, mask)[0]
    for i in range(B):
        row_mask = None if mask is None else mask[i : i + 1]
        alone = run(layer, weights, state, inputs[i : i + 1], row_mask)[0]
        np.testing.assert_allclose(alone[0], together[i], atol=1e-6)


@CASE
def test_the_mask_is_treated_as_declared(case):
    layer, weights, state, _, inputs, mask = make(case)
    if layer.mask == "drop":
        with_mask = run(layer, weights, state, inputs, mask)
        without = run(layer, weights, state, inputs, None)
        np.testing.assert_array_equal(with_mask[0], without[0])
        assert with_mask[1] is None
    elif layer.mask_rule == "refuses":
        with pytest.raises(ValueError, match="cannot honour a mask.*mask='drop'"):
            run(layer, weights, state, inputs, mask)
    elif layer.mask_rule == "consumes":
        assert run(layer, weights, state, inputs, mask)[1] is None
    else:
        np.testing.assert_array_equal(run(layer, weights, state, inputs, mask)[1], mask)


@CASE
@pytest.mark.parametrize("side", ["front", "end"])
def test_more_padding_changes_nothing(case, side):
    layer, weights, state, _, inputs, mask = make(case)
    if layer.mask_rule == "refuses" or layer.mask == "drop":
        return  # not promised for these
    before = run(layer, weights, state, inputs, mask)[0]
    width = (2, 0) if side == "front" else (0, 2)
    more = np.pad(inputs, [(0, 0), width, (0, 0)][: inputs.ndim])
    if inputs.dtype == np.float32:  # what stands in padding must not matter
        more[np.pad(~mask, [(0, 0), width], constant_values=True)] = 100.0
    more_mask = np.pad(mask, [(0, 0), width])
    after = run(layer, weights, state, more, more_mask)[0]
    if layer.mask_rule == "consumes":
        np.testing.assert_allclose(after, before, atol=1e-6)
    else:
        np.testing.assert_allclose(after[more_mask], before[mask], atol=1e-6)


@CASE
def test_a_text_of_padding_alone_is_finite(case):
    layer, weights, state, _, inputs, mask = make(case)
    if layer.mask_rule == "refuses" and layer.mask is None:
        return
    outputs = run(layer, weights, state, inputs, np.zeros_like(mask))[0]
    assert np.isfinite(outputs).all()


@CASE
def test_numpy_equals_jax(case):
    layer, weights, state, _, inputs, mask = make(case)
    mask = taken_mask(layer, mask)
    expected, expected_mask, _ = run(layer, weights, state, inputs, mask)
    jitted = jax.jit(lambda w, x, m: run(layer, w, state, x, m)[:2])
    outputs, out_mask = jitted(jax.tree.map(jnp.asarray, weights), jnp.asarray(inputs), mask)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert outputs.dtype == expected.dtype
    if expected_mask is not None:
        np.testing.assert_array_equal(out_mask, expected_mask)


@CASE
def test_gradients_are_finite(case):
    layer, weights, state, _, inputs, mask = make(case)
    mask = taken_mask(layer, mask)
    key = jax.random.key(0)

    def total(w, x):
        outputs = run(layer, w, state, x, mask, training=True, rng=key)[0]
        return (outputs.astype(jnp.float32) ** 2).sum()

    floats = inputs.dtype == np.float32
    gradients = jax.grad(total, argnums=(0, 1) if floats else 0)(
        jax.tree.map(jnp.asarray, weights), jnp.asarray(inputs)
    )
    for gradient in jax.tree.leaves(gradients):
        assert np.isfinite(gradient).all()


@CASE
def test_the_config_makes_it_again(case):
    layer, weights, state, _, inputs, mask = make(case)
    again = LAYERS[type(layer).__name__](**layer.get_config())
    assert again.get_config() == layer.get_config()
    mask = taken_mask(layer, mask)
    np.testing.assert_array_equal(
        run(again, weights, state, inputs, mask)[0], run(layer, weights, state, inputs, mask)[0]
    )


@CASE
def test_the_same_seed_draws_the_same_weights(case):
    first, second = make(case)[1], make(case)[1]
    for name, weight in first.items():
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, second[name])


@pytest.mark.parametrize("layer", [Dropout(0.4), SpatialDropout1D(0.4)])
@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_dropout_while_training(layer, engine):
    x = np.ones((200, 10, 20), np.float32)
    rng = np.random.default_rng(0)
    if engine == "jax":
        x, rng = jnp.asarray(x), jax.random.key(0)
    outputs = np.asarray(layer.run({}, {}, x, None, training=True, rng=rng)[0])
    np.testing.assert_allclose(np.unique(outputs), [0, 1 / 0.6], rtol=1e-6)
    assert abs(outputs.mean() - 1) < 0.05
    same_at_every_step = (outputs == outputs[:, :1]).all()
    assert same_at_every_step == isinstance(layer, SpatialDropout1D)
    none = Dropout(1.0).run({}, {}, x, None, training=True, rng=rng)[0]
    assert not np.asarray(none).any()


@pytest.mark.parametrize(
    ("make_layer", "message"),
    [
        (lambda: Embedding(0, 3), "`input_dim` must be a whole number above 0; received 0"),
        (lambda: Embedding(10, 2.5), "`output_dim` must be a whole number"),
        (lambda: Embedding(10, 3, weights=np.zeros((3, 10))), r"\(10, 3\); received \(3, 10\)"),
        (lambda: Embedding(10, 3, "unifrom"), "an initializer must be"),
        (
            lambda: Embedding(10, 3, input_length=6)(np.zeros((1, 5), int)),
            "input_length=.*received",
        ),
        (lambda: Embedding(10, 3)(np.array([[1, 10]])), "text 0 has id 10 at position 1.*10 rows"),
        (lambda: Embedding(10, 3)(np.array([[1], [-2]])), "must not be negative: text 1 has id -2"),
        (lambda: Dense(0), "`units` must be a whole number above 0"),
        (lambda: Dense(1, "relv"), "`activation` must be a function or one of"),
        (lambda: Dense(1).build(Spec((None, None)), None), "needs to know the last axis"),
        (lambda: Dropout(1.5), "`rate` must be from 0 to 1; received 1.5"),
        (lambda: Input(), "Input needs `shape`"),
        (lambda: Input(5), r"Use Input\(\(5,\)\)"),
        (lambda: GlobalMaxPooling1D()(np.zeros((2, 3))), r"takes \[batch, steps, features\]"),
        (lambda: GlobalMaxPooling1D("channels_first"), "`data_format` must be 'channels_last'"),
        (lambda: Flatten("channels_first"), "`data_format` must be 'channels_last'"),
        (lambda: Flatten(mask="keep"), "`mask` must be None or 'drop'"),
    ],
)
def test_bad_arguments(make_layer, message):
    with pytest.raises(ValueError, match=message):
        make_layer()


def test_unknown_arguments_are_a_type_error():
    with pytest.raises(TypeError, match="output"):
        Embedding(10, 3, output="x")


def test_given_weights_are_the_table():
    table = np.arange(6).reshape(3, 2)
    for weights in (table, [table]):
        layer = Embedding(3, 2, weights=weights, trainable=False)
        np.testing.assert_array_equal(layer(np.array([[2, 0]]))[0], [[4, 5], [0, 1]])
    np.testing.assert_array_equal(layer(np.array([[1.9]]))[0], [[2, 3]])  # fractions are cut off
