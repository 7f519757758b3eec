"""Names and arguments that scripts of Keras 1 and 2 use, one after the other."""

import json
import subprocess
import sys

import numpy as np
import pytest
from wordrow.keras.layers import Add, Dense, Embedding, Input

import wordrow
import wordrow.keras as keras
from wordrow.keras import backend as K  # noqa: N812


def chain(**options):
    model = keras.Sequential([Dense(3, input_dim=2, **options), Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_modules_and_functions():
    from wordrow.keras.engine.saving import load_model, model_from_json
    from wordrow.keras.engine.training import slice_X
    from wordrow.keras.preprocessing.sequence import _remove_long_seq
    from wordrow.keras.preprocessing.text import base_filter, tokenizer_from_json

    assert callable(load_model)
    assert callable(tokenizer_from_json)
    assert model_from_json(chain().to_json()).layers[0].units == 3
    x = [np.arange(5), np.arange(10).reshape(5, 2)]
    assert [part.tolist() for part in slice_X(x, 1, 3)] == [[1, 2], [[2, 3], [4, 5]]]
    assert slice_X(np.arange(5), [4, 0]).tolist() == [4, 0]
    assert _remove_long_seq(3, [[1, 2], [1, 2, 3], [1]], ["a", "b", "c"]) == (
        [[1, 2], [1]],
        ["a", "c"],
    )
    assert base_filter() == '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def test_timeseries_generators_as_json():
    from wordrow.keras.preprocessing.sequence import (
        TimeseriesGenerator,
        timeseries_generator_from_json,
    )

    data = np.arange(20).reshape(10, 2)
    made = TimeseriesGenerator(
        data, data[:, 0], 3, sampling_rate=2, stride=2, start_index=1, end_index=8, batch_size=2
    )
    text = made.to_json()
    assert json.loads(text)["class_name"] == "TimeseriesGenerator"
    again = timeseries_generator_from_json(text)
    assert again.to_json() == text
    assert len(again) == len(made) > 1
    for one, other in zip(made, again, strict=False):
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, same)
    with pytest.raises(ValueError, match=r"`start_index\+length=12 > end_index=9` is disallowed"):
        TimeseriesGenerator(data, data, 12)


@pytest.mark.parametrize(
    ("loss", "same"),
    [("MSE", "mse"), ("MAE", "mae"), ("cosine_proximity", "cosine_similarity"), ("KLD", "kld")],
)
def test_losses(loss, same, rng):
    x, y = rng.random((4, 2)), rng.random((4, 1))
    model = chain()
    found = []
    for name in (loss, same):
        model.compile("sgd", name)
        found.append(model.evaluate(x, y, verbose=0))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["maxnorm", "nonneg", "unitnorm"])
def test_constraints(name):
    assert (
        type(Dense(3, kernel_constraint=name).kernel_constraint).__name__.lower()
        == {
            "maxnorm": "maxnorm",
            "nonneg": "nonneg",
            "unitnorm": "unitnorm",
        }[name]
    )


def test_first_weights_and_batch_sizes(rng):
    kernel, bias = rng.random((2, 3)).astype("float32"), np.ones(3, np.float32)
    model = chain(weights=[kernel, bias])
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
    np.testing.assert_array_equal(model.layers[0].bias, bias)
    with pytest.raises(ValueError, match="shape"):
        chain(weights=[kernel.T, bias])
    assert Embedding(4, 2, batch_size=3, input_shape=(5,)).first_shape == (3, 5)
    assert Dense(2, batch_size=2, input_shape=(4,)).first_shape == (2, 4)


def test_weights_are_attributes():
    for layer, names in (
        (wordrow.Dense(3), ("kernel", "bias")),
        (wordrow.LSTM(3), ("kernel", "recurrent_kernel", "bias")),
        (wordrow.layers.LayerNormalization(), ("gamma", "beta")),
    ):
        with pytest.raises(AttributeError, match=f"no '{names[0]}' before it is built"):
            getattr(layer, names[0])
        layer(np.ones((2, 4, 3), np.float32))
        for name, array in zip(names, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(getattr(layer, name), array)
    table = wordrow.Embedding(4, 2)
    table(np.array([1]))
    np.testing.assert_array_equal(table.embeddings, table.get_weights()[0])
    with pytest.raises(AttributeError, match="'Dense' object has no attribute 'kernels'"):
        _ = wordrow.Dense(3).kernels


def test_shapes_of_outputs():
    assert wordrow.Dense(3).compute_output_shape((None, 4)) == (None, 3)
    assert wordrow.Embedding(9, 2).compute_output_shape((None, 4)) == (None, 4, 2)
    assert wordrow.LSTM(3, return_state=True).compute_output_shape((2, 4, 5)) == [(2, 3)] * 3
    assert keras.layers.Add().compute_output_shape([(None, 4, 5), (None, 5)]) == (None, 4, 5)


def test_initializers_are_functions_of_a_shape():
    wordrow.set_random_seed(1)
    drawn = keras.initializers.get("normal")((400, 10))
    assert (drawn.shape, drawn.dtype) == ((400, 10), np.float32)
    assert 0.04 < drawn.std() < 0.06
    assert keras.initializers.get("orthogonal")([3, 3], dtype="float32").shape == (3, 3)
    wordrow.set_random_seed(1)
    np.testing.assert_array_equal(wordrow.initializers.RandomNormal()((400, 10)), drawn)


def test_merging_broadcasts():
    x, y = np.arange(40.0).reshape(2, 4, 5), np.arange(10.0).reshape(2, 5)
    expected = x + y[:, None]
    for k in (keras.layers, wordrow.layers):
        one, other = wordrow.Input((4, 5)), wordrow.Input((5,))
        model = wordrow.Model([one, other], k.Add()([one, other]))
        assert model.output_shape == (None, 4, 5)
        np.testing.assert_array_equal(model.predict([x, y]), expected)
    with pytest.raises(ValueError, match=r"inputs of one shape; received the shapes"):
        Add()([Input((4, 5)), Input((3,))])


def test_models():
    model = chain()
    assert (model.losses, model.updates) == ([], [])
    with pytest.raises(RuntimeError, match="Use to_json"):
        model.to_yaml()
    K.set_value(model.optimizer.lr, 0.25)
    assert model.optimizer.learning_rate == model.optimizer.lr == 0.25
    K.set_value(model.layers[1].bias, np.full(1, 2.0))
    assert model.layers[1].get_weights()[1] == 2
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_predict_begin=lambda logs: seen.append("begin"),
        on_predict_end=lambda logs: seen.append("end"),
    )
    model.predict(np.ones((1, 2)), callbacks=[watch], verbose=0)
    assert seen == ["begin", "end"]


def test_a_tokenizers_number_of_words():
    with pytest.warns(UserWarning, match="now called `num_words`"):
        assert keras.preprocessing.text.Tokenizer(nb_words=5).nb_words == 5


def test_names_that_came_with_a_star(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from keras.layers import *\nConvLSTM1D(3, 2)\n")
    done = subprocess.run(
        [sys.executable, "-m", "wordrow", "run", script], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "NameError: name 'ConvLSTM1D' is not defined" in done.stderr
    assert "Keras's ConvLSTM1D is not in wordrow: " in done.stderr
