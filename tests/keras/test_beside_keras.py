"""Code under Keras's names, run with both Keras and wordrow."""

import keras
import numpy as np
import pytest

import wordrow
import wordrow.keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

V, T = 12, 7


def test_weights_for_each_step(rng):
    """sample_weight [B, T], in the loss and in weighted metrics."""
    made = []
    for k in (keras, wordrow.keras):
        made.append(k.Sequential([
            k.Input((T,)), k.layers.Embedding(V, 3), k.layers.Dense(2, activation="softmax"),
        ]))  # fmt: skip
        made[-1].compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["acc"])
    theirs, ours = made
    ours.set_weights(theirs.get_weights())
    x, y = rng.integers(0, V, (6, T)), rng.integers(0, 2, (6, T))
    weight = rng.random((6, T)).astype("float32")
    found = ours.evaluate(x, y, sample_weight=weight, verbose=0)
    np.testing.assert_allclose(
        found, theirs.evaluate(x, y, sample_weight=weight, verbose=0), atol=1e-5
    )
    for model in made:
        model.fit(x, y, sample_weight=weight, epochs=3, verbose=0)
    for one, two in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_in_training(rng):
    x, y = rng.normal(size=(20, 4)).astype("float32"), np.eye(3)[rng.integers(0, 3, 20)]
    made = []
    for k in (keras, wordrow.keras):
        model = k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="softmax")])
        model.compile("sgd", "categorical_crossentropy", metrics=[
            k.metrics.F1Score(average="macro"), k.metrics.FalsePositives(0.4, name="wrong"),
            k.metrics.RootMeanSquaredError(), k.metrics.R2Score(),
            k.metrics.CategoricalCrossentropy(name="again"),
        ])  # fmt: skip
        made.append(model)
    theirs, ours = made
    ours.set_weights(theirs.get_weights())
    for one in ("fit", "evaluate"):
        options = {"batch_size": 8, "verbose": 0} | ({"shuffle": False} if one == "fit" else {})
        found, wanted = (getattr(m, one)(x, y, **options) for m in (ours, theirs))
        if one == "fit":
            found, wanted = found.history, wanted.history
            assert sorted(found) == sorted(wanted)
            found, wanted = [found[k] for k in sorted(found)], [wanted[k] for k in sorted(found)]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_texts_go_into_keras_files(tmp_path):
    texts = ["a cat", "the dog", "a dog and a cat"]
    layer = wordrow.TextVectorization(max_tokens=30, output_sequence_length=5)
    layer.adapt(np.array(texts))
    model = wordrow.Sequential([layer, wordrow.Embedding(30, 4), wordrow.LSTM(3), wordrow.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.array(texts), np.arange(3.0), epochs=2, verbose=0)
    found = model.predict(texts)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(wordrow.load_model(tmp_path / name).predict(texts), found)


def test_fixed_rows_are_not_kept_by_keras_files(tmp_path):
    model = wordrow.Sequential([wordrow.Embedding(5, 2, fixed_rows=[0, 2], input_length=3)])
    with pytest.warns(UserWarning, match="Keras cannot fix rows"):
        model.save(tmp_path / "m.keras")
