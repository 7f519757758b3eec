"""Rows as a thing of their own: which are near which."""

from wordrow.vectors.nearest import nearest_rows

__all__ = ["nearest_rows"]
