"""Registries of objects that users give by name, as an object or as a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from wordrow.errors import show

__all__ = ["KINDS", "Kinds", "Registry", "config_of", "subclasses"]


class Registry:
    """One family of such objects: `classes` by class name, and ready-made objects by name.

    >>> halves = Registry("a half", classes={}, names={"left": min, "right": max})
    >>> halves.get("left") is min
    True
    """

    def __init__(
        self, what: str, *, classes: Mapping[str, type], names: Mapping[str, Any], kind: str = ""
    ) -> None:
        self.what, self.kind = what, kind or what
        self.classes, self.names = dict(classes), dict(names)

    def get(self, value: Any) -> Any:
        """Return the object for a name or config; an object or a function is returned unchanged.

        Raises ValueError for an unknown name.
        """
        if isinstance(value, str) and value in self.names:
            return self.names[value]
        if (name := getattr(value, "registered_name", None)) in self.names:
            return self.names[name]
        if isinstance(value, str) and value in self.classes:
            return self.classes[value]()
        if isinstance(value, Mapping) and value.get("class_name") in self.classes:
            return self.classes[value["class_name"]](**value.get("config", {}))
        if callable(value) or isinstance(value, tuple(self.classes.values())):
            return value() if isinstance(value, type) else value
        raise ValueError(
            f"{self.what} must be a function or one of {sorted({*self.names, *self.classes})}; "
            f"received {show(value)}."
        )

    def knows(self, name: str) -> bool:
        """Return whether an object or a class has this name."""
        return name in self.names or name in self.classes

    def name(self, thing: Any) -> str | None:
        """Return the name of an object; None for a user-defined one."""
        for name, known in self.names.items():
            if known is thing or (is_dataclass(thing) and known == thing):
                return name
        return None

    def config(self, thing: Any) -> Any:
        """Return the name or config from which `get` recreates an object.

        Raises ValueError for a user-defined function, which has neither.
        """
        if (name := self.name(thing)) is not None:
            return name
        if type(thing) in self.classes.values():
            return config_of(thing)
        noun = self.kind.split(" ", 1)[-1]  # without its article
        raise ValueError(
            f"a model with a user-defined {noun} ({show(thing)}) cannot be saved: "
            f"use one of {sorted({*self.names, *self.classes})}."
        )


def config_of(thing: Any) -> dict[str, Any]:
    """Return the class name of an object and the arguments that recreate it."""
    get_config: Callable[[], dict[str, Any]] | None = getattr(thing, "get_config", None)
    config = get_config() if get_config is not None else asdict(thing)
    return {"class_name": type(thing).__name__, "config": config}


def subclasses(names: Mapping[str, Any], base: type) -> dict[str, Any]:
    """Return the classes among a module's names that derive from `base`, by name."""
    return {
        name: value
        for name, value in names.items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }


class Kinds:
    """Constructors of everything a config may name as a layer: layers and models."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[Any], Any]] = {}

    def add(self, name: str, make: Callable[[Any], Any]) -> None:
        """Register `make`, a function of a config, under a class name."""
        self._makers[name] = make

    def __contains__(self, name: str) -> bool:
        return name in self._makers

    def make(self, entry: Mapping[str, Any]) -> Any:
        """Return the layer or model of {"class_name": ..., "config": ...}.

        Raises KeyError for an unknown name.
        """
        return self._makers[entry["class_name"]](entry["config"])


KINDS = Kinds()
