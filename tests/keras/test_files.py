"""Keras's own files, against Keras: read, trained on, written, and read there again."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

import wordrow
from wordrow import load_model
from wordrow.errors import FileFormatError
from wordrow.keras._files import load_weights as load_keras_weights

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask"),
    pytest.mark.filterwarnings("ignore:.*drops the mask, as in Keras"),
]
KINDS = ("keras", "h5")
V, T = 11, 6


def ids(rng):
    x = rng.integers(1, V, (8, T))
    return x * (np.arange(T) >= rng.integers(0, T, 8)[:, None])


def classifier(k):
    model = k.Sequential([
        k.Input((T,)), k.layers.Embedding(V, 4, mask_zero=True), k.layers.LSTM(3),
        k.layers.Dense(1, "sigmoid", kernel_regularizer=k.regularizers.L2(0.01)),
    ])  # fmt: skip
    model.compile(k.optimizers.Adam(0.01, clipnorm=1.0), "binary_crossentropy",
                  metrics=["accuracy", k.metrics.AUC(name="area")])  # fmt: skip
    return model


def convolution(k):
    return k.Sequential([
        k.Input((T,)), k.layers.Embedding(V, 4, mask_zero=True),
        k.layers.Conv1D(5, 3, padding="same", activation="relu"), k.layers.MaxPooling1D(2),
        k.layers.SpatialDropout1D(0.3), k.layers.Flatten(), k.layers.BatchNormalization(),
        k.layers.Dense(3, kernel_initializer="he_normal", kernel_constraint="max_norm"),
        k.layers.LeakyReLU(0.2), k.layers.Softmax(),
    ])  # fmt: skip


def shapes(k):
    return k.Sequential([
        k.Input((T,)), k.layers.Embedding(V, 4), k.layers.ZeroPadding1D(1),
        k.layers.Cropping1D((0, 2)), k.layers.UpSampling1D(2), k.layers.Permute((2, 1)),
        k.layers.PReLU(), k.layers.LayerNormalization(), k.layers.Reshape((2, -1)),
        k.layers.TimeDistributed(k.layers.Dense(3)), k.layers.GlobalMaxPooling1D(),
        k.layers.RepeatVector(2), k.layers.SimpleRNN(2), k.layers.ELU(0.5),
    ])  # fmt: skip


def joined(k):
    """A graph: both ways through a text, attention, a model inside, branches, arithmetic."""
    first, second = k.Input((T,), name="first"), k.Input((T,), name="second")
    rows = k.layers.Embedding(V, 4, mask_zero=True)
    inner = k.Sequential([k.Input((6,)), k.layers.Dense(4, "tanh")], name="inner")
    ends = []
    for one in (first, second):
        steps = k.layers.Bidirectional(k.layers.GRU(3, return_sequences=True))(rows(one))
        steps = k.layers.MultiHeadAttention(2, 3)(steps, steps, use_causal_mask=True)
        ends.append(inner(k.layers.GlobalAveragePooling1D()(steps)))
    both = k.layers.Concatenate()([k.layers.Add()(ends), ends[0] - ends[1], ends[0] * ends[1]])
    model = k.Model([first, second], {"one": k.layers.Dense(1, name="a")(both),
                                      "two": k.layers.Dense(2, name="b")(both)})  # fmt: skip
    model.compile("rmsprop", {"one": "mse", "two": "mse"}, loss_weights={"one": 1.0, "two": 0.5})
    return model


def translation(k):
    source, target = k.Input((T,)), k.Input((T,))
    rows = k.layers.Embedding(V, 4, mask_zero=True)
    _, h, c = k.layers.LSTM(3, return_state=True)(rows(source))
    steps = k.layers.LSTM(3, return_sequences=True)(rows(target), initial_state=[h, c])
    steps = k.layers.Attention()([steps, steps])
    return k.Model([source, target], k.layers.Dense(V, "softmax")(steps))


MODELS = {"classifier": classifier, "convolution": convolution, "shapes": shapes,
          "joined": joined, "translation": translation}  # fmt: skip


def inputs_for(model, rng):
    n = len(model.inputs)
    return ids(rng) if n == 1 else [ids(rng) for _ in range(n)]


def same(ours, theirs, x, atol=1e-5):
    mine, other = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    if isinstance(other, dict):
        mine, other = [dict(zip(ours.output_names, mine, strict=True))[k] for k in other], list(
            other.values())  # fmt: skip
    if not isinstance(other, list):
        mine, other = [mine], [other]
    for one, two in zip(mine, other, strict=True):
        np.testing.assert_allclose(one, two, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_there_and_back(name, kind, tmp_path, rng):
    theirs = MODELS[name](keras)
    x = inputs_for(theirs, rng)
    theirs.save(tmp_path / f"theirs.{kind}")
    ours = load_model(tmp_path / f"theirs.{kind}")
    same(ours, theirs, x)
    names = [layer.name for layer in theirs.layers]  # arithmetic is no layer there
    assert [layer.name for layer in ours.layers if layer.name in names] == names
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    ours.set_weights([w + 0.01 for w in ours.get_weights()])
    ours.save(tmp_path / f"ours.{kind}")
    same(ours, keras.models.load_model(tmp_path / f"ours.{kind}"), x)
    again = load_model(tmp_path / f"ours.{kind}")
    np.testing.assert_array_equal(again.get_weights()[0], ours.get_weights()[0])


@pytest.mark.parametrize("name", ["joined", "translation"])
def test_ours_in_the_older_form(name, tmp_path, rng):
    ours = MODELS[name](wordrow.keras)
    x = inputs_for(ours, rng)
    if name == "translation":  # where Keras 3 hands on a state, the mask is lost
        x = [np.maximum(one, 1) for one in x]
        with pytest.warns(UserWarning, match=r"the layers \['lstm_1'\] honour the mask here"):
            ours.save(tmp_path / "m.h5")
    else:
        ours.save(tmp_path / "m.h5")
    same(ours, keras.models.load_model(tmp_path / "m.h5"), x)
    same(load_model(tmp_path / "m.h5"), ours, x, atol=0)


def small(k, optimizer):
    model = k.Sequential([
        k.Input((T,)), k.layers.Embedding(V, 3), k.layers.GlobalAveragePooling1D(),
        k.layers.Dense(2), k.layers.Dense(1),
    ])  # fmt: skip
    model.compile(optimizer, "mse")
    return model


OPTIMIZERS = {
    "Adam": {"learning_rate": 0.01, "amsgrad": True},
    "SGD": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "RMSprop": {"learning_rate": 0.01, "centered": True, "momentum": 0.5},
    "Nadam": {"learning_rate": 0.01},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_there_and_here(name, tmp_path, rng):
    """Steps there, steps here, steps there again: as if it had been one of them all the time."""
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
    other = wordrow.keras.Sequential([
        wordrow.keras.Input((T,)), wordrow.Embedding(V, 4, name="embedding"),
        wordrow.Flatten(), wordrow.Dense(1, name="dense"),
    ])  # fmt: skip
    with pytest.raises(FileFormatError, match="weights for 3 layers .*by_name=True"):
        other.load_weights(tmp_path / "w.h5")
    with pytest.raises(FileFormatError, match=r"'dense' has weights of the shapes \[\(24, 1\)"):
        other.load_weights(tmp_path / "w.h5", by_name=True)
    before = other.get_weights()
    other.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], ours.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[1], before[1])


KERAS_2 = {
    "class_name": "Model",
    "config": {
        "name": "old",
        "layers": [
            {"name": "ids", "class_name": "InputLayer", "inbound_nodes": [],
             "config": {"batch_input_shape": [None, T], "dtype": "int32", "sparse": False,
                        "name": "ids"}},
            {"name": "rows", "class_name": "Embedding", "inbound_nodes": [[["ids", 0, 0, {}]]],
             "config": {"name": "rows", "trainable": True, "batch_input_shape": [None, T],
                        "dtype": "float32", "input_dim": V, "output_dim": 4,
                        "embeddings_initializer": {"class_name": "RandomUniform", "config": {
                            "minval": -0.05, "maxval": 0.05, "seed": None}},
                        "embeddings_regularizer": None, "activity_regularizer": None,
                        "embeddings_constraint": None, "mask_zero": True, "input_length": T}},
            {"name": "gru", "class_name": "GRU", "inbound_nodes": [[["rows", 0, 0, {}]]],
             "config": {"name": "gru", "trainable": True, "return_sequences": False,
                        "return_state": False, "go_backwards": False, "stateful": False,
                        "unroll": False, "units": 3, "activation": "tanh",
                        "recurrent_activation": "hard_sigmoid", "use_bias": True,
                        "kernel_initializer": {"class_name": "VarianceScaling", "config": {
                            "scale": 1.0, "mode": "fan_avg", "distribution": "uniform",
                            "seed": None}},
                        "recurrent_initializer": {"class_name": "Orthogonal", "config": {
                            "gain": 1.0, "seed": None}},
                        "bias_initializer": {"class_name": "Zeros", "config": {}},
                        "kernel_regularizer": {"class_name": "L1L2", "config": {
                            "l1": 0.0, "l2": 0.01}},
                        "dropout": 0.0, "recurrent_dropout": 0.0, "implementation": 1}},
            {"name": "flat", "class_name": "Flatten", "inbound_nodes": [[["rows", 0, 0, {}]]],
             "config": {"name": "flat", "trainable": True, "data_format": "channels_last"}},
            {"name": "both", "class_name": "Concatenate",
             "inbound_nodes": [[["gru", 0, 0, {}], ["flat", 0, 0, {}]]],
             "config": {"name": "both", "trainable": True, "axis": -1}},
            {"name": "out", "class_name": "Dense", "inbound_nodes": [[["both", 0, 0, {}]]],
             "config": {"name": "out", "trainable": True, "units": 2, "activation": "softmax",
                        "use_bias": True, "kernel_initializer": {"class_name": "GlorotUniform",
                                                                 "config": {"seed": None}},
                        "bias_initializer": {"class_name": "Zeros", "config": {}},
                        "kernel_regularizer": None, "bias_regularizer": None,
                        "activity_regularizer": None, "kernel_constraint": None,
                        "bias_constraint": None}},
        ],
        "input_layers": [["ids", 0, 0]],
        "output_layers": [["out", 0, 0]],
    },
}  # fmt: skip
TRAINING = {
    "optimizer_config": {"class_name": "Adam", "config": {
        "lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "decay": 0.0, "epsilon": 1e-07,
        "amsgrad": False}},
    "loss": "categorical_crossentropy", "metrics": ["accuracy"], "sample_weight_mode": None,
    "loss_weights": None,
}  # fmt: skip


def of_keras_2(path, weights, config=KERAS_2, **attributes):
    """Write a file as Keras 2.2 did."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.2.4", b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        for key, value in attributes.items():
            file.attrs[key] = json.dumps(value).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            own = group.create_group(name)
            own.attrs["weight_names"] = [f"{name}/{i}:0".encode() for i in range(len(arrays))]
            for i, array in enumerate(arrays):
                own[f"{name}/{i}:0"] = array
    return path


def test_a_file_of_keras_2(tmp_path, rng):
    def drawn(*shape):
        return rng.normal(size=shape).astype("float32")

    weights = {"ids": [], "rows": [drawn(V, 4)], "flat": [], "both": [],
               "gru": [drawn(4, 9), drawn(3, 9), drawn(9)],
               "out": [drawn(3 + 4 * T, 2), drawn(2)]}  # fmt: skip
    model = load_model(of_keras_2(tmp_path / "m.h5", weights, training_config=TRAINING))
    gru = model.get_layer("gru")
    assert not gru.reset_after
    assert model.get_layer("flat").mask == "drop"
    assert (model.optimizer.learning_rate, model.loss) == (0.002, "categorical_crossentropy")
    x = ids(rng)
    theirs_in = keras.Input((T,))
    rows = keras.layers.Embedding(V, 4, mask_zero=True)(theirs_in)
    with pytest.warns(UserWarning, match="was passed an input with a mask"):
        flat = keras.layers.Flatten()(rows)
    states = keras.layers.GRU(3, recurrent_activation=lambda z: keras.ops.clip(0.2 * z + 0.5, 0, 1),
                              reset_after=False)(rows)  # fmt: skip
    theirs = keras.Model(theirs_in, keras.layers.Dense(2, "softmax")(
        keras.layers.Concatenate()([states, flat])))  # fmt: skip
    theirs.set_weights([w for name in ("rows", "gru", "out") for w in weights[name]])
    same(model, theirs, x)
    model.fit(x, np.eye(2)[rng.integers(0, 2, 8)], verbose=0)
    model.save(tmp_path / "n.h5")
    same(load_model(tmp_path / "n.h5"), model, x, atol=0)


def test_weights_of_keras_1_are_kept_gate_by_gate(tmp_path, rng):
    model = wordrow.keras.Sequential([wordrow.keras.Input((T, 4)), wordrow.keras.layers.LSTM(3)])
    kernel, recurrent, bias = (np.split(w, 4, axis=-1) for w in model.get_weights())
    arrays = [one[gate] for gate in (0, 2, 1, 3) for one in (kernel, recurrent, bias)]
    path = of_keras_2(tmp_path / "w.h5", {"lstm_1": arrays})
    fresh = wordrow.keras.Sequential([wordrow.keras.Input((T, 4)), wordrow.keras.layers.LSTM(3)])
    load_keras_weights(fresh, path)
    for one, two in zip(fresh.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def changed(layer, **config):
    new = json.loads(json.dumps(KERAS_2))
    for entry in new["config"]["layers"]:
        if entry["name"] == layer:
            entry.update({k: v for k, v in config.items() if k == "class_name"})
            entry["config"].update({k: v for k, v in config.items() if k != "class_name"})
    return new


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (changed("gru", class_name="ConvLSTM2D"), "layer 'gru' is a ConvLSTM2D, which wordrow"),
        (changed("gru", units="3"), "layer 'gru', a GRU, has arguments that are not here"),
        (changed("flat", class_name="Lambda"), r"'flat' is a Lambda.*custom_objects=\{'flat'"),
        (changed("gru", time_major=True), "time_major=True"),
        ({"class_name": "Mine", "config": {}}, "a model of the class 'Mine'"),
        ({}, "does not fit together"),
    ],
)
def test_what_is_not_here_is_named(config, message, tmp_path):
    with pytest.raises(FileFormatError, match=message):
        load_model(of_keras_2(tmp_path / "m.h5", {}, config))


def test_broken_files(tmp_path):
    classifier(wordrow.keras).save(tmp_path / "m.keras")
    data = (tmp_path / "m.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFormatError, match="expected a .keras file"):
        load_model(tmp_path / "cut.keras")
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_model(tmp_path / "nothing.h5")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{")
    with pytest.raises(FileFormatError, match="not JSON"):
        load_model(tmp_path / "empty.keras")
    of_keras_2(tmp_path / "m.h5", {"ids": []})
    with pytest.raises(FileFormatError, match="weights for 0 layers"):
        load_model(tmp_path / "m.h5")
    classifier(wordrow.keras).save_weights(tmp_path / "w.h5")
    with pytest.raises(FileFormatError, match="weights alone"):
        load_model(tmp_path / "w.h5")


def test_layers_and_functions_of_ones_own(tmp_path, rng):
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
    best = wordrow.keras.callbacks.ModelCheckpoint(tmp_path / "best.h5", monitor="loss",
                                                   save_best_only=True)  # fmt: skip
    each = wordrow.keras.callbacks.ModelCheckpoint(tmp_path / "{epoch:02d}.keras")
    model.fit(x, y, epochs=2, callbacks=[best, each], verbose=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01.keras", "02.keras", "best.h5"]
    same(keras.models.load_model(tmp_path / "02.keras"), model, x)


@pytest.mark.parametrize("kind", KINDS)
def test_functions_of_ones_own_in_compile(kind, tmp_path, rng):
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
    same(loaded, model, x)  # the rate goes on falling
    with pytest.warns(UserWarning, match="is not compiled: .*custom_objects="):
        load_model(path)
