"""Losses and metrics used by themselves, and losses as objects, against Keras's."""

import keras
import numpy as np
import pytest
from keras.src.losses.loss import squeeze_or_expand_to_same_rank

import wordrow
from wordrow.nn.functions.losses import LOSSES
from wordrow.nn.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Labels beside outputs that differ by a last axis of length 1: broadcast, they would be [B, B].
SHAPES = {
    "[B] and [B, 1]": ((4,), (4, 1)),
    "[B, 1] and [B]": ((4, 1), (4,)),
    "[B, T] and [B, T, 1]": ((4, 3), (4, 3, 1)),
    "[B, T, 1] and [B, T]": ((4, 3, 1), (4, 3)),
}
FUNCTIONS = {
    function.__name__: function
    for function in LOSSES.names.values()
    if not function.__name__.endswith("categorical_crossentropy")
}


def labels_and_outputs(shapes, rng):
    y = rng.integers(0, 2, shapes[0]).astype("float32")
    return y, rng.uniform(0.05, 0.95, shapes[1]).astype("float32")


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_labels_with_an_axis_more_or_less(name, shapes, rng):
    y, p = labels_and_outputs(SHAPES[shapes], rng)
    theirs = np.asarray(keras.losses.get(name)(*squeeze_or_expand_to_same_rank(y, p)))
    for ours in (FUNCTIONS[name](y, p), FUNCTIONS[name](y.tolist(), p.tolist())):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


ALONE = [
    name
    for name in METRICS.classes
    if name[0].isupper()
    and not name.startswith(("Sparse", "F1", "FBeta", "R2", "CategoricalCross"))
]


@pytest.mark.parametrize("shapes", ["[B] and [B, 1]", "[B, 1] and [B]"])
@pytest.mark.parametrize("name", ALONE)
def test_metrics_of_labels_with_an_axis_more_or_less(name, shapes, rng):
    ours, theirs = METRICS.classes[name](), getattr(keras.metrics, name)()
    for _ in range(2):
        y, p = labels_and_outputs(SHAPES[shapes], rng)
        ours.update_state(y, p)
        theirs.update_state(*squeeze_or_expand_to_same_rank(y, p))  # not all do so themselves
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5, atol=1e-6)


def test_four_texts_are_four_texts():
    y, p = [1, 0, 1, 1], [[0.9], [0.2], [0.4], [0.7]]
    metric = wordrow.metrics.BinaryAccuracy()
    metric.update_state(y, p)
    assert float(metric.result()) == 0.75
    count = wordrow.metrics.TruePositives()
    count.update_state(y, p)
    assert float(count.result()) == 2


def test_a_users_metric_sees_what_it_is_given():
    seen = []
    metric = wordrow.metrics.MeanMetric(lambda y, p: seen.append((y.shape, p.shape)) or p[:, 0])
    metric.update_state([1, 0], [[0.5], [1.0]])
    assert (seen, float(metric.result())) == ([((2,), (2, 1))], 0.75)


# ---- losses as objects --------------------------------------------------------

CLASSES = [name for name in LOSSES.classes if not name.startswith("Sparse")]


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "none", None])
@pytest.mark.parametrize("name", CLASSES)
def test_an_object_gives_what_its_reduction_says(name, reduction, rng):
    y = rng.integers(0, 2, (5, 3)).astype("float32")
    p = rng.uniform(0.05, 0.95, (5, 3)).astype("float32")
    ours = LOSSES.classes[name](reduction=reduction, name="mine")
    theirs = getattr(keras.losses, name)(reduction=reduction, name="mine")
    assert ours.name == theirs.name
    for weight in (None, rng.random(5).astype("float32"), rng.random((5, 1)).astype("float32")):
        expected = np.asarray(theirs(y, p, weight))
        found = ours(y, p, weight)
        assert found.size == expected.size
        np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=2e-5, atol=1e-6)
    again = type(ours)(**ours.get_config())
    assert vars(again) == vars(ours) or reduction in ("mean", "sum_over_batch_size")


def test_sparse_objects(rng):
    y, p = rng.integers(0, 3, 5), rng.random((5, 3)).astype("float32")
    for options in ({}, {"from_logits": True}, {"reduction": "sum"}):
        ours = wordrow.losses.SparseCategoricalCrossentropy(**options)
        theirs = keras.losses.SparseCategoricalCrossentropy(**options)
        np.testing.assert_allclose(ours(y, p), theirs(y, p), rtol=1e-5)


def test_unknown_reductions_are_refused():
    with pytest.raises(ValueError, match="`reduction` must be"):
        wordrow.losses.MeanSquaredError(reduction="average")


def pair_of_models():
    def model(k, layers):
        return k.Sequential([k.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2)])

    theirs, ours = model(keras, keras.layers), model(wordrow, wordrow.layers)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


class Cubed:
    """A loss of one's own, for both libraries."""

    @staticmethod
    def of(library):
        class Cubes(library.losses.Loss):
            def call(self, y_true, y_pred):
                return (abs(y_pred - y_true) ** 3).mean(axis=-1)

        return Cubes


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize("kind", ["MeanSquaredError", "Huber", "own"])
def test_objects_in_training(kind, reduction, rng):
    ours, theirs = pair_of_models()
    x, y = rng.standard_normal((10, 3)).astype("float32"), rng.random((10, 2)).astype("float32")
    weight = rng.random(10).astype("float32")
    histories = []
    for model, library in ((ours, wordrow), (theirs, keras)):
        cls = Cubed.of(library) if kind == "own" else getattr(library.losses, kind)
        model.compile(library.optimizers.SGD(0.01), cls(reduction=reduction))
        fitted = model.fit(x, y, 4, 3, shuffle=False, verbose=0, sample_weight=weight)
        histories.append(fitted.history["loss"])
        histories[-1].append(model.evaluate(x, y, verbose=0))
    np.testing.assert_allclose(*histories, rtol=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)
