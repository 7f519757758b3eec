"""Keras's snake case, which its files use for groups and functions."""

from __future__ import annotations

import re

__all__ = ["snake_case"]


def snake_case(class_name: str) -> str:
    """Return a class name in Keras 3's snake case.

    >>> snake_case("MaxPooling1D"), snake_case("PReLU"), snake_case("NotEqual")
    ('max_pooling1d', 'p_re_lu', 'not_equal')
    """
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", class_name).lower()
