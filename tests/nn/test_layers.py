"""One table of layers, one contract. A layer that is not in the table fails a test."""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wordrow import _core
from wordrow.nn import ops
from wordrow.nn.layers import (
    ELU,
    GRU,
    LAYERS,
    LSTM,
    Activation,
    ActivityRegularization,
    Add,
    AdditiveAttention,
    AlphaDropout,
    Attention,
    Average,
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Conv1D,
    Conv2D,
    Cropping1D,
    Dense,
    Dot,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    Input,
    Lambda,
    LayerNormalization,
    LeakyReLU,
    Masking,
    Maximum,
    MaxPooling1D,
    MaxPooling2D,
    Minimum,
    MultiHeadAttention,
    Multiply,
    Permute,
    PReLU,
    ReLU,
    RepeatVector,
    Reshape,
    RMSNormalization,
    SeparableConv1D,
    SimpleRNN,
    Softmax,
    SpatialDropout1D,
    StringLookup,
    Subtract,
    TextVectorization,
    TimeDistributed,
    UpSampling1D,
    ZeroPadding1D,
)
from wordrow.nn.spec import Spec

B, T, D, V = 4, 5, 3, 7

# name -> (make the layer, what it takes: "ids" [B, T], "vector" [B, D], "steps" [B, T, D],
# "two" or "three" of these, or "state": steps and first states [B, 2])
CASES = {
    "Activation": (lambda: Activation("tanh"), "steps"),
    "Activation softmax": (lambda: Activation("softmax"), "steps"),
    "Add": (Add, "two"),
    "AveragePooling1D": (AveragePooling1D, "steps"),
    "AveragePooling1D same": (lambda: AveragePooling1D(3, 2, padding="same"), "steps"),
    "Bidirectional": (lambda: Bidirectional(LSTM(2)), "steps"),
    "Bidirectional sum": (
        lambda: Bidirectional(GRU(2, return_sequences=True), merge_mode="sum"),
        "steps",
    ),
    "Bidirectional both": (
        lambda: Bidirectional(LSTM(2, return_state=True, return_sequences=True), merge_mode=None),
        "steps",
    ),
    "Concatenate": (Concatenate, "two"),
    "Concatenate steps": (lambda: Concatenate(axis=1), "two"),
    "Conv1D": (lambda: Conv1D(4, 3, activation="relu"), "steps"),
    "Conv1D same": (lambda: Conv1D(4, 3, padding="same"), "steps"),
    "Conv1D causal": (lambda: Conv1D(4, 2, padding="causal", dilation_rate=2), "steps"),
    "Conv1D strides": (lambda: Conv1D(4, 2, strides=2, use_bias=False), "steps"),
    "Conv1D groups": (lambda: Conv1D(6, 2, groups=3, padding="same"), "steps"),
    "Conv1D same strides": (lambda: Conv1D(4, 3, strides=2, padding="same"), "steps"),
    "Dense": (lambda: Dense(4, "relu"), "steps"),
    "Dense without bias": (
        lambda: Dense(4, use_bias=False, kernel_initializer="he_normal"),
        "steps",
    ),
    "Dense with rules": (
        lambda: Dense(
            4, kernel_regularizer="l2", bias_constraint="non_neg", activity_regularizer="l1"
        ),
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
    "GRU": (lambda: GRU(2), "steps"),
    "GRU reset before": (lambda: GRU(2, reset_after=False, go_backwards=True), "steps"),
    "GRU sequences": (lambda: GRU(2, return_sequences=True, activation="elu"), "steps"),
    "GlobalAveragePooling1D": (GlobalAveragePooling1D, "steps"),
    "GlobalAveragePooling1D keepdims": (lambda: GlobalAveragePooling1D(keepdims=True), "steps"),
    "GlobalMaxPooling1D": (GlobalMaxPooling1D, "steps"),
    "GlobalMaxPooling1D drop": (lambda: GlobalMaxPooling1D(mask="drop"), "steps"),
    "Input": (lambda: Input((T, D)), "steps"),
    "LSTM": (lambda: LSTM(2, dropout=0.3, recurrent_dropout=0.3), "steps"),
    "LSTM sequences": (lambda: LSTM(2, return_sequences=True, return_state=True), "steps"),
    "LSTM backwards": (lambda: LSTM(2, go_backwards=True, return_sequences=True), "steps"),
    "LSTM from a state": (lambda: LSTM(2, recurrent_activation="hard_sigmoid"), "state"),
    "Masking": (lambda: Masking(0.5), "steps"),
    "MaxPooling1D": (MaxPooling1D, "steps"),
    "MaxPooling1D same": (lambda: MaxPooling1D(3, 1, padding="same"), "steps"),
    "MaxPooling1D drop": (lambda: MaxPooling1D(2, mask="drop"), "steps"),
    "Reshape": (lambda: Reshape((D, -1)), "steps"),
    "SimpleRNN": (lambda: SimpleRNN(2), "steps"),
    "SimpleRNN sequences": (
        lambda: SimpleRNN(2, "relu", use_bias=False, return_sequences=True),
        "steps",
    ),
    "SpatialDropout1D": (lambda: SpatialDropout1D(0.4), "steps"),
    "TimeDistributed": (lambda: TimeDistributed(Dense(2)), "steps"),
    "ActivityRegularization": (lambda: ActivityRegularization(l1=0.1), "steps"),
    "AdditiveAttention": (AdditiveAttention, "two"),
    "AdditiveAttention plain": (lambda: AdditiveAttention(use_scale=False, dropout=0.3), "three"),
    "Attention": (Attention, "two"),
    "Attention scores": (lambda: Attention(use_scale=True, with_scores=True), "three"),
    "Attention causal": (lambda: Attention(score_mode="concat", causal=True), "two"),
    "AlphaDropout": (lambda: AlphaDropout(0.3), "steps"),
    "Average": (Average, "two"),
    "AveragePooling2D": (lambda: AveragePooling2D((2, 1), padding="same"), "plane"),
    "Conv2D": (lambda: Conv2D(4, (3, 2), activation="relu"), "plane"),
    "Conv2D same": (lambda: Conv2D(4, 2, (2, 1), padding="same", use_bias=False), "plane"),
    "Conv2D channels first": (
        lambda: Conv2D(4, 2, data_format="channels_first", dilation_rate=(1, 2)),
        "plane",
    ),
    "GlobalAveragePooling2D": (GlobalAveragePooling2D, "plane"),
    "GlobalMaxPooling2D": (
        lambda: GlobalMaxPooling2D(data_format="channels_first", keepdims=True),
        "plane",
    ),
    "MaxPooling2D": (lambda: MaxPooling2D((2, 1), 1), "plane"),
    "MaxPooling2D same": (lambda: MaxPooling2D(3, 2, padding="same"), "plane"),
    "SeparableConv1D": (lambda: SeparableConv1D(4, 3, activation="relu"), "steps"),
    "SeparableConv1D same": (
        lambda: SeparableConv1D(4, 3, strides=2, padding="same", depth_multiplier=2),
        "steps",
    ),
    "BatchNormalization": (BatchNormalization, "steps"),
    "BatchNormalization plain": (
        lambda: BatchNormalization(center=False, scale=False, momentum=0.5),
        "steps",
    ),
    "Cropping1D": (lambda: Cropping1D((1, 2)), "steps"),
    "Dot": (lambda: Dot(1), "two"),
    "Dot cosine": (lambda: Dot((1, 1), normalize=True), "two"),
    "ELU": (lambda: ELU(0.5), "steps"),
    "GaussianDropout": (lambda: GaussianDropout(0.3), "steps"),
    "GaussianNoise": (lambda: GaussianNoise(0.3), "steps"),
    "LayerNormalization": (LayerNormalization, "steps"),
    "LayerNormalization plain": (
        lambda: LayerNormalization(center=False, scale=False),
        "steps",
    ),
    "Lambda": (lambda: Lambda(lambda x: x * 2), "steps"),
    "LeakyReLU": (LeakyReLU, "steps"),
    "Maximum": (Maximum, "two"),
    "Minimum": (Minimum, "three"),
    "MultiHeadAttention": (lambda: MultiHeadAttention(2, 3), "two"),
    "MultiHeadAttention causal": (
        lambda: MultiHeadAttention(2, 3, 4, output_shape=5, use_bias=False, causal=True),
        "three",
    ),
    "Multiply": (Multiply, "two"),
    "PReLU": (lambda: PReLU("he_normal"), "steps"),
    "PReLU shared": (lambda: PReLU("he_normal", shared_axes=[1]), "steps"),
    "Permute": (lambda: Permute((2, 1)), "steps"),
    "ReLU": (lambda: ReLU(1.0, 0.1, 0.2), "steps"),
    "RMSNormalization": (RMSNormalization, "steps"),
    "RepeatVector": (lambda: RepeatVector(3), "vector"),
    "Softmax": (Softmax, "steps"),
    "Softmax over steps": (lambda: Softmax(1), "steps"),
    "StringLookup": (lambda: StringLookup(vocabulary=["a", "b"]), "ids"),
    "Subtract": (Subtract, "two"),
    "TextVectorization": (lambda: TextVectorization(9, ngrams=2, vocabulary=["a"]), "ids"),
    "UpSampling1D": (UpSampling1D, "steps"),
    "ZeroPadding1D": (lambda: ZeroPadding1D((2, 1)), "steps"),
}
CASE = pytest.mark.parametrize("case", CASES)


def make(case, seed=3):
    """Return (layer, weights, state, output spec, inputs, mask)."""
    factory, kind = CASES[case]
    layer, rng = factory(), np.random.default_rng(seed)
    lengths = np.array([T, 3, 1, 2])
    mask = np.arange(T) >= T - lengths[:, None]  # padded in front
    if kind == "ids":
        inputs = rng.integers(1, V, (B, T)).astype(np.int32) * mask
        spec = Spec((None, T), "int32")
    else:
        inputs = rng.standard_normal((B, T, D)).astype(np.float32)
        spec = Spec((None, T, D))
    if kind in ("two", "three"):
        n = {"two": 2, "three": 3}[kind]
        others = [rng.standard_normal((B, T, D)).astype(np.float32) for _ in range(n - 1)]
        inputs, spec, mask = [inputs, *others], [spec] * n, [mask] * n
    if kind == "plane":
        inputs = rng.standard_normal((B, 6, 4, 3)).astype(np.float32)
        spec, mask = Spec((None, 6, 4, 3)), np.ones((B, 6), bool)
    if kind == "vector":
        inputs, spec, mask = inputs[:, 0], Spec((None, D)), None
    if kind == "state":
        states = [rng.standard_normal((B, 2)).astype(np.float32) for _ in range(2)]
        inputs, spec = [inputs, *states], [spec, Spec((None, 2)), Spec((None, 2))]
        mask = [mask, None, None]
    weights, state, output_spec = layer.build(spec, rng)
    return layer, weights, state, output_spec, inputs, mask


def run(layer, weights, state, inputs, mask, *, training=False, rng=None):
    return layer.run(weights, state, inputs, mask, training=training, rng=rng)


def listed(x):
    return x if isinstance(x, list) else [x]


def each(function, *trees):
    """Apply a function to an array, or to each of a list; None stays None."""
    if isinstance(trees[0], list):
        return [each(function, *parts) for parts in zip(*trees, strict=True)]
    return None if trees[0] is None else function(*trees)


def taken_mask(layer, mask):
    return None if layer.mask_rule == "refuses" and layer.mask is None else mask


def promises(layer):
    """Whether the layer promises that padding changes nothing."""
    return layer.mask_rule != "refuses" and layer.mask != "drop"


def test_the_table_has_every_layer():
    assert {case.split(" ")[0] for case in CASES} == set(LAYERS)


@CASE
def test_shapes_are_those_promised(case):
    layer, weights, state, specs, inputs, mask = make(case)
    outputs, out_masks, _ = run(layer, weights, state, inputs, taken_mask(layer, mask))
    assert isinstance(outputs, list) == isinstance(specs, list)
    masks = out_masks if isinstance(out_masks, list) else [out_masks]
    for output, out_mask, spec in zip(listed(outputs), masks, listed(specs), strict=True):
        assert str(output.dtype) == spec.dtype
        assert spec.shape[0] is None
        assert output.shape[1:] == spec.shape[1:]
        if out_mask is not None:
            assert out_mask.dtype == bool
            assert out_mask.shape == output.shape[: out_mask.ndim]


@CASE
def test_batched_equals_single(case):
    layer, weights, state, _, inputs, mask = make(case)
    mask = taken_mask(layer, mask)
    together = listed(run(layer, weights, state, inputs, mask)[0])
    for i in range(B):
        one, one_mask = each(lambda x, i=i: x[i : i + 1], inputs), None
        if mask is not None:
            one_mask = each(lambda m, i=i: m[i : i + 1], mask)
        for alone, all_of_them in zip(
            listed(run(layer, weights, state, one, one_mask)[0]), together, strict=True
        ):
            np.testing.assert_allclose(alone[0], all_of_them[i], atol=1e-6)


@CASE
def test_the_mask_is_treated_as_declared(case):
    layer, weights, state, _, inputs, mask = make(case)
    if layer.mask == "drop":
        with_mask = run(layer, weights, state, inputs, mask)
        without = run(layer, weights, state, inputs, None)
        np.testing.assert_array_equal(with_mask[0], without[0])
        assert with_mask[1] is None
        return
    if layer.mask_rule == "refuses":
        shape = re.escape(str((None, *inputs.shape[1:])))
        with pytest.raises(ValueError, match=f"cannot honour a mask.*shape {shape}.*mask='drop'"):
            run(layer, weights, state, inputs, mask)
        return
    outputs, out_mask, _ = run(layer, weights, state, inputs, mask)
    first = listed(out_mask)[0]
    if layer.mask_rule == "consumes":
        assert first is None
    else:
        # What comes out depends on no step that is not real: the mask tells all of them.
        noise = each(lambda x: x + 9 if x.ndim == 3 else x, inputs)
        real = (
            each(
                lambda x, n, m: x if m is None else np.where(m[..., None], x, n),
                inputs,
                noise,
                mask,
            )
            if isinstance(mask, list)
            else (inputs if inputs.ndim == 2 else np.where(mask[..., None], inputs, noise))
        )
        again = listed(run(layer, weights, state, real, mask)[0])
        np.testing.assert_allclose(listed(outputs)[0][first], again[0][first], atol=1e-6)


@CASE
@pytest.mark.parametrize("side", ["front", "end"])
@pytest.mark.parametrize("n_more", [1, 2])
def test_more_padding_changes_nothing(case, side, n_more):
    layer, weights, state, _, inputs, mask = make(case)
    if not promises(layer):
        return
    before, mask_before, _ = run(layer, weights, state, inputs, mask)
    width = (n_more, 0) if side == "front" else (0, n_more)

    def longer(x, m):
        if m is None:
            return x
        more = np.pad(x, [(0, 0), width, (0, 0)][: x.ndim])
        if x.dtype == np.float32:  # what stands in padding must not matter
            more[np.pad(~m, [(0, 0), width], constant_values=True)] = 100.0
        return more

    more = (
        [longer(x, m) for x, m in zip(inputs, mask, strict=True)]
        if isinstance(inputs, list)
        else longer(inputs, mask)
    )
    more_mask = each(lambda m: np.pad(m, [(0, 0), width]), mask)
    after, mask_after, _ = run(layer, weights, state, more, more_mask)
    outputs = zip(listed(after), listed(before), strict=True)
    masks = zip(listed(mask_after), listed(mask_before), strict=True)
    for (a, b), (m_a, m_b) in zip(outputs, masks, strict=True):
        if m_a is None and a.shape != b.shape:
            assert case == "Attention scores"  # a number for each pair of steps
        elif m_a is None:
            np.testing.assert_allclose(a, b, atol=1e-6)
        else:
            np.testing.assert_allclose(a[m_a], b[m_b], atol=1e-6)


@CASE
def test_a_text_of_padding_alone_is_finite(case):
    layer, weights, state, _, inputs, mask = make(case)
    if layer.mask_rule == "refuses" and layer.mask is None:
        return
    for output in listed(run(layer, weights, state, inputs, each(np.zeros_like, mask))[0]):
        assert np.isfinite(output).all()


@CASE
@pytest.mark.parametrize("masked", [True, False])
def test_numpy_equals_jax(case, masked):
    layer, weights, state, _, inputs, mask = make(case)
    mask = taken_mask(layer, mask) if masked else each(lambda m: None, mask)
    expected, expected_mask, _ = run(layer, weights, state, inputs, mask)
    n_traced = []

    def apply(w, x, m):
        n_traced.append(1)
        return run(layer, w, state, x, m)[:2]

    jitted = jax.jit(apply)
    for _ in range(2):
        found, found_mask = jitted(
            jax.tree.map(jnp.asarray, weights), each(jnp.asarray, inputs), mask
        )
    assert len(n_traced) == 1
    for output, want in zip(listed(found), listed(expected), strict=True):
        np.testing.assert_allclose(output, want, atol=1e-5)
        assert output.dtype == want.dtype
    for have, want in zip(listed(found_mask), listed(expected_mask), strict=True):
        assert (have is None) == (want is None)
        if want is not None:
            np.testing.assert_array_equal(have, want)


@CASE
def test_gradients_are_finite(case):
    layer, weights, state, _, inputs, mask = make(case)
    mask = taken_mask(layer, mask)
    key = jax.random.key(0)

    def total(w, x):
        outputs = listed(run(layer, w, state, x, mask, training=True, rng=key)[0])
        return sum((output.astype(jnp.float32) ** 2).sum() for output in outputs)

    floats = listed(inputs)[0].dtype == np.float32
    gradients = jax.jit(jax.grad(total, argnums=(0, 1) if floats else 0))(
        jax.tree.map(jnp.asarray, weights), each(jnp.asarray, inputs)
    )
    for gradient in jax.tree.leaves(gradients):
        assert np.isfinite(gradient).all()


@CASE
def test_the_config_makes_it_again(case):
    layer, weights, state, _, inputs, mask = make(case)
    if case == "Lambda":
        with pytest.raises(ValueError, match="holds a user-defined function"):
            layer.get_config()
        return
    again = LAYERS[type(layer).__name__](**json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    mask = taken_mask(layer, mask)
    for a, b in zip(
        listed(run(again, weights, state, inputs, mask)[0]),
        listed(run(layer, weights, state, inputs, mask)[0]),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@CASE
def test_the_same_seed_draws_the_same_weights(case):
    first, second = make(case)[1], make(case)[1]
    for name, weight in first.items():
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, second[name])


@pytest.mark.parametrize(
    "make_layer",
    [
        lambda: LSTM(19, return_sequences=True),
        lambda: GRU(19, return_sequences=True),
        lambda: GRU(19, reset_after=False, return_sequences=True),
        lambda: SimpleRNN(19, return_sequences=True),
    ],
)
def test_the_kernel_is_the_loop(make_layer, rng, n_threads, monkeypatch):
    """More texts than a part, sizes that fill no panel, masks with holes: core and NumPy agree."""
    layer = make_layer()
    weights, _, _ = layer.build(Spec((None, 9, 5)), rng)
    weights = {
        name: w + rng.normal(0, 0.3, w.shape).astype(np.float32) for name, w in weights.items()
    }
    x = 3 * rng.standard_normal((21, 9, 5)).astype(np.float32)
    for mask in (None, rng.random((21, 9)) < 0.7):
        fast = run(layer, weights, {}, x, mask)[0]
        with monkeypatch.context() as patch:
            patch.setattr(ops.kernels, "_KERNELS", False)
            slow = run(layer, weights, {}, x, mask)[0]
        np.testing.assert_allclose(fast, slow, atol=1e-5)
        assert not np.array_equal(fast, slow)  # or they would be one and the same code


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "elman"}, "'simple', 'lstm' or 'gru'"),
        ({"activation": 9}, "no such activation"),
        ({"last": [np.zeros((2, 3), np.float32)]}, "an LSTM has two states"),
        ({"first": [np.zeros((2, 3), np.float32)]}, "an LSTM has two states"),
        ({"first": [np.zeros((2, 4), np.float32)] * 2}, r"states must be \[B, U\]"),
        ({"mask": np.ones((2, 3), bool)}, r"the mask must be \[B, T\]"),
        ({"row_indices": np.zeros((2, 3), np.int32)}, r"row_indices must be \[B, T\]"),
        ({"row_indices": np.full((2, 4), 8, np.int32)}, "row_indices must be rows of z"),
        ({"z": np.zeros((7, 12), np.float32)}, "z must have a row a step"),
        ({"kernel": np.zeros((3, 9), np.float32)}, r"G \* U columns"),
    ],
)
def test_the_kernels_adapter_checks_what_it_is_given(change, message):
    arguments = {
        "cell": "lstm",
        "z": np.zeros((8, 12), np.float32),
        "row_indices": None,
        "kernel": np.zeros((3, 12), np.float32),
        "last": [np.zeros((2, 3), np.float32) for _ in range(2)],
        "first": [],
        "mask": None,
        "n_steps": 4,
        "activation": 2,
        "gate": 3,
        "recurrent_bias": None,
        "reset_after": True,
        "sequences": False,
    } | change
    with pytest.raises(ValueError, match=message):
        _core.recurrent(**arguments)


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
        (lambda: Conv1D(4, 2, groups=3), "`filters` must be a multiple of `groups`"),
        (lambda: Flatten(mask="keep"), "`mask` must be None, 'drop', 'ignore' or 'keras'"),
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
    np.testing.assert_array_equal(layer(np.array([[1.0]]))[0], [[2, 3]])
