"""What people type first because another library calls it so: an answer that names what is here."""

import re

import numpy as np
import pytest

import wordrow
from wordrow import (
    LSTM,
    Dense,
    Embedding,
    Input,
    Sequential,
    TextClassifier,
    Tokenizer,
    Vectors,
    layers,
    train_vectors,
)
from wordrow.hints import NAMES

TEXTS = [["a", "b"], ["a", "c"]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TextClassifier(lr=0.1), "has no argument ['lr']. For 'lr' use learning_rate."),
        (lambda: TextClassifier(wordNgrams=2), "use ngrams."),
        (lambda: TextClassifier(batchsize=2), "Did you mean 'batch_size'?"),
        (lambda: train_vectors(TEXTS, vector_size=8), "For 'vector_size' use dim."),
        (lambda: train_vectors(TEXTS, workers=2), "WORDROW_THREADS"),
        (lambda: train_vectors(TEXTS, sg=1), "use model='skipgram' or model='cbow'."),
        (lambda: train_vectors(5), "expected texts"),
        (lambda: Embedding(vocab_size=9, output_dim=2), "For 'vocab_size' use input_dim."),
        (lambda: Embedding(9, 2, padding_idx=0), "mask_zero=True"),
        (lambda: Embedding(9, 2, input_lenght=3), "Did you mean 'input_length'?"),
        (lambda: LSTM(hidden_size=3), "For 'hidden_size' use units."),
        (lambda: LSTM(3, return_sequence=True), "Did you mean 'return_sequences'?"),
        (lambda: Tokenizer(vocab_size=9), "is `num_words`"),
        (lambda: Tokenizer(oov_token=1), "`oov_token` must be a string"),
        (lambda: Sequential(Dense(3)), "Sequential takes a list of layers"),
    ],
)
def test_arguments(call, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("value", [-1, 2.5, "5"])
def test_numbers_of_words(value):
    with pytest.raises(ValueError, match="`num_words` must be a whole number"):
        Tokenizer(num_words=value)


@pytest.mark.parametrize("shape", ["x", (-1,), (2.5,)])
def test_shapes(shape):
    with pytest.raises(ValueError, match="a shape holds whole numbers"):
        Input(shape)


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (lambda: Sequential([Dense(1)]), "predict_classes", "argmax"),
        (lambda: Sequential([Dense(1)]), "state_dict", "get_weights"),
        (TextClassifier, "save_model", r"save\(path\)"),
        (TextClassifier, "get_sentence_vector", "pooled"),
        (Tokenizer, "get_vocab", "word_index"),
        (Tokenizer, "fit_transform", "fit_on_texts"),
        (lambda: Vectors(["a"], [[1.0]]), "most_similar_cosmul", "most_similar"),
    ],
)
def test_attributes(make, name, message):
    thing = make()
    with pytest.raises(AttributeError, match=f"has no {name!r}; use .*{message}"):
        getattr(thing, name)
    assert not hasattr(thing, "something_else")


def test_names_of_the_package():
    for name, instead in NAMES.items():
        with pytest.raises(AttributeError, match=re.escape(f"{name!r}: use {instead}")):
            getattr(wordrow, name)
    with pytest.raises(AttributeError, match="Did you mean 'LSTM'"):
        _ = wordrow.Lstm


def test_an_unfitted_property_says_what_it_said():
    with pytest.raises(Exception, match="fit") as raised:
        _ = TextClassifier().vectors
    assert "has no" not in str(raised.value)


class WithSuchNames(layers.Layer):
    def __init__(self, vocab_size, hidden_size=3):
        super().__init__()
        self.sizes = vocab_size, hidden_size

    def call(self, x):
        return x


def test_a_layer_of_one_s_own_has_its_own_names():
    assert WithSuchNames(vocab_size=2, hidden_size=4).sizes == (2, 4)


def test_what_is_there_under_both_names(tmp_path):
    vectors = Vectors(["a", "b"], np.eye(2))
    vectors.save(tmp_path / "v.txt")
    assert Vectors.load_word2vec_format(tmp_path / "v.txt", binary=False) == vectors
    classifier = TextClassifier(epochs=1).fit(["a b", "c d"], [0, 1])
    texts = ["a", "d"]
    np.testing.assert_allclose(
        classifier.predict_log_proba(texts), np.log(classifier.predict_proba(texts))
    )
