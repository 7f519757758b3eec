"""Names and arguments of Keras 1, 2 and 3, and what they stand for."""

import importlib
import pathlib
import runpy

import numpy as np
import pytest
from wordrow.keras.layers import (
    LSTM,
    Conv1D,
    Convolution1D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    MaxPooling1D,
)

import wordrow
import wordrow.keras as keras
from wordrow.keras import backend as K  # noqa: N812
from wordrow.keras._modules import MODULES
from wordrow.keras._unsupported import UNSUPPORTED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: Dense(output_dim=3, init="he_normal", W_regularizer="l2", bias=False),
         lambda: wordrow.Dense(3, kernel_initializer="he_normal", kernel_regularizer="l2",
                               use_bias=False)),
        (lambda: LSTM(output_dim=4, inner_activation="hard_sigmoid", dropout_W=0.1, dropout_U=0.2,
                      consume_less="gpu"),
         lambda: wordrow.LSTM(4, recurrent_activation="hard_sigmoid", dropout=0.1,
                              recurrent_dropout=0.2)),
        (lambda: Convolution1D(nb_filter=5, filter_length=3, border_mode="same",
                               subsample_length=2),
         lambda: wordrow.Conv1D(5, 3, padding="same", strides=2, mask="drop")),
        (lambda: MaxPooling1D(pool_length=3, stride=2),
         lambda: wordrow.MaxPooling1D(3, 2, mask="drop")),
        (lambda: Dropout(p=0.3), lambda: wordrow.Dropout(0.3)),
        (lambda: Embedding(9, 2, init="normal", dropout=0.2, input_length=4),
         lambda: wordrow.Embedding(9, 2, "normal", input_length=4)),
    ],
)  # fmt: skip
def test_old_arguments_equal_the_new_ones(old, new):
    assert old().get_config() == new().get_config()


def test_duplicate_and_unknown_arguments_are_type_errors():
    with pytest.raises(TypeError, match="the same argument"):
        Dense(units=1, output_dim=2)
    with pytest.raises(TypeError, match="no argument"):
        Dense(2, unitz=1)


def test_an_alias_stands_for_its_class():
    assert isinstance(wordrow.LSTM(2), LSTM)
    assert not isinstance(wordrow.GRU(2), LSTM)
    assert LSTM.__name__ == "LSTM"

    class Mine(LSTM):
        pass

    assert issubclass(Mine, wordrow.LSTM)
    assert isinstance(keras.models.Sequential(), wordrow.Sequential)
    assert keras.Sequential is keras.models.Sequential


def test_masks_are_dropped_as_in_keras_with_one_warning(rng):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            Embedding(9, 3, mask_zero=True),
            Conv1D(4, 2),
            Flatten(),
        ]
    )
    ids = rng.integers(0, 9, (5, 6))
    with pytest.warns(UserWarning, match="Conv1D .* drops the mask, as in Keras") as said:
        found = model.predict(ids)
    assert len(said) == 1
    plain = wordrow.Sequential(
        [
            wordrow.Input((6,)),
            wordrow.Embedding(9, 3),
            wordrow.Conv1D(4, 2),
            wordrow.Flatten(),
        ]
    )
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(found, plain.predict(ids))


def test_backend_functions_on_arrays_and_symbols(rng):
    x = rng.normal(size=(4, 5, 3)).astype("float32")
    np.testing.assert_allclose(K.mean(x, axis=1), x.mean(axis=1))
    np.testing.assert_allclose(K.batch_dot(x, x, axes=2), x @ x.swapaxes(1, 2), atol=1e-6)
    np.testing.assert_array_equal(K.expand_dims(x).shape, (4, 5, 3, 1))
    np.testing.assert_array_equal(K.argmax(x), x.argmax(axis=-1))
    np.testing.assert_allclose(
        K.dot(x, np.ones((3, 2))), x.sum(-1, keepdims=True).repeat(2, -1), atol=1e-6
    )
    steps = keras.Input((5, 3))
    model = keras.Model(steps, K.sum(K.square(steps), axis=1))
    np.testing.assert_allclose(model.predict(x), (x**2).sum(axis=1), rtol=1e-5)
    assert K.int_shape(steps) == (None, 5, 3)


def test_decay_is_that_of_keras_2():
    optimizer = keras.optimizers.SGD(lr=0.5, decay=0.1)
    assert [optimizer.rate(step) for step in (0, 10)] == [0.5, 0.25]
    optimizer.lr = 1.0  # as callbacks do
    assert optimizer.rate(10) == 0.5


def test_a_model_as_json_and_a_clone(rng):
    ids = keras.Input((4,))
    model = keras.Model(ids, Dense(2)(Flatten()(Embedding(7, 3)(ids))))
    again = keras.models.model_from_json(model.to_json())
    assert type(again) is keras.Model
    assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]
    again.set_weights(model.get_weights())
    x = rng.integers(0, 7, (3, 4))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    clone = keras.models.clone_model(model)
    assert not np.array_equal(clone.predict(x), model.predict(x))
    assert type(keras.Sequential.from_config(keras.Sequential([Dense(2)]).get_config())) is (
        keras.Sequential
    )


def test_acc_and_accuracy_are_the_same(rng):
    model = keras.Sequential(
        [Embedding(9, 3), keras.layers.GlobalAveragePooling1D(), Dense(1, activation="sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x, y = rng.integers(0, 9, (20, 4)), rng.integers(0, 2, 20)
    stop = keras.callbacks.EarlyStopping(monitor="val_acc", patience=5)
    history = model.fit(x, y, nb_epoch=2, validation_split=0.2, callbacks=[stop], verbose=0)
    assert history.history["acc"] == history.history["accuracy"]
    assert history.history["val_acc"] == history.history["val_accuracy"]
    assert sorted(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_an_imported_keras_is_not_replaced():
    import keras as installed  # noqa: F401

    with pytest.raises(ImportError, match="is imported already"):
        wordrow.keras.install()


def test_the_documented_names_are_those_of_the_tables():
    """Each line of docs/keras.md agrees with the tables; its list of names comes from Keras."""
    docs = pathlib.Path(__file__).parents[2] / "docs"
    page = runpy.run_path(str(docs / "keras_names.py"))
    path, n_names = None, 0
    for line in (docs / "keras.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            path = line.removeprefix("## ")
        elif line.startswith("| `"):
            name, state, why = (part.strip() for part in line.strip("|").split("|"))
            assert page["status_of"](path, name.strip("`")) == (state, why), name
            n_names += 1
    assert n_names > 300


def test_every_listed_name_exists(rng):
    for path, names in MODULES.items():
        if path.startswith("keras"):
            module = importlib.import_module(f"wordrow.{path}")
            for name in names:
                assert getattr(module, name) is not None
    for full in UNSUPPORTED:
        path, _, name = full.rpartition(".")
        assert name not in MODULES.get(path, {})


def test_objects_survive_serialization():
    layer = keras.layers.deserialize(keras.layers.serialize(LSTM(3, name="mine")))
    assert layer.get_config() == LSTM(3, name="mine").get_config()
    for family, name in (
        ("optimizers", "Adam"),
        ("losses", "Huber"),
        ("regularizers", "L2"),
        ("initializers", "RandomNormal"),
        ("constraints", "MaxNorm"),
    ):
        module = getattr(keras, family)
        thing = getattr(module, name)()
        assert type(module.deserialize(module.serialize(thing))) is type(thing)
        entry = {"class_name": name, "config": {}}
        assert type(keras.utils.deserialize_keras_object(entry)) is type(thing)
    gelu = keras.activations.get("gelu")
    assert keras.activations.deserialize(keras.activations.serialize(gelu)) is gelu


def test_inputs_by_every_name():
    for layer in (
        keras.layers.InputLayer(input_shape=(4,)),
        keras.layers.Input(4),
        keras.layers.InputLayer(batch_input_shape=(None, 4)),
        keras.Input(shape=[4]),
        keras.layers.Input(batch_shape=(None, 4), dtype="int32"),
    ):
        assert tuple(layer.shape) == (None, 4)


def test_a_merge_of_models(tmp_path, rng):
    left = keras.Sequential([Embedding(9, 3, input_length=4), Flatten()])
    right = keras.Sequential([Dense(output_dim=5, input_dim=2)])
    model = keras.Sequential()
    model.add(keras.layers.Merge([left, right], mode="concat"))
    model.add(Dense(2))
    x = [rng.integers(0, 9, (6, 4)), rng.normal(size=(6, 2)).astype("float32")]
    joined = np.concatenate([left.predict(x[0]), right.predict(x[1])], axis=-1)
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(model.predict(x), joined @ kernel + bias, atol=1e-6)
    before = left.get_weights()[0]
    model.compile("sgd", "mse")
    model.fit(x, rng.normal(size=(6, 2)), nb_epoch=2, verbose=0)
    assert not np.array_equal(left.get_weights()[0], before)
    for name in ("m.safetensors", "m.keras", "m.h5"):
        model.save(tmp_path / name)
        loaded = keras.models.load_model(tmp_path / name)
        np.testing.assert_allclose(loaded.predict(x), model.predict(x), atol=1e-6)
    with pytest.raises(ValueError, match="does not know the shape of its input"):
        keras.Sequential([keras.layers.Merge([keras.Sequential([Dense(2)]), right])])
    with pytest.raises(ValueError, match="a Merge of models must be the first layer"):
        keras.Sequential([Dense(2, input_dim=3), keras.layers.Merge([left, right])])


def test_settings_and_variables_of_the_backend():
    variable = K.variable([1.0, 2.0])
    K.set_value(variable, [3.0, 4.0])
    assert K.get_value(variable).tolist() == [3.0, 4.0]
    with pytest.raises(TypeError, match="`x` must be a variable .* received float.*learning_rate"):
        K.set_value(0.1, 0.2)
    with pytest.raises(ValueError, match=r"must be \"float32\"; received 'float16'"):
        K.set_floatx("float16")


def test_windows_that_do_not_fit():
    windows = keras.preprocessing.sequence.TimeseriesGenerator
    with pytest.raises(ValueError, match="same length; received 3 and 2"):
        windows(np.arange(3), np.arange(2), length=1)
    with pytest.raises(ValueError, match=r"start_index\+length=5 > end_index=2. is disallowed"):
        windows(np.arange(3), np.arange(3), length=5)
