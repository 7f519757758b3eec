"""Keras's names, from Keras 1 to 3, as thin tables over wordrow's own.

`import wordrow.keras as keras` gives new code Keras's modules; `install()`, and `wordrow run
script.py`, put them in the place of `keras`, `tensorflow.keras`, `tf_keras` and
`keras_preprocessing` for one process, so that scripts run unchanged.

>>> from wordrow.keras.layers import Dense
>>> Dense(output_dim=2).units
2
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

__all__ = ["install"]

_OURS = "wordrow.keras"
_STANDS_FOR = ("keras", "tensorflow", "tf_keras", "keras_preprocessing", "keras_core")


def _path_of(name: str) -> str | None:
    """Return the path in the tables that a module's name stands for; None for another module."""
    from wordrow.keras._modules import MODULES, ROOTS

    if name == _OURS or name.startswith(f"{_OURS}."):
        name = name.removeprefix("wordrow.")
    for root in sorted(ROOTS, key=len, reverse=True):
        if name == root or name.startswith(f"{root}."):
            name = ROOTS[root] + name[len(root) :]
            break
    known = name in MODULES or any(path.startswith(f"{name}.") for path in (*MODULES, *ROOTS))
    return name if known else None


def _missing(module: str, name: str) -> str:
    """Return what to say of a name that is not here: what is there, and what to use."""
    from wordrow.keras._modules import MODULES, NOT_HERE

    path = _path_of(module) or module
    full = f"{path}.{name}"
    if why := NOT_HERE.get(full):
        return f"{module}.{name} is not in wordrow: {why}."
    parts = path.split(".")
    if len(parts) > 2 and (why := NOT_HERE.get(f"{'.'.join(parts[:2])}.{name}")):
        return f"{module}.{name} is not in wordrow: {why}."
    there = sorted(one for one in MODULES.get(path, {}) if not one.startswith("_"))
    near = [one for one in there if one.lower() == name.lower()]
    hint = (
        f" Did you mean {near[0]}?" if near else f" There is: {', '.join(there)}." if there else ""
    )
    return f"{module}.{name} is not in wordrow.{hint}"


class _Module(types.ModuleType):
    """A module out of the tables: what it has, and the modules below it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if _path_of(f"{self.__name__}.{name}") is not None:
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(_missing(self.__name__, name))

    def __dir__(self) -> list[str]:
        return sorted(name for name in vars(self) if not name.startswith("_"))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the modules of the tables when they are imported."""

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = tuple(roots)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec of a module of ours; say what is there where it is not."""
        if not any(name == root or name.startswith(f"{root}.") for root in self.roots):
            return None
        if name.startswith(f"{_OURS}._"):  # the tables themselves
            return None
        if _path_of(name) is None:
            parent, _, last = name.rpartition(".")
            raise ImportError(_missing(parent, last), name=name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        """Return an empty module."""
        return _Module(spec.name)

    def exec_module(self, module: Any) -> None:
        """Fill it from the tables."""
        from wordrow.keras._modules import MODULES

        names = MODULES.get(_path_of(module.__name__) or "", {})
        vars(module).update(names)
        module.__all__ = sorted(name for name in names if not name.startswith("_"))


def install() -> None:
    """Put wordrow in the place of Keras and tf.keras, for this process.

    Raises ImportError where one of them has been imported already: what a script
    has of it would not fit together with ours.
    """
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) and finder.roots == _STANDS_FOR:
            return
    loaded = [name for name in _STANDS_FOR if name in sys.modules]
    if loaded:
        raise ImportError(
            f"{loaded[0]} is imported already: call wordrow.keras.install() before, or run the "
            "script with `wordrow run`."
        )
    sys.meta_path.insert(0, _Finder(_STANDS_FOR))


def __getattr__(name: str) -> Any:
    if name.startswith("_") and name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wordrow.keras._modules import MODULES

    if name in MODULES["keras"]:
        return MODULES["keras"][name]
    if _path_of(f"{_OURS}.{name}") is not None:
        return importlib.import_module(f"{_OURS}.{name}")
    raise AttributeError(_missing("keras", name))


sys.meta_path.insert(0, _Finder((_OURS,)))
