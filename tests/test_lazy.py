"""A package lists its names in `__init__.pyi`; `attach` imports them on first use."""

import importlib
import subprocess
import sys
import textwrap

import pytest

import wordrow.vectors

STUB = """
from lazy_package import part as part
from lazy_package.shapes import Circle as Circle
from lazy_package.shapes import (
    Rectangle as Box,
)
from lazy_package.star import *
from lazy_package.listed import *
from json import dumps

version: str
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "lazy_package"
    root.mkdir()
    files = {
        "__init__.pyi": STUB,
        "__init__.py": """
            from wordrow.lazy import attach
            __getattr__, __dir__ = attach(__name__, __file__)
            version = "1"
            """,
        "part.py": "x = 1",
        "unlisted.py": "x = 2",
        "shapes.py": "class Circle: pass\nclass Rectangle: pass",
        "star.py": "import json as _json\ndef area(): pass\ndef _hidden(): pass",
        "listed.py": "__all__ = ['Line']\nclass Line: pass\nclass Unlisted: pass",
    }
    for name, text in files.items():
        (root / name).write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("lazy_package")
    for name in [name for name in sys.modules if name.split(".")[0] == "lazy_package"]:
        del sys.modules[name]


def loaded():
    return {name.partition(".")[2] for name in sys.modules if name.startswith("lazy_package.")}


def test_names_are_imported_on_first_use(package):
    assert not loaded()
    assert package.Circle is sys.modules["lazy_package.shapes"].Circle
    assert package.Box is sys.modules["lazy_package.shapes"].Rectangle
    assert loaded() == {"shapes"}
    assert vars(package)["Circle"] is package.Circle  # the second time it is an attribute
    assert package.part.x == 1


def test_names_of_star_lines(package):
    assert package.area.__name__ == "area"
    assert package.Line.__name__ == "Line"
    for name in ("Rectangle", "Unlisted", "dumps", "_hidden", "_json", "Triangle"):
        with pytest.raises(AttributeError, match=f"'lazy_package' has no attribute '{name}'"):
            getattr(package, name)


def test_submodules_and_private_names_do_not_import_star_modules(package):
    from lazy_package import unlisted

    assert unlisted.x == 2
    assert not hasattr(package, "_core")
    assert not hasattr(package, "__wrapped__")
    assert loaded() == {"unlisted"}


def test_all_names_are_sorted(package):
    assert package.__all__ == ["Box", "Circle", "Line", "area", "part"]
    assert {"version", *package.__all__} <= set(dir(package))
    assert dir(package) == sorted(dir(package))
    names = {}
    exec("from lazy_package import *", names)
    assert set(package.__all__) <= set(names)


def test_vectors_list_their_names_once():
    assert wordrow.vectors.__all__ == sorted(wordrow.vectors.__all__)
    for name in wordrow.vectors.__all__:
        assert getattr(wordrow.vectors, name).__name__ == name


def test_importing_a_package_does_not_read_its_stub():
    code = "import sys, wordrow.vectors; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    modules = out.stdout.split()
    assert "wordrow.vectors" in modules
    assert not {"ast", "numpy", "wordrow.vectors.vectors"} & set(modules)
