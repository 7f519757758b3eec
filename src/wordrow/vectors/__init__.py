"""Word vectors without a model: loading, saving, comparing and training them. Never JAX.

`__init__.pyi` lists the names, which are imported on first use: a model that has an
Embedding needs few of them.
"""

from wordrow.lazy import attach

__getattr__, __dir__ = attach(__name__, __file__)
