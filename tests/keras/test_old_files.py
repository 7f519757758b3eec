"""Files of Keras 1 and 2, damaged files, and what a file may not hold."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

import wordrow
from keras_models import T, V, classifier, ids, same
from wordrow import load_model
from wordrow.errors import FileFormatError
from wordrow.keras._files import load_weights as load_keras_weights

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask"),
    pytest.mark.filterwarnings("ignore:.*drops the mask, as in Keras"),
]


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

    weights = {
        "ids": [],
        "rows": [drawn(V, 4)],
        "flat": [],
        "both": [],
        "gru": [drawn(4, 9), drawn(3, 9), drawn(9)],
        "out": [drawn(3 + 4 * T, 2), drawn(2)],
    }
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
    states = keras.layers.GRU(
        3, recurrent_activation=lambda z: keras.ops.clip(0.2 * z + 0.5, 0, 1), reset_after=False
    )(rows)
    theirs = keras.Model(
        theirs_in, keras.layers.Dense(2, "softmax")(keras.layers.Concatenate()([states, flat]))
    )
    theirs.set_weights([w for name in ("rows", "gru", "out") for w in weights[name]])
    same(model, theirs, x)
    model.fit(x, np.eye(2)[rng.integers(0, 2, 8)], verbose=0)
    model.save(tmp_path / "n.h5")
    same(load_model(tmp_path / "n.h5"), model, x, atol=0)


def test_keras_1_stores_each_gate_apart(tmp_path, rng):
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
        (changed("gru", units="3"), "layer 'gru', a GRU, has unsupported arguments"),
        (changed("flat", class_name="Lambda"), r"'flat' is a Lambda.*custom_objects=\{'flat'"),
        (changed("gru", time_major=True), "time_major=True"),
        ({"class_name": "Mine", "config": {}}, "a model of the class 'Mine'"),
        ({}, "the file's parts do not match"),
    ],
)
def test_unsupported_contents_are_named(config, message, tmp_path):
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
