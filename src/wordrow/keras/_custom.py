"""Objects of one's own by name, as Keras registers them, and things to configs and back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wordrow.nn.activations import ACTIVATIONS
from wordrow.nn.layers import Layer
from wordrow.nn.losses import LOSSES
from wordrow.nn.metrics import METRICS
from wordrow.nn.named import config_of

__all__ = [
    "CUSTOM", "CustomObjectScope", "custom_object_scope", "deserialize_keras_object",
    "get_custom_objects", "get_registered_name", "get_registered_object",
    "register_keras_serializable", "serialize_keras_object",
]  # fmt: skip

_FAMILIES = (ACTIVATIONS, LOSSES, METRICS)


class _Custom(dict[str, Any]):
    """Names of one's own; functions among them can be given by name to layers and `compile`."""

    def __setitem__(self, name: str, thing: Any) -> None:
        super().__setitem__(name, thing)
        function = getattr(thing, "activation", thing) if isinstance(thing, Layer) else thing
        if callable(function) and not isinstance(function, type):
            for family in _FAMILIES:
                if name not in family.classes:
                    family.names.setdefault(name, function)

    def __delitem__(self, name: str) -> None:
        thing = self[name]
        super().__delitem__(name)
        function = getattr(thing, "activation", thing) if isinstance(thing, Layer) else thing
        for family in _FAMILIES:
            if family.names.get(name) is function:
                del family.names[name]

    def update(self, *given: Any, **more: Any) -> None:
        """Take several."""
        for name, thing in dict(*given, **more).items():
            self[name] = thing


CUSTOM = _Custom()


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of names of one's own; what is put there is known from then on."""
    return CUSTOM


@contextlib.contextmanager
def custom_object_scope(*objects: Any) -> Iterator[None]:
    """Know names of one's own in this block."""
    given: dict[str, Any] = {}
    for one in objects:
        given |= dict(one)
    before = {name: CUSTOM[name] for name in given if name in CUSTOM}
    CUSTOM.update(given)
    try:
        yield
    finally:
        for name in given:
            del CUSTOM[name]
        CUSTOM.update(before)


CustomObjectScope = custom_object_scope


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """Return a decorator that makes a class or function known to `load_model` by its name."""

    def register(thing: Any) -> Any:
        own = name or thing.__name__
        CUSTOM[own] = thing
        dict.__setitem__(CUSTOM, f"{package}>{own}", thing)
        return thing

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name that an object was registered by, or its own."""
    found = [name for name, one in CUSTOM.items() if one is obj]
    return max(found, key=len) if found else str(obj.__name__)


def get_registered_object(name: str, custom_objects: Any = None, module_objects: Any = None) -> Any:
    """Return what was registered by a name; None where nothing was."""
    for known in (custom_objects, CUSTOM, module_objects):
        if known and name in known:
            return known[name]
    return None


def serialize_keras_object(obj: Any) -> Any:
    """Return the name of a function, or the class name and arguments of an object."""
    for family in _FAMILIES:
        if callable(obj) and (name := family.name(obj)) is not None:
            return name
    return config_of(obj) if hasattr(obj, "get_config") else obj


def deserialize_keras_object(config: Any, custom_objects: Any = None, **options: Any) -> Any:
    """Return the layer, or the thing of another family, of a name or config."""
    from wordrow.keras._modules import MODULES
    from wordrow.keras._read import Reader

    if isinstance(config, str):
        found = get_registered_object(config, custom_objects)
        return found if found is not None else ACTIVATIONS.get(config)
    if not isinstance(config, Mapping) or "class_name" not in config:
        return config
    kind = config["class_name"]
    known = {**CUSTOM, **(custom_objects or {})}
    if kind in known or kind in MODULES["keras.layers"]:
        return Reader("the config", known).layer(config)
    for path in ("initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"):
        if kind in MODULES[f"keras.{path}"]:
            return MODULES[f"keras.{path}"][kind](**config.get("config", {}))
    raise ValueError(f"nothing is called {kind!r}; give it in custom_objects.")
