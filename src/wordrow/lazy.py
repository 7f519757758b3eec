"""Packages whose public names are listed in `__init__.pyi` and imported on first use.

Type checkers read the stub, and `attach` reads the same lines at run time:

    from wordrow.text import Tokenizer as Tokenizer
    from wordrow.nn.layers import *
"""

from __future__ import annotations

import os.path
import sys
from collections.abc import Callable
from importlib import import_module

__all__ = ["attach"]


def attach(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package, from the stub beside its file.

    `from module import name as name` imports the module when the name is first used.
    `from module import *` imports it when a name is looked up that no other line has.
    `__all__` is the sorted list of all these names.
    """
    stub = _Stub(package, os.path.splitext(file)[0] + ".pyi")

    def load(name: str) -> object:
        value = stub.names() if name == "__all__" else stub.load(name)
        setattr(sys.modules[package], name, value)
        return value

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *stub.names()})

    return load, list_names


class _Stub:
    """The names that a stub exports. It is read when the first of them is looked up."""

    def __init__(self, package: str, path: str) -> None:
        self.package, self.path = package, path
        self.homes: dict[str, tuple[str, str]] | None = None  # name -> (module, name in it)
        self.star_modules: list[str] = []

    def read(self) -> dict[str, tuple[str, str]]:
        """Return the home of each name that the stub lists."""
        if self.homes is None:
            import ast

            homes: dict[str, tuple[str, str]] = {}
            stars: list[str] = []
            with open(self.path, encoding="utf-8") as file:
                tree = ast.parse(file.read())
            for node in tree.body:
                if not isinstance(node, ast.ImportFrom) or node.module is None:
                    continue
                for alias in node.names:
                    if alias.name == "*":
                        stars.append(node.module)
                    elif alias.asname is not None:
                        homes[alias.asname] = (node.module, alias.name)
            self.star_modules, self.homes = stars, homes
        return self.homes

    def names(self) -> list[str]:
        """Return all names, sorted. Imports the modules of `*` lines."""
        found = set(self.read())
        for module in self.star_modules:
            found.update(_public_names(module))
        return sorted(found)

    def load(self, name: str) -> object:
        """Return what a name stands for, imported."""
        if not name.startswith("_"):  # such names are never exported
            if (home := self.read().get(name)) is not None:
                return _import(*home, package=self.package)
            if not self._is_submodule(name):
                for module in self.star_modules:
                    if name in _public_names(module):
                        return getattr(import_module(module), name)
        raise AttributeError(f"module {self.package!r} has no attribute {name!r}{self.hint(name)}")

    def hint(self, name: str) -> str:
        """Return what to use instead of a name, if that is known."""
        if self.package != "wordrow" or name.startswith("_") or self._is_submodule(name):
            return ""
        from wordrow.hints import NAMES

        if name in NAMES:
            return f": use {NAMES[name]}."
        near = [known for known in self.names() if known.lower() == name.lower()]
        return f". Did you mean {near[0]!r}?" if near else ""

    def _is_submodule(self, name: str) -> bool:
        """Return whether `from package import name` would import a module."""
        from importlib.machinery import PathFinder

        path = sys.modules[self.package].__path__
        return PathFinder.find_spec(f"{self.package}.{name}", path) is not None


def _public_names(module: str) -> list[str]:
    loaded = import_module(module)
    names: list[str] | None = getattr(loaded, "__all__", None)
    return [n for n in vars(loaded) if not n.startswith("_")] if names is None else names


def _import(module: str, name: str, *, package: str) -> object:
    """Return what `from module import name` does: an attribute of the module, or a submodule."""
    if module == package:
        return import_module(f"{module}.{name}")
    return getattr(__import__(module, fromlist=[name]), name)
