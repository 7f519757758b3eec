import numpy as np
import pytest

from wordrow.nn.bag import BagTrainer
from wordrow.nn.bag_fit import Schedule, Validation, fit_bag
from wordrow.types import Ragged


def trainer_and_data(rng):
    weights = rng.standard_normal((9, 4)), rng.standard_normal((4, 1)), np.zeros(1)
    trainer = BagTrainer(*(w.astype(np.float32) for w in weights))
    ragged = Ragged.from_lists(rng.integers(0, 9, (50, 3)).tolist())
    return trainer, ragged, rng.integers(0, 2, 50).astype(np.int32)


def test_the_rate_falls_in_a_line_over_all_epochs():
    schedule = Schedule(epochs=3, batch_size=4, learning_rate=0.6)
    rates = np.concatenate([schedule.rates(epoch, 10) for epoch in range(3)])
    np.testing.assert_allclose(rates, 0.6 * (1 - np.arange(9) / 9))
    flat = Schedule(epochs=3, batch_size=4, learning_rate=0.6, decay=False)
    assert flat.rates(2, 10).tolist() == [0.6] * 3


@pytest.mark.parametrize(
    ("losses", "patience", "n_epochs", "best"),
    [([5, 4, 3, 6, 7, 1], 2, 5, 2), ([1, 2], 1, 2, 0), ([3, 2, 1], 1, 3, 2), ([2, 2, 2], 2, 3, 0)],
)
def test_the_best_rows_are_kept(rng, losses, patience, n_epochs, best):
    trainer, ragged, labels = trainer_and_data(rng)
    seen = []

    def evaluate():
        seen.append([trainer.table.copy(), trainer.kernel.copy(), trainer.bias.copy()])
        return losses[len(seen) - 1], 0.5

    history = fit_bag(
        trainer,
        ragged,
        labels,
        Schedule(epochs=len(losses), batch_size=8, learning_rate=0.1),
        rng=rng,
        validation=Validation(evaluate=evaluate, patience=patience),
    )
    assert len(seen) == n_epochs
    assert history.history["val_loss"] == losses[:n_epochs]
    for kept, wanted in zip((trainer.table, trainer.kernel, trainer.bias), seen[best], strict=True):
        np.testing.assert_array_equal(kept, wanted)


def test_every_epoch_takes_another_order(rng):
    trainer, ragged, labels = trainer_and_data(rng)
    taken, train = [], trainer.train
    trainer.train = lambda *a, order, **k: (
        taken.append(order.tolist()),
        train(*a, order=order, **k),
    )[1]
    fit_bag(trainer, ragged, labels, Schedule(epochs=3, batch_size=8, learning_rate=0.1), rng=rng)
    assert all(sorted(order) == list(range(50)) for order in taken)
    assert len({tuple(order) for order in taken}) == 3
