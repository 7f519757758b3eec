"""What users pass in: lists of different lengths, sparse matrices, weights, NumPy's scalars."""

import json
import re
import sys
import types

import numpy as np
import pytest
import scipy.sparse

import wordrow
from small_models import V, bag
from wordrow import Dense, Embedding, Flatten, Input, Lambda, Model, Ragged, Sequential, layers
from wordrow.callbacks import Callback

TEXTS = [[1, 2], [3], [4, 5, 6], []]


@pytest.mark.parametrize(
    "make",
    [
        lambda: TEXTS,
        lambda: tuple(TEXTS),
        lambda: [np.array(ids, int) for ids in TEXTS],
        lambda: np.array(TEXTS, dtype=object),
        lambda: [[float(i) for i in ids] for ids in TEXTS],
    ],
)
def test_lists_of_different_lengths_are_ragged(make):
    y, ragged = [0, 1, 0, 1], Ragged.from_lists(TEXTS)
    one, other = bag(), bag()
    one.fit(make(), y, epochs=2, verbose=0)
    other.fit(ragged, y, epochs=2, verbose=0)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.predict(make()), one.predict(ragged))
    assert one.evaluate(make(), y, verbose=0) == one.evaluate(ragged, y, verbose=0)


@pytest.mark.parametrize("wrong", [1.5, np.nan, 2**31, "a"])
def test_what_is_no_id_in_such_lists(wrong):
    with pytest.raises(ValueError, match=r"text 1 has .* at position 1|must be one array"):
        bag().predict([[1], [2, wrong]])
    if wrong != "a":
        with pytest.raises(ValueError, match="text 1 has .* at position 1"):
            Ragged.from_lists([[1], [2, wrong]])


def test_object_arrays_of_equal_rows_are_arrays():
    rows = np.empty(2, object)
    rows[:] = [[1, 2], [3, 4]]
    model = bag()
    np.testing.assert_array_equal(model.predict(rows), model.predict([[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match="received None"):
        model.predict(None)
    with pytest.raises(TypeError, match="received a function.*Call it"):
        model.fit(test_object_arrays_of_equal_rows_are_arrays, verbose=0)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse_matrices(rng, kind):
    dense = rng.random((20, 6)).astype(np.float32) * (rng.random((20, 6)) < 0.3)
    y = rng.integers(0, 2, 20)

    def model():
        wordrow.set_random_seed(1)
        made = Sequential([Input((6,)), Dense(1, "sigmoid")])
        made.compile("adam", "binary_crossentropy")
        return made

    one, other = model(), model()
    options = {"epochs": 2, "batch_size": 8, "verbose": 0, "validation_split": 0.2}
    a = one.fit(kind(dense), y, **options)
    b = other.fit(dense, y, **options)
    assert a.history == b.history
    np.testing.assert_array_equal(one.predict(kind(dense)), other.predict(dense))
    assert one.evaluate(kind(dense), y, verbose=0) == other.evaluate(dense, y, verbose=0)
    assert one.train_on_batch(kind(dense), y) == other.train_on_batch(dense, y)
    ids = rng.integers(0, V, (5, 4))
    np.testing.assert_array_equal(bag(seed=2).predict(kind(ids)), bag(seed=2).predict(ids))


def test_weights_of_another_shape_are_refused():
    x, y = np.ones((4, 3), int), [0, 1, 0, 1]
    with pytest.raises(ValueError, match=re.escape("(4, 3) are one for each step")):
        bag().fit(x, y, sample_weight=np.ones((4, 3, 1)), verbose=0)
    with pytest.raises(ValueError, match=re.escape("of shape (4, 3, 2)")):
        bag().fit(x, y, sample_weight=np.ones((4, 3, 2)), verbose=0)
    steps = Sequential([Embedding(V, 2), Dense(1)])
    steps.compile("sgd", "mse")
    first = steps.evaluate(x, np.ones((4, 3, 1)), sample_weight=np.ones((4, 3, 1)), verbose=0)
    assert first == steps.evaluate(x, np.ones((4, 3, 1)), verbose=0)


def test_numpy_scalars_are_settings(tmp_path):
    tokenizer = wordrow.Tokenizer(num_words=np.int64(5), lower=np.bool_(True))
    tokenizer.fit_on_texts(["a b c"])
    assert json.loads(tokenizer.to_json())["config"]["num_words"] == 5
    classifier = wordrow.TextClassifier(num_words=np.int64(50), epochs=np.int32(2))
    classifier.fit(["a b", "c d"] * 5, [0, 1] * 5).save(tmp_path / "c.st")
    assert wordrow.TextClassifier.load(tmp_path / "c.st").num_words == 50
    model = Sequential(
        [
            Embedding(np.int64(V), np.int32(3), name=np.str_("rows")),
            Flatten(),
            Dense(np.int64(1), kernel_regularizer=wordrow.regularizers.L2(np.float32(0.5))),
        ]
    )
    rate = wordrow.schedules.ExponentialDecay(np.float32(0.5), np.int64(10), np.float32(0.5))
    model.compile(wordrow.optimizers.Adam(rate), "mse")
    model.fit(np.ones((4, 2), int), np.ones(4), verbose=0)
    model.save(tmp_path / "m.st")
    again = wordrow.load_model(tmp_path / "m.st")
    assert again.layers[-1].kernel_regularizer.l2 == 0.5


def test_a_function_that_returns_nothing():
    with pytest.raises(TypeError, match="layer 'lambda' returns None"):
        Sequential([Input((3,)), Lambda(lambda x: None)])


def test_nothing_to_learn_is_said_once(recwarn):
    model = Sequential([Embedding(V, 3, trainable=False), layers.GlobalMaxPooling1D()])
    model.compile("adam", "mse")
    x, y = np.ones((4, 2), int), np.ones((4, 3))
    expected = model.evaluate(x, y, verbose=0)
    history = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    np.testing.assert_allclose(history, [expected] * 3, rtol=1e-6)
    model.fit(x, y, verbose=0)
    assert [str(one.message)[:18] for one in recwarn] == ["nothing is learned"]


def test_another_number_of_texts_for_a_stateful_model():
    layer = layers.LSTM(2, stateful=True)
    layer(Input(batch_shape=(2, 3, 4)))
    with pytest.raises(ValueError, match=r"of a batch of 2 texts; received 3.*reset_states\(\)"):
        layer(np.ones((3, 3, 4), np.float32))


def test_dicts_of_outputs(rng, tmp_path):
    x = Input((3,))
    model = Model(x, {"a": Dense(1)(x), "b": Dense(2)(x)})
    model.compile("sgd", {"a": "mse", "b": "mae"})
    inputs = rng.random((4, 3)).astype(np.float32)
    labels = {"a": np.ones(4), "b": np.ones((4, 2))}
    model.fit(inputs, labels, verbose=0)
    found = model.predict(inputs)
    assert {name: array.shape for name, array in found.items()} == {"a": (4, 1), "b": (4, 2)}
    model.save(tmp_path / "m.st")
    again = wordrow.load_model(tmp_path / "m.st").predict(inputs)
    np.testing.assert_array_equal(again["b"], found["b"])


class Told(Callback):
    def __init__(self):
        self.calls = []

    def on_test_begin(self, logs=None):
        self.calls.append("test")

    def on_test_batch_end(self, batch, logs=None):
        self.calls.append((batch, sorted(logs)))

    def on_predict_batch_begin(self, batch, logs=None):
        self.calls.append(batch)

    def on_predict_batch_end(self, batch, logs=None):
        self.calls.append(logs["outputs"].shape)


@pytest.mark.parametrize("is_ragged", [False, True])
def test_callbacks_hear_of_each_batch_of_an_evaluation(is_ragged):
    x = Ragged.from_lists([[1, 2]] * 5) if is_ragged else np.ones((5, 2), int)
    model, y = bag(), np.ones(5)
    expected = ["test", *((i, ["accuracy", "loss"]) for i in range(3))]
    told = Told()
    model.evaluate(x, y, batch_size=2, verbose=0, callbacks=[told])
    assert told.calls == expected
    told = Told()
    model.fit(x, y, batch_size=2, validation_data=(x, y), callbacks=[told], verbose=0)
    assert told.calls == expected
    told = Told()
    model.predict(x, batch_size=2, callbacks=[told])
    assert told.calls == [0, (2, 1), 1, (2, 1), 2, (1, 1)]


def test_notebooks_show_models():
    shown = bag()._repr_html_()
    assert "embedding (Embedding)" in shown
    assert "1,2" not in Sequential([Dense(3)])._repr_html_()


def test_metrics_of_values():
    mean, total = wordrow.metrics.Mean(), wordrow.metrics.Sum()
    for values in ([1.0, 3.0], 5.0):
        mean.update_state(values)
        total.update_state(values)
    assert (mean.result(), total.result()) == (3.0, 9.0)
    mean.reset_state()
    mean.update_state([1.0, 3.0], sample_weight=[3, 1])
    assert mean.result() == 1.5
    model = bag(metrics=[wordrow.metrics.Mean()])
    with pytest.raises(TypeError, match="takes values alone"):
        model.fit(np.ones((2, 2), int), [0, 1], verbose=0)


def test_predicting_while_another_thread_imports_jax(monkeypatch):
    model = bag()
    expected = model.predict([[1, 2]])
    begun = types.ModuleType("jax")  # as `import jax` leaves it at first
    begun.__spec__ = types.SimpleNamespace(_initializing=True)
    monkeypatch.setitem(sys.modules, "jax", begun)
    np.testing.assert_array_equal(model.predict([[1, 2]]), expected)
