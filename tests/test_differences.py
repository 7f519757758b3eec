"""The deliberate differences from Keras, in the order of ARCHITECTURE.md's list."""

import pathlib
import re

import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing.text import Tokenizer as KerasTokenizer

import wordrow
from wordrow.nn.spec import Spec

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
    with pytest.raises(ValueError, match="cannot honour a mask"):
        wordrow.Reshape((2,))(x, mask=mask)
    x, more = np.ones((1, 4, 2), np.float32), np.full((1, 5, 2), 9, np.float32)
    more[:, 1:] = x
    mask = np.array([[False, True, True, True, True]])
    for make in (
        lambda k: k.Conv1D(1, 2, kernel_initializer="ones", use_bias=False),
        lambda k: k.MaxPooling1D(2),
        lambda k: k.AveragePooling1D(2),
    ):
        layer = make(wordrow)
        padded, real = layer.run(
            layer.build(Spec((None, 5, 2)), np.random.default_rng(0))[0],
            {},
            more,
            mask,
            training=False,
            rng=None,
        )[:2]
        np.testing.assert_array_equal(padded[real], make(wordrow)(x)[0])
        assert np.asarray(make(keras.layers)(more)).max() > padded[real].max()  # of the padding


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


def trained(k, loss_scale):
    """A model after a step whose loss is not finite, or the error that says so."""
    layers = k if k is wordrow else k.layers
    model = k.Sequential([k.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2), np.float32), np.full((4, 1), loss_scale), verbose=0)
    return model


def difference_9():
    assert not np.isfinite(trained(keras, 3e38).get_weights()[0]).all()
    with pytest.raises(ValueError, match="the loss became"):
        trained(wordrow, 3e38)


def difference_10():
    x = [np.ones((1, 2, 1), np.float32), np.ones((1, 2, 1), np.float32)]
    masks = [np.array([[False, True]]), np.array([[True, True]])]
    layer = wordrow.Add()
    added, mask, _ = layer.run({}, {}, x, masks, training=False, rng=None)
    assert added.ravel().tolist() == [1, 2]
    assert mask.tolist() == [[True, True]]
    assert np.asarray(keras.layers.Add()(x)).ravel().tolist() == [2, 2]


def difference_11():
    """A text padded in front reads like the text alone, whatever state it begins with."""
    rng = np.random.default_rng(0)
    ids, state = np.array([[0, 0, 3, 1], [2, 4, 3, 1]]), rng.normal(size=(2, 3)).astype("float32")
    answers = []
    for k, layers in ((keras, keras.layers), (wordrow, wordrow)):
        first, h = k.Input((4,)), k.Input((3,))
        rows = layers.Embedding(5, 2, mask_zero=True, name="rows")
        steps = layers.SimpleRNN(3, return_sequences=True, name="steps")
        model = k.Model([first, h], steps(rows(first), initial_state=[h]))
        if answers:
            model.set_weights(answers[0][0])
        answers.append((model.get_weights(), np.asarray(model.predict([ids, state], verbose=0))))
    (_, theirs), (_, ours) = answers
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)
    np.testing.assert_allclose(ours[0, 1], state[0], atol=1e-6)
    assert np.abs(theirs[0, 1] - state[0]).max() > 0.01


DIFFERENCES = {name: thing for name, thing in globals().items() if name.startswith("difference_")}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_it_differs_as_said(name):
    DIFFERENCES[name]()


def test_the_list_is_the_documents():
    text = (pathlib.Path(__file__).parents[1] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## Where wordrow differs from Keras")[1].split("\n## ")[0]
    assert len(re.findall(r"^\d+\. ", section, re.MULTILINE)) == len(DIFFERENCES)
