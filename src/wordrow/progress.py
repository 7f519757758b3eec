"""One line of progress on standard error for long work; silent where nobody looks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

__all__ = ["TrainingLine", "is_wanted", "training_line"]

Show = Callable[[int, float, int], None]


def is_wanted(verbose: bool | str) -> bool:
    """Return whether progress is shown; "auto" asks whether standard error is a terminal."""
    return sys.stderr.isatty() if verbose == "auto" else bool(verbose)


class TrainingLine:
    """The progress of a training over several epochs: ETA, loss, accuracy, texts a second.

    One bar for the whole training, so that the ETA is that of its end.
    """

    def __init__(self, n_texts: int, n_epochs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.n_texts, self.n_epochs = n_texts, n_epochs
        self._progress = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%  ETA"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[numbers]}"),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(
            "", total=n_texts * n_epochs, epoch=f"1/{n_epochs}", numbers=""
        )

    def __enter__(self) -> TrainingLine:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def epoch(self, number: int) -> Show:
        """Return the function that shows how far epoch `number` (from 0) is."""

        def show(n: int, loss: float, n_correct: int) -> None:
            if n == 0:
                return
            task = self._progress.tasks[0]
            done = number * self.n_texts + n
            rate = done / task.elapsed if task.elapsed else 0.0
            self._progress.update(
                self._task,
                completed=done,
                epoch=f"{number + 1}/{self.n_epochs}",
                numbers=f"loss {loss / n:.4f}  accuracy {n_correct / n:.4f}  {rate:,.0f} texts/s",
            )

        return show


@contextlib.contextmanager
def training_line(n_texts: int, n_epochs: int, *, wanted: bool) -> Iterator[TrainingLine | None]:
    """Show a TrainingLine while the block runs, or nothing."""
    if not wanted:
        yield None
        return
    with TrainingLine(n_texts, n_epochs) as line:
        yield line
