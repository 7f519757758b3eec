"""The core's training against a plain NumPy loop with dense Adam."""

from itertools import pairwise

import numpy as np
import pytest

import reference
from core_trainer import CoreTrainer
from wordrow import _core
from wordrow.types import Ragged

V, D, B = 400, 5, 8


def zipf_documents(rng, n):
    """Documents whose ids are Zipf-distributed: most rows rest for long times.

    Some are empty, some say one word up to 50 times.
    """
    lengths = rng.integers(0, 12, n)
    documents = [(rng.zipf(1.4, k) - 1) % (V - 1) + 1 for k in lengths]
    for i in range(0, n, 9):
        documents[i] = np.append(documents[i], np.full(rng.integers(10, 50), rng.integers(1, V)))
    return documents


def start(rng, units):
    table = rng.uniform(-0.05, 0.05, (V, D)).astype(np.float32)
    kernel = rng.uniform(-0.5, 0.5, (D, units)).astype(np.float32)
    return table, kernel, np.zeros(units, np.float32)


def assert_equals_dense(rng, units, n_steps, rates, **adam):
    documents = zipf_documents(rng, n_steps * B)
    labels = rng.integers(0, max(2, units), len(documents)).astype(np.int32)
    weights = start(rng, units)
    trainer = CoreTrainer(*(w.copy() for w in weights), **adam)
    ragged = Ragged.from_lists([ids.tolist() for ids in documents])
    order = rng.permutation(len(documents))
    n_texts, loss, _ = trainer.train(
        trainer.lay_out(ragged), labels, order=order, batch_size=B, learning_rates=rates
    )
    batches = [order[step * B : (step + 1) * B] for step in range(n_steps)]
    exact, rounded = (
        dense_loop(
            reference.DenseAdam(weights, dtype=dtype, **adam), documents, labels, batches, rates
        )
        for dtype in (np.float64, np.float32)
    )
    assert trainer.step == n_steps
    assert n_texts == len(documents)
    assert loss == pytest.approx(exact[1], abs=1e-5)
    # Where the gradients of a batch all but cancel, Adam turns their rounding
    # into whole steps. What float32 does to the dense loop is allowed here too.
    noise = [np.abs(a - b).max() for a, b in zip(exact[0], rounded[0], strict=True)]
    ours = [trainer.table, trainer.kernel, trainer.bias]
    for have, want, first, lost in zip(ours, exact[0], weights, noise, strict=True):
        np.testing.assert_allclose(have, want, atol=max(1e-5, 4 * lost))
        assert np.abs(want - first).max() > 100 * max(1e-5, 4 * lost)  # it did learn something


def dense_loop(adam, documents, labels, batches, rates):
    """Train with dense gradients; return the weights and the mean loss."""
    losses = []
    for batch, rate in zip(batches, rates, strict=True):
        loss, gradients = reference.bag_gradients(
            adam.weights, [documents[i] for i in batch], labels[batch]
        )
        losses.extend(loss)
        adam.step(gradients, rate)
    return adam.weights, np.mean(losses)


@pytest.mark.parametrize("units", [1, 3])
@pytest.mark.parametrize(
    ("beta_1", "beta_2"),
    [
        (0.9, 0.999),
        (0.0, 0.999),
        (0.5, 0.9),
        (0.9, 0.98),
        (0.95, 0.999),
        (0.8, 0.9999),
        (0.99, 0.999),
    ],
)
def test_sparse_rows_equal_dense_adam(rng, units, beta_1, beta_2):
    n_steps = 200
    rates = 0.01 * (1 - np.arange(n_steps) / n_steps)
    assert_equals_dense(rng, units, n_steps, rates, beta_1=beta_1, beta_2=beta_2)


def test_large_epsilon_and_small_gradients(rng):
    """Where sqrt(v) is as small as epsilon, the terms of the series matter most."""
    rates = np.full(200, 0.01)
    assert_equals_dense(rng, 1, 200, rates, epsilon=1e-3)


def test_settling_between_epochs_changes_nothing_much(rng):
    """Two epochs of one trainer equal one of twice the length."""
    documents = zipf_documents(rng, 80 * B)
    labels = rng.integers(0, 2, len(documents)).astype(np.int32)
    weights = start(rng, 1)
    rates, order = np.full(80, 0.01), np.arange(len(documents))
    results = []
    for cuts in ((0, 80), (0, 30, 31, 80)):
        trainer = CoreTrainer(*(w.copy() for w in weights))
        laid_out = trainer.lay_out(Ragged.from_lists([ids.tolist() for ids in documents]))
        for first, last in pairwise(cuts):
            trainer.train(
                laid_out,
                labels,
                order=order[first * B : last * B],
                batch_size=B,
                learning_rates=rates[first:last],
            )
        results.append(trainer.table)
    np.testing.assert_allclose(results[0], results[1], atol=1e-6)


def test_the_same_bits_for_any_number_of_threads(rng):
    documents = zipf_documents(rng, 60 * B + 3)
    labels = rng.integers(0, 4, len(documents)).astype(np.int32)
    weights, order = start(rng, 4), rng.permutation(len(documents))
    before, results = _core.n_threads(), []
    try:
        for n in (1, 2, 3, 8):
            _core.set_n_threads(n)
            trainer = CoreTrainer(*(w.copy() for w in weights))
            laid_out = trainer.lay_out(Ragged.from_lists([ids.tolist() for ids in documents]))
            found = trainer.train(
                laid_out, labels, order=order, batch_size=B, learning_rates=np.full(61, 0.01)
            )
            results.append((trainer.table.tobytes(), trainer.kernel.tobytes(), found))
    finally:
        _core.set_n_threads(before)
    assert all(result == results[0] for result in results)


def test_what_the_watch_raises_stops_between_steps(rng):
    documents = zipf_documents(rng, 200_000)
    labels = np.zeros(len(documents), np.int32)
    trainer = CoreTrainer(*start(rng, 1))
    seen = []

    def watch(n, loss, n_correct):
        seen.append(n)
        raise KeyboardInterrupt

    laid_out = trainer.lay_out(Ragged.from_lists([ids.tolist() for ids in documents]))
    with pytest.raises(KeyboardInterrupt):
        trainer.train(
            laid_out,
            labels,
            order=np.arange(len(documents)),
            batch_size=B,
            learning_rates=np.full(25_000, 0.01),
            watch=watch,
        )
    assert len(seen) == 1
    assert trainer.step < 25_000
    assert np.isfinite(trainer.table).all()
    assert (trainer.last[trainer.last > 0] == trainer.step).all()  # every row is up to date


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.full(4, 2, np.int32)}, "labels must be in"),
        ({"labels": np.zeros(3, np.int32)}, "labels and documents differ in number"),
        ({"order": np.array([0, 9])}, "order must number the documents"),
        ({"learning_rates": np.zeros(1)}, "one value a batch"),
        ({"batch_size": 0}, "must not be 0"),
    ],
)
def test_the_adapter_checks_what_it_is_given(rng, change, message):
    trainer = CoreTrainer(*start(rng, 1))
    laid_out = trainer.lay_out(Ragged.from_lists([[1], [2], [], [3]]))
    arguments = {
        "labels": np.zeros(4, np.int32),
        "order": np.arange(4),
        "batch_size": 2,
        "learning_rates": np.full(2, 0.01),
    } | change
    with pytest.raises(ValueError, match=message):
        trainer.train(laid_out, arguments.pop("labels"), **arguments)
    with pytest.raises(ValueError, match="ids must be rows of the table"):
        trainer.lay_out(Ragged.from_lists([[V]]))
    with pytest.raises(ValueError, match="offsets must end with"):
        trainer.lay_out(Ragged(ids=np.zeros(3, np.int32), offsets=np.array([0, 2])))
    for adam, needed in (
        ({"beta_1": 1.0}, "beta_1"),
        ({"beta_2": 0.0}, "beta_2"),
        ({"epsilon": 0.0}, "epsilon"),
    ):
        with pytest.raises(ValueError, match=f"{needed} must be"):
            CoreTrainer(*start(rng, 1), **adam)
    trainer.last[5] = 7
    with pytest.raises(ValueError, match="`last` must hold steps of this optimizer"):
        trainer.optimizer.flush(trainer.rows)


def test_bag_mean_as_numpy(rng, n_threads):
    table = rng.standard_normal((V, 19)).astype(np.float32)
    documents = zipf_documents(rng, 500)
    ragged = Ragged.from_lists([ids.tolist() for ids in documents])
    expected = [table[ids].mean(axis=0) if len(ids) else np.zeros(19) for ids in documents]
    np.testing.assert_allclose(
        _core.bag_mean(table, ragged.ids, ragged.offsets), expected, atol=1e-6
    )
