"""Texts with labels: from files of any common form, and the IMDB reviews."""

from wordrow.datasets import imdb
from wordrow.datasets.table import Table, read_table

__all__ = ["Table", "imdb", "read_table"]
