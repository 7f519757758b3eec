"""Weights of classes as weights of examples, or of steps."""

import keras
import numpy as np
import pytest

import wordrow
from wordrow.nn.data.examples import class_weights

WEIGHTS = {0: 1.0, 1: 4.0, 2: 0.5}


def weights_of(labels, shape, given=WEIGHTS, before=None):
    return class_weights(given, [np.array(labels)], [before], [shape])


def test_of_examples():
    for labels, shape in (
        ([0, 1, 2], (None, 3)),
        ([[0], [1], [2]], (None, 1)),
        (np.eye(3), (None, 3)),
        (np.eye(3) * 0.8 + 0.1, (None, 3)),  # smoothed
    ):
        assert weights_of(labels, shape).tolist() == [1.0, 4.0, 0.5]


def test_of_steps():
    labels = [[0, 1, 0], [2, 1, 1]]
    expected = [[1.0, 4.0, 1.0], [0.5, 4.0, 4.0]]
    assert weights_of(labels, (None, 3, 3)).tolist() == expected
    assert weights_of(np.array(labels)[..., None], (None, 3, 1)).tolist() == expected
    assert weights_of(np.eye(3)[labels], (None, 3, 3)).tolist() == expected
    both = weights_of(labels, (None, 3, 3), before=np.array([1, 2], np.float32))
    assert both.tolist() == [[1.0, 4.0, 1.0], [1.0, 8.0, 8.0]]


def test_balanced_as_scikit_learn(rng):
    from sklearn.utils.class_weight import compute_sample_weight

    labels = rng.integers(0, 4, 50)
    expected = compute_sample_weight("balanced", labels)
    np.testing.assert_allclose(weights_of(labels, (None, 4), "balanced"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "shape", "says"),
    [
        ([0.0, 0.5], (None, 1), r"numbers of classes; example 1 has 0\.5"),
        ([[0, 1], [1, 1]], (None, 2), r"one class for each example; the labels of example 1"),
    ],
)
def test_labels_that_name_no_class(labels, shape, says):
    with pytest.raises(ValueError, match=says):
        weights_of(labels, shape)


@pytest.mark.parametrize("given", [[1.0, 2.0], "balance", 3])
def test_what_is_no_class_weight(given):
    with pytest.raises(TypeError, match="must be a dict from class to weight"):
        weights_of([0, 1], (None, 1), given)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_in_training_they_are_sample_weights(rng):
    x, y = rng.standard_normal((9, 4, 2)).astype("float32"), rng.integers(0, 3, (9, 4))

    def model(k, layers):
        return k.Sequential([k.Input((4, 2)), layers.Dense(3, "softmax")])

    theirs, ours = model(keras, keras.layers), model(wordrow, wordrow.layers)
    ours.set_weights(theirs.get_weights())
    each = np.array([WEIGHTS[c] for c in range(3)], np.float32)[y]
    for one in (ours, theirs):
        one.compile("sgd", "sparse_categorical_crossentropy")
    mine = ours.fit(x, y, 4, shuffle=False, verbose=0, class_weight=WEIGHTS).history["loss"]
    other = theirs.fit(x, y, 4, shuffle=False, verbose=0, sample_weight=each).history["loss"]
    np.testing.assert_allclose(mine, other, rtol=1e-5)
