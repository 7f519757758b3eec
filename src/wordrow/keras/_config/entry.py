"""One object of a config, its class and arguments; and the versions of Keras written for."""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["KERAS_VERSIONS", "Entry", "Style", "entry_of"]

Entry = dict[str, Any]
Style = Literal[2, 3]  # the version of Keras whose form is written

KERAS_VERSIONS: dict[Style, str] = {3: "3.15.0", 2: "2.15.0"}


def entry_of(class_name: str, config: dict[str, Any], module: str, style: Style) -> Entry:
    """Return {"class_name", "config"}; for Keras 3 with the module that has the class."""
    entry: Entry = {"class_name": class_name, "config": config}
    return entry if style == 2 else {"module": module, "registered_name": None} | entry
