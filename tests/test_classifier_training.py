"""How a classifier is trained: its learning rate, its orders, the rows that are kept."""

import numpy as np
import pytest

from wordrow import TextClassifier
from wordrow.classifier.model import falling_rate
from wordrow.nn.callbacks import EarlyStopping
from wordrow.nn.model.model import Model
from wordrow.nn.train import loop

TEXTS = [f"word{i % 7} word{i % 5} word{i % 3}" for i in range(50)]
LABELS = [i % 2 for i in range(50)]


def test_the_rate_falls_in_a_line_over_all_epochs():
    rate = falling_rate(0.6, epochs=3, n_texts=10, batch_size=4)
    np.testing.assert_allclose([rate(step) for step in range(9)], 0.6 * (1 - np.arange(9) / 9))


def test_one_more_pass_is_at_the_full_rate(monkeypatch):
    rates = []
    fit = Model.fit

    def seen(self, *arguments, **options):
        rates.append([self.optimizer.rate(step) for step in (self.step, self.step + 1)])
        return fit(self, *arguments, **options)

    monkeypatch.setattr(Model, "fit", seen)
    classifier = TextClassifier(learning_rate=0.02, epochs=2, batch_size=25, verbose=False)
    classifier.fit(TEXTS, LABELS).partial_fit(TEXTS, LABELS)
    np.testing.assert_allclose(rates, [[0.02, 0.015], [0.02, 0.02]])


@pytest.mark.parametrize(
    ("losses", "patience", "n_epochs", "best"),
    [([5, 4, 3, 6, 7, 1], 2, 5, 2), ([1, 2], 1, 2, 0), ([3, 2, 1], 1, 3, 2), ([2, 2, 2], 2, 3, 0)],
)
def test_the_best_rows_are_kept(monkeypatch, losses, patience, n_epochs, best):
    seen = []
    on_epoch_end = EarlyStopping.on_epoch_end

    def scripted(self, epoch, logs=None):
        seen.append(self.model.get_weights())
        logs["val_loss"] = losses[epoch]
        on_epoch_end(self, epoch, logs)

    monkeypatch.setattr(EarlyStopping, "on_epoch_end", scripted)
    classifier = TextClassifier(
        epochs=len(losses), validation_split=0.2, patience=patience, seed=1, verbose=False
    ).fit(TEXTS, LABELS)
    assert len(seen) == n_epochs
    assert classifier.history_["val_loss"] == losses[:n_epochs]
    for kept, wanted in zip(classifier.model_.get_weights(), seen[best], strict=True):
        np.testing.assert_array_equal(kept, wanted)


def test_every_epoch_takes_another_order(monkeypatch):
    taken, order = [], loop._Arrays.order
    monkeypatch.setattr(
        loop._Arrays, "order", lambda self, rng: taken.append(order(self, rng)) or taken[-1]
    )
    TextClassifier(epochs=3, batch_size=8, verbose=False).fit(TEXTS, LABELS)
    assert all(sorted(one) == list(range(50)) for one in taken)
    assert len({tuple(one) for one in taken}) == 3


def test_the_loss_held_out_is_that_of_the_probabilities(monkeypatch):
    held = []
    hold_out = TextClassifier._hold_out
    monkeypatch.setattr(
        TextClassifier, "_hold_out", lambda *a: held.append(hold_out(*a)) or held[-1]
    )
    classifier = TextClassifier(
        epochs=1, validation_split=0.3, patience=9, seed=4, verbose=False
    ).fit(TEXTS, LABELS)
    _, _, (ragged, numbers) = held[0]
    p = classifier.model_.predict(ragged)[:, 0]
    loss = -np.log(np.where(numbers == 1, p, 1 - p)).mean()
    assert classifier.history_["val_loss"][0] == pytest.approx(loss, abs=1e-5)
    accuracy = ((p > 0.5) == numbers).mean()
    assert classifier.history_["val_accuracy"][0] == pytest.approx(accuracy)
