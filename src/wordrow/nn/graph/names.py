"""Unique names of layers in a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["make_names_unique"]


def make_names_unique(units: Sequence[Any]) -> None:
    """Number layers and models of the same kind.

    Raises ValueError if two have the same name and neither may change it: the user gave it, or
    another model uses it.
    """
    taken = set()
    for unit in units:
        if unit.given_name is not None or unit.in_a_model:
            if unit.name in taken:
                raise ValueError(
                    f"two layers are called {unit.name!r}: names must be unique in a model. "
                    "Give one of them another name=…."
                )
            taken.add(unit.name)
    for unit in units:
        if unit.given_name is None and not unit.in_a_model:
            base, number = unit.name, 1
            while unit.name in taken:
                unit.name, number = f"{base}_{number}", number + 1
            taken.add(unit.name)
    for unit in units:
        unit.in_a_model = True
