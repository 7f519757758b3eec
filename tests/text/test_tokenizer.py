"""The Tokenizer against Keras's own, on made-up texts, real texts and edge cases."""

import copy
import json
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.legacy.preprocessing import text as keras_text

import reference
import wordrow
from wordrow import Tokenizer
from wordrow.errors import TextTypeError

ALPHABET = "abAB ,.!?'\t\n\r-_\u00a0\u3000éÉßİΣσς“”字\U0001f600\ud800|"
TEXTS = st.lists(st.text(alphabet=ALPHABET, max_size=30), max_size=6)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "num_words": st.sampled_from([None, 0, 1, 2, 3, 100]),
        "filters": st.sampled_from(["", "!,.", "aé\u3000", "İ\u0307i", "A B"]),
        "lower": st.booleans(),
        "split": st.sampled_from([" ", ",", "||", "字", "ab", "!"]),
        "char_level": st.booleans(),
        "oov_token": st.sampled_from([None, "<OOV>", "a", "ab"]),
    },
)
DOCUMENTS = st.lists(
    st.one_of(
        st.text(alphabet=ALPHABET, max_size=30),
        st.lists(st.text(alphabet=ALPHABET, max_size=5), max_size=6),
    ),
    max_size=6,
)


def both(settings):
    return Tokenizer(**settings), keras_text.Tokenizer(**settings)


def assert_same(ours, theirs):
    assert ours.word_index == theirs.word_index
    assert list(ours.word_index) == list(theirs.word_index)
    assert ours.index_word == theirs.index_word
    assert list(ours.word_counts.items()) == list(theirs.word_counts.items())
    assert ours.word_docs == theirs.word_docs
    assert ours.index_docs == theirs.index_docs
    assert ours.document_count == theirs.document_count


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS, SETTINGS)
def test_fit_and_encode_as_keras(first, second, unseen, settings):
    ours, theirs = both(settings)
    for documents in (first, second):
        ours.fit_on_texts(documents)
        theirs.fit_on_texts(documents)
        assert_same(ours, theirs)
    everything = first + second + unseen
    sequences = theirs.texts_to_sequences(everything)
    if ours.word_index or not ours.oov_token:
        assert ours.texts_to_sequences(everything) == sequences
        assert list(ours.texts_to_sequences_generator(iter(everything))) == sequences
        assert ours.sequences_to_texts(sequences) == theirs.sequences_to_texts(sequences)


@given(DOCUMENTS, SETTINGS)
def test_json_both_ways(documents, settings):
    ours, theirs = both(settings)
    ours.fit_on_texts(documents)
    theirs.fit_on_texts(documents)
    from_ours = keras_text.tokenizer_from_json(ours.to_json())
    from_theirs = wordrow.tokenizer_from_json(theirs.to_json(indent=2))
    assert from_ours.word_index == theirs.word_index
    assert_same(from_theirs, theirs)
    assert (
        json.loads(ours.to_json())["config"].keys() == json.loads(theirs.to_json())["config"].keys()
    )
    if theirs.word_index:
        assert from_theirs.texts_to_sequences(documents) == theirs.texts_to_sequences(documents)
    for fitted in (from_theirs, theirs):
        fitted.fit_on_texts(["a b c"])
    assert_same(from_theirs, theirs)


@given(TEXTS, SETTINGS, st.sampled_from(["binary", "count", "freq", "tfidf"]))
def test_matrices_as_keras(texts, settings, mode):
    ours, theirs = both(settings)
    ours.fit_on_texts(texts)
    theirs.fit_on_texts(texts)
    try:
        expected = theirs.texts_to_matrix(texts, mode)
    except (ValueError, TypeError):
        return
    result = ours.texts_to_matrix(texts, mode)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=1e-12)


@given(TEXTS)
def test_reference_agrees_with_keras(texts):
    for text in texts:
        filters = "!,. \t"
        assert reference.words(text, filters=filters) == keras_text.text_to_word_sequence(
            text, filters
        )


def test_real_texts_as_keras(data, n_threads):
    with open(data / "imdb_train.tsv", encoding="utf-8", newline="\n") as file:
        texts = [line.rstrip("\n").split("\t", 1)[1] for line in (next(file) for _ in range(2000))]
    ours, theirs = both({"num_words": 5000, "oov_token": "<OOV>"})
    ours.fit_on_texts(texts)
    theirs.fit_on_texts(texts)
    assert_same(ours, theirs)
    assert ours.texts_to_sequences(texts) == theirs.texts_to_sequences(texts)


def test_numbers_of_threads_change_nothing(n_threads, rng):
    vocabulary = [f"w{i}" for i in range(300)] + [
        "a rather long word beyond fifteen bytes" + str(i) for i in range(9)
    ]
    texts = [[vocabulary[i] for i in rng.zipf(1.3, 40) % len(vocabulary)] for _ in range(700)]
    tokenizer = Tokenizer(split="|", ngrams=3, min_count=2)
    tokenizer.fit_on_texts(texts)
    index = reference.ngram_index(texts, ngrams=3, min_count=2)
    assert tokenizer.word_index == {"|".join(gram): i for gram, i in index.items()}
    expected = [
        [index[gram] for gram in reference.word_ngrams(tokens, 3) if gram in index]
        for tokens in texts
    ]
    assert tokenizer.encode(texts).to_lists() == expected


@given(
    st.lists(st.lists(st.sampled_from("abcd"), max_size=8), max_size=6),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_ngrams_as_the_reference(documents, ngrams, min_count):
    tokenizer = Tokenizer(ngrams=ngrams, min_count=min_count)
    for half in (documents[::2], documents[1::2]):  # counts accumulate over fits
        tokenizer.fit_on_texts(half)
    index = reference.ngram_index(
        documents[::2] + documents[1::2], ngrams=ngrams, min_count=min_count
    )
    assert {tuple(k.split(" ")): i for k, i in tokenizer.word_index.items()} == index
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.encode(documents).to_lists() == tokenizer.encode(documents).to_lists()
    assert wordrow.tokenizer_from_json(tokenizer.to_json()).word_index == tokenizer.word_index


def test_the_questions_steps():
    texts = ["This is a text", "This is not a text"]
    tokenizer = Tokenizer(10)
    tokenizer.fit_on_texts(texts)
    padded = wordrow.pad_sequences(tokenizer.texts_to_sequences(texts), 6)
    assert padded.tolist() == [[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]]


def test_generators_are_read_in_portions_and_all_is_counted():
    n = 40_000
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(f"a w{i % 7}" for i in range(n))
    assert tokenizer.word_counts["a"] == tokenizer.document_count == n
    ragged = tokenizer.encode(f"a w{i % 7}" for i in range(n))
    assert len(ragged) == n
    assert ragged[n - 1].tolist() == tokenizer.texts_to_sequences([f"a w{(n - 1) % 7}"])[0]


def test_a_bare_string_is_its_characters():
    ours, theirs = both({})
    ours.fit_on_texts("abca")
    theirs.fit_on_texts("abca")
    assert_same(ours, theirs)


def test_tokens_that_are_no_strings():
    ours, theirs = both({"lower": False})
    documents = [[1, 2, 2], ["a", 2, None], [(3, 4), True]]
    ours.fit_on_texts(documents)
    theirs.fit_on_texts(documents)
    assert ours.word_index == theirs.word_index
    assert ours.texts_to_sequences([[2, 9, (3, 4)]]) == theirs.texts_to_sequences([[2, 9, (3, 4)]])
    assert pickle.loads(pickle.dumps(ours)).texts_to_sequences([[2]]) == [[ours.word_index[2]]]


def test_analyzer_bypasses_lower_and_filters():
    analyzer = str.split
    ours, theirs = both({"analyzer": analyzer})
    texts = ["A b, a", "b, B"]
    ours.fit_on_texts([*texts, ["Ready", "A"]])
    theirs.fit_on_texts([*texts, ["Ready", "A"]])
    assert_same(ours, theirs)
    assert ours.texts_to_sequences(texts) == theirs.texts_to_sequences(texts)


def test_edited_tables_are_followed():
    for edit in (
        lambda t: t.word_index.pop("b"),
        lambda t: t.word_index.update(z=9),
        lambda t: setattr(t, "word_index", {w: i for w, i in t.word_index.items() if i < 3}),
        lambda t: t.word_counts.pop("a"),
        lambda t: t.index_word.update({1: "one"}),
        lambda t: t.word_counts.popitem(last=False),
        lambda t: setattr(t, "num_words", 2),
        lambda t: setattr(t, "num_words", 2.5),
        lambda t: setattr(t, "num_words", 2**40),
        lambda t: t.word_index.update({"q": 0}),
        lambda t: t.word_index.update({"q": -3, "a": 0}),
    ):
        ours, theirs = both({"oov_token": "?"})
        for tokenizer in (ours, theirs):
            tokenizer.fit_on_texts(["a b c a", "b z a"])
            edit(tokenizer)
        sequences = theirs.texts_to_sequences(["a b c z q"])
        assert ours.texts_to_sequences(["a b c z q"]) == sequences
        assert ours.sequences_to_texts(sequences) == theirs.sequences_to_texts(sequences)
    ours.fit_on_texts(["z z z z"])
    theirs.fit_on_texts(["z z z z"])
    assert ours.word_index == theirs.word_index


class Wrapped(Tokenizer):
    """As tutorials write it: a constructor of its own, and attributes."""

    def __init__(self, texts, padding):
        super().__init__(num_words=5)
        self.padding, self._mine = padding, 2
        self.fit_on_texts(texts)
        self.word_index["<pad>"] = 0
        self.index_word[0] = "<pad>"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_subclasses_and_their_attributes_come_back(again):
    tokenizer = again(Wrapped(["a b", "a <pad> c"], "post"))
    assert (tokenizer.padding, tokenizer._mine, tokenizer.num_words) == ("post", 2, 5)
    assert tokenizer.word_index["<pad>"] == 0
    assert tokenizer.texts_to_sequences([["a", "<pad>"]]) == [[1, 0]]
    tokenizer.fit_on_texts(["d"])
    assert "<pad>" not in tokenizer.word_counts


def test_edited_counts_are_counted_on():
    ours, theirs = both({})
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(["a b", "b c"])
        tokenizer.word_counts["c"] += 5
        tokenizer.fit_on_texts(["a"])
    assert_same(ours, theirs)


def test_fit_on_sequences_as_keras():
    ours, theirs = both({"num_words": 6})
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_sequences([[1, 2, 2], [2, 5]])
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(
            ours.sequences_to_matrix([[1, 2, 2, 9], []], mode),
            theirs.sequences_to_matrix([[1, 2, 2, 9], []], mode),
        )
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(["a b a", "b"])
        tokenizer.fit_on_sequences([[1], [7]])
    assert ours.index_docs == theirs.index_docs


def test_arguments_of_old_versions():
    with pytest.warns(UserWarning, match="num_words"):
        assert Tokenizer(nb_words=5).num_words == 5
    assert Tokenizer(document_count=3).document_count == 3
    with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
        Tokenizer(words=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert copy.deepcopy(Tokenizer(5)).num_words == 5


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", None], "text 1: expected a string or a list of tokens, received None"),
        (["a", "b", ("c",)], "text 2: expected a string .* received .*tuple"),
        ([b"a"], "text 0: .* received b'a' .bytes."),
        ([["a", 1]], "text 0 is a list of tokens, and one of them is of type int.*lower=False"),
        (3, "texts must be a list, an iterator or an Arrow column of strings; received 3"),
    ],
)
def test_what_is_no_text_is_named(texts, message):
    for call in (Tokenizer().fit_on_texts, Tokenizer().encode):
        with pytest.raises(TextTypeError, match=message):
            call(texts)
    with pytest.raises(AttributeError):  # what Keras lets through
        Tokenizer().fit_on_texts(texts)


def test_rows_of_a_generator_are_counted_from_its_start():
    with pytest.raises(TextTypeError, match="text 16390"):
        Tokenizer().fit_on_texts("a" if i != 16390 else None for i in range(20_000))


def test_a_failed_fit_counts_nothing():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["a b"])
    with pytest.raises(TextTypeError):
        tokenizer.fit_on_texts(["c", None])
    assert tokenizer.word_counts == {"a": 1, "b": 1}
    assert tokenizer.document_count == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tokenizer(split="").fit_on_texts(["a"]), "empty separator"),
        (lambda: Tokenizer(ngrams=0), "`ngrams` must be from 1"),
        (lambda: Tokenizer(ngrams=2, char_level=True), "`ngrams` are of words"),
        (lambda: Tokenizer(min_count=0), "`min_count` must be at least 1"),
        (lambda: Tokenizer().texts_to_matrix(["a"]), "Specify a dimension"),
        (lambda: Tokenizer(5).texts_to_matrix(["a"], "tfidf"), "Fit the Tokenizer"),
        (lambda: Tokenizer(5).sequences_to_matrix([[1]], "tf"), "Unknown vectorization mode: 'tf'"),
        (lambda: Tokenizer(ngrams=2).fit_on_texts([["a b"]]), "text 0: .* must not hold ' '"),
        (lambda: wordrow.tokenizer_from_json("[]"), "expected the JSON of Tokenizer.to_json"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_white_space_split_deletes_filters():
    ours, theirs = both({"split": None, "filters": "!-"})
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(["a-b c!\u3000d\x1ce\u00a0f\r\n"])
    assert ours.word_index == theirs.word_index


def test_pandas_without_pyarrow(monkeypatch):
    import pandas as pd

    class Column(pd.Series):
        def __arrow_c_stream__(self, requested_schema=None):
            raise ImportError("Import pyarrow failed")

    Column.__module__ = "pandas.core.series"
    monkeypatch.setattr("wordrow.text.source.find_spec", lambda name: None)
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(Column(["a b", "b"], dtype="str"))
    assert tokenizer.word_index == {"b": 1, "a": 2}
