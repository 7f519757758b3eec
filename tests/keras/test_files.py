"""Keras's own files, against Keras: read, trained on, written, and read there again."""

import json

import h5py
import keras
import numpy as np
import pytest

import wordrow
import wordrow.keras
from keras_models import MODELS, T, V, classifier, ids, same
from wordrow import load_model
from wordrow.errors import FileFormatError

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask"),
    pytest.mark.filterwarnings("ignore:.*drops the mask, as in Keras"),
]
KINDS = ("keras", "h5")


def inputs_for(model, rng):
    n = len(model.inputs)
    return ids(rng) if n == 1 else [ids(rng) for _ in range(n)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_round_trip_through_keras(name, kind, tmp_path, rng):
    theirs = MODELS[name](keras)
    x = inputs_for(theirs, rng)
    theirs.save(tmp_path / f"theirs.{kind}")
    ours = load_model(tmp_path / f"theirs.{kind}")
    same(ours, theirs, x)
    names = [layer.name for layer in theirs.layers]  # Keras has no layers for arithmetic
    assert [layer.name for layer in ours.layers if layer.name in names] == names
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    ours.set_weights([w + 0.01 for w in ours.get_weights()])
    ours.save(tmp_path / f"ours.{kind}")
    same(ours, keras.models.load_model(tmp_path / f"ours.{kind}"), x)
    again = load_model(tmp_path / f"ours.{kind}")
    np.testing.assert_array_equal(again.get_weights()[0], ours.get_weights()[0])


@pytest.mark.parametrize("name", ["joined", "translation"])
def test_functional_models_in_the_keras_2_form(name, tmp_path, rng):
    ours = MODELS[name](wordrow.keras)
    x = inputs_for(ours, rng)
    if name == "translation":  # Keras 3 loses the mask where a state is passed
        x = [np.maximum(one, 1) for one in x]
        with pytest.warns(UserWarning, match=r"the layers \['lstm_1'\] honour the mask here"):
            ours.save(tmp_path / "m.h5")
    else:
        ours.save(tmp_path / "m.h5")
    same(ours, keras.models.load_model(tmp_path / "m.h5"), x)
    same(load_model(tmp_path / "m.h5"), ours, x, atol=0)


def small(k, optimizer):
    model = k.Sequential(
        [
            k.Input((T,)),
            k.layers.Embedding(V, 3),
            k.layers.GlobalAveragePooling1D(),
            k.layers.Dense(2),
            k.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse")
    return model


OPTIMIZERS = {
    "Adam": {"learning_rate": 0.01, "amsgrad": True},
    "SGD": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "RMSprop": {"learning_rate": 0.01, "centered": True, "momentum": 0.5},
    "Nadam": {"learning_rate": 0.01},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_continues_in_both_libraries(name, tmp_path, rng):
    """Steps in Keras, then here, then in Keras again, equal the same steps in one of them."""
    theirs = small(keras, getattr(keras.optimizers, name)(**OPTIMIZERS[name]))
    x, y = rng.integers(0, V, (8, T)), rng.normal(size=(8, 1))
    options = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    theirs.fit(x, y, **options)
    theirs.save(tmp_path / "a.keras")
    theirs.save(tmp_path / "a.h5")
    ours = load_model(tmp_path / ("a.h5" if name == "Adam" else "a.keras"))
    assert type(ours.optimizer).__name__ == name
    assert ours.step == 4
    ours.fit(x, y, **options)
    theirs.fit(x, y, **options)
    for one, two in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    ours.save(tmp_path / "b.keras")
    back = keras.models.load_model(tmp_path / "b.keras")
    assert int(back.optimizer.iterations.numpy()) == 8
    for one in (ours, back, theirs):
        one.fit(x, y, **options)
    for one, two, three in zip(*(m.get_weights() for m in (ours, back, theirs)), strict=True):
        np.testing.assert_allclose(one, three, atol=2e-5)
        np.testing.assert_allclose(two, three, atol=2e-5)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_weights_alone(suffix, tmp_path, rng):
    theirs, ours = classifier(keras), classifier(wordrow.keras)
    if suffix == ".weights.h5":
        theirs.save_weights(tmp_path / f"t{suffix}")
        ours.load_weights(tmp_path / f"t{suffix}")
        same(ours, theirs, x := ids(rng))
    else:
        x = ids(rng)
    ours.save_weights(tmp_path / f"o{suffix}")
    theirs.load_weights(tmp_path / f"o{suffix}")
    same(ours, theirs, x)


def test_weights_by_name(tmp_path):
    ours = classifier(wordrow.keras)
    ours.save_weights(tmp_path / "w.h5")
    other = wordrow.keras.Sequential(
        [
            wordrow.keras.Input((T,)),
            wordrow.Embedding(V, 4, name="embedding"),
            wordrow.Flatten(),
            wordrow.Dense(1, name="dense"),
        ]
    )
    with pytest.raises(FileFormatError, match="weights for 3 layers .*by_name=True"):
        other.load_weights(tmp_path / "w.h5")
    with pytest.raises(FileFormatError, match=r"'dense' has weights of the shapes \[\(24, 1\)"):
        other.load_weights(tmp_path / "w.h5", by_name=True)
    before = other.get_weights()
    other.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], ours.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[1], before[1])


def test_custom_layers_and_functions(tmp_path, rng):
    k = wordrow.keras

    class Scaled(k.layers.Layer):
        def __init__(self, by=2.0, **options):
            super().__init__(**options)
            self.by = by

        def call(self, inputs):
            return inputs * self.by

        def get_config(self):
            return super().get_config() | {"by": self.by}

    model = k.Sequential([k.Input((3,)), k.layers.Dense(2), Scaled(by=3.0)])
    x = rng.normal(size=(4, 3))
    for name in ("m.keras", "m.h5", "m.safetensors"):
        model.save(tmp_path / name)
        with pytest.raises(FileFormatError, match="custom_objects={'Scaled'"):
            load_model(tmp_path / name)
        loaded = k.models.load_model(tmp_path / name, custom_objects={"Scaled": Scaled})
        np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_checkpoints_in_keras_files(tmp_path, rng):
    model = classifier(wordrow.keras)
    x, y = ids(rng), rng.integers(0, 2, 8)
    best = wordrow.keras.callbacks.ModelCheckpoint(
        tmp_path / "best.h5", monitor="loss", save_best_only=True
    )
    each = wordrow.keras.callbacks.ModelCheckpoint(tmp_path / "{epoch:02d}.keras")
    model.fit(x, y, epochs=2, callbacks=[best, each], verbose=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01.keras", "02.keras", "best.h5"]
    same(keras.models.load_model(tmp_path / "02.keras"), model, x)


@pytest.mark.parametrize("kind", KINDS)
def test_custom_functions_in_compile(kind, tmp_path, rng):
    def missed(y_true, y_pred):
        return abs(y_true - y_pred)

    model = classifier(wordrow.keras)
    adam = wordrow.keras.optimizers.Adam(lr=0.01, decay=0.5)
    model.compile(adam, "binary_crossentropy", metrics=["acc", missed])
    x, y = ids(rng), rng.integers(0, 2, 8)
    model.fit(x, y, verbose=0)
    path = tmp_path / f"m.{kind}"
    model.save(path)
    loaded = wordrow.keras.models.load_model(path, custom_objects={"missed": missed})
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    for one in (model, loaded):
        one.fit(x, y, epochs=2, shuffle=False, verbose=0)
    same(loaded, model, x)  # the learning rate keeps decaying
    with pytest.warns(UserWarning, match="is not compiled: .*custom_objects="):
        load_model(path)


def test_named_inputs_and_an_inner_model_as_a_named_output(tmp_path, rng):
    x = ids(rng)
    for k, other in ((keras, wordrow.keras), (wordrow.keras, keras)):
        inner = k.Sequential([k.Input((T,)), k.layers.Embedding(V, 3), k.layers.Flatten()])
        inputs = k.Input((T,), name="words")
        model = k.Model({"words": inputs}, {"rows": inner(inputs)})
        model.save(tmp_path / "m.keras")
        loaded = other.models.load_model(tmp_path / "m.keras")
        ours, theirs = (loaded, model) if k is keras else (model, loaded)
        same(ours, theirs, {"words": x})


def test_training_that_cannot_be_restored(tmp_path):
    classifier(keras).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        training = json.loads(file.attrs["training_config"])
        training["optimizer_config"]["class_name"] = "Muon"
        file.attrs["training_config"] = json.dumps(training)
    with pytest.warns(UserWarning, match="'Muon' is not supported.*Compile the model"):
        assert load_model(tmp_path / "m.h5").optimizer is None


def test_an_optimizer_state_that_does_not_fit(tmp_path, rng):
    model = classifier(wordrow.keras)
    model.fit(ids(rng), rng.integers(0, 2, 8), verbose=0)
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        names = file["optimizer_weights"].attrs["weight_names"]
        file["optimizer_weights"].attrs["weight_names"] = names[:-1]
    with pytest.warns(UserWarning, match="a state of Adam, received .* arrays that do not fit it"):
        assert load_model(tmp_path / "m.h5").step == 0


@pytest.mark.parametrize("saved_by", ["keras", "wordrow"])
def test_inner_models_are_matched_by_name_whatever_was_frozen(saved_by, tmp_path):
    """Files list trained weights first; with layers of one shape, an exchange would not show."""

    def nested(k, frozen, names=("a", "b")):
        x = k.Input((3,))
        inner = k.Sequential([k.Input((3,)), *(k.layers.Dense(3, name=name) for name in names)])
        both = k.layers.Bidirectional(k.layers.GRU(2, return_sequences=True), name="both")
        steps = k.Sequential([k.Input((4, 3)), both, k.layers.BatchNormalization(name="norm")])
        inner.layers[frozen].trainable = steps.layers[frozen].trainable = False
        rows = k.layers.Flatten()(steps(k.layers.RepeatVector(4)(inner(x))))
        return k.Model(x, k.layers.Dense(1)(rows))

    written = nested(keras if saved_by == "keras" else wordrow.keras, 0)
    written.save(tmp_path / "m.h5")
    expected = written.predict(np.eye(3), verbose=0)
    read = nested(wordrow.keras, 1)
    read.load_weights(tmp_path / "m.h5")
    np.testing.assert_allclose(read.predict(np.eye(3), verbose=0), expected, atol=1e-6)
    other = nested(wordrow.keras, 1, ("c", "d"))
    with pytest.raises(FileFormatError, match="have other names there.*unclear which are which"):
        other.load_weights(tmp_path / "m.h5")
