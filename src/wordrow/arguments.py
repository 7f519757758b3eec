"""Checks of user-supplied arguments: each returns the value, or raises ValueError."""

from __future__ import annotations

from typing import Any

from wordrow.errors import show

__all__ = ["check_choice", "not_negative", "share", "whole_number"]


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


def whole_number(name: str, value: Any, *, least: int = 1) -> int:
    """Return an argument as an int.

    Raises ValueError for anything else, or below `least`.
    """
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = least - 1
    if number < least or number != value:
        raise ValueError(
            f"`{name}` must be a whole number above {least - 1}; received {show(value)}."
        )
    return number


def check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    """Raise ValueError for an argument that is not one of the known names."""
    if value not in known:
        raise ValueError(f"`{name}` must be one of {', '.join(known)}; received {show(value)}.")
