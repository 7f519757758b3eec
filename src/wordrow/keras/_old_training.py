"""Differences between today's training arguments and those of Keras 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wordrow.keras._versions import saw_argument

__all__ = ["Logs", "rename_monitors", "rename_options", "with_batch_size"]

# Old argument -> today's; None for hints on how to run, which have no effect here.
_OPTIONS: dict[str, str | None] = {
    "nb_epoch": "epochs", "nb_val_samples": "validation_steps", "samples_per_epoch": None,
    "show_accuracy": None, "max_q_size": None, "max_queue_size": None, "nb_worker": None,
    "workers": None, "use_multiprocessing": None, "pickle_safe": None,
}  # fmt: skip
_METRICS = {
    "acc": "accuracy",
    "val_acc": "val_accuracy",
    "accuracy": "acc",
    "val_accuracy": "val_acc",
}


class Logs(dict[str, Any]):
    """Metrics by name, where `acc` and `accuracy`, `lr` and `learning_rate` are the same."""

    def __missing__(self, name: str) -> Any:
        other = (_METRICS | {"lr": "learning_rate"}).get(name)
        if other is None or other not in self:
            raise KeyError(name)
        return self[other]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else dict.get(self, _METRICS.get(name, name), default)


def rename_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments under today's names, without those that have no effect."""
    for name in options:
        saw_argument(name)
    renamed = {_OPTIONS.get(name, name): value for name, value in options.items()}
    return {name: value for name, value in renamed.items() if name is not None}


def rename_monitors(callbacks: Any, metrics: Sequence[str]) -> None:
    """Make callbacks that monitor `acc` monitor `accuracy`, or vice versa, as the model has it."""
    for callback in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
        monitored = str(getattr(callback, "monitor", None))
        metric = monitored.removeprefix("val_")
        if metric in _METRICS and metric not in metrics and _METRICS[metric] in metrics:
            callback.monitor = _METRICS[monitored]


def with_batch_size(generator: Iterator[Any]) -> tuple[Iterator[Any], int]:
    """Return (a generator of the same batches, the size of the first one)."""
    first = next(generator)
    x = first[0] if isinstance(first, tuple) else first
    if isinstance(x, Mapping):
        x = next(iter(x.values()))
    elif isinstance(x, list):
        x = x[0]

    def batches() -> Iterator[Any]:
        yield first
        yield from generator

    return batches(), max(1, len(np.asarray(x)))
