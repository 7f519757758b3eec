"""Training goes on where it stopped: saved and loaded, frozen, shared, in another process."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import wordrow
from small_models import T, V, bag, examples, same
from wordrow import (
    LSTM,
    Activation,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    Model,
    Sequential,
    load_model,
)
from wordrow.errors import FileFormatError


def test_a_loaded_model_goes_on_as_if_never_stopped(rng, tmp_path):
    x, y = examples(rng, 60)
    path = tmp_path / "model.safetensors"

    def model():
        wordrow.set_random_seed(9)
        made = Sequential(
            [
                Embedding(V, 4, mask_zero=True),
                Dropout(0.4),
                GlobalAveragePooling1D(),
                Dense(1, "sigmoid"),
            ]
        )
        made.compile("adamw", "binary_crossentropy", ["accuracy"])
        return made

    whole, first = model(), model()
    whole.fit(x, y, batch_size=16, epochs=4, verbose=0)
    first.fit(x, y, batch_size=16, epochs=2, verbose=0)
    first.save(path)
    again = load_model(path)
    assert again.step == first.step == 8
    again.fit(x, y, batch_size=16, epochs=4, initial_epoch=2, verbose=0)
    assert same(whole.get_weights(), again.get_weights())
    assert again.history.epoch == [2, 3]
    # In the middle of an epoch too, where rows rest.
    one, two = model(), model()
    for start in range(0, 60, 6):
        batch = x[start : start + 6], y[start : start + 6]
        one.train_on_batch(*batch)
        two.train_on_batch(*batch)
        if start == 18:
            two.save(path)
            loaded = load_model(path)
            for have, want in zip(loaded.get_weights(), one.get_weights(), strict=True):
                np.testing.assert_array_equal(have, want)
            np.testing.assert_array_equal(loaded.predict(x), one.predict(x))
            two = loaded
    assert same(one.get_weights(), two.get_weights())
    two.save(path)
    changed = load_model(path)
    changed.set_weights([w + 1 for w in changed.get_weights()])
    changed.train_on_batch(x[:6], y[:6])
    assert (np.abs(changed.get_weights()[0] - 1) < 0.2).all()


def test_saving_is_golden_and_pickles(rng, tmp_path):
    import copy

    x, y = examples(rng, 20)
    model = bag()
    model.fit(x, y, verbose=0)
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(first)
    load_model(first).save(second)
    assert first.read_bytes() == second.read_bytes()
    clone = copy.deepcopy(model)
    clone.fit(x, y, verbose=0)
    model.fit(x, y, verbose=0)
    assert same(clone.get_weights(), model.get_weights())
    plain = tmp_path / "plain.safetensors"
    model.save(plain, include_optimizer=False)
    assert load_model(plain).step == 0
    assert load_model(first, compile=False).optimizer is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"seed": ', '"seed": 9999999999'),
        ('"step": 2', '"step": 5'),
        ('"slots": [[', '"slots": [["x", "y"], ['),
        ('"class_name": "Adam"', '"class_name": "Atom"'),
        ('"inputs": [[0, 0]]', '"inputs": [[9, 0]]'),
        ('"outputs": [[', '"outputs": [[7, 7], ['),
    ],
)
def test_files_of_graphs_that_do_not_fit_together(rng, tmp_path, before, after):
    ids = Input((T,))
    model = Model(ids, Dense(1)(GlobalAveragePooling1D()(Embedding(V, 2, mask_zero=True)(ids))))
    model.compile("adam", "mse")
    for _ in range(2):
        model.train_on_batch(rng.integers(1, V, (4, T)), np.ones(4))
    path = tmp_path / "model.safetensors"
    model.save(path)
    good = path.read_bytes()
    end = 8 + int.from_bytes(good[:8], "little")
    old, new = (text.replace('"', '\\"').encode() for text in (before, after))
    assert old in good[:end]
    header = good[8:end].replace(old, new, 1)
    path.write_bytes(len(header).to_bytes(8, "little") + header + good[end:])
    with pytest.raises(FileFormatError, match="does not fit together"):
        load_model(path)


def test_weights_alone(rng, tmp_path):
    x, y = examples(rng, 20)
    model, other, third = bag(), bag(seed=2), bag(3)
    model.fit(x, y, verbose=0)
    path = tmp_path / "w.safetensors"
    model.save_weights(path)
    other.load_weights(path)
    assert same(other.get_weights(), model.get_weights())
    model.save(path)
    other.load_weights(path)
    with pytest.raises(FileFormatError, match="weights in it are of another model"):
        third.load_weights(path)
    model.save_weights(path)
    with pytest.raises(FileFormatError, match="holds weights alone: use model.load_weights"):
        load_model(path)


def test_own_functions_train_and_are_not_saved(rng, tmp_path):
    x, y = examples(rng, 30)

    def far(y_true, y_pred):
        return abs(y_true - y_pred)

    model = bag(metrics=[])
    model.compile("adam", lambda y_true, y_pred: ((y_true - y_pred) ** 2).mean(axis=-1), [far])
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "far"}
    like = bag(metrics=[])
    like.compile("adam", "mse", ["mae"])
    found = like.fit(x, y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], found["loss"], atol=1e-6)
    np.testing.assert_allclose(history["far"], found["mae"], atol=1e-6)
    with pytest.warns(UserWarning, match="saved without what `compile` said"):
        model.save(tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").optimizer is None
    own = Sequential([Embedding(V, 2, embeddings_regularizer=lambda w: 0.0 * w.sum())])
    with pytest.raises(ValueError, match="a user-defined regularizer"):
        own.save(tmp_path / "own.safetensors")


def test_own_functions_that_cannot_be_compiled(rng):
    x, y = examples(rng, 8)
    model = bag()
    before = model.get_weights()
    for loss, metric in (
        (lambda y_true, y_pred: np.log(y_pred), None),
        ("mse", lambda y_true, y_pred: float(y_pred.sum())),
    ):
        model.compile("sgd", loss, metric and [metric])
        with pytest.raises(
            TypeError,
            match="a custom loss, metric, activation or regularizer cannot be compiled: write",
        ):
            model.fit(x, y, verbose=0)
        assert same(before, model.get_weights())


def test_floats_stay_float32(rng):
    model = Sequential([Dense(2, input_dim=3)])
    for x in (np.ones((2, 3)), np.ones((2, 3), int), [[True, False, True]]):
        assert model.predict(x).dtype == np.float32


def test_freezing_and_unfreezing_after_compile(rng):
    x, y = examples(rng, 30)
    model = bag()
    table = model.layers[0].get_weights()[0]
    model.layers[0].trainable = False
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], table)
    kernel = model.layers[2].get_weights()[0]
    model.layers[0].trainable, model.layers[2].trainable = True, False
    model.fit(x, y, verbose=0)
    assert (model.layers[0].get_weights()[0] != table).any()
    np.testing.assert_array_equal(model.layers[2].get_weights()[0], kernel)
    model.trainable = True
    model.fit(x, y, verbose=0)
    assert (model.layers[2].get_weights()[0] != kernel).any()
    assert model.step == 3
    model.trainable = False
    with pytest.warns(UserWarning, match="nothing is learned"):
        model.fit(x, y, verbose=0)


def test_two_models_share_layers(rng):
    x, y = examples(rng, 30)
    ids = Input((T,))
    rows = Embedding(V, 3, mask_zero=True)
    hidden = GlobalAveragePooling1D()(rows(ids))
    first, second = Model(ids, Dense(1, "sigmoid")(hidden)), Model(ids, Dense(1)(hidden))
    looking = Model(ids, hidden)
    first.compile("adam", "binary_crossentropy")
    second.compile("adam", "mse")
    padded = x.pad(T).ids
    for model in (first, second, first):
        before = rows.get_weights()[0]
        model.fit(padded, y, verbose=0)
        after = rows.get_weights()[0]
        assert (after != before).any()
        np.testing.assert_allclose(
            looking.predict(padded)[0], after[padded[0][padded[0] > 0]].mean(axis=0), atol=1e-6
        )
    nested = Model(ids, Activation("tanh")(first(ids)))
    np.testing.assert_allclose(nested.predict(padded), np.tanh(first.predict(padded)), atol=1e-6)


def test_a_stateful_model_goes_on_from_batch_to_batch(rng):
    x = rng.standard_normal((2, 6, 3)).astype(np.float32)
    wordrow.set_random_seed(1)
    model = Sequential([Input(batch_shape=(2, None, 3)), LSTM(4, stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    whole = model.predict(x)
    model.reset_states()
    model.predict(x[:, :2])
    np.testing.assert_allclose(model.predict(x[:, 2:]), whole, atol=1e-6)
    model.reset_states()
    y = np.zeros(2)
    losses = [model.train_on_batch(x, y) for _ in range(2)]
    model.reset_states()
    assert losses[0] != losses[1]
    np.testing.assert_array_equal(model.layers[0]._state["h"], 0)
    with pytest.raises(ValueError, match=r"Use Input\(batch_shape=\(B, T\)\)"):
        Sequential([LSTM(4, stateful=True, input_shape=(None, 3))])


WITHOUT_JAX = """
import sys
sys.modules["jax"] = None
import numpy as np
import wordrow
from wordrow import *
ids = Input((5,))
x = Embedding(9, 3, mask_zero=True)(ids)
a = Bidirectional(LSTM(2, return_sequences=True))(x)
b = Conv1D(4, 2, padding="same")(a)
c = Concatenate()([GlobalMaxPooling1D()(b), GRU(2)(x), SimpleRNN(2)(MaxPooling1D()(x))])
model = Model(ids, Dense(1, "sigmoid")(c))
model.compile("adam", "binary_crossentropy", ["accuracy", "AUC"])
data, y = np.arange(20).reshape(4, 5) % 9, np.array([0, 1, 1, 0])
model.predict(data)
model.save(sys.argv[1])
again = load_model(sys.argv[2])
found = again.evaluate(data, y, verbose=0)
print(*again.predict(data).ravel(), *found)
for call in (lambda: model.fit(data, y), lambda: model.train_on_batch(data, y)):
    try:
        call()
    except ImportError as error:
        assert "training this model needs the package jax" in str(error), error
        assert "pip install 'wordrow[train]'" in str(error), error
    else:
        raise SystemExit("it trained")
TextClassifier().fit(["a b", "c d"], [0, 1]).predict(["a"])
"""


def test_without_jax_all_but_fit_works(tmp_path):
    """A model trained with JAX answers the same where JAX is not installed."""
    wordrow.set_random_seed(1)
    ids = Input((5,))
    x = wordrow.LSTM(4, return_sequences=True)(Embedding(9, 3, mask_zero=True)(ids))
    model = Model(ids, Dense(1, "sigmoid")(wordrow.GRU(3)(x)))
    model.compile("adam", "binary_crossentropy", ["accuracy", "AUC"])
    data, y = np.arange(20).reshape(4, 5) % 9, np.array([0, 1, 1, 0])
    model.fit(data, y, epochs=3, verbose=0)
    paths = [str(tmp_path / "a.st"), str(tmp_path / "b.st")]
    model.save(paths[1])
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_JAX, *paths], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    numbers = [float(word) for word in answer.stdout.split()]
    expected = [*model.predict(data).ravel(), *model.evaluate(data, y, verbose=0)]
    np.testing.assert_allclose(numbers, expected, atol=1e-6)


THREADS = """
import json, sys
import numpy as np, wordrow
wordrow.set_random_seed(3)
m = wordrow.Sequential([wordrow.Embedding(50, 8, mask_zero=True), wordrow.LSTM(8),
                        wordrow.Dense(1, "sigmoid")])
m.compile("adam", "binary_crossentropy")
rng = np.random.default_rng(1)
m.fit(rng.integers(0, 50, (64, 9)), rng.integers(0, 2, 64), batch_size=16, epochs=2, verbose=0)
print(json.dumps([w.tobytes().hex() for w in m.get_weights()]))
"""


@pytest.mark.parametrize("n_threads", ["1", "2"])
def test_the_same_bits_in_another_process(n_threads):
    environment = os.environ | {"WORDROW_THREADS": n_threads, "JAX_PLATFORMS": "cpu"}
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", THREADS], env=environment, capture_output=True, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert found[0] == found[1]
