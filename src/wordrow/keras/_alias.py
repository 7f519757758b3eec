"""A Keras name for a class or function of wordrow, which also takes old argument names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wordrow.keras._versions import old_defaults, saw_argument

__all__ = ["Alias"]


class Alias:
    """Stands for a class or function: it can be called, subclassed and used in `isinstance`.

    renames: old argument -> ours; None for an argument that has no effect here.
    defaults: arguments that are passed unless the caller gives them.
    converters: argument -> function applied to its value.
    finish: called with the result and with the arguments named in `withheld`, which are
    not passed on.
    """

    def __init__(
        self,
        target: Any,
        *,
        renames: Mapping[str, str | None] | None = None,
        defaults: Mapping[str, Any] | None = None,
        converters: Mapping[str, Callable[[Any], Any]] | None = None,
        withheld: tuple[str, ...] = (),
        finish: Callable[..., Any] | None = None,
    ) -> None:
        self._target = target
        self._renames, self._defaults = dict(renames or {}), dict(defaults or {})
        self._converters, self._withheld, self._finish = dict(converters or {}), withheld, finish
        self.__name__ = self.__qualname__ = target.__name__
        self.__doc__, self.__module__ = target.__doc__, target.__module__

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the target with its own argument names."""
        renamed: dict[str, Any] = {}
        for name, value in options.items():
            ours = self._renames.get(name, name)
            saw_argument(name)
            if ours is None:
                continue
            if ours in renamed:
                raise TypeError(
                    f"{self.__name__} takes one of {ours!r} and its older names; received "
                    f"{name!r} too, which is the same argument. Remove one of them."
                )
            convert = self._converters.get(ours)
            renamed[ours] = value if convert is None else convert(value)
        withheld = {name: renamed.pop(name) for name in self._withheld if name in renamed}
        defaults = old_defaults(self.__name__) | self._defaults
        if args:
            defaults.pop("learning_rate", None)  # given by its place
        result = self._target(*args, **defaults | renamed)
        return result if self._finish is None else self._finish(result, **withheld)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._target,)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(self._target, type) and isinstance(instance, self._target)

    def __subclasscheck__(self, cls: type) -> bool:
        return isinstance(self._target, type) and issubclass(cls, self._target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def __repr__(self) -> str:
        return f"<Keras alias of {self._target.__module__}.{self._target.__qualname__}>"
