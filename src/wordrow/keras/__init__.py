"""The names of Keras 1, 2 and 3, as thin tables over wordrow's own.

`import wordrow.keras as keras` gives new code Keras's modules. `install()`, which `wordrow run
script.py` calls, replaces `keras`, `tensorflow.keras`, `tf_keras` and `keras_preprocessing` in
one process, so that scripts run unchanged.

The modules are made when they are imported, from the tables in `_modules`. The files here have
underscores since plain names (`layers`, `models`, `utils`, `backend`) are those of Keras's modules.

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

__all__ = ["hint_for", "install"]

_PACKAGE = "wordrow.keras"
_REPLACED = ("keras", "tensorflow", "tf_keras", "keras_preprocessing", "keras_core")


def _canonical_path(name: str) -> str | None:
    """Return the path in MODULES of a module's name; None for a module that is not there."""
    from wordrow.keras._modules import MODULES, ROOTS

    if name == _PACKAGE or name.startswith(f"{_PACKAGE}."):
        name = name.removeprefix("wordrow.")
    for root in sorted(ROOTS, key=len, reverse=True):
        if name == root or name.startswith(f"{root}."):
            name = ROOTS[root] + name[len(root) :]
            break
    known = name in MODULES or any(path.startswith(f"{name}.") for path in (*MODULES, *ROOTS))
    return name if known else None


def _missing(module: str, name: str) -> str:
    """Return the message for an unsupported name: the reason, or the names that there are."""
    from wordrow.keras._modules import MODULES
    from wordrow.keras._unsupported import UNSUPPORTED

    path = _canonical_path(module) or module
    parts = path.split(".")
    for parent in (path, ".".join(parts[:2])):  # keras.layers.core, then keras.layers
        if reason := UNSUPPORTED.get(f"{parent}.{name}"):
            return f"{module}.{name} is not in wordrow: {reason}."
    public = sorted(one for one in MODULES.get(path, {}) if not one.startswith("_"))
    similar = [one for one in public if one.lower() == name.lower()]
    if similar:
        hint = f" Did you mean {similar[0]}?"
    else:
        hint = f" Available names: {', '.join(public)}." if public else ""
    return f"{module}.{name} is not in wordrow.{hint}"


class _Module(types.ModuleType):
    """A module of the tables, with its names and submodules."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if _canonical_path(f"{self.__name__}.{name}") is not None:
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(_missing(self.__name__, name))

    def __dir__(self) -> list[str]:
        return sorted(name for name in vars(self) if not name.startswith("_"))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the modules of the tables when they are imported."""

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = tuple(roots)

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a module of the tables, None for one that is elsewhere.

        Raises ImportError for an unsupported module of Keras.
        """
        if not any(name == root or name.startswith(f"{root}.") for root in self.roots):
            return None
        if name.startswith(f"{_PACKAGE}._"):  # a file of this package
            return None
        if _canonical_path(name) is None:
            parent, _, last = name.rpartition(".")
            raise ImportError(_missing(parent, last), name=name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> _Module:
        """Return an empty module."""
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill a module from the tables."""
        from wordrow.keras._modules import MODULES
        from wordrow.keras._versions import saw_module

        saw_module(module.__name__)
        names = MODULES.get(_canonical_path(module.__name__) or "", {})
        vars(module).update(names)
        vars(module)["__all__"] = sorted(name for name in names if not name.startswith("_"))


def hint_for(name: str) -> str:
    """Return what to use instead of a name of Keras that is not here; "" for other names."""
    from wordrow.keras._unsupported import UNSUPPORTED

    reasons = [reason for path, reason in UNSUPPORTED.items() if path.rpartition(".")[2] == name]
    return f"Keras's {name} is not in wordrow: {reasons[0]}." if reasons else ""


def install() -> None:
    """Make imports of Keras and tf.keras give wordrow, in this process.

    Raises ImportError where one of them has been imported already: its objects would not
    work with ours.
    """
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) and finder.roots == _REPLACED:
            return
    loaded = [name for name in _REPLACED if name in sys.modules]
    if loaded:
        raise ImportError(
            f"{loaded[0]} is imported already. Call wordrow.keras.install() first, or run the "
            "script with `wordrow run`."
        )
    sys.meta_path.insert(0, _Finder(_REPLACED))


def __getattr__(name: str) -> Any:
    if name.startswith("_") and name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wordrow.keras._modules import MODULES

    if name in MODULES["keras"]:
        return MODULES["keras"][name]
    if _canonical_path(f"{_PACKAGE}.{name}") is not None:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    raise AttributeError(_missing("keras", name))


sys.meta_path.insert(0, _Finder((_PACKAGE,)))
