"""Texts with labels: from files of any common form, the IMDB reviews, and Reuters newswire."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wordrow.datasets.table import Table, read_table

if TYPE_CHECKING:
    from wordrow.datasets import imdb, reuters

__all__ = ["Table", "imdb", "read_table", "reuters"]


def __getattr__(name: str) -> Any:
    if name not in ("imdb", "reuters"):  # which need NumPy; reading a table does not
        raise AttributeError(f"module 'wordrow.datasets' has no attribute {name!r}")
    return import_module(f"wordrow.datasets.{name}")
