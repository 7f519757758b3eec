"""`keras.saving.serialize_keras_object` and its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wordrow.keras import _families
from wordrow.keras._config.reader import Reader
from wordrow.keras._custom_objects import CUSTOM_OBJECTS, get_registered_object
from wordrow.keras._layers import LAYERS
from wordrow.nn.functions.activations import ACTIVATIONS
from wordrow.nn.functions.losses import LOSSES
from wordrow.nn.metrics import METRICS
from wordrow.nn.registry import config_of

__all__ = ["deserialize_keras_object", "deserialize_layer", "serialize_keras_object"]


def serialize_keras_object(obj: Any) -> Any:
    """Return the name of a function, or the class name and config of an object."""
    for family in (ACTIVATIONS, LOSSES, METRICS):
        if callable(obj) and (name := family.name(obj)) is not None:
            return name
    return config_of(obj) if hasattr(obj, "get_config") else obj


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """Return the object that a name or config describes."""
    if isinstance(config, str):
        found = get_registered_object(config, custom_objects)
        return found if found is not None else ACTIVATIONS.get(config)
    if not isinstance(config, Mapping) or "class_name" not in config:
        return config
    kind = config["class_name"]
    known = {**CUSTOM_OBJECTS, **(custom_objects or {})}
    if kind in known or kind in LAYERS:
        return Reader("the config", known).layer(config)
    for family in (
        _families.INITIALIZERS,
        _families.REGULARIZERS,
        _families.CONSTRAINTS,
        _families.LOSSES,
        _families.METRICS,
        _families.OPTIMIZERS,
    ):
        if kind in family:
            return family[kind](**config.get("config", {}))
    raise ValueError(
        f"`class_name` must be a class of Keras or a custom object; received {kind!r}. Pass it in "
        "custom_objects, or register it with register_keras_serializable."
    )


def deserialize_layer(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer that a config describes."""
    return deserialize_keras_object(config, custom_objects)
