"""Traces and explanations on a terminal."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from wordrow.explain import Contribution, Explanation, Trace

__all__ = ["draw_explanation", "draw_moves", "draw_trace", "numbers"]

# A word has the same colour in all stages; neighbouring ids have distinct colours.
_COLOURS = (
    *("cyan", "magenta", "yellow", "green", "blue", "red"),
    *("bright_cyan", "bright_magenta", "bright_yellow"),
    *("bright_green", "bright_blue", "bright_red"),
)
_MOST_ROWS = 12


def colour(i: int) -> str:
    """Return the colour of an id; padding is dim."""
    return "bright_black" if i == 0 else _COLOURS[(i - 1) % len(_COLOURS)]


def numbers(row: Any, *, most: int = 8) -> str:
    """Return a row of numbers as short text."""
    shown = "  ".join(f"{x:+.3f}" for x in row[:most])
    return shown + ("  …" if len(row) > most else "")


def draw_trace(console: Console, trace: Trace) -> None:
    """Print every stage: texts, word index, ids, padded ids, table, output."""
    _stage(console, 1, "texts", "what you have")
    for text in trace.texts:
        console.print(Text(f"  {text!r}"))
    _stage(console, 2, "word index", "every word gets a number, the most frequent first")
    line = Text("  ")
    for word, i in list(trace.word_index.items())[:40]:
        line.append(f"{word} ", colour(i)).append(f"{i}   ", f"bold {colour(i)}")
    console.print(line)
    _stage(console, 3, "ids", "each text as the numbers of its words")
    for ids in trace.ids:
        console.print(_ids_line(ids))
    _stage(console, 4, "padded", "one length for all: 0 is no word and fills up the front")
    for row in trace.padded:
        console.print(_ids_line(row.tolist()))
    rows, columns = trace.table.shape
    _stage(
        console, 5, "table", f"the embedding layer's one weight, {rows} rows of {columns} numbers"
    )
    console.print(_table_rows(trace))
    shape = trace.output.shape
    _stage(console, 6, "output", f"shape {shape}: each id replaced by its row, nothing else")
    for number, (ids, output) in enumerate(zip(trace.padded.tolist(), trace.output, strict=True)):
        console.print(Text(f"  text {number}", "bold"))
        for i, row in list(zip(ids, output, strict=True))[:40]:
            line = Text("    ").append(f"{trace.word(i):>10} {i:>4} ", colour(i))
            console.print(line.append("→  ").append(numbers(row), colour(i)))


def draw_moves(console: Console, trace: Trace, before: Any, after: Any) -> None:
    """Print the rows of a table before and after training, with how far each moved."""
    table = Table("id", "word", "row before", "row after", box=None, pad_edge=True)
    table.add_column("moved", justify="right")
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        moved = float(np.linalg.norm(np.asarray(new) - np.asarray(old)))
        style = colour(i)
        table.add_row(
            str(i), escape(trace.word(i)), numbers(old), numbers(new), f"{moved:.3f}", style=style
        )
    console.print(table)


def draw_explanation(console: Console, explanation: Explanation) -> None:
    """Print a prediction and what each word added to it: green for it, red against it."""
    line = Text.assemble(("prediction  ", "bold"), (str(explanation.label), "bold green"))
    console.print(line.append(f"  probability {explanation.probability:.4f}"))
    parts = explanation.contributions
    largest = max((abs(part.score) for part in parts), default=0.0) or 1.0
    words = Text("  ")
    for part in parts[:200]:
        if " " not in part.word:  # n-grams are only in the table below
            words.append(part.word, _shade(part.score / largest)).append(" ")
    console.print(words)
    table = Table("word", "adds", "", box=None, pad_edge=True)
    for part in sorted(_summed(parts), key=lambda p: -abs(p.score))[:_MOST_ROWS]:
        bar = "█" * max(1, round(20 * min(1.0, abs(part.score) / largest)))
        style = "green" if part.score > 0 else "red"
        table.add_row(escape(part.word), f"{part.score:+.4f}", Text(bar, style))
    table.add_row("(bias)", f"{explanation.bias:+.4f}", "")
    table.add_row(
        Text("score", "bold"), Text(f"{explanation.score:+.4f}", "bold"), "the sum of all"
    )
    console.print(table)
    if explanation.unknown:
        console.print(Text(f"  no row for: {', '.join(explanation.unknown)}", "bright_black"))


def _summed(parts: list[Contribution]) -> list[Contribution]:
    """Sum the contributions of each distinct word."""
    sums: dict[int, Contribution] = {}
    for part in parts:
        before = sums[part.id].score if part.id in sums else 0.0
        sums[part.id] = Contribution(word=part.word, id=part.id, score=before + part.score)
    return list(sums.values())


def _shade(share: float) -> str:
    if abs(share) < 0.15:
        return ""
    strong = "bold " if abs(share) > 0.5 else ""
    return strong + ("green" if share > 0 else "red")


def _stage(console: Console, number: int, title: str, what: str) -> None:
    console.print()
    console.print(Text.assemble((f"{number}. {title}", "bold"), f"  {what}"))


def _ids_line(ids: list[int]) -> Text:
    line = Text("  [")
    for i in ids[:60]:
        line.append(f"{i:>3}", f"bold {colour(i)}")
    return line.append(" …" if len(ids) > 60 else "").append(" ]")


def _table_rows(trace: Trace) -> Table:
    table = Table("id", "word", "row", box=None, pad_edge=True)
    for i, row in enumerate(trace.table[:_MOST_ROWS]):
        word = "padding" if i == 0 else escape(trace.word(i))
        table.add_row(str(i), "(none)" if word == "·" else word, numbers(row), style=colour(i))
    if len(trace.table) > _MOST_ROWS:
        table.add_row("…", f"{len(trace.table) - _MOST_ROWS:,} more", "")
    return table
