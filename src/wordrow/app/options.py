"""Options that several commands share, and reading their input texts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wordrow.datasets.table import EncodingErrors, Table, decode, read_table
from wordrow.errors import DataError

__all__ = [
    "EncodingOption",
    "LabelOption",
    "ModelArgument",
    "TextOption",
    "table",
    "texts_in",
]


ModelArgument = Annotated[Path, typer.Argument(help="A model that `wordrow train` wrote.")]
TextOption = Annotated[
    str | None, typer.Option("--text", help="The column with the texts: its name, or its number.")
]
LabelOption = Annotated[
    str | None, typer.Option("--label", help="The column with the labels: its name, or its number.")
]
EncodingOption = Annotated[
    EncodingErrors, typer.Option(help="What to do with bytes that are not UTF-8.")
]

_TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson")


def table(
    path: Path,
    text: str | None,
    label: str | None,
    errors: EncodingErrors,
    *,
    labelled: bool = True,
) -> Table:
    """Read a file of texts, and print on standard error which columns were used."""
    found = read_table(path, text=text, label=label, labelled=labelled, encoding_errors=errors)
    print(f"{path}: {found.note}", file=sys.stderr)
    return found


def texts_in(path: Path | None, text: str | None, errors: EncodingErrors) -> list[str]:
    """Return the texts of a table, or the lines of a text file or of standard input."""
    if path is not None and (path.is_dir() or path.suffix.lower() in _TABLE_SUFFIXES):
        return table(path, text, None, errors, labelled=False).texts
    if path is None:
        if sys.stdin is None:
            raise DataError("standard input is closed; give texts as arguments or with --file.")
        if sys.stdin.isatty():
            print("one text per line; end with Ctrl-D", file=sys.stderr)
        data, name = sys.stdin.buffer.read(), "standard input"
    else:
        data, name = path.read_bytes(), str(path)
    lines = decode(data, name, errors).split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError(f"{name}: there are no texts; expected one text per line.")
    return lines
