"""Callbacks that step in: stop, save, or change the learning rate, by the numbers of an epoch."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from typing import Any, Literal

from wordrow.errors import show
from wordrow.nn.callbacks.callback import Callback, Logs
from wordrow.store import check_writable

__all__ = [
    "EarlyStopping", "LearningRateScheduler", "ModelCheckpoint", "ReduceLROnPlateau",
    "TerminateOnNaN",
]  # fmt: skip

Mode = Literal["auto", "min", "max"]


class _Monitor(Callback):
    """What callbacks that wait for a better number share."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float = 0.0, verbose: int = 0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"`mode` must be 'auto', 'min' or 'max'; received {show(mode)}.")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.verbose = verbose
        self.best: float | None = None
        self._told = False

    def value(self, logs: Logs | None) -> float | None:
        """Return the number that is watched; warn once where there is none."""
        logs = logs or {}
        if self.monitor not in logs and not self._told:
            self._told = True
            import warnings

            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not there; there is "
                f"{sorted(logs)}. Name one of these as `monitor`, or give validation data.",
                UserWarning,
                stacklevel=2,
            )
        return logs.get(self.monitor)

    def is_better(self, value: float, than: float | None) -> bool:
        """Return whether a number is better by min_delta."""
        if than is None or math.isnan(than):
            return not math.isnan(value)
        up = self.mode == "max" or (
            self.mode == "auto"
            and any(k in self.monitor for k in ("acc", "auc", "precision", "recall"))
        )
        return value > than + self.min_delta if up else value < than - self.min_delta

    def say(self, text: str) -> None:
        """Print a line, where `verbose` asks for it."""
        if self.verbose:
            print(text, file=sys.stderr)


class EarlyStopping(_Monitor):
    """Ends training when a number has not become better for `patience` epochs.

    min_delta: by how much it must. baseline: what it must be better than to begin
    with. restore_best_weights: go back to the best epoch's weights.
    start_from_epoch: when to begin to watch.

    >>> EarlyStopping(patience=2).monitor
    'val_loss'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        self.patience, self.baseline = int(patience), baseline
        self.restore_best_weights = bool(restore_best_weights)
        self.start_from_epoch = int(start_from_epoch)
        self.stopped_epoch = self.wait = self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = None, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at an epoch's number."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Go back to the best weights, where asked to."""
        if self.stopped_epoch:
            self.say(f"stopped early after epoch {self.stopped_epoch + 1}")
        if self.restore_best_weights and self.best_weights is not None:
            self.say(f"the weights are those of the best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(_Monitor):
    """Saves the model after each epoch, or the best one only.

    filepath: may hold {epoch} and the names of numbers: "m-{epoch:02d}-{val_loss:.2f}".
    save_freq: "epoch", or after how many batches. initial_value_threshold: what
    the first one must be better than.

    >>> ModelCheckpoint("best.safetensors", save_best_only=True).filepath
    'best.safetensors'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Mode = "auto",
        save_freq: int | Literal["epoch"] = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0, verbose)
        self.filepath = os.fspath(filepath)
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                f"`save_freq` must be 'epoch' or a number; received {show(save_freq)}."
            )
        self.save_best_only, self.save_weights_only = bool(save_best_only), bool(save_weights_only)
        self.save_freq, self.best = save_freq, initial_value_threshold
        self._epoch = self._batches = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Make sure, before training, that the folder can be written to."""
        if "{" not in self.filepath:
            check_writable(self.filepath)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save where it is time."""
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches % self.save_freq == 0:
                self._save(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if the epoch is worth it."""
        if self.save_freq == "epoch":
            self._save(logs)

    def _save(self, logs: Logs | None) -> None:
        path = self.filepath.format(epoch=self._epoch + 1, **(logs or {}))
        if self.save_best_only:
            value = self.value(logs)
            if value is None or not self.is_better(value, self.best):
                return
            self.say(f"epoch {self._epoch + 1}: {self.monitor} is {value:.4f}, saved {path}")
            self.best = value
        else:
            self.say(f"epoch {self._epoch + 1}: saved {path}")
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)


class ReduceLROnPlateau(_Monitor):
    """Lowers the learning rate when a number has not become better for `patience` epochs.

    The rate is multiplied by `factor`, not below min_lr, and left alone for
    `cooldown` epochs after.

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
        """Begin anew."""
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at an epoch's number."""
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
        """Note the rate beside the epoch's numbers."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


class TerminateOnNaN(Callback):
    """Ends training quietly where the loss is not finite; without it, `fit` raises.

    >>> TerminateOnNaN().on_train_batch_end(0, {"loss": 1.0})
    """

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"batch {batch + 1}: the loss is {loss}, training ends", file=sys.stderr)
            self.model.stop_training = True


def _require_number(optimizer: Any, callback: Callback) -> None:
    if callable(optimizer.learning_rate):
        raise TypeError(
            f"{type(callback).__name__} sets the learning rate, and the optimizer follows the "
            f"schedule {optimizer.learning_rate!r}. Use one of the two."
        )
