"""What the training loop asks of an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from wordrow.nn.data.batches import Batch, Batcher

__all__ = ["BatchSource", "Engine", "EpochHooks"]


class BatchSource(Protocol):
    """Where the batches of an epoch come from."""

    batcher: Batcher

    def epoch(self, rng: np.random.Generator) -> Iterator[Callable[[], Batch]]:
        """Yield functions that make the batches, which a background thread calls."""


class ArraySource(BatchSource, Protocol):
    """Batches of arrays, which an engine may also take itself, by the order of an epoch."""

    batch_size: int

    def order(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the numbers of an epoch's examples, in the order in which they are taken."""

    def batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Return a batch of some examples."""


class EpochHooks(Protocol):
    """What an engine tells while it runs an epoch."""

    @property
    def is_stopped(self) -> bool:
        """Whether training is to end after this batch."""

    @property
    def wants_progress(self) -> bool:
        """Whether somebody looks at `on_progress`."""

    def on_batch_begin(self, number: int) -> None:
        """A batch is about to be taken."""

    def on_batch_end(
        self, number: int, batch: Batch, loss: float, totals: Callable[[], dict[str, float]]
    ) -> None:
        """A batch has been taken."""

    def on_not_finite(self, number: int, batch: Batch, loss: float) -> None:
        """The loss or a gradient of a batch was not finite; the weights are those from before."""

    def on_progress(self, n_texts: int, totals: Callable[[], dict[str, float]]) -> None:
        """So many texts of the epoch have been taken."""


class Engine(Protocol):
    """Trains the weights of one model, where they are."""

    def begin(self) -> None:
        """Make ready for what is trainable now."""

    def run_epoch(self, source: Any, rng: np.random.Generator, hooks: EpochHooks) -> Any:
        """Take an epoch's steps; return (its numbers by name, texts seen)."""

    def sync(self) -> None:
        """Bring all weights up to date."""
