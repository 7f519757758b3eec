"""The tables of old names: the same things of ours, under the arguments of the time."""

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
    Layer,
    MaxPooling1D,
)

import wordrow
import wordrow.keras as keras
from wordrow.keras import backend as K  # noqa: N812
from wordrow.keras._modules import MODULES, NOT_HERE


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
def test_old_arguments_are_the_new_ones(old, new):
    assert old().get_config() == new().get_config()


def test_an_argument_given_twice_or_unknown_is_a_type_error():
    with pytest.raises(TypeError, match="the same argument"):
        Dense(units=1, output_dim=2)
    with pytest.raises(TypeError, match="no argument"):
        Dense(2, unitz=1)


def test_a_name_stands_for_its_class():
    assert isinstance(wordrow.LSTM(2), LSTM)
    assert not isinstance(wordrow.GRU(2), LSTM)
    assert LSTM.__name__ == "LSTM"

    class Mine(LSTM):
        pass

    assert issubclass(Mine, wordrow.LSTM)
    assert isinstance(keras.models.Sequential(), wordrow.Sequential)
    assert keras.Sequential is keras.models.Sequential


def test_masks_are_dropped_as_in_keras_and_it_is_said_once(rng):
    model = keras.Sequential([
        keras.Input((6,)), Embedding(9, 3, mask_zero=True), Conv1D(4, 2), Flatten(),
    ])  # fmt: skip
    ids = rng.integers(0, 9, (5, 6))
    with pytest.warns(UserWarning, match="Conv1D .* drops the mask, as in Keras") as said:
        found = model.predict(ids)
    assert len(said) == 1
    plain = wordrow.Sequential([
        wordrow.Input((6,)), wordrow.Embedding(9, 3), wordrow.Conv1D(4, 2), wordrow.Flatten(),
    ])  # fmt: skip
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(found, plain.predict(ids))


def test_a_layer_of_ones_own(rng):
    class Scaled(Layer):
        def __init__(self, start=2.0, **kwargs):
            self.start = start
            super().__init__(**kwargs)

        def build(self, input_shape):
            start = keras.initializers.Constant(self.start)
            self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer=start)
            self.fixed_one = self.add_weight(name="fixed", shape=(1,), initializer="ones",
                                             trainable=False)  # fmt: skip
            self.built = True

        def call(self, inputs, training=None):
            return inputs * self.scale + 0 * self.fixed_one

        def get_config(self):
            return super().get_config() | {"start": self.start}

    x, y = rng.normal(size=(40, 3)).astype("float32"), rng.normal(size=(40, 3)).astype("float32")
    layer = Scaled()
    model = keras.Sequential([keras.Input((3,)), layer])
    np.testing.assert_allclose(model.predict(x), 2 * x)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, y, epochs=3, batch_size=8, verbose=0)
    scale, fixed = layer.get_weights()
    assert (scale != 2).all()
    assert fixed == 1
    np.testing.assert_allclose(model.predict(x), x * scale, rtol=1e-5)
    assert layer.count_trained() == 3
    assert layer.count_params() == 4
    assert Scaled.from_config(layer.get_config()).start == 2.0


def test_backend_functions_on_arrays_and_symbols(rng):
    x = rng.normal(size=(4, 5, 3)).astype("float32")
    np.testing.assert_allclose(K.mean(x, axis=1), x.mean(axis=1))
    np.testing.assert_allclose(K.batch_dot(x, x, axes=2), x @ x.swapaxes(1, 2), atol=1e-6)
    np.testing.assert_array_equal(K.expand_dims(x).shape, (4, 5, 3, 1))
    np.testing.assert_array_equal(K.argmax(x), x.argmax(axis=-1))
    np.testing.assert_allclose(K.dot(x, np.ones((3, 2))), x.sum(-1, keepdims=True).repeat(2, -1),
                               atol=1e-6)  # fmt: skip
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


def test_a_model_by_a_class_of_ones_own(rng):
    class Mine(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.rows, self.drop = Embedding(9, 3), Dropout(0.5)
            self.out = Dense(units)

        def call(self, inputs, training=None):
            return self.out(K.mean(self.drop(self.rows(inputs), training=training), axis=1))

    model = Mine(2)
    model.compile("adam", "mse")
    x, y = rng.integers(0, 9, (20, 4)), rng.normal(size=(20, 2))
    model.fit(x, y, epochs=2, verbose=0)
    table, kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(x), table[x].mean(1) @ kernel + bias, atol=1e-6)
    assert len(model.layers) == 5
    with pytest.raises(TypeError, match="`inputs` must be an Input"):
        keras.Model()


def test_acc_and_accuracy_are_one(rng):
    model = keras.Sequential([Embedding(9, 3), keras.layers.GlobalAveragePooling1D(),
                              Dense(1, activation="sigmoid")])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x, y = rng.integers(0, 9, (20, 4)), rng.integers(0, 2, 20)
    stop = keras.callbacks.EarlyStopping(monitor="val_acc", patience=5)
    history = model.fit(x, y, nb_epoch=2, validation_split=0.2, callbacks=[stop], verbose=0)
    assert history.history["acc"] == history.history["accuracy"]
    assert history.history["val_acc"] == history.history["val_accuracy"]
    assert sorted(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_keras_that_is_there_already_is_not_replaced():
    import keras as installed  # noqa: F401

    with pytest.raises(ImportError, match="is imported already"):
        wordrow.keras.install()


def test_the_list_of_names_is_that_of_the_code():
    """Every line of docs/keras.md says what the tables say; which names Keras has is its own."""
    docs = pathlib.Path(__file__).parents[2] / "docs"
    page = runpy.run_path(str(docs / "keras_names.py"))
    path, n_names = None, 0
    for line in (docs / "keras.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            path = line.removeprefix("## ")
        elif line.startswith("| `"):
            name, state, why = (part.strip() for part in line.strip("|").split("|"))
            assert page["state_of"](path, name.strip("`")) == (state, why), name
            n_names += 1
    assert n_names > 300


def test_every_name_that_is_said_to_be_there_is(rng):
    for path, names in MODULES.items():
        if path.startswith("keras"):
            module = importlib.import_module(f"wordrow.{path}")
            for name in names:
                assert getattr(module, name) is not None
    for full in NOT_HERE:
        path, _, name = full.rpartition(".")
        assert name not in MODULES.get(path, {})


def test_names_of_ones_own(tmp_path, rng):
    @keras.saving.register_keras_serializable(package="mine")
    class Twice(Layer):
        def call(self, inputs):
            return inputs * 2

    def bent(x):
        return x * (x > 0)

    model = keras.Sequential([keras.Input((3,)), Dense(2), Twice()])
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    x = rng.normal(size=(4, 3))
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert keras.utils.get_registered_name(Twice) == "mine>Twice"
    with pytest.raises(ValueError, match="must be a function or one of"):
        Dense(2, activation="bent")
    with keras.utils.custom_object_scope({"bent": bent}):
        assert Dense(2, activation="bent").activation is bent
    with pytest.raises(ValueError, match="must be a function or one of"):
        Dense(2, activation="bent")
    keras.utils.get_custom_objects().update({"bent": keras.layers.Activation(bent)})
    assert Dense(2, activation="bent").activation is bent
    del keras.utils.get_custom_objects()["bent"]
    del keras.utils.get_custom_objects()["Twice"]


def test_things_to_configs_and_back():
    layer = keras.layers.deserialize(keras.layers.serialize(LSTM(3, name="mine")))
    assert layer.get_config() == LSTM(3, name="mine").get_config()
    for family, name in (("optimizers", "Adam"), ("losses", "Huber"), ("regularizers", "L2"),
                         ("initializers", "RandomNormal"), ("constraints", "MaxNorm")):  # fmt: skip
        module = getattr(keras, family)
        thing = getattr(module, name)()
        assert type(module.deserialize(module.serialize(thing))) is type(thing)
        entry = {"class_name": name, "config": {}}
        assert type(keras.utils.deserialize_keras_object(entry)) is type(thing)
    gelu = keras.activations.get("gelu")
    assert keras.activations.deserialize(keras.activations.serialize(gelu)) is gelu


def test_inputs_by_every_name():
    for layer in (keras.layers.InputLayer(input_shape=(4,)), keras.layers.Input(4),
                  keras.layers.InputLayer(batch_input_shape=(None, 4)), keras.Input(shape=[4]),
                  keras.layers.Input(batch_shape=(None, 4), dtype="int32")):  # fmt: skip
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
    with pytest.raises(ValueError, match="a Merge of models comes first"):
        keras.Sequential([Dense(2, input_dim=3), keras.layers.Merge([left, right])])


def blocks(k):
    """Layers of one's own made of layers, as in Keras's examples, by the names of one of them."""

    class Positions(k.layers.Layer):
        def __init__(self, n_words, length, dim):
            super().__init__()
            self.rows = k.layers.Embedding(n_words, dim)
            self.places = k.layers.Embedding(length, dim)
            self.length = length

        def call(self, x):
            return self.rows(x) + self.places(np.arange(self.length))

    class Block(k.layers.Layer):
        def __init__(self, dim, rate=0.0):
            super().__init__()
            self.attention = k.layers.MultiHeadAttention(num_heads=2, key_dim=dim)
            self.forward = k.Sequential([k.layers.Dense(5, activation="relu"), k.layers.Dense(dim)])
            self.norms = [k.layers.LayerNormalization(), k.layers.BatchNormalization()]
            self.drop = k.layers.Dropout(rate)

        def call(self, inputs, training=None):
            x = self.norms[0](inputs + self.drop(self.attention(inputs, inputs)))
            return self.norms[1](x + self.forward(x), training=training)

    return Positions, Block


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_layers_in_layers_of_ones_own(rng):
    import keras as installed

    made = []
    for k in (keras, installed):
        positions, block = blocks(k)
        ids = k.Input((6,))
        x = k.layers.GlobalAveragePooling1D()(block(4)(positions(9, 6, 4)(ids)))
        made.append(k.Model(ids, k.layers.Dense(1)(x)))
    ours, theirs = made
    assert ours.count_params() == theirs.count_params()
    # Keras has the trained weights of a layer first.
    values = {layer.__class__.__name__: [np.array(w) for w in layer.weights]
              for layer in theirs.layers if layer.weights}  # fmt: skip
    for layer in ours.layers:
        own = layer._weights or {}
        if not own:
            continue
        trained = [n for n in own if n not in layer.fixed]
        layer.set_weights([
            dict(zip([*trained, *layer.fixed], values[type(layer).__name__], strict=True))[n]
            for n in own
        ])  # fmt: skip
    x, y = rng.integers(0, 9, (8, 6)), rng.normal(size=(8, 1))
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-5)
    for model in made:
        model.compile("sgd", "mse")
    for _ in range(3):
        found, wanted = (model.train_on_batch(x, y) for model in made)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-4)


def test_dropout_in_a_layer_of_ones_own(rng):
    _, block = blocks(keras)
    layer = block(4, rate=0.5)
    model = keras.Sequential([keras.Input((6, 4)), layer])
    x, y = rng.normal(size=(4, 6, 4)).astype("float32"), np.zeros((4, 6, 4))
    np.testing.assert_array_equal(model.predict(x), model.predict(x))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = {float(model.train_on_batch(x, y)) for _ in range(4)}
    assert len(losses) > 1  # another share is dropped at every step
