"""The core's kernels in training, against the same layers without them: values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import wordrow
from wordrow import (
    GRU,
    LSTM,
    Bidirectional,
    Conv1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
    SimpleRNN,
    _core,
)
from wordrow.nn import ops
from wordrow.nn.layers.window import Windows
from wordrow.nn.ops import xla
from wordrow.nn.optimizers.run import OptimizerRun
from wordrow.nn.spec import Spec
from wordrow.nn.table import sparse_update
from wordrow.nn.table.table import Table

RECURRENT = {
    "lstm": lambda units, **options: LSTM(units, **options),
    "lstm, other activations": lambda units, **options: LSTM(
        units, activation="relu", recurrent_activation="hard_sigmoid", **options
    ),
    "gru": lambda units, **options: GRU(units, **options),
    "gru, reset before": lambda units, **options: GRU(units, reset_after=False, **options),
    "gru, no bias": lambda units, **options: GRU(units, use_bias=False, **options),
    "simple": lambda units, **options: SimpleRNN(units, **options),
    "both ways": lambda units, **options: Bidirectional(LSTM(units, **options)),
}


def test_the_kernels_are_built_in():
    assert xla.are_there(), "built without JAX's headers: run make test"


def both(monkeypatch, function, *arguments):
    """What a function gives with kernels and without."""
    fast = jax.jit(lambda *given: function(*given))(*arguments)
    with monkeypatch.context() as patch:
        patch.setattr(ops.kernels, "_KERNELS", False)
        slow = jax.jit(lambda *given: function(*given))(*arguments)
    return fast, slow


def assert_same(fast, slow, *, atol=1e-5):
    for one, other in zip(jax.tree.leaves(fast), jax.tree.leaves(slow), strict=True):
        scale = max(1.0, float(abs(other).max(initial=0)))
        np.testing.assert_allclose(one, other, atol=atol * scale, rtol=0)


@pytest.mark.parametrize("kind", RECURRENT)
@settings(max_examples=3)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 20)),
    masking=st.sampled_from(["none", "front", "back", "holes", "all"]),
    how=st.sampled_from(["rows", "padding in front", "steps"]),
    sequences=st.booleans(),
    backwards=st.booleans(),
    states=st.booleans(),
    seed=st.integers(0, 99),
)
def test_recurrent_kernels_are_the_loop(
    kind, shape, masking, how, sequences, backwards, states, seed
):
    batch, steps, units = shape
    rng = np.random.default_rng(seed)
    options = {"return_sequences": sequences, "return_state": True, "go_backwards": backwards}
    layer = RECURRENT[kind](units, **options)
    weights, _, _ = layer.build(Spec((None, steps, 3)), rng)
    weights = {k: w + rng.normal(0, 0.2, w.shape).astype(np.float32) for k, w in weights.items()}
    n_rows = 4 if how != "steps" else batch * steps
    table = rng.normal(size=(n_rows, 3)).astype(np.float32)
    ids = rng.integers(0, n_rows, (batch, steps)).astype(np.int32)
    if how == "padding in front":
        ids[np.arange(steps) < rng.integers(0, steps + 1, (batch, 1))] = 0
    mask = {
        "none": None,
        "front": np.arange(steps) >= rng.integers(0, steps + 1, (batch, 1)),
        "back": np.arange(steps) < rng.integers(0, steps + 1, (batch, 1)),
        "holes": rng.random((batch, steps)) < 0.5,
        "all": np.zeros((batch, steps), bool),
    }[masking]
    n_states = {"lstm": 2, "both": 4}.get(kind.split(",")[0].split()[0], 1)
    first = rng.normal(size=(n_states if states else 0, batch, units)).astype(np.float32)

    def run(weights, table, first):
        lookup = ops.GatheredRows(table, jnp.asarray(ids))
        x = ops.materialize(lookup) if how == "steps" else lookup
        inputs, masks = ([x, *first], [mask] + [None] * len(first)) if len(first) else (x, mask)
        outputs, _, _ = layer.run(weights, {}, inputs, masks, training=True, rng=None)
        return outputs

    draws = [
        rng.normal(size=o.shape).astype(np.float32)
        for o in jax.eval_shape(run, weights, table, first)
    ]

    def loss(*arguments):
        outputs = run(*arguments)
        total = sum((o * d).sum() for o, d in zip(outputs, draws, strict=True))
        return total, outputs

    patch = pytest.MonkeyPatch()
    fast, slow = both(
        patch, jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True), weights, table, first
    )
    assert_same(fast[0][1], slow[0][1])
    assert_same(fast[1], slow[1])


@settings(max_examples=5)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 40)),
    masking=st.sampled_from(["none", "holes", "all"]),
    seed=st.integers(0, 99),
)
def test_the_mean_of_rows_is_that_of_the_rows_laid_out(shape, masking, seed):
    batch, steps, dim = shape
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(11, dim)).astype(np.float32)
    ids = rng.integers(0, 11, (batch, steps)).astype(np.int32)
    mask = {
        "none": None,
        "holes": rng.random((batch, steps)) < 0.5,
        "all": np.zeros((batch, steps), bool),
    }[masking]
    wanted = rng.normal(size=(batch, dim)).astype(np.float32)

    def loss(table):
        mean = ops.mean_of_rows(ops.GatheredRows(table, jnp.asarray(ids)), mask)
        return (mean * wanted).sum(), mean

    fast, slow = both(pytest.MonkeyPatch(), jax.value_and_grad(loss, has_aux=True), table)
    assert_same(fast, slow)
    np.testing.assert_allclose(
        ops.mean_of_rows(ops.GatheredRows(table, ids), mask), slow[0][1], atol=1e-5
    )


POOLS = {
    "none": list,
    "all": lambda: [GlobalMaxPooling1D()],
    "some": lambda: [MaxPooling1D(2, padding="same")],
    "some, overlapping": lambda: [MaxPooling1D(3, 1, padding="same")],
    "mean": lambda: [GlobalAveragePooling1D()],
}


@pytest.mark.parametrize("pool", POOLS)
@settings(max_examples=3)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 40)),
    window=st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2)),
    padding=st.sampled_from(["same", "causal", "valid"]),
    activation=st.sampled_from(["linear", "relu", "tanh", "sigmoid", "hard_sigmoid"]),
    masking=st.sampled_from(["none", "front", "back", "holes", "all"]),
    how=st.sampled_from(["rows", "padding in front", "steps", "same rows"]),
    seed=st.integers(0, 99),
)
@example(  # XLA computes these sums twice, a little apart: nothing was the largest, bit by bit
    shape=(1, 1, 30),
    window=(3, 1, 1),
    padding="causal",
    activation="hard_sigmoid",
    masking="none",
    how="padding in front",
    seed=57,
)
def test_convolution_and_pooling_kernels_are_the_sums(
    pool, shape, window, padding, activation, masking, how, seed
):
    batch, steps, filters = shape
    size, strides, dilation = window
    dilation = 1 if strides > 1 else dilation
    steps = max(steps, (size - 1) * dilation + 1)
    rng = np.random.default_rng(seed)
    conv = Conv1D(filters, size, strides, padding, dilation_rate=dilation, activation=activation)
    weights, _, _ = conv.build(Spec((None, steps, 3)), rng)
    weights["bias"] = rng.normal(size=filters).astype(np.float32)
    table = rng.normal(size=(5 if how != "steps" else batch * steps, 3)).astype(np.float32)
    if how == "same rows":  # windows that are equally large share a gradient
        table[:] = table[0]
    ids = rng.integers(0, len(table), (batch, steps)).astype(np.int32)
    if how == "padding in front":
        ids[np.arange(steps) < rng.integers(0, steps + 1, (batch, 1))] = 0
    masks = {
        "none": None,
        "front": np.arange(steps) >= rng.integers(0, steps + 1, (batch, 1)),
        "back": np.arange(steps) < rng.integers(0, steps + 1, (batch, 1)),
        "holes": rng.random((batch, steps)) < 0.5,
        "all": np.zeros((batch, steps), bool),
    }
    layers = [conv, *POOLS[pool]()]

    def run(weights, table):
        x = mask = None
        for layer in layers:
            if x is None:
                own = ids if isinstance(table, np.ndarray) else jnp.array(ids)
                lookup = ops.GatheredRows(table, own)
                x = ops.materialize(lookup) if how == "steps" else lookup
                mask = masks[masking]
                if mask is not None and not isinstance(table, np.ndarray):
                    mask = jnp.array(mask)
            following = layers[1] if len(layers) > 1 else None
            deferred = (
                layer is conv and following is not None and ops.Form.WINDOWS in following.accepts
            )
            x, mask, _ = layer.run(
                weights if layer is conv else {},
                {},
                x,
                mask,
                training=True,
                rng=None,
                deferred=deferred,
            )
        return x

    check_gradients(run, rng, weights, table)
    np.testing.assert_allclose(run(weights, table), slowly(run, weights, table), atol=1e-5)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(1, 20)),
    units=st.integers(1, 40),
    how=st.sampled_from(["rows", "padding in front", "padding alone"]),
    seed=st.integers(0, 99),
)
def test_flattened_rows_times_a_matrix(shape, units, how, seed):
    batch, steps, dim = shape
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(6, dim)).astype(np.float32)
    kernel = rng.normal(size=(steps * dim, units)).astype(np.float32)
    ids = rng.integers(0, 6, (batch, steps)).astype(np.int32)
    if how != "rows":
        last = steps + 1 if how == "padding in front" else 1
        ids[np.arange(steps)[::-1] >= rng.integers(0, last, (batch, 1))] = 0

    def run(table, kernel):
        own = ids if isinstance(table, np.ndarray) else jnp.array(ids)
        return ops.flat_product(ops.GatheredRows(table, own, is_flat=True), kernel)

    check_gradients(run, rng, table, kernel)
    fast, slow = run(table, kernel), table[ids].reshape(batch, -1) @ kernel
    np.testing.assert_allclose(fast, slow, atol=1e-5 * max(1, abs(slow).max()))


def slowly(function, *arguments):
    """What a function gives without kernels."""
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(ops.kernels, "_KERNELS", False)
        return function(*arguments)


def check_gradients(run, rng, *arguments):
    """Values and gradients of a function with kernels are those without."""
    draw = rng.normal(size=jax.eval_shape(run, *arguments).shape).astype(np.float32)

    def loss(*arguments):
        output = run(*arguments)
        return (output * draw).sum(), output

    numbers = tuple(range(len(arguments)))
    value = jax.value_and_grad(loss, argnums=numbers, has_aux=True)
    fast, slow = both(pytest.MonkeyPatch(), value, *arguments)
    assert_same(fast[0][1], slow[0][1])
    assert_same(fast[1], slow[1])


@pytest.mark.parametrize("weight_decay", [None, 0.01])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_step_of_adam_by_the_core(weight_decay, goes_on):
    rng = np.random.default_rng(0)
    adam = wordrow.optimizers.AdamW(0.01, weight_decay)
    numbers = {k: np.float32(v) for k, v in adam.hyperparameters(7).items()}
    w, m, gradient = (rng.normal(size=(90, 70)).astype(np.float32) for _ in range(3))
    gradient *= 10.0 ** rng.integers(-8, 1, gradient.shape)
    state = {"m": m, "v": m**2 + 0.1}

    def step(w, state, gradient):
        return sparse_update.update_whole(adam, w, state, gradient, jnp.array(goes_on), numbers)

    assert w.size >= ops.LARGE
    fast, slow = both(pytest.MonkeyPatch(), step, w, state, gradient.astype(np.float32))
    assert_same(fast, slow, atol=1e-6)
    assert goes_on or (np.asarray(fast[0]) == w).all()


@pytest.mark.parametrize("weight_decay", [None, 0.01])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_step_of_stale_rows_by_the_core(weight_decay, goes_on):
    rng = np.random.default_rng(0)
    adam = wordrow.optimizers.AdamW(0.01, weight_decay)
    run, rows = OptimizerRun(adam), Table(np.zeros((40, 19), np.float32))
    rows.resume(run, by_rows=True)
    for step in range(30):
        run.advance(adam.hyperparameters(step))
        rows.touch(rng.choice(40, 5, replace=False).astype(np.int32))
    numbers = {k: np.float32(v) for k, v in adam.hyperparameters(30).items()}
    table, m = (rng.normal(size=(40, 19)).astype(np.float32) for _ in range(2))
    state = {"m": m, "v": m**2 + 0.1}
    ids = np.array([3, 0, 39, 7, 40, 41], np.int32)  # the last two are no rows
    missed = rows.batch_rows(ids)["missed"]
    gradient = rng.normal(size=(6, 19)).astype(np.float32)

    def step(table, state, gradient):
        gathered = sparse_update.gather_rows(adam, table, state, ids, missed)
        given = (table, state, ids, missed), gathered, gradient, jnp.array(goes_on), numbers
        return gathered[0], sparse_update.update_rows(adam, *given)

    fast, slow = both(pytest.MonkeyPatch(), step, table, state, gradient)
    assert_same(fast, slow, atol=1e-6)
    assert goes_on or (np.asarray(fast[1][0]) == table).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found(wrong):
    x = np.random.default_rng(0).normal(size=100_003).astype(np.float32)
    x[5] = np.finfo(np.float32).max
    assert ops.all_finite(jnp.array(x))
    x[-1] = wrong
    assert not ops.all_finite(jnp.array(x))


def _lstm_loss(ids):
    def loss(table, kernel):
        (h, _), sequence = ops.recurrent(
            ops.Cell("lstm", "tanh", "sigmoid"),
            table[:, :32] @ kernel[:32],
            ids,
            kernel[32:40],
            None,
            None,
            shape=ids.shape,
            sequences=True,
        )
        return h.sum() + (sequence**2).sum()

    return loss, (40, 32)


def _conv_loss(ids):
    def loss(table, kernel):
        rows = (table @ kernel).reshape(-1, 2, 20)
        row_indices, _ = Windows(2, 1, 1, "same", ("same",)).indices_of(ids, None)
        sums = ops.WindowSums(rows, row_indices, None, "tanh")
        pools = Windows(2, 2, 1, "valid", ("valid",)).indices_of(ops.step_indices(sums), None)[0]
        return (ops.window_max(sums, pools) ** 2).sum() + (ops.window_sums(sums) ** 2).sum()

    return loss, (32, 40)


def _flat_loss(ids):
    def loss(table, kernel):
        return (ops.flat_product(ops.GatheredRows(table, ids, is_flat=True), kernel) ** 2).sum()

    return loss, (30 * 32, 40)


@pytest.mark.parametrize("made", [_lstm_loss, _conv_loss, _flat_loss])
def test_the_bits_do_not_depend_on_the_number_of_threads(made, n_threads):
    rng = np.random.default_rng(0)
    loss, shape = made(jnp.asarray(rng.integers(0, 50, (70, 30)).astype(np.int32)))
    table, kernel = (rng.normal(size=s).astype(np.float32) / 4 for s in ((50, 32), shape))

    def gradients(n):
        before = _core.n_threads()
        _core.set_n_threads(n)
        try:
            return jax.block_until_ready(jax.grad(loss, argnums=(0, 1))(table, kernel))
        finally:
            _core.set_n_threads(before)

    one, more = gradients(1), gradients(n_threads)
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(one, more, strict=True))


def test_two_equal_calls_and_two_gradients_of_one():
    rng = np.random.default_rng(0)
    z, kernel = (jnp.asarray(rng.normal(size=s).astype(np.float32)) for s in ((12, 8), (2, 8)))

    def h(z):
        return ops.recurrent(
            ops.Cell("lstm", "tanh", "sigmoid"),
            z,
            None,
            kernel,
            None,
            None,
            shape=(3, 4),
            sequences=False,
        )[0][0]

    once = jax.grad(lambda z: h(z).sum())(z)
    twice = jax.jit(jax.grad(lambda z: (h(z) + 2 * h(z)).sum()))(z)
    np.testing.assert_allclose(twice, 3 * once, rtol=1e-5)
    _, back = jax.vjp(h, z)
    ones = jnp.ones((3, 2))
    np.testing.assert_array_equal(back(ones)[0], back(ones)[0])


@settings(max_examples=20)
@given(
    shape=st.tuples(st.integers(0, 300), st.integers(1, 600), st.integers(1, 70)),
    seed=st.integers(0, 9),
)
def test_a_product_of_matrices(shape, seed):
    m, k, n = shape
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=s).astype(np.float32) for s in ((m, k), (k, n)))
    wanted = a.astype(np.float64) @ b
    np.testing.assert_allclose(_core.product(a, b), wanted, atol=1e-5 * np.sqrt(k), rtol=1e-5)
