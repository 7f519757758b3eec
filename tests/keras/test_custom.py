"""Custom layers, models and functions, written as for Keras."""

import numpy as np
import pytest
from wordrow.keras.layers import Dense, Dropout, Embedding, Layer

import wordrow.keras as keras
from wordrow.keras import backend as K  # noqa: N812


def test_a_custom_layer(rng):
    class Scaled(Layer):
        def __init__(self, start=2.0, **kwargs):
            self.start = start
            super().__init__(**kwargs)

        def build(self, input_shape):
            start = keras.initializers.Constant(self.start)
            self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer=start)
            self.fixed_one = self.add_weight(
                name="fixed", shape=(1,), initializer="ones", trainable=False
            )
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


def test_a_model_subclass(rng):
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


def test_custom_objects(tmp_path, rng):
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
    with pytest.raises(ValueError, match="received 'Thrice'. Pass it in custom_objects"):
        keras.utils.deserialize_keras_object({"class_name": "Thrice", "config": {}})


def blocks(k):
    """Custom layers made of layers, as in Keras's examples; k: keras, or wordrow.keras."""

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
def test_custom_layers_made_of_layers(rng):
    import keras as installed

    made = []
    for k in (keras, installed):
        positions, block = blocks(k)
        ids = k.Input((6,))
        x = k.layers.GlobalAveragePooling1D()(block(4)(positions(9, 6, 4)(ids)))
        made.append(k.Model(ids, k.layers.Dense(1)(x)))
    ours, theirs = made
    assert ours.count_params() == theirs.count_params()
    # Keras lists the trainable weights of a layer first.
    values = {
        layer.__class__.__name__: [np.array(w) for w in layer.weights]
        for layer in theirs.layers
        if layer.weights
    }
    for layer in ours.layers:
        own = layer._weights or {}
        if not own:
            continue
        trained = [n for n in own if n not in layer.fixed]
        layer.set_weights(
            [
                dict(zip([*trained, *layer.fixed], values[type(layer).__name__], strict=True))[n]
                for n in own
            ]
        )
    x, y = rng.integers(0, 9, (8, 6)), rng.normal(size=(8, 1))
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-5)
    for model in made:
        model.compile("sgd", "mse")
    for _ in range(3):
        found, wanted = (model.train_on_batch(x, y) for model in made)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-4)


def test_dropout_in_a_custom_layer(rng):
    _, block = blocks(keras)
    layer = block(4, rate=0.5)
    model = keras.Sequential([keras.Input((6, 4)), layer])
    x, y = rng.normal(size=(4, 6, 4)).astype("float32"), np.zeros((4, 6, 4))
    np.testing.assert_array_equal(model.predict(x), model.predict(x))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = {float(model.train_on_batch(x, y)) for _ in range(4)}
    assert len(losses) > 1  # each step drops others
