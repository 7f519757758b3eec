"""Defaults follow the Keras that a script was written for."""

import subprocess
import sys

import pytest

OLD, TODAY = "1.0 0.01 0.0 0.002 0.002", "0.001 0.001 0.1 0.001 0.001"
SHOW = """
from {keras}.models import Sequential
from {keras}.layers import Dense
found = []
for name, more in (("adadelta", []), ("adagrad", ["initial_accumulator_value"]), ("adamax", []),
                   ("Nadam", [])):
    model = Sequential([Dense({units}, input_dim=2)])
    model.compile({given}, "mse")
    found += [getattr(model.optimizer, x) for x in ("learning_rate", *more)]
print(*found)
"""
BY_NAME, BY_CLASS = "name", "getattr(optimizers, name.capitalize())()"


@pytest.mark.parametrize("given", [BY_NAME, BY_CLASS])
@pytest.mark.parametrize(
    ("first", "keras", "units", "expected"),
    [
        ("from keras.layers.core import Dropout", "keras", "1", OLD),
        ("from keras.preprocessing.text import Tokenizer", "keras", "1", OLD),
        ("from keras.utils.np_utils import to_categorical", "keras", "1", OLD),
        ("from keras.wrappers.scikit_learn import KerasClassifier", "keras", "1", OLD),
        ("", "keras", "1, init='uniform'", OLD),
        ("", "keras", "1", TODAY),
        (
            "from tensorflow.keras.preprocessing.text import Tokenizer",
            "tensorflow.keras",
            "1",
            TODAY,
        ),
        ("import tensorflow as tf", "keras", "1, batch_input_shape=(None, 2)", TODAY),
    ],
)
def test_defaults_of_optimizers(first, keras, units, expected, given):
    if given == BY_CLASS:
        first += f"\nfrom {keras} import optimizers"
    code = "import wordrow.keras\nwordrow.keras.install()\n" + first
    code += SHOW.format(keras=keras, units=units, given=given)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == (expected, 0), done.stderr


def test_what_is_given_is_taken():
    code = (
        "import wordrow.keras; wordrow.keras.install()\n"
        "from keras.utils.np_utils import to_categorical\n"
        "from keras.optimizers import Adadelta, Adagrad\n"
        "print(Adadelta(0.5).learning_rate, Adadelta(lr=0.25).learning_rate,\n"
        "      Adagrad(0.5).initial_accumulator_value)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("0.5 0.25 0.0", 0), done.stderr


def test_a_file_says_nothing_of_the_script(tmp_path):
    code = (
        "import wordrow.keras as keras, json\n"
        "from wordrow.keras import _versions\n"
        "entry = {'class_name': 'Sequential', 'config': [{'class_name': 'Dense', 'config':\n"
        "    {'output_dim': 3, 'batch_input_shape': [None, 2], 'init': 'uniform'}}]}\n"
        "model = keras.models.model_from_json(json.dumps(entry))\n"
        "model.compile('adadelta', 'mse')\n"
        "print(model.layers[0].units, model.optimizer.learning_rate)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("3 0.001", 0), done.stderr


def test_models_are_copied_without_the_table_of_layers():
    import copy

    import wordrow.keras as keras

    layer = keras.layers.Dense(3)
    assert copy.deepcopy(layer).operations is layer.operations


def test_a_class_of_optimizers_is_made_one():
    import wordrow.keras as keras

    model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
    model.compile(keras.optimizers.Adam, "mse")
    assert model.optimizer.learning_rate == 0.001
