"""A name of Keras's for something of ours: the same thing, under old argument names too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Name", "snake_case"]


def snake_case(kind: str) -> str:
    """Return a class as Keras 3 names its group in a file, or its function.

    >>> snake_case("MaxPooling1D"), snake_case("PReLU"), snake_case("NotEqual")
    ('max_pooling1d', 'p_re_lu', 'not_equal')
    """
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", kind).lower()


class Name:
    """Stands for a class or function: called, made a base of, or asked whether a thing is one.

    arguments: old argument -> ours, or None for one that changes nothing here.
    extra: what is said unless the caller does. convert: argument -> function of its value.
    finish: what is done with what was made, and the arguments taken out for it (`taken`).
    """

    def __init__(
        self, real: Any, *, arguments: Mapping[str, str | None] | None = None,
        extra: Mapping[str, Any] | None = None,
        convert: Mapping[str, Callable[[Any], Any]] | None = None,
        taken: tuple[str, ...] = (), finish: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        self._real = real
        self._arguments, self._extra = dict(arguments or {}), dict(extra or {})
        self._convert, self._taken, self._finish = dict(convert or {}), taken, finish
        self.__name__ = self.__qualname__ = real.__name__
        self.__doc__, self.__module__ = real.__doc__, real.__module__

    def __call__(self, *given: Any, **options: Any) -> Any:
        """Call the real thing, with its own argument names."""
        said: dict[str, Any] = {}
        for name, value in options.items():
            ours = self._arguments.get(name, name)
            if ours is None:
                continue
            if ours in said:
                raise TypeError(
                    f"{self.__name__} got {name!r} and {ours!r}, which are the same argument."
                )
            said[ours] = self._convert[ours](value) if ours in self._convert else value
        kept = {name: said.pop(name) for name in self._taken if name in said}
        made = self._real(*given, **{k: v for k, v in self._extra.items() if k not in said} | said)
        return made if self._finish is None else self._finish(made, **kept)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real,)

    def __instancecheck__(self, thing: Any) -> bool:
        return isinstance(self._real, type) and isinstance(thing, self._real)

    def __subclasscheck__(self, cls: type) -> bool:
        return isinstance(self._real, type) and issubclass(cls, self._real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __repr__(self) -> str:
        return f"<Keras's name for {self._real.__module__}.{self._real.__qualname__}>"
