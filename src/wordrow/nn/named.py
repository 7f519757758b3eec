"""Things that may be given by name, as an object, or as the config of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from wordrow.errors import show

__all__ = ["Named", "config_of"]


class Named:
    """One family of such things: `classes` by class name, `names` to objects of theirs.

    >>> halves = Named("a half", classes={}, names={"left": min, "right": max})
    >>> halves.get("left") is min
    True
    """

    def __init__(
        self, what: str, *, classes: Mapping[str, type], names: Mapping[str, Any], kind: str = ""
    ) -> None:
        self.what, self.kind = what, kind or what
        self.classes, self.names = dict(classes), dict(names)

    def get(self, value: Any) -> Any:
        """Return the object of a name or a config; an object or function is returned as it is.

        Raises ValueError for an unknown name.
        """
        if isinstance(value, str) and value in self.names:
            return self.names[value]
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

    def name(self, thing: Any) -> str | None:
        """Return the name of a thing, None for one of your own."""
        for name, known in self.names.items():
            if known is thing or (is_dataclass(thing) and known == thing):
                return name
        return None

    def config(self, thing: Any) -> Any:
        """Return the name or config that `get` makes a thing from again.

        Raises ValueError for a function of your own, which has neither.
        """
        if (name := self.name(thing)) is not None:
            return name
        if type(thing) in self.classes.values():
            return config_of(thing)
        raise ValueError(
            f"a model with {self.kind} of your own ({show(thing)}) cannot be saved: "
            f"use one of {sorted({*self.names, *self.classes})}."
        )


def config_of(thing: Any) -> dict[str, Any]:
    """Return the class name of an object and the arguments that make it again."""
    get_config: Callable[[], dict[str, Any]] | None = getattr(thing, "get_config", None)
    config = get_config() if get_config is not None else asdict(thing)
    return {"class_name": type(thing).__name__, "config": config}
