"""The epochs over a BagTrainer: shuffling, a falling learning rate, early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn.bag import BagTrainer, Progress, Watch
from wordrow.nn.callbacks import History
from wordrow.types import Ragged

__all__ = ["Schedule", "Validation", "default_epochs", "fit_bag"]

# Small data need more passes to take as many steps; large data overfit after
# a few. Chosen on held-out parts of the IMDB, SST-2, TREC, SMS and Reuters
# training sets.
_STEPS_WANTED, _FEWEST_EPOCHS, _MOST_EPOCHS = 1000, 3, 100


def default_epochs(n_texts: int, batch_size: int) -> int:
    """Return how many passes give about 1,000 steps, from 3 to 100.

    >>> default_epochs(25_000, 64), default_epochs(5_452, 64), default_epochs(2, 64)
    (3, 12, 100)
    """
    steps = math.ceil(n_texts / batch_size)
    return min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_STEPS_WANTED / steps)))


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long to train, and how fast: the learning rate falls in a line to zero."""

    epochs: int
    batch_size: int
    learning_rate: float
    decay: bool = True

    def rates(self, epoch: int, n_texts: int) -> npt.NDArray[np.float64]:
        """Return the learning rate of each batch of an epoch."""
        n = math.ceil(n_texts / self.batch_size)
        if not self.decay:
            return np.full(n, self.learning_rate)
        done = np.arange(epoch * n, (epoch + 1) * n) / (self.epochs * n)
        return self.learning_rate * (1 - done)


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Texts held out of training, and how many epochs may pass without a lower loss on them."""

    evaluate: Callable[[], tuple[float, float]]  # loss and accuracy of the weights as they are
    patience: int


def fit_bag(
    trainer: BagTrainer,
    ragged: Ragged,
    labels: npt.NDArray[np.int32],
    schedule: Schedule,
    *,
    rng: np.random.Generator,
    validation: Validation | None = None,
    watch_epoch: Callable[[int], Watch] | None = None,
) -> History:
    """Train for some epochs, or until the validation loss stops falling; the best rows are kept."""
    history = History()
    documents = trainer.lay_out(ragged)
    best_loss, best_epoch, best = math.inf, 0, _copies(trainer) if validation else []
    for epoch in range(schedule.epochs):
        progress: Progress = trainer.train(
            documents,
            labels,
            order=rng.permutation(len(documents)),
            batch_size=schedule.batch_size,
            learning_rates=schedule.rates(epoch, len(documents)),
            watch=None if watch_epoch is None else watch_epoch(epoch),
        )
        if not progress.is_finite:
            raise ValueError(
                f"the loss was no longer finite in epoch {epoch + 1}: the steps are too large. "
                f"Use a smaller learning_rate than {schedule.learning_rate}."
            )
        numbers = {"loss": progress.loss, "accuracy": progress.accuracy}
        if watch_epoch is not None:
            n = progress.n_texts
            watch_epoch(epoch)(n, progress.loss * n, round(progress.accuracy * n))
        if validation is None:
            history.on_epoch_end(epoch, numbers)
            continue
        loss, accuracy = validation.evaluate()
        history.on_epoch_end(epoch, numbers | {"val_loss": loss, "val_accuracy": accuracy})
        if loss < best_loss:
            best_loss, best_epoch, best = loss, epoch, _copies(trainer)
        elif epoch - best_epoch >= validation.patience:
            break
    if validation is not None:
        trainer.restore(best)
    return history


def _copies(trainer: BagTrainer) -> list[npt.NDArray[Any]]:
    return [weight.copy() for weight in trainer.weights()]
