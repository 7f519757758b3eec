"""The core's kernels in training, against the same layers without them: values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordrow import GRU, LSTM, Bidirectional, SimpleRNN, _core
from wordrow.nn import custom_calls, ops
from wordrow.nn.layers.layer import Spec

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
    assert custom_calls.are_there(), "built without JAX's headers: run make test"


def both(monkeypatch, function, *arguments):
    """What a function gives with kernels and without."""
    fast = jax.jit(lambda *given: function(*given))(*arguments)
    with monkeypatch.context() as patch:
        patch.setattr(ops, "_KERNELS", False)
        slow = jax.jit(lambda *given: function(*given))(*arguments)
    return fast, slow


def assert_same(fast, slow, *, atol=1e-5):
    for one, other in zip(jax.tree.leaves(fast), jax.tree.leaves(slow), strict=True):
        scale = max(1.0, float(abs(other).max(initial=0)))
        np.testing.assert_allclose(one, other, atol=atol * scale, rtol=0)


@pytest.mark.parametrize("kind", RECURRENT)
@settings(max_examples=6)
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
        lookup = ops.Lookup(table, jnp.asarray(ids))
        x = ops.laid_out(lookup) if how == "steps" else lookup
        inputs, masks = ([x, *first], [mask] + [None] * len(first)) if len(first) else (x, mask)
        outputs, _, _ = layer.run(weights, {}, inputs, masks, training=True, rng=None)
        return outputs

    draws = [rng.normal(size=o.shape).astype(np.float32) for o in
             jax.eval_shape(run, weights, table, first)]  # fmt: skip

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


@settings(max_examples=20)
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
    mask = {"none": None, "holes": rng.random((batch, steps)) < 0.5,
            "all": np.zeros((batch, steps), bool)}[masking]  # fmt: skip
    wanted = rng.normal(size=(batch, dim)).astype(np.float32)

    def loss(table):
        mean = ops.mean_of_rows(ops.Lookup(table, jnp.asarray(ids)), mask)
        return (mean * wanted).sum(), mean

    fast, slow = both(pytest.MonkeyPatch(), jax.value_and_grad(loss, has_aux=True), table)
    assert_same(fast, slow)
    np.testing.assert_allclose(
        ops.mean_of_rows(ops.Lookup(table, ids), mask), slow[0][1], atol=1e-5
    )


def test_the_bits_do_not_depend_on_the_number_of_threads(n_threads):
    rng = np.random.default_rng(0)
    layer = LSTM(24, return_sequences=True)
    weights, _, _ = layer.build(Spec((None, 30, 8)), rng)
    table = rng.normal(size=(50, 8)).astype(np.float32)
    ids = jnp.asarray(rng.integers(0, 50, (70, 30)).astype(np.int32))
    z = table @ weights["kernel"] + weights["bias"]

    def loss(z, kernel):
        (h, _), sequence = ops.recurrent(
            "lstm", z, ids, kernel, None, None, shape=ids.shape, activation="tanh",
            gate="sigmoid", sequences=True,
        )  # fmt: skip
        return h.sum() + (sequence**2).sum()

    def gradients(n):
        before = _core.n_threads()
        _core.set_n_threads(n)
        try:
            return jax.grad(loss, argnums=(0, 1))(z, weights["recurrent_kernel"])
        finally:
            _core.set_n_threads(before)

    one, more = gradients(1), gradients(n_threads)
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(one, more, strict=True))


def test_two_equal_calls_and_two_gradients_of_one():
    rng = np.random.default_rng(0)
    z, kernel = (jnp.asarray(rng.normal(size=s).astype(np.float32)) for s in ((12, 8), (2, 8)))

    def h(z):
        return ops.recurrent(
            "lstm", z, None, kernel, None, None, shape=(3, 4), activation="tanh", gate="sigmoid",
            sequences=False,
        )[0][0]  # fmt: skip

    once = jax.grad(lambda z: h(z).sum())(z)
    twice = jax.jit(jax.grad(lambda z: (h(z) + 2 * h(z)).sum()))(z)
    np.testing.assert_allclose(twice, 3 * once, rtol=1e-5)
    _, back = jax.vjp(h, z)
    ones = jnp.ones((3, 2))
    np.testing.assert_array_equal(back(ones)[0], back(ones)[0])
