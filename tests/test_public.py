import ast
import importlib
import inspect
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import wordrow


def test_the_names_are_sorted_and_there():
    assert wordrow.__all__ == sorted(wordrow.__all__)
    for name in wordrow.__all__:
        assert getattr(wordrow, name) is not None
    assert set(wordrow.__all__) <= set(dir(wordrow))
    with pytest.raises(AttributeError, match="no attribute 'Tokeniser'"):
        wordrow.Tokeniser  # noqa: B018


def test_the_stub_is_the_list_of_names():
    """Checkers and editors read `__init__.pyi`; the package loads what it lists."""
    stub = pathlib.Path(wordrow.__file__).with_suffix(".pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    lines = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    listed = {alias.asname for node in lines for alias in node.names} - {None}
    (star,) = [node.module for node in lines if node.names[0].name == "*"]
    assert star == "wordrow.layers"
    assert set(wordrow.__all__) == listed | set(wordrow.layers.__all__)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("layers", "LSTM"),
        ("callbacks", "EarlyStopping"),
        ("optimizers", "Adam"),
        ("losses", "BinaryCrossentropy"),
        ("metrics", "AUC"),
        ("initializers", "RandomNormal"),
        ("regularizers", "L2"),
        ("constraints", "MaxNorm"),
        ("models", "Sequential"),
        ("utils", "to_categorical"),
        ("schedules", "CosineDecay"),
    ],
)
def test_modules_have_keras_names(module, name):
    """What someone who comes from Keras types first."""
    imported = importlib.import_module(f"wordrow.{module}")
    assert name in imported.__all__
    assert getattr(imported, name) is getattr(getattr(wordrow, module), name)
    assert not {"np", "annotations", "Any", "conv"} & set(imported.__all__)


def test_layers_are_listed_where_they_are_registered():
    from wordrow.nn.layers import LAYERS
    from wordrow.nn.optimizers import OPTIMIZERS

    assert {*LAYERS, "Layer"} == set(wordrow.layers.__all__)
    assert all(issubclass(layer, wordrow.Layer) for layer in LAYERS.values())
    names = {name for name in OPTIMIZERS.classes if name != name.lower()}
    assert {*names, "Optimizer"} == set(wordrow.optimizers.__all__)


USER_PROGRAM = """
import numpy as np
import numpy.typing as npt
import wordrow
from wordrow import LSTM, Dense, Embedding, Sequential, TextClassifier, Tokenizer, pad_sequences
from wordrow.callbacks import EarlyStopping
from wordrow.layers import Layer
from wordrow.vectors import Vectors

Array = npt.NDArray[np.float32]


class Scaled(Layer):
    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs: Array) -> Array:
        outputs: Array = inputs * self.scale.numpy()
        return outputs


tokenizer = Tokenizer(10)
tokenizer.fit_on_texts(["a text"])
ids = pad_sequences(tokenizer.texts_to_sequences(["a text"]), 4)
model: Sequential = Sequential([Embedding(10, 3, mask_zero=True), LSTM(4), Dense(1)])
model.compile(wordrow.optimizers.Adam(0.01), "mse")
history = model.fit(ids, [1.0], epochs=2, callbacks=[EarlyStopping("loss")], verbose=0)
losses: list[float] = history.history["loss"]
classifier: TextClassifier = TextClassifier(seed=1).fit(["a", "b"], [0, 1])
vectors: Vectors = classifier.vectors
version: str = wordrow.__version__
wordrow.show_versions()
"""


def test_a_users_types_are_checked(tmp_path):
    """A small program against the public names passes mypy strict; with a wrong line it fails."""
    assert pathlib.Path(wordrow.__file__).with_name("py.typed").exists()
    (tmp_path / "right.py").write_text(USER_PROGRAM)
    (tmp_path / "wrong.py").write_text(USER_PROGRAM + "LSTM(units='four', x=1) + 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "right.py", "wrong.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert errors, done.stdout
    last = len(USER_PROGRAM.splitlines()) + 1
    assert all(line.startswith(f"wrong.py:{last}: ") for line in errors), done.stdout


def test_versions_for_a_bug_report(capsys):
    wordrow.show_versions()
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown["wordrow"] == wordrow.__version__
    assert {"python", "system", "numpy", "jax", "threads"} <= set(shown)
    assert shown["numpy"] == np.__version__


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
        if path.with_suffix(".pyi").exists() or path.name == "__init__.py":
            continue  # its names are those of its stub, or its imports
        for public in module.__all__:
            assert hasattr(module, public), f"{name}.{public}"


def test_the_version_is_the_projects():
    from importlib.metadata import version

    assert wordrow.__version__ == version("wordrow")
