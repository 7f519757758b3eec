"""Imports go strictly down and in no circle; what must stay light stays light."""

import ast
import os
import pathlib
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

import wordrow

SOURCE = pathlib.Path(wordrow.__file__).parent
ROOT = SOURCE.parents[1]
CORE = ROOT / "core"

# Module or package -> floor. A module may import from lower floors, and from its
# own package; beside that, only the sideways steps listed below it.
FLOORS = {
    "_core": 1,
    "errors": 2,
    "types": 2,
    "arguments": 2,
    "hints": 2,
    "lazy": 2,
    "notebook": 2,
    "plugins": 2,
    "versions": 2,
    "store": 3,
    "progress": 3,
    "text": 3,
    "vectors": 3,
    "nn": 4,
    "callbacks": 5,
    "constraints": 5,
    "initializers": 5,
    "layers": 5,
    "losses": 5,
    "metrics": 5,
    "models": 5,
    "optimizers": 5,
    "regularizers": 5,
    "schedules": 5,
    "utils": 5,
    "classifier": 5,
    "explain": 5,
    "datasets": 5,
    "keras": 6,
    "app": 7,
    "__main__": 8,
    "__init__": 9,
}
SIDEWAYS = {
    ("explain", "classifier"),
    ("arguments", "errors"),
    ("lazy", "hints"),
    ("vectors", "text"),
    ("vectors", "store"),
    ("text", "store"),
    ("vectors", "progress"),
    ("versions", "errors"),
}
# The rooms of nn/, lowest first.
NN_ORDER = [
    "spec",
    "registry",
    "random",
    "ids",
    "interrupt",
    "ops",
    "functions",
    "optimizers",
    "graph",
    "table",
    "layers",
    "metrics",
    "callbacks",
    "data",
    "family",
    "train",
    "inference",
    "model",
]


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


def dotted(path):
    parts = ["wordrow", *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(paths):
    """Return file -> the files it imports, inside functions and for types too."""
    graph = {dotted(path): set() for path in paths}
    names = {*graph, "wordrow._core"}
    for path in paths:
        found = graph[dotted(path)]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names} & names
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    found |= {inner if inner in names else node.module} & names
    return graph


def test_imports_go_in_no_circle():
    graph = import_graph(modules())
    assert len(graph) > 150
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"files import each other in a circle: {' -> '.join(error.args[1])}")


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
            if parts[:2] != ["wordrow", "nn"] or len(parts) < 3 or here == parts[2]:
                continue
            assert NN_ORDER.index(parts[2]) < NN_ORDER.index(here), f"nn/{path.name}:{line}: {name}"


def test_every_place_has_a_floor():
    assert {place(path) for path in modules()} <= set(FLOORS)
    rooms = {path.relative_to(SOURCE / "nn").parts[0] for path in (SOURCE / "nn").rglob("*.py")}
    assert {room.removesuffix(".py") for room in rooms} == {*NN_ORDER, "__init__"}


def test_no_module_is_imported_by_its_name_as_text():
    """`import_module("wordrow.…")` would go round the tests above, in a function too."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__"):
                first = ast.unparse(node.args[0])
                assert "wordrow" not in first, f"{path.name}:{node.lineno}: {first}"


WITHOUT_KERAS = """
import numpy as np
import wordrow
from wordrow import *
x, y = np.array([[1, 2], [3, 4]] * 8), np.array([0, 1] * 8)
for layer in (GlobalAveragePooling1D(), LSTM(2)):
    model = Sequential([Embedding(5, 3, mask_zero=True), layer, Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(x, y, verbose=0)
    model.save("model.safetensors")
    assert (wordrow.load_model("model.safetensors").predict(x) == model.predict(x)).all()
try:
    model.save("model.keras")
except ModuleNotFoundError as error:
    assert "wordrow.keras" in str(error), error
else:
    raise SystemExit("saved")
"""


def test_without_keras_the_rest_passes(tmp_path):
    """In a copy without the folder, its tests and docs: what is left imports none of it."""
    source = tmp_path / "src" / "wordrow"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("keras", "__pycache__"))
    for so in pathlib.Path(wordrow._core.__file__).parent.glob("_core*"):
        shutil.copy(so, source)
    ignored = shutil.ignore_patterns("keras", "__pycache__", "keras_models.py", "test_docs.py")
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    allowed = {"app/script.py"}  # the command `wordrow run` is for Keras's scripts
    for path in [*source.rglob("*.py"), *(tmp_path / "tests").rglob("*.py")]:
        if path not in [source / name for name in allowed]:
            names = [name for name, _ in imports(path)]
            assert not any(n.startswith(("wordrow.keras", "keras_models")) for n in names), path
    some = ["test_tiny.py", "test_store.py"]
    run_some = (
        f"import pytest; sys.exit(pytest.main(['-q', *('tests/' + name for name in {some!r})]))"
    )
    for code in (WITHOUT_KERAS, run_some):
        done = subprocess.run(
            # The last three finders: not those that know where the project itself lies.
            [sys.executable, "-c", f"import sys; sys.meta_path[:] = sys.meta_path[-3:]\n{code}"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr


def test_no_pickle_no_eval():
    for path in modules():
        names = {name.split(".")[0] for name, _ in imports(path)}
        assert not names & {"pickle", "keras", "tensorflow", "torch", "marshal"}, path
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert not {"eval", "exec", "compile"} & set(calls), path


def test_jax_is_imported_in_one_function_only():
    def takes_jax(path):
        return any(name.split(".")[0] == "jax" for name, _ in imports(path))

    assert [str(p.relative_to(SOURCE)) for p in modules() if takes_jax(p)] == ["nn/ops/jax.py"]
    tree = ast.parse((SOURCE / "nn" / "ops" / "jax.py").read_text(encoding="utf-8"))
    outside = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("jax" in ast.unparse(node) for node in outside)


def test_scikit_learn_is_imported_in_the_methods_it_calls_only():
    users = [
        path.name for path in modules() if any(n.startswith("sklearn") for n, _ in imports(path))
    ]
    assert users == ["estimator.py", "_scikit_learn.py"]


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
heavy.add("ssl")  # a web client's
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
    "Keras's modules": "import wordrow.layers, wordrow.callbacks, wordrow.optimizers, "
    "wordrow.losses, wordrow.metrics, wordrow.initializers, wordrow.regularizers, "
    "wordrow.constraints, wordrow.models, wordrow.utils, wordrow.schedules",
    "versions": "wordrow.show_versions()",
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
