"""The deliberate differences from Keras, in the order of ARCHITECTURE.md's list."""

import pathlib
import re

import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing.text import Tokenizer as KerasTokenizer

import wordrow

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning",  # inside Keras, of NumPy 2
    "ignore:invalid value encountered in divide:RuntimeWarning",
)


def difference_1():
    for ids in ([[0, 5]], [[0, -1]]):
        assert not np.isfinite(keras.layers.Embedding(5, 2)(np.array([[5]]))).all()
        with pytest.raises(ValueError, match="text 0 has id .* at position 1"):
            wordrow.Sequential([wordrow.Embedding(5, 2)]).predict(ids)


def difference_2():
    x, mask = np.ones((1, 3, 2), np.float32), np.zeros((1, 3), bool)
    assert np.isnan(keras.layers.GlobalAveragePooling1D()(x, mask=mask)).all()
    assert wordrow.GlobalAveragePooling1D()(x, mask=mask).tolist() == [[0, 0]]


def difference_3():
    x = np.array([[[5.0], [1.0]]], np.float32)
    mask = np.array([[False, True]])
    assert wordrow.GlobalMaxPooling1D()(x, mask=mask).item() == 1
    assert wordrow.GlobalMaxPooling1D(mask="drop")(x, mask=mask).item() == 5
    assert np.asarray(keras.layers.GlobalMaxPooling1D()(x)).item() == 5
    with pytest.raises(ValueError, match="cannot honour a mask"):
        wordrow.Flatten()(x, mask=mask)
    assert wordrow.Flatten(mask="drop")(x, mask=mask).shape == (1, 2)


def difference_4():
    table = np.arange(5000, dtype=np.float32)[:, None]
    model = wordrow.Sequential([wordrow.Input((1,)), wordrow.Embedding(5000, 1, weights=table)])
    assert model.predict(np.arange(5000)[:, None]).ravel().tolist() == table.ravel().tolist()


def difference_5():
    layers = [wordrow.Embedding(9, 3, mask_zero=True), wordrow.GlobalMaxPooling1D()]
    model = wordrow.Sequential(layers)
    for padded in ([[0, 0, 1, 2]], [[1, 2, 0, 0]], [[0, 1, 0, 2]]):
        np.testing.assert_array_equal(model.predict(padded), model.predict([[1, 2]]))


def difference_6():
    assert KerasTokenizer(oov_token="?").texts_to_sequences(["a"]) == [[None]]
    assert wordrow.Tokenizer(oov_token="?").texts_to_sequences(["a"]) == [[]]


def difference_7():
    assert not keras.Sequential([keras.layers.Embedding(5, 2)]).built
    assert wordrow.Sequential([wordrow.Embedding(5, 2)]).built


def difference_8():
    for call in (lambda: wordrow.pad_sequences([]), lambda: wordrow.to_categorical([])):
        with pytest.raises(ValueError, match="empty|at least one label"):
            call()


DIFFERENCES = {name: thing for name, thing in globals().items() if name.startswith("difference_")}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_it_differs_as_said(name):
    DIFFERENCES[name]()


def test_the_list_is_the_documents():
    text = (pathlib.Path(__file__).parents[1] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## Where wordrow differs from Keras")[1].split("\n## ")[0]
    assert len(re.findall(r"^\d+\. ", section, re.MULTILINE)) == len(DIFFERENCES)
