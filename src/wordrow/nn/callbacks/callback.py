"""The base class of callbacks, a list of them as one, and the simplest ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from wordrow.errors import show

__all__ = ["BatchHooks", "Callback", "Callbacks", "History", "LambdaCallback", "Logs"]

Logs = dict[str, Any]


class Callback:
    """Override what you need. `self.model` is the model, `self.params` how it is trained.

    Setting `self.model.stop_training = True` ends training after the batch.

    >>> class Loud(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print("epoch", epoch + 1, "done")
    >>> Loud().on_epoch_end(0)
    epoch 1 done
    """

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012 as in Keras; never mutated

    def set_model(self, model: Any) -> None:
        """Set the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Set how it is trained: "epochs", "steps", "verbose"."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch (from 0)."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch, with its metrics."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch (from 0)."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch, with the epoch's metrics so far."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The same as on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The same as on_train_batch_end."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of an evaluation (from 0)."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of an evaluation, with the metrics so far."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch that is predicted (from 0)."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch that is predicted, with its outputs."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before predicting."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after predicting."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation, with its metrics."""


_EACH_BATCH = (
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_batch_begin",
    "on_batch_end",
)


class Callbacks:
    """Several callbacks as one."""

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        self.all = list(callbacks)
        self._logs_of = getattr(model, "logs_of", lambda logs: logs)
        for callback in self.all:
            if not isinstance(callback, Callback):
                raise TypeError(f"`callbacks` must be Callback objects; received {show(callback)}.")
            callback.set_model(model)
            callback.set_params(params)
        # Reading metrics after each batch waits for the device, so only on demand.
        self.watch_batches = self._any_has(_EACH_BATCH)

    def _any_has(self, names: Iterable[str]) -> bool:
        return any(
            getattr(type(c), name) is not getattr(Callback, name) or name in vars(c)
            for c in self.all
            for name in names
        )

    def inference_hooks(self, kind: Literal["test", "predict"]) -> BatchHooks | None:
        """Return what tells of each batch of an evaluation or prediction; None if none asks."""
        names = [f"on_{kind}_batch_{when}" for when in ("begin", "end")]
        return BatchHooks(self, kind) if self._any_has(names) else None

    def call(self, name: str, *arguments: Any) -> None:
        """Call a method of each; logs come last."""
        *others, logs = arguments
        logs = self._logs_of(logs)  # one dict: what one callback adds, the next ones see
        for callback in self.all:
            getattr(callback, name)(*others, logs)

    def batch(self, when: Literal["begin", "end"], index: int, logs: Logs | None) -> None:
        """Call the batch methods, if any callback overrides one."""
        if self.watch_batches:
            self.call(f"on_train_batch_{when}", index, logs)
            self.call(f"on_batch_{when}", index, logs)


class BatchHooks:
    """Tells callbacks of the batches of one evaluation or prediction."""

    def __init__(self, callbacks: Callbacks, kind: Literal["test", "predict"]) -> None:
        self._callbacks, self._name, self._number = callbacks, f"on_{kind}_batch_", 0

    def begin(self) -> None:
        """Tell that the next batch begins."""
        self._callbacks.call(self._name + "begin", self._number, {})

    def end(self, logs: Logs) -> None:
        """Tell that it has ended."""
        self._callbacks.call(self._name + "end", self._number, logs)
        self._number += 1


class LambdaCallback(Callback):
    """A callback made of functions.

    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch)).on_epoch_end(3, {})
    3
    """

    def __init__(self, **functions: Callable[..., Any] | None) -> None:
        known = {name for name in dir(Callback) if name.startswith("on_")}
        if unknown := sorted(set(functions) - known):
            raise TypeError(f"a callback has no {unknown}; it has {sorted(known)}.")
        vars(self).update({k: function for k, function in functions.items() if function})


class History(Callback):
    """The metrics of each epoch, by name; `fit` returns a History.

    >>> History().history
    {}
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset the history."""
        self.history, self.epoch = {}, []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record an epoch's metrics."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
