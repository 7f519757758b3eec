"""Imports go strictly down, and what must stay light stays light."""

import ast
import pathlib
import subprocess
import sys

import pytest

import wordrow

SOURCE = pathlib.Path(wordrow.__file__).parent
CORE = SOURCE.parents[1] / "core"

# Module or package -> floor. A module may import from lower floors, and from its
# own package; beside that, only the sideways steps listed below it.
FLOORS = {
    "_core": 1,
    "errors": 2,
    "types": 2,
    "arguments": 2,
    "lazy": 2,
    "store": 3,
    "progress": 3,
    "text": 3,
    "vectors": 3,
    "nn": 4,
    "labels": 5,
    "estimator": 5,
    "classifier_file": 5,
    "classifier_model": 5,
    "classifier": 5,
    "explain": 5,
    "datasets": 5,
    "keras": 6,
    "app": 7,
    "__main__": 8,
    "__init__": 9,
}
SIDEWAYS = {
    ("classifier", "classifier_model"), ("classifier_file", "classifier_model"),
    ("classifier", "classifier_file"), ("classifier", "labels"),
    ("classifier", "estimator"), ("classifier_file", "estimator"),
    ("classifier_file", "classifier"),  # for a type only
    ("explain", "classifier"),
    ("arguments", "errors"),
    ("vectors", "text"), ("vectors", "store"), ("vectors", "progress"),
}  # fmt: skip
# Inside nn/, lowest first.
NN_ORDER = [
    "random", "custom_calls", "ops", "named", "activations", "initializers",
    "regularizers", "constraints", "labels", "losses", "metrics", "schedules", "optimizer",
    "optimizers", "away", "updates", "callbacks", "layers", "summary", "graph", "bag", "bag_fit",
    "columns", "compiled", "train", "feed", "trainer", "answer", "bag_epoch", "fit", "words",
    "model", "sequential", "plot", "saving",
]  # fmt: skip


def modules():
    return sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)


def imports(path):
    """Yield (dotted name, line) of every import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def place(path):
    return path.relative_to(SOURCE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path):
    here = place(path)
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] != "wordrow" or len(parts) == 1 or parts[1] not in FLOORS:
            continue
        there = parts[1]
        if here == there or (here, there) in SIDEWAYS:
            continue
        assert FLOORS[there] < FLOORS[here], f"{path.name}:{line}: {here} imports {there}"


def test_inside_nn_too():
    for path in (SOURCE / "nn").rglob("*.py"):
        here = path.relative_to(SOURCE / "nn").with_suffix("").parts[0]
        if here == "__init__":
            continue
        for name, line in imports(path):
            parts = name.split(".")
            if parts[:2] != ["wordrow", "nn"] or len(parts) < 3 or parts[2] not in NN_ORDER:
                continue
            if here == parts[2] or (here, parts[2]) == ("model", "saving"):  # save, when called
                continue
            if parts[2] == "model" and here in ("answer", "fit", "summary", "plot"):  # for a type
                continue
            assert NN_ORDER.index(parts[2]) < NN_ORDER.index(here), f"nn/{path.name}:{line}: {name}"


def test_every_place_has_a_floor():
    assert {place(path) for path in modules()} <= set(FLOORS)


def test_no_pickle_no_eval():
    for path in modules():
        names = {name.split(".")[0] for name, _ in imports(path)}
        assert not names & {"pickle", "keras", "tensorflow", "torch", "marshal"}, path
        calls = [n.func.id for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                 if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]  # fmt: skip
        assert not {"eval", "exec", "compile"} & set(calls), path


def test_jax_is_imported_in_one_function_only():
    def takes_jax(path):
        return any(name.split(".")[0] == "jax" for name, _ in imports(path))

    assert [path.name for path in modules() if takes_jax(path)] == ["train.py"]
    tree = ast.parse((SOURCE / "nn" / "train.py").read_text(encoding="utf-8"))
    outside = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("jax" in ast.unparse(node) for node in outside)


def test_scikit_learn_is_imported_in_one_method_only():
    users = [
        path.name for path in modules() if any(n.startswith("sklearn") for n, _ in imports(path))
    ]
    assert users == ["estimator.py"]


def test_the_core_knows_neither_python_nor_nanobind():
    for path in CORE.iterdir():
        if path.suffix in (".h", ".cpp", ".inc"):
            included = [
                line for line in path.read_text().splitlines() if line.startswith("#include")
            ]
            assert not any("Python.h" in line or "nanobind" in line for line in included), path


LIGHT = """
import sys
import numpy
before = set(sys.modules)
import wordrow
assert "wordrow.classifier" not in sys.modules
{use}
heavy = {{"jax", "keras", "sklearn", "scipy", "pandas", "polars", "pyarrow", "pooch", "typer"}}
loaded = {{name.split(".")[0] for name in set(sys.modules) - before}}
assert not loaded & heavy, loaded & heavy
"""
USES = {
    "import alone": "",
    "tokenizing": "wordrow.Tokenizer().fit_on_texts(['a'])",
    "building and predicting": "wordrow.Sequential([wordrow.Embedding(5, 2)]).predict([[1]])",
    "training a classifier": "wordrow.TextClassifier().fit(['a', 'b'], [0, 1]).predict(['a'])",
    "neighbours": "import wordrow.vectors",
    "data sets": "wordrow.datasets.imdb",
}


@pytest.mark.parametrize("use", USES)
def test_what_is_loaded(use):
    code = LIGHT.format(use=USES[use])
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_import_alone_loads_nothing_else():
    code = "import sys; n = set(sys.modules); import wordrow; print(*set(sys.modules) - n)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name for name in out.stdout.split() if not name.startswith("importlib")}
    assert {name.split(".")[0] for name in loaded} - sys.stdlib_module_names == {"wordrow"}
