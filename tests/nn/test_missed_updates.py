"""What unused rows miss, in closed form, against optimizers that update every row at every step."""

import math

import numpy as np
import pytest

from wordrow import _core

V, D = 12, 3
EPSILON = 1e-4  # about as large as the square roots of v here, where the terms matter most


class Adam:
    """Its rate is alpha."""

    beta_1, beta_2, state = 0.9, 0.999, ("m", "v")
    decays = (0.9, 0.999)

    def rate(self, step, learning_rate):
        t = step + 1
        return learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)

    def update(self, w, state, gradient, rate):
        m = state["m"] = self.beta_1 * state["m"] + (1 - self.beta_1) * gradient
        v = state["v"] = self.beta_2 * state["v"] + (1 - self.beta_2) * gradient**2
        return w - rate * m / (np.sqrt(v) + EPSILON)

    def missed(self, state, terms):
        x = np.sqrt(state["v"])
        q = x / (x + EPSILON)
        return -state["m"] / (x + EPSILON) * sum(q**p * c[:, None] for p, c in enumerate(terms.T))


class SlowAdam(Adam):
    """Needs more terms."""

    beta_1, beta_2 = decays = 0.95, 0.999


class Momentum:
    """SGD. Its momentum holds the learning rate, so that its rate is 1."""

    beta_1, beta_2, state = 0.8, None, ("m",)
    decays = (0.8,)

    def rate(self, step, learning_rate):
        self.learning_rate = learning_rate
        return 1.0

    def update(self, w, state, gradient, rate):
        state["m"] = self.beta_1 * state["m"] - self.learning_rate * gradient
        return w + state["m"]

    def missed(self, state, terms):
        return state["m"] * terms


class RMSprop:
    """Without momentum: no weight moves by itself, but v decays."""

    beta_1, beta_2, state = 0.0, None, ("v",)
    decays = (0.9,)

    def rate(self, step, learning_rate):
        return learning_rate

    def update(self, w, state, gradient, rate):
        state["v"] = 0.9 * state["v"] + 0.1 * gradient**2
        return w - rate * gradient / np.sqrt(state["v"] + EPSILON)

    def missed(self, state, terms):
        assert terms is None
        return 0.0


def missed_updates(optimizer, **options):
    return _core.MissedUpdates(
        beta_1=optimizer.beta_1, beta_2=optimizer.beta_2, decays=optimizer.decays, **options
    )


def steps(rng, n, weight_decay):
    """(step, rows in use, their gradients, learning rate, what weight decay keeps), n times.

    Half of the rows stand in a batch in a hundred, the last one in none.
    """
    often = np.where(np.arange(V) < V // 2, 0.5, 0.01)
    often[-1] = 0
    for step in range(n):
        rows = np.flatnonzero(rng.random(V) < often)
        gradient = rng.normal(size=(len(rows), D)) * 10.0 ** rng.integers(-6, -1, (len(rows), 1))
        learning_rate = 0.02 * (1.1 + np.sin(step / 7))
        yield step, rows, gradient, learning_rate, 1 - learning_rate * weight_decay


@pytest.mark.parametrize("kind", [Adam, SlowAdam, Momentum, RMSprop])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("flushes", [(), (1, 150, 151, 380)])
def test_rows_in_use_alone_equal_all_rows_at_every_step(rng, kind, weight_decay, flushes):
    optimizer = kind()
    missed = missed_updates(optimizer, weight_decay=weight_decay > 0)
    w = rng.normal(size=(V, D))
    state = {name: np.zeros((V, D)) for name in optimizer.state}
    dense_w, dense_state = w.copy(), {name: x.copy() for name, x in state.items()}
    last = np.zeros(V, np.int32)

    def apply_missed(rows):
        terms, decays, keep = missed.since(last[rows])
        moved = optimizer.missed({name: x[rows] for name, x in state.items()}, terms)
        w[rows] = w[rows] * (1 if keep is None else keep[:, None]) + moved
        for name, decay in zip(optimizer.state, decays, strict=True):
            state[name][rows] *= decay[:, None]

    for step, rows, gradient, learning_rate, keep in steps(rng, 400, weight_decay):
        rate = optimizer.rate(step, learning_rate)
        all_gradients = np.zeros((V, D))
        all_gradients[rows] = gradient
        dense_w = optimizer.update(dense_w * keep, dense_state, all_gradients, rate)
        apply_missed(rows)
        own = {name: x[rows] for name, x in state.items()}
        w[rows] = optimizer.update(w[rows] * keep, own, gradient, rate)
        for name in optimizer.state:
            state[name][rows] = own[name]
        last[rows] = step + 1
        missed.add_step(rate, keep)
        if step in flushes:
            apply_missed(np.arange(V))
            missed.flush()
            np.testing.assert_allclose(w, dense_w, atol=1e-6)
    apply_missed(np.flatnonzero(last < missed.step))
    assert missed.step == 400
    assert last[-1] == 0
    assert (last < 300).sum() > 1  # some rows were long unused
    np.testing.assert_allclose(w, dense_w, atol=1e-6)
    for name in optimizer.state:
        np.testing.assert_allclose(state[name], dense_state[name], rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("weight_decay", [False, True])
def test_the_sums_are_those_of_the_formula(rng, weight_decay):
    missed = _core.MissedUpdates(
        step=5, beta_1=0.9, beta_2=0.999, decays=[0.9, 0.5], weight_decay=weight_decay
    )
    rates = rng.uniform(0, 0.1, 60)
    keeps = rng.uniform(0.8, 1, 60) if weight_decay else np.ones(60)
    for rate, keep in zip(rates, keeps, strict=True):
        missed.add_step(rate, keep)
    last = np.array([0, 3, 5, 6, 40, 64, 65], np.int32)
    terms, decays, keep = missed.since(last)
    wanted = np.zeros((len(last), missed.n_terms))
    for row, s in enumerate(np.maximum(last - 5, 0)):
        for p in range(missed.n_terms):
            wanted[row, p] = sum(
                rates[s + j - 1] * 0.9**j * (1 - 0.999 ** (j / 2)) ** p * keeps[s + j :].prod()
                for j in range(1, 60 - s + 1)
            )
    n_missed = 60 - np.maximum(last - 5, 0)
    np.testing.assert_allclose(terms, wanted, rtol=1e-6)
    np.testing.assert_allclose(decays, [0.9**n_missed, 0.5**n_missed], rtol=1e-6)
    assert (terms[-1] == 0).all()
    assert [power[-1] for power in decays] == [1, 1]
    assert terms.dtype == decays[0].dtype == np.float32
    if weight_decay:
        np.testing.assert_allclose(keep, [keeps[65 - n - 5 :].prod() for n in n_missed], rtol=1e-6)
    else:
        assert keep is None


def test_steps_that_are_added_again_give_the_same_bits(rng):
    """As when a saved training goes on."""
    first = missed_updates(Adam, weight_decay=True)
    for i in range(30):
        first.add_step(rng.random(), rng.uniform(0.9, 1))
        if i == 9:
            first.flush()
    again = missed_updates(Adam, step=first.flushed, weight_decay=True)
    for rate, keep in zip(first.rates, first.keeps, strict=True):
        again.add_step(rate, keep)
    assert (first.step, first.flushed) == (again.step, again.flushed) == (30, 10)
    assert first.rates.dtype == first.keeps.dtype == np.float64
    last = np.arange(31, dtype=np.int32)
    for one, other in zip(first.since(last), again.since(last), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_flush_forgets_the_steps():
    missed = missed_updates(Adam)
    missed.add_step(0.1)
    missed.flush()
    terms, decays, _ = missed.since(np.array([0, 1], np.int32))
    assert (terms == 0).all()
    assert (np.array(decays) == 1).all()
    assert len(missed.rates) == len(missed.keeps) == 0
    assert missed.step == missed.flushed == 1


def test_strong_weight_decay_asks_for_a_flush():
    missed = missed_updates(Momentum, weight_decay=True)
    for _ in range(50):
        assert not missed.is_long
        missed.add_step(1.0, 0.01)
    missed.add_step(1.0, 0.01)
    assert missed.is_long
    missed.flush()
    assert not missed.is_long


def test_weight_decay_may_leave_nothing():
    missed = missed_updates(Momentum, weight_decay=True)
    missed.add_step(1.0, 0.5)
    missed.add_step(1.0, 0.0)
    terms, _, keep = missed.since(np.array([0, 1, 2], np.int32))
    np.testing.assert_allclose(terms[:, 0], [0.8**2, 0.8, 0], rtol=1e-6)
    np.testing.assert_array_equal(keep, [0, 0, 1])
    assert missed.is_long


def test_the_series_is_used_where_few_terms_are_enough():
    def terms(beta_1, beta_2):
        missed = _core.MissedUpdates(beta_1=beta_1, beta_2=beta_2)
        return missed.n_terms if missed.has_closed_form else None

    assert terms(0.9, 0.999) == 4
    assert terms(0.0, 0.999) == 0  # rows do not move by themselves
    assert terms(0.9, None) == 1
    assert 4 <= terms(0.95, 0.999) <= 8
    assert terms(0.9, 0.9) is None
    assert terms(0.99, 0.99) is None


def test_what_does_not_fit_is_refused():
    for options, message in (
        ({"step": -1}, "step must not be negative"),
        ({"beta_1": 1.0}, "beta_1 must be in"),
        ({"beta_1": float("nan")}, "beta_1 must be in"),
        ({"beta_1": 0.99999, "beta_2": 0.999}, "beta_1 must be at most 0.9999"),
        ({"beta_2": 1.0}, "beta_2 must be in"),
        ({"beta_2": 0.0}, "beta_2 must be in"),
        ({"decays": [1.5]}, "decays must be in"),
    ):
        with pytest.raises(ValueError, match=message):
            _core.MissedUpdates(**options)
    missed = missed_updates(Adam)
    with pytest.raises(ValueError, match="rate and keep must be finite"):
        missed.add_step(float("nan"))
    with pytest.raises(ValueError, match="keep must be 1 without weight decay"):
        missed.add_step(0.1, 0.9)
    assert missed.step == 0
    for last in (-1, 1):
        with pytest.raises(ValueError, match="steps from 0 to the last step"):
            missed.since(np.array([0, last], np.int32))
    with pytest.raises(TypeError):
        missed.since(np.array([0], np.int64))
    with pytest.raises(ValueError, match="more terms than the core adds up"):
        _core.MissedUpdates(beta_1=0.9, beta_2=0.9).since(np.array([0], np.int32))
