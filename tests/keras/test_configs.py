"""Models from the JSON and the configs of Keras 1, 2 and 3."""

import json

import keras
import numpy as np
import pytest
from wordrow.keras.models import Model, Sequential, clone_model, model_from_json

import wordrow
import wordrow.keras

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*mask:UserWarning"),
]

IDS = np.array([[0, 0, 3, 1], [2, 4, 1, 1]])


def sequential(k):
    return k.Sequential(
        [
            k.Input((4,)),
            k.layers.Embedding(5, 3, mask_zero=True),
            k.layers.LSTM(2, return_sequences=True),
            k.layers.Flatten(),
            k.layers.Dense(1, "sigmoid", kernel_regularizer="l2"),
        ]
    )


def functional(k):
    x = k.Input((4,))
    rows = k.layers.Embedding(5, 3, mask_zero=True)(x)
    both = k.layers.Concatenate()([k.layers.GRU(2)(rows), k.layers.LSTM(2)(rows)])
    return k.Model(x, k.layers.Dense(1)(both))


@pytest.mark.filterwarnings("ignore:.*drops the mask:UserWarning")
@pytest.mark.parametrize("make", [sequential, functional])
def test_the_json_and_config_of_keras_3(make):
    theirs = make(keras)
    cls = Sequential if make is sequential else Model
    for ours in (
        model_from_json(theirs.to_json()),
        cls.from_config(json.loads(json.dumps(theirs.get_config()))),
    ):
        assert isinstance(ours, cls)
        ours.set_weights(theirs.get_weights())
        expected = theirs.predict(IDS, verbose=0)
        np.testing.assert_allclose(ours.predict(IDS, verbose=0), expected, atol=1e-6)
        again = model_from_json(ours.to_json())
        again.set_weights(ours.get_weights())
        np.testing.assert_array_equal(again.predict(IDS), ours.predict(IDS))


VARIANCE = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}
EMBEDDING = {
    "class_name": "Embedding",
    "config": {
        "name": "embedding_1", "trainable": True, "batch_input_shape": [None, 4],
        "dtype": "float32", "input_dim": 5, "output_dim": 3, "mask_zero": False,
        "embeddings_initializer": {
            "class_name": "RandomUniform",
            "config": {"minval": -0.05, "maxval": 0.05, "seed": None},
        },
        "embeddings_regularizer": None, "activity_regularizer": None,
        "embeddings_constraint": None, "input_length": 4,
    },
}  # fmt: skip
FLATTEN = {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": True}}
DENSE = {
    "class_name": "Dense",
    "config": {
        "name": "dense_1", "trainable": True, "units": 2, "activation": "softmax",
        "use_bias": True, "kernel_initializer": VARIANCE,
        "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": None,
        "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None,
        "bias_constraint": None,
    },
}  # fmt: skip
LAYERS = [EMBEDDING, FLATTEN, DENSE]


def node(entry, *froms):
    name = entry["config"]["name"]
    return entry | {"name": name, "inbound_nodes": [[[one, 0, 0, {}] for one in froms]]}


INPUT = {
    "class_name": "InputLayer", "name": "input_1", "inbound_nodes": [],
    "config": {
        "name": "input_1", "batch_input_shape": [None, 4], "dtype": "float32", "sparse": False,
    },
}  # fmt: skip
OLD = {
    "a list of layers, until 2.2.2": {"class_name": "Sequential", "config": LAYERS},
    "a dict, from 2.2.3 on": {
        "class_name": "Sequential",
        "config": {"name": "sequential_1", "layers": LAYERS},
    },
    "functional": {
        "class_name": "Model",
        "config": {
            "name": "model_1",
            "layers": [
                INPUT,
                node(EMBEDDING, "input_1"),
                node(FLATTEN, "embedding_1"),
                node(DENSE, "flatten_1"),
            ],
            "input_layers": [["input_1", 0, 0]],
            "output_layers": [["dense_1", 0, 0]],
        },
    },
}


@pytest.mark.parametrize("kind", OLD)
def test_the_json_of_keras_2(kind):
    entry = OLD[kind] | {"keras_version": "2.2.2", "backend": "tensorflow"}
    model = model_from_json(json.dumps(entry))
    assert model.output_shape == (None, 2)
    assert [w.shape for w in model.get_weights()] == [(5, 3), (12, 2), (2,)]
    assert model.predict(IDS).shape == (2, 2)
    cls = Model if kind == "functional" else Sequential
    assert cls.from_config(entry["config"]).output_shape == (None, 2)


class Dense(wordrow.layers.Layer):
    """Named as a built-in layer, which it comes before."""

    def __init__(self, units=1, **options):
        super().__init__(**options)
        self.units = units

    def call(self, inputs):
        return inputs * 3.0

    def get_config(self):
        return super().get_config() | {"units": self.units}


def test_ones_own_classes_win():
    made = Sequential([wordrow.Input((2,)), Dense(5)])
    text = made.to_json()
    for model in (
        model_from_json(text, custom_objects={"Dense": Dense}),
        Sequential.from_config(made.get_config(), custom_objects={"Dense": Dense}),
        clone_model(made, custom_objects={"Dense": Dense}),
        model_from_json(
            json.dumps({"class_name": "Sequential", "config": [EMBEDDING, FLATTEN, DENSE]}),
            custom_objects={"Dense": lambda **options: Dense(5, name=options["name"])},
        ),
    ):
        assert type(model.layers[-1]) is Dense
    np.testing.assert_array_equal(
        model_from_json(text, {"Dense": Dense}).predict([[1.0, 2.0]]), [[3.0, 6.0]]
    )
