"""The registry of custom objects: user-defined layers and functions that files refer to by name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wordrow.nn.functions.activations import ACTIVATIONS
from wordrow.nn.functions.losses import LOSSES
from wordrow.nn.layers import Layer
from wordrow.nn.metrics import METRICS

__all__ = [
    "CUSTOM_OBJECTS",
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]

_FAMILIES = (ACTIVATIONS, LOSSES, METRICS)


class _CustomObjects(dict[str, Any]):
    """Custom objects by name; layers and `compile` accept the names of functions among them."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        function = _function_of(value)
        if callable(function) and not isinstance(function, type):
            for family in _FAMILIES:
                if name not in family.classes:
                    family.names.setdefault(name, function)

    def __delitem__(self, name: str) -> None:
        function = _function_of(self[name])
        super().__delitem__(name)
        for family in _FAMILIES:
            if family.names.get(name) is function:
                del family.names[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add several objects."""
        for name, value in dict(*args, **kwargs).items():
            self[name] = value


def _function_of(value: Any) -> Any:
    """Return the function of an Activation layer; anything else unchanged."""
    return getattr(value, "activation", value) if isinstance(value, Layer) else value


CUSTOM_OBJECTS = _CustomObjects()


def get_custom_objects() -> dict[str, Any]:
    """Return the registry itself: adding an entry registers it."""
    return CUSTOM_OBJECTS


@contextlib.contextmanager
def custom_object_scope(*objects: Mapping[str, Any]) -> Iterator[None]:
    """Register custom objects within a block."""
    added: dict[str, Any] = {}
    for mapping in objects:
        added |= dict(mapping)
    before = {name: CUSTOM_OBJECTS[name] for name in added if name in CUSTOM_OBJECTS}
    CUSTOM_OBJECTS.update(added)
    try:
        yield
    finally:
        for name in added:
            del CUSTOM_OBJECTS[name]
        CUSTOM_OBJECTS.update(before)


CustomObjectScope = custom_object_scope


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """Return a decorator that registers a class or function, so that `load_model` finds it."""

    def register(target: Any) -> Any:
        registered = name or target.__name__
        CUSTOM_OBJECTS[registered] = target
        dict.__setitem__(CUSTOM_OBJECTS, f"{package}>{registered}", target)
        return target

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name that an object is registered under, else its `__name__`."""
    names = [name for name, known in CUSTOM_OBJECTS.items() if known is obj]
    return max(names, key=len) if names else str(obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the object registered under a name, or None."""
    for known in (custom_objects, CUSTOM_OBJECTS, module_objects):
        if known and name in known:
            return known[name]
    return None
