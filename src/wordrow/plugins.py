"""What higher floors offer to lower ones, by name; it is loaded when it is first needed.

`import wordrow` loads this file, so that it imports next to nothing.
"""

from __future__ import annotations

from importlib import import_module

__all__ = ["add_model_format", "model_format"]

_model_formats: dict[str, str] = {}  # suffix -> module


def add_model_format(suffixes: tuple[str, ...], module: str) -> None:
    """Let a module read and write model files whose names end in one of the suffixes."""
    _model_formats.update(dict.fromkeys(suffixes, module))


def model_format(path: str) -> object:
    """Return the module for a file of this name, or None."""
    for suffix, module in _model_formats.items():
        if path.endswith(suffix):
            return import_module(module)
    return None
