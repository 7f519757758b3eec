"""Texts with labels: from files of any common form, the IMDB reviews, and Reuters newswire."""

from wordrow.lazy import attach

__getattr__, __dir__ = attach(__name__, __file__)
