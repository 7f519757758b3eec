"""What reading a config depends on: the file, the Keras version and the custom objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Config", "Context"]

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """Where a config comes from.

    file_name: for messages. custom_objects: names in the file -> user-defined layer classes,
    losses, activations, and functions of Lambda layers (by the layer's name too).
    keras_version: of the Keras that wrote the file.
    """

    file_name: str
    custom_objects: Mapping[str, Any] = field(default_factory=dict)
    keras_version: str = "3"

    def function(self, value: Any) -> Any:
        """Return the custom object of a function's name or config, else the name itself."""
        if isinstance(value, Mapping):
            config = value.get("config")
            value = config if isinstance(config, str) else value["class_name"]
        if not isinstance(value, str):
            return value
        if value in self.custom_objects:
            return self.custom_objects[value]
        if value == "hard_sigmoid" and not self.keras_version.startswith("3"):
            return "keras2_hard_sigmoid"  # it had another slope
        return value
