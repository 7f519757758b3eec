"""Scripts for Keras 1, 2, 3 and tf.keras run unchanged; those for Keras 3 agree with Keras."""

import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

SCRIPTS = pathlib.Path(__file__).parents[2] / "examples" / "keras"
GROUPS = ("k1_*", "k2_[a-m]*", "k2_[n-z]*", "tf_*")  # k3: see below
RUN_ALL = """
import runpy, sys, warnings
from wordrow import keras
keras.install()
warnings.simplefilter("error", DeprecationWarning)
for path in sys.argv[1:]:
    print("#", path)
    runpy.run_path(path, run_name="__main__")
assert type(sys.modules.get("keras", sys)).__module__ in ("builtins", "wordrow.keras")
"""


def test_there_are_scripts_for_every_version():
    names = {path.name for path in SCRIPTS.glob("*.py")}
    assert len(names) >= 50
    assert {name.split("_")[0] for name in names} == {"k1", "k2", "k3", "tf"}
    grouped = {path.name for group in GROUPS for path in SCRIPTS.glob(f"{group}.py")}
    assert {name for name in names - grouped if not name.startswith("k3_")} == set()


@pytest.mark.parametrize("group", GROUPS)
def test_scripts_run_unchanged(group):
    paths = sorted(map(str, SCRIPTS.glob(f"{group}.py")))
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    assert done.stdout.count("\n# /") + done.stdout.startswith("# /") == len(paths)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("k3_*.py")), ids=lambda path: path.stem)
def test_keras_itself_agrees(path):
    """With equal initial weights, a script has equal losses and predictions."""
    source = path.read_text(encoding="utf-8")
    before, after = source.split("history = ")
    theirs: dict = {}
    exec(compile(before, str(path), "exec"), theirs)
    ours: dict = {}
    changed = re.sub(r"^import keras$", "import wordrow.keras as keras", before, flags=re.M)
    changed = re.sub(r"^from keras ", "from wordrow.keras ", changed, flags=re.M)
    exec(compile(changed, str(path), "exec"), ours)
    by_name = {layer.name: layer for layer in theirs["model"].layers}
    assert isinstance(theirs["model"], keras.Model)
    for ours_layer, their_layer in zip(_with_weights(ours), _with_weights(theirs), strict=True):
        given = by_name.get(ours_layer.name, their_layer).get_weights()
        ours_layer.set_weights(given)
    for run in (theirs, ours):
        exec(compile("history = " + after, str(path), "exec"), run)
    np.testing.assert_allclose(
        ours["history"].history["loss"], theirs["history"].history["loss"], atol=1e-4
    )
    answers = [run["model"].predict(run["inputs"], verbose=0) for run in (ours, theirs)]
    np.testing.assert_allclose(*answers, atol=1e-4)


def _with_weights(run):
    return [layer for layer in run["model"].layers if layer.get_weights()]


def run_script(tmp_path, text, *arguments):
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "wordrow", "run", str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_script_has_its_arguments_and_its_exit_status(tmp_path):
    text = "import sys, helper\nprint(sys.argv[1:], __name__, helper.x)\nsys.exit(3)"
    (tmp_path / "helper.py").write_text("x = 1", encoding="utf-8")
    done = run_script(tmp_path, text, "--epochs", "2", "-v")
    assert done.stdout == "['--epochs', '2', '-v'] __main__ 1\n"
    assert done.returncode == 3


def test_a_scripts_error_looks_as_in_python(tmp_path):
    done = run_script(tmp_path, "def f():\n    raise KeyError('mine')\nf()")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n  File ")
    assert "in f" in done.stderr
    assert "runpy" not in done.stderr
    assert done.stderr.endswith("KeyError: 'mine'\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "from keras.layers import ConvLSTM1D",
            "keras.layers.ConvLSTM1D is not in wordrow: use Conv1D before an LSTM",
        ),
        ("from keras.layers import lstm", "Did you mean LSTM?"),
        ("import keras.applications", "keras.applications is not in wordrow: they are for images"),
        ("from tensorflow.keras.callbacks import Nothing", "Available names: CSVLogger, Callback"),
        ("import tensorflow as tf; tf.Session()", "sessions are not needed"),
    ],
)
def test_unsupported_names_fail_at_import(tmp_path, line, message):
    done = run_script(tmp_path, line)
    assert done.returncode == 1
    assert message in done.stderr


def test_a_missing_script():
    done = subprocess.run(
        [sys.executable, "-m", "wordrow", "run", "nowhere.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "wordrow: nowhere.py: there is no such script.\n"
