"""Tables for notebooks, as HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["html_table"]


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as HTML. Numbers stand on the right; everything is escaped."""
    head = "".join(f'<th style="text-align:left">{html.escape(name)}</th>' for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<table><caption style="text-align:left">{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(value: Any) -> str:
    is_number = isinstance(value, int | float)
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if is_number else str(value)
    side = "right" if is_number else "left"
    return f'<td style="text-align:{side}">{html.escape(shown)}</td>'
