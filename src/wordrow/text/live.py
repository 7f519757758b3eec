"""Dicts that record whether they were edited.

The vocabulary lives in the compiled core; `tokenizer.word_index` and the like are
copies, made on first access. Old code edits them in place and expects the tokenizer to
follow, so each records that it was edited.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CountDict", "LiveDict"]


def _editing(name: str) -> Any:
    method = getattr(dict, name)

    def edit(self: LiveDict, *args: Any, **kwargs: Any) -> Any:
        self.edited = True
        return method(self, *args, **kwargs)

    edit.__name__ = name
    return edit


class LiveDict(dict[Any, Any]):
    """A dict whose `edited` is True once it was changed."""

    edited = False

    __setitem__ = _editing("__setitem__")
    __delitem__ = _editing("__delitem__")
    __ior__ = _editing("__ior__")
    clear = _editing("clear")
    pop = _editing("pop")
    setdefault = _editing("setdefault")
    update = _editing("update")

    def popitem(self, last: bool = True) -> tuple[Any, Any]:
        """Remove and return an item from one end, as an OrderedDict does."""
        self.edited = True
        if last:
            return super().popitem()
        if not self:
            raise KeyError("the table is empty")
        key = next(iter(self))
        return key, self.pop(key)

    def move_to_end(self, key: Any, last: bool = True) -> None:
        """Move a key to one end, as an OrderedDict does (Keras's `word_counts` is one)."""
        items = list(self.items())
        moved = (key, self[key])
        rest = [item for item in items if item[0] != key]
        self.clear()
        self.update([*rest, moved] if last else [moved, *rest])

    def __reduce__(self) -> Any:
        return (dict, (dict(self),))


class CountDict(LiveDict):
    """A LiveDict in which a missing key counts 0, as in Keras's `word_docs`."""

    def __missing__(self, key: Any) -> int:
        return 0
