"""Callbacks that change the learning rate."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from wordrow.errors import show
from wordrow.nn.callbacks.callback import Callback, Logs
from wordrow.nn.callbacks.monitor import Mode, Monitor

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a metric has not improved for `patience` epochs.

    The rate is multiplied by `factor`, but never set below min_lr, and then kept for
    `cooldown` epochs.

    >>> ReduceLROnPlateau(factor=0.5).factor
    0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        if not 0 < factor < 1:
            raise ValueError(f"`factor` must be between 0 and 1; received {show(factor)}.")
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset the state."""
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Check an epoch's metric."""
        value = self.value(logs)
        optimizer = self.model.optimizer
        if logs is not None:
            logs["learning_rate"] = optimizer.rate(max(0, self.model.step - 1))
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                _require_number(optimizer, self)
                if optimizer.learning_rate > self.min_lr:
                    optimizer.learning_rate = max(
                        self.min_lr, optimizer.learning_rate * self.factor
                    )
                    self.say(f"epoch {epoch + 1}: learning rate {optimizer.learning_rate:g}")
                    self.cooldown_counter, self.wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to schedule(epoch) or schedule(epoch, rate).

    >>> LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)).verbose
    0
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        _require_number(optimizer, self)
        try:
            rate = self.schedule(epoch, optimizer.learning_rate)
        except TypeError:
            rate = self.schedule(epoch)
        if isinstance(rate, bool) or (
            not isinstance(rate, int | float) and not hasattr(rate, "item")
        ):
            raise ValueError(f"a schedule must return a number; received {show(rate)}.")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"epoch {epoch + 1}: learning rate {float(rate):g}", file=sys.stderr)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record the rate with the epoch's metrics."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


def _require_number(optimizer: Any, callback: Callback) -> None:
    if callable(optimizer.learning_rate):
        raise TypeError(
            f"{type(callback).__name__} sets the learning rate, and the optimizer follows the "
            f"schedule {optimizer.learning_rate!r}. Use one of the two."
        )
