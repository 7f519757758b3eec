"""Callbacks that stop training or save the model, by its metrics."""

from __future__ import annotations

import math
import os
import string
import sys
import warnings
from typing import Any, Literal

from wordrow.errors import show
from wordrow.nn.callbacks.callback import Callback, Logs
from wordrow.store import check_writable

__all__ = ["EarlyStopping", "Mode", "ModelCheckpoint", "Monitor", "TerminateOnNaN"]

Mode = Literal["auto", "min", "max"]


class Monitor(Callback):
    """What callbacks that monitor one metric share."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float = 0.0, verbose: int = 0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"`mode` must be 'auto', 'min' or 'max'; received {show(mode)}.")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.verbose = verbose
        self.best: float | None = None
        self._warned = False

    def value(self, logs: Logs | None) -> float | None:
        """Return the monitored metric; warn once if it does not exist."""
        logs = logs or {}
        if self.monitor not in logs and not self._warned:
            self._warned = True
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not there; there is "
                f"{sorted(logs)}. Name one of these as `monitor`, or give validation data.",
                UserWarning,
                stacklevel=2,
            )
        return logs.get(self.monitor)

    def is_better(self, value: float, than: float | None) -> bool:
        """Return whether a value is better by min_delta."""
        if than is None or math.isnan(than):
            return not math.isnan(value)
        up = self.mode == "max" or (
            self.mode == "auto"
            and any(k in self.monitor for k in ("acc", "auc", "precision", "recall"))
        )
        return value > than + self.min_delta if up else value < than - self.min_delta

    def say(self, text: str) -> None:
        """Print a line, if verbose."""
        if self.verbose:
            print(text, file=sys.stderr)


class EarlyStopping(Monitor):
    """Stops training when a metric has not improved for `patience` epochs.

    min_delta: the smallest change that counts as an improvement. baseline: a value that
    the metric must beat. restore_best_weights: restore the best epoch's weights.
    start_from_epoch: the first epoch to monitor.

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
        """Reset the state."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = None, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Check an epoch's metric."""
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
        """Restore the best weights, if asked to."""
        if self.stopped_epoch:
            self.say(f"stopped early after epoch {self.stopped_epoch + 1}")
        if self.restore_best_weights and self.best_weights is not None:
            self.say(f"the weights are those of the best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or only the best one.

    filepath: may contain {epoch}, {batch} and names of metrics: "m-{epoch:02d}-{val_loss:.2f}";
    its folder is made if it is not there. save_freq: "epoch", or a number of batches.
    initial_value_threshold: a value that the first saved model must beat.

    Raises ValueError, before training, if filepath names a metric that there will not be.

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
        self.period = 1  # epochs from one save to the next: Keras 2's argument
        self._epoch = self._batch = self._batches = self._waited = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Check, before training, that the file can be written."""
        fields = [name for _, name, _, _ in string.Formatter().parse(self.filepath) if name]
        counted = ("epoch",) if self.save_freq == "epoch" else ("epoch", "batch")
        metrics = self.params.get("metrics")
        known = getattr(self.model, "logs_of", dict)(dict.fromkeys(metrics or (), 0.0))
        for name in fields:
            if metrics is not None and name not in counted and known.get(name) is None:
                raise ValueError(
                    f"`filepath` names {name!r}, which there will not be: {show(self.filepath)}. "
                    f"There will be {', '.join((*counted, *metrics))}."
                )
        folder = os.path.dirname(self.filepath)
        if folder and "{" not in folder:
            os.makedirs(folder, exist_ok=True)
        if not fields:
            check_writable(self.filepath)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Record the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` batches."""
        self._batch = batch
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches % self.save_freq == 0:
                self._save(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, after every epoch or if it is the best."""
        self._waited += 1
        if self.save_freq == "epoch" and self._waited >= self.period:
            self._waited = 0
            self._save(logs)

    def _save(self, logs: Logs | None) -> None:
        fields = type(logs or {})(logs or {})
        fields.update(epoch=self._epoch + 1, batch=self._batch + 1)
        try:
            path = self.filepath.format_map(fields)
        except KeyError as error:
            raise ValueError(
                f"`filepath` names {error}, which there is not: {show(self.filepath)}. There is "
                f"{', '.join(fields)}."
            ) from None
        if self.save_best_only:
            value = self.value(logs)
            if value is None or not self.is_better(value, self.best):
                return
            self.say(f"epoch {self._epoch + 1}: {self.monitor} is {value:.4f}, saved {path}")
            self.best = value
        else:
            self.say(f"epoch {self._epoch + 1}: saved {path}")
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)


class TerminateOnNaN(Callback):
    """Stops training if the loss is not finite; without this callback, `fit` raises.

    >>> TerminateOnNaN().on_train_batch_end(0, {"loss": 1.0})
    """

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Check the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"batch {batch + 1}: the loss is {loss}, training ends", file=sys.stderr)
            self.model.stop_training = True
