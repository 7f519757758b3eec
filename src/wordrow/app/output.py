"""What commands print: tables, and JSON without NaN."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordrow.vectors import Vectors

__all__ = ["json_record", "print_json", "print_table", "print_written"]


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table with right-aligned numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = Table(box=None, pad_edge=False)
    for i, name in enumerate(columns):
        numbers = all(isinstance(row[i], int | float) for row in rows)
        out.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        out.add_row(*(Text(_shown(cell)) for cell in row))
    Console().print(out)


def _shown(cell: Any) -> str:
    if isinstance(cell, float):
        return "-" if math.isnan(cell) else f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _finite(x: float) -> float | None:
    return None if math.isnan(x) else x


def json_record(names: list[str], row: list[Any]) -> dict[str, Any]:
    """Return a row of a table as a JSON object."""
    cells = [_finite(cell) if isinstance(cell, float) else cell for cell in row]
    return {name.lower(): cell for name, cell in zip(names, cells, strict=True)}


def print_written(target: Path, vectors: Vectors, as_json: bool) -> None:
    """Print which file was written, on standard error; as JSON on standard output if wanted."""
    size = target.stat().st_size
    print(
        f"{target}: {len(vectors):,} rows of {vectors.dim} ({size / 1e6:.1f} MB)", file=sys.stderr
    )
    if as_json:
        print_json(
            {"file": str(target), "bytes": size, "words": len(vectors), "dimensions": vectors.dim}
        )
