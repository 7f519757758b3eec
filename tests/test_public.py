import ast
import importlib
import inspect
import pathlib

import pytest

import wordrow


def test_the_names_are_sorted_and_there():
    assert wordrow.__all__ == sorted(wordrow.__all__)
    for name in wordrow.__all__:
        assert getattr(wordrow, name) is not None
    assert set(wordrow.__all__) <= set(dir(wordrow))
    with pytest.raises(AttributeError, match="no attribute 'Tokeniser'"):
        wordrow.Tokeniser  # noqa: B018


def test_checkers_see_the_same_names():
    """The imports for type checkers and the table that loads names agree."""
    tree = ast.parse(pathlib.Path(wordrow.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    homes = {k: v.removesuffix(f".{k}") for k, v in wordrow._HOMES.items()}
    assert seen == homes


@pytest.mark.parametrize("name", wordrow.__all__)
def test_public_names_are_documented_with_an_example(name):
    thing = getattr(wordrow, name)
    assert inspect.getdoc(thing), name
    if inspect.isfunction(thing) or (inspect.isclass(thing) and name != "SparseRows"):
        doc = inspect.getdoc(thing)
        if name not in ("Padded", "load_model"):
            assert ">>>" in doc, f"{name} has no example"


def test_modules_list_what_they_offer():
    root = pathlib.Path(wordrow.__file__).parent
    for path in root.rglob("*.py"):
        if path.name in ("__main__.py",) or (
            path.name == "__init__.py" and path.parent.name in ("nn", "app")
        ):
            continue
        name = ".".join(["wordrow", *path.relative_to(root).with_suffix("").parts])
        module = importlib.import_module(name.removesuffix(".__init__"))
        for public in module.__all__:
            assert hasattr(module, public), f"{name}.{public}"


def test_the_version_is_the_projects():
    from importlib.metadata import version

    assert wordrow.__version__ == version("wordrow")
