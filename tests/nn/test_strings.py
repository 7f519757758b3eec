"""Layers that texts go into. What is expected is what TextVectorization and StringLookup of Keras
3.15 give under TensorFlow 2.21, which is not installed with the tests.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow import (
    LSTM,
    Activation,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    Model,
    Ragged,
    Sequential,
    StringLookup,
    TextVectorization,
    load_model,
)

TEXTS = [
    "The cat sat, on the MAT!",
    "A dog's life\tis É great\nfun ",
    "the   dog ate the cat don't",
    "b a b c d",
    "",
    "c d e f",
]
ASKED = ["the cat É unknown words here", "dog's a b", "", "É"]
WORDS = [
    "the",
    "d",
    "cat",
    "c",
    "b",
    "a",
    "É",
    "sat",
    "on",
    "mat",
    "life",
    "is",
    "great",
    "fun",
    "f",
    "e",
    "dont",
    "dogs",
    "dog",
    "ate",
]


@pytest.mark.parametrize(
    ("options", "tokens", "expected"),
    [
        (
            {},
            ["", "[UNK]", *WORDS],
            [[2, 4, 8, 1, 1, 1], [19, 7, 6, 0, 0, 0], [0] * 6, [8, 0, 0, 0, 0, 0]],
        ),
        (
            {"max_tokens": 6},
            ["", "[UNK]", *WORDS[:4]],
            [[2, 4, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0] * 6, [1, 0, 0, 0, 0, 0]],
        ),
        (
            {"output_sequence_length": 3},
            ["", "[UNK]", *WORDS],
            [[2, 4, 8], [19, 7, 6], [0] * 3, [8, 0, 0]],
        ),
        (
            {"standardize": None},
            [
                "",
                "[UNK]",
                "the",
                "d",
                "cat",
                "c",
                "b",
                "É",
                "sat,",
                "on",
                "life",
                "is",
                "great",
                "fun",
                "f",
                "e",
                "don't",
                "dog's",
                "dog",
                "ate",
                "a",
                "The",
                "MAT!",
                "A",
            ],
            [[2, 4, 7, 1, 1, 1], [17, 20, 6, 0, 0, 0], [0] * 6, [7, 0, 0, 0, 0, 0]],
        ),
        (
            {"ngrams": 2, "max_tokens": 15},
            [
                "",
                "[UNK]",
                "the",
                "the cat",
                "d",
                "cat",
                "c d",
                "c",
                "b",
                "a",
                "É great",
                "É",
                "the mat",
                "the dog",
                "sat on",
            ],
            [
                [2, 5, 11, 1, 1, 1, 3, 1, 1, 1, 1],
                [1, 9, 8, 1, 1, *[0] * 6],
                [0] * 11,
                [11, *[0] * 10],
            ],
        ),
        (
            {"ngrams": (1, 3), "max_tokens": 15},
            [
                "",
                "[UNK]",
                "the",
                "d",
                "cat",
                "c",
                "b",
                "a",
                "É great fun",
                "É",
                "the dog ate",
                "the cat sat",
                "the cat dont",
                "sat on the",
                "sat",
            ],
            [[2, 4, 9, *[1] * 7], [1, 7, 6, 1, *[0] * 6], [0] * 10, [9, *[0] * 9]],
        ),
        (
            {"split": "character", "max_tokens": 12, "output_sequence_length": 8},
            ["", "[UNK]", " ", "t", "e", "a", "d", "o", "h", "c", "s", "n"],
            [[3, 8, 4, 2, 9, 5, 3, 2], [6, 7, 1, 10, 2, 5, 2, 1], [0] * 8, [1, *[0] * 7]],
        ),
        (
            {"output_mode": "count", "max_tokens": 5},
            ["[UNK]", *WORDS[:4]],
            [[4, 1, 0, 1, 0], [3, 0, 0, 0, 0], [0] * 5, [1, 0, 0, 0, 0]],
        ),
        (
            {"output_mode": "multi_hot", "max_tokens": 7, "pad_to_max_tokens": True},
            ["[UNK]", *WORDS[:6]],
            [[1, 1, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1, 1], [0] * 7, [1, 0, 0, 0, 0, 0, 0]],
        ),
    ],
)
def test_as_keras(options, tokens, expected):
    layer = TextVectorization(**options)
    layer.adapt(TEXTS)
    assert layer.get_vocabulary() == tokens
    assert layer.vocabulary_size() == len(tokens)
    np.testing.assert_array_equal(layer(ASKED), expected)
    again = TextVectorization(**layer.get_config())
    np.testing.assert_array_equal(again(np.array(ASKED)[:, None]), expected)


def test_weighed_counts_as_keras():
    layer = TextVectorization(output_mode="tf_idf")
    layer.adapt(TEXTS)
    found = layer(ASKED)
    known = {"[UNK]": 3.9431212, "the": 1.0986123, "cat": 1.0986123, "É": 1.3862944}
    names = layer.get_vocabulary()
    np.testing.assert_allclose(found[0], [known.get(name, 0) for name in names], rtol=1e-6)
    np.testing.assert_allclose(TextVectorization(**layer.get_config())(ASKED), found)


LETTERS = ["b", "a", "b", "c", "c", "b", "d"]


@pytest.mark.parametrize(
    ("options", "asked", "expected"),
    [
        ({}, ["a", "b", "zz", "c"], [4, 1, 0, 2]),
        ({}, [["a", "b"], ["zz", "c"]], [[4, 1], [0, 2]]),
        ({"mask_token": ""}, ["a", "b", "zz", ""], [5, 2, 1, 0]),
        ({"max_tokens": 3}, ["a", "b", "zz"], [0, 1, 0]),
        ({"output_mode": "one_hot"}, ["a", "zz"], [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]),
        (
            {"output_mode": "multi_hot"},
            [["a", "b"], ["zz", "a"]],
            [[0, 1, 0, 0, 1], [1, 0, 0, 0, 1]],
        ),
        ({"output_mode": "count"}, [["a", "a"], ["zz", "b"]], [[0, 0, 0, 0, 2], [1, 1, 0, 0, 0]]),
    ],
)
def test_strings_as_keras(options, asked, expected):
    layer = StringLookup(**options)
    layer.adapt(LETTERS)
    np.testing.assert_array_equal(layer(np.array(asked)), expected)
    np.testing.assert_array_equal(StringLookup(**layer.get_config())(np.array(asked)), expected)


def test_there_and_back():
    forth = StringLookup(vocabulary=["x", "y"])
    back = StringLookup(vocabulary=forth.get_vocabulary(), invert=True)
    assert back(forth(["y", "x", "?"])).tolist() == ["y", "x", "[UNK]"]


@given(st.lists(st.text(alphabet="aAbé!.,' \t\n", max_size=12), max_size=6))
def test_the_compiled_way_is_the_plain_one(texts):
    layers = [TextVectorization(), TextVectorization(split=lambda text: text.split())]
    for layer in layers:
        layer.adapt(texts)
    assert layers[0].get_vocabulary() == layers[1].get_vocabulary()
    np.testing.assert_array_equal(layers[0](texts), layers[1](texts))


def vectorizer():
    layer = TextVectorization(output_sequence_length=5)
    layer.adapt(np.array(TEXTS))
    return layer


def test_texts_go_into_a_model(tmp_path):
    texts = vectorizer()
    model = Sequential([texts, Embedding(30, 4, mask_zero=True), LSTM(3), Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.array(TEXTS), np.arange(6.0), epochs=2, verbose=0)
    found = model.predict(TEXTS)
    inner = Sequential(model.layers[1:])
    np.testing.assert_allclose(found, inner.predict(texts(TEXTS)), atol=1e-6)
    np.testing.assert_array_equal(model.predict(np.array(TEXTS)[:, None]), found)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(TEXTS), found)
    whole = Sequential([texts, inner, Activation("sigmoid")])
    np.testing.assert_allclose(whole.predict(TEXTS), 1 / (1 + np.exp(-found)), atol=1e-6)


def test_two_inputs_of_text():
    texts, kinds = vectorizer(), StringLookup(vocabulary=["x", "y"])
    title, kind = Input((1,), dtype="string"), Input((1,), dtype="string")
    model = Model(
        [title, kind],
        Dense(2)(Flatten()(Embedding(30, 4)(texts(title))))
        + Flatten()(Embedding(3, 2)(kinds(kind))),
    )
    assert model.predict([["a cat", "a dog"], ["x", "?"]]).shape == (2, 2)


def test_texts_of_any_length():
    layer = TextVectorization(ragged=True, vocabulary=["cat", "the"])
    found = layer(["the cat", "", "a"])
    assert isinstance(found, Ragged)
    assert found.to_lists() == [[3, 2], [], [1]]
    model = Sequential([layer, Embedding(5, 2, mask_zero=True), GlobalAveragePooling1D()])
    assert model.predict(["the cat", "a"]).shape == (2, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TextVectorization(split="words"), "`split` must be"),
        (lambda: TextVectorization(standardize="upper"), "`standardize` must be one of"),
        (lambda: TextVectorization(output_mode="binary"), "`output_mode` must be one of"),
        (lambda: TextVectorization(max_tokens=1), "`max_tokens` must be a whole number above 1"),
        (lambda: TextVectorization(vocabulary=["a", "b", "a"]), "has 'a' .str. more than once"),
        (lambda: StringLookup(num_oov_indices=2), "`num_oov_indices` must be 0 or 1"),
        (lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), "has no id for 'b'"),
        (lambda: TextVectorization(output_mode="tf_idf", vocabulary=["a"])(["a"]), "no weights"),
        (
            lambda: Model(i := Input((1,), dtype="string"), Flatten()(i)).predict(["a"]),
            "exactly one layer must turn them into ids",
        ),
        (lambda: TextVectorization(split=str.split).get_config(), "a user-defined function"),
    ],
)
def test_wrong_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_text():
    with pytest.raises(TypeError, match=r"number 1 is 3 \(int\)"):
        TextVectorization().adapt(["a", 3])
