"""Checks of numbers that users give: each returns the number, or says what it must be."""

from __future__ import annotations

from typing import Any

from wordrow.errors import show

__all__ = ["not_negative", "share"]


def share(name: str, value: Any) -> float:
    """Return a number from 0 to below 1; ValueError for another."""
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must be from 0 to below 1; received {show(value)}.")
    return float(value)


def not_negative(name: str, value: Any) -> float:
    """Return a number from 0 on; ValueError for another."""
    if value is None or not float(value) >= 0:
        raise ValueError(f"`{name}` must be a number from 0 on; received {show(value)}.")
    return float(value)
