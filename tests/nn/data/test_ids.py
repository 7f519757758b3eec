"""Ids that are no rows are an error that names them, wherever they come in."""

import numpy as np
import pytest

import wordrow
from wordrow import Dense, Embedding, Flatten, Input, Lambda, Sequential, TimeDistributed

BAD = {
    "2 ** 32 + 1, which would wrap to 1": (2**32 + 1, "greater than every id", "4294967297"),
    "-2 ** 32 + 1, which would wrap too": (-(2**32) + 1, "must not be negative", "-4294967295"),
    "2 ** 63": (np.uint64(2**63), "greater than every id", "9223372036854775808"),
    "a fraction": (1.5, "must be whole numbers", "1.5"),
    "a fraction in float32": (np.float32(0.25), "must be whole numbers", "0.25"),
    "not a number": (np.nan, "must be whole numbers", "nan"),
    "infinity": (np.inf, "must be whole numbers", "inf"),
    "too large, as a float": (5.0, "greater than every id", "5"),
    "negative, as a float": (-1.0, "must not be negative", "-1"),
}


def model():
    made = Sequential([Input((3,)), Embedding(5, 2), Flatten(), Dense(1)])
    made.compile("sgd", "mse")
    return made


def batches(x):
    yield x, np.zeros(2)


WAYS = {
    "predict": lambda m, x: m.predict(x),
    "called": lambda m, x: m(x),
    "predict_on_batch": lambda m, x: m.predict_on_batch(x),
    "predict, a list": lambda m, x: m.predict(x.tolist()),
    "predict, a generator": lambda m, x: m.predict(one for one in [x]),
    "evaluate": lambda m, x: m.evaluate(x, np.zeros(2), verbose=0),
    "fit": lambda m, x: m.fit(x, np.zeros(2), verbose=0),
    "fit, a generator": lambda m, x: m.fit(batches(x), verbose=0),
    "validation": lambda m, x: m.fit(
        np.ones((2, 3)), np.zeros(2), validation_data=(x, np.zeros(2)), verbose=0
    ),
    "train_on_batch": lambda m, x: m.train_on_batch(x, np.zeros(2)),
    "test_on_batch": lambda m, x: m.test_on_batch(x, np.zeros(2)),
    "a layer": lambda m, x: m.layers[0](x),
    "a layer, in a layer": lambda m, x: TimeDistributed(Embedding(5, 2))(x),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_row(bad, way):
    value, says, shown = BAD[bad]
    x = np.ones((2, 3), np.asarray(value).dtype)
    x[1, 2] = value
    made = model()
    before = made.get_weights()
    with pytest.raises(ValueError, match=f"{says}.*text 1 has id {shown} at position 2"):
        WAYS[way](made, x)
    for one, other in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int8", "uint64", "int64", "bool"]
)
def test_whole_numbers_of_any_type_are_ids(dtype):
    made = model()
    x = np.array([[1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(made.predict(x.astype(dtype)), made.predict(x))


def test_ids_of_the_models_own_making_are_cut():
    made = Sequential([Input((2,)), Lambda(lambda x: x * 0.75), Embedding(5, 2)])
    table = made.layers[1].get_weights()[0]
    np.testing.assert_array_equal(made.predict([[2.0, 4.0]])[0], table[[1, 3]])


def test_padding_does_not_wrap():
    for sequences in ([np.array([1, 2**32 + 1])], np.array([[1, 2**32 + 1]])):
        with pytest.raises(OverflowError, match="sequence 0 has 4294967297, which int32 cannot"):
            wordrow.pad_sequences(sequences, 4)
    with pytest.raises(OverflowError):
        wordrow.pad_sequences([[1, 2**32 + 1]], 4)
    assert wordrow.pad_sequences([np.array([1, 2**32])], 2, dtype="int64").tolist() == [[1, 2**32]]
    ragged = wordrow.Ragged.from_lists([[1, 300]])
    with pytest.raises(OverflowError, match="the texts has 300, which uint8 cannot hold"):
        wordrow.pad_sequences(ragged, 2, dtype="uint8")
