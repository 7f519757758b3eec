"""A progress line on standard error for long work, by default only on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "TrainingLine",
    "counting",
    "is_wanted",
    "numbers_text",
    "training_line",
]

Show = Callable[[int, float, int], None]


def is_wanted(verbose: bool | str) -> bool:
    """Return whether progress is shown; "auto" shows it if standard error is a terminal."""
    return sys.stderr.isatty() if verbose == "auto" else bool(verbose)


class TrainingLine:
    """The progress of training over several epochs: ETA, metrics, texts per second.

    One bar for all epochs, so that the ETA is that of the end. n_texts: per epoch, None
    if unknown.
    """

    def __init__(self, n_texts: int | None, n_epochs: int, unit: str = "texts") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.n_texts, self.n_epochs, self.unit = n_texts, n_epochs, unit
        self._progress = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%  ETA"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[numbers]}"),
            console=Console(stderr=True),
        )
        total = None if n_texts is None else n_texts * n_epochs
        self._task = self._progress.add_task("", total=total, epoch=f"1/{n_epochs}", numbers="")
        self._before = 0  # texts of the epochs before this one, if n_texts is unknown

    def __enter__(self) -> TrainingLine:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, epoch: int, n: int, numbers: Mapping[str, float]) -> None:
        """Show the progress of an epoch (from 0): texts seen in it, and metrics by name."""
        task = self._progress.tasks[0]
        done = (self._before if self.n_texts is None else epoch * self.n_texts) + n
        rate = done / task.elapsed if task.elapsed else 0.0
        self._progress.update(
            self._task,
            completed=done,
            epoch=f"{epoch + 1}/{self.n_epochs}",
            numbers=f"{numbers_text(numbers)}  {rate:,.0f} {self.unit}/s",
        )

    def say(self, text: str, n_texts: int) -> None:
        """Print a line above the bar, at the end of an epoch of n_texts."""
        self._before += n_texts
        self._progress.console.print(text, highlight=False)

    def epoch(self, number: int) -> Show:
        """Return a function that shows the progress of epoch `number` (from 0)."""

        def show(n: int, loss: float, n_correct: int) -> None:
            if n:
                self.show(number, n, {"loss": loss / n, "accuracy": n_correct / n})

        return show


def numbers_text(numbers: Mapping[str, float]) -> str:
    """Return named numbers in one line: "loss 0.6931  accuracy 0.5000"."""
    return "  ".join(
        f"{name} {number:.4g}" if 0 < abs(number) < 1e-3 else f"{name} {number:.4f}"
        for name, number in numbers.items()
    )


@contextlib.contextmanager
def training_line(
    n_texts: int | None, n_epochs: int, *, wanted: bool, unit: str = "texts"
) -> Iterator[TrainingLine | None]:
    """Show a TrainingLine while the block runs, or nothing."""
    if not wanted:
        yield None
        return
    with TrainingLine(n_texts, n_epochs, unit) as line:
        yield line


@contextlib.contextmanager
def counting(
    n: int | None, *, wanted: bool | str, in_bytes: bool = False
) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows how many texts or bytes are done; it does nothing if unwanted.

    n: the total, None if unknown.
    """
    if not is_wanted(wanted):
        yield lambda n_done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TimeRemainingColumn,
    )

    done = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (BarColumn(bar_width=24), done, TimeRemainingColumn(compact=True))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=n)
        yield lambda n_done: progress.update(task, completed=n_done)
