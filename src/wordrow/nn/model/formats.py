"""Which formats of files models are saved in: wordrow's own, and those that others add."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from wordrow import plugins

__all__ = ["format_of", "model_from_bytes", "reads_models"]

_readers: list[Callable[[bytes], Any]] = []  # the one of wordrow's own format


def format_of(path: str | os.PathLike[str]) -> Any:
    """Return the module that reads and writes files of this name; None for wordrow's own format.

    It has save_model, load_model, save_weights and load_weights.
    """
    module: Any = plugins.model_format(os.fspath(path))
    return module


def reads_models(reader: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Make a function the one that reads models from bytes; loading.py, above, does so."""
    _readers[:] = [reader]
    return reader


def model_from_bytes(data: bytes) -> Any:
    """Return the model in the bytes of a file: what a pickled model calls."""
    return _readers[0](data)
