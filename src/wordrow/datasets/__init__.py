"""Texts with labels: from files of any common form, and the IMDB reviews."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wordrow.datasets.table import Table, read_table

if TYPE_CHECKING:
    from wordrow.datasets import imdb

__all__ = ["Table", "imdb", "read_table"]


def __getattr__(name: str) -> Any:
    if name != "imdb":  # which needs NumPy; reading a table does not
        raise AttributeError(f"module 'wordrow.datasets' has no attribute {name!r}")
    return import_module("wordrow.datasets.imdb")
