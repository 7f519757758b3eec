"""N-grams hashed to buckets, beside n-grams that are kept apart."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wordrow import TextClassifier, Tokenizer, _core
from wordrow.explain import explain_text
from wordrow.text.tokenizer import tokenizer_from_json

WORDS = st.sampled_from(["a", "b", "the", "not", "good", "ein", "straßenbahnhaltestelle", "новый"])
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), min_size=1, max_size=12)
MANY = 2**31 - 1 >> 9  # so many that a few hundred n-grams hardly ever share one


def fitted(texts, **options):
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(texts)
    return tokenizer


def named(tokenizer, texts):
    return [[name for _, name in tokenizer.named_ids(text)] for text in texts]


@given(texts=TEXTS, ngrams=st.integers(2, 4), min_count=st.integers(1, 3))
def test_with_room_enough_buckets_keep_the_same_runs_of_words(texts, ngrams, min_count):
    options = {"ngrams": ngrams, "min_count": min_count}
    apart = fitted(texts, **options)
    hashed = fitted(texts, **options, buckets=MANY)
    words = [text.split() for text in texts]
    runs = {
        tuple(row[i : i + n])
        for row in words
        for n in range(2, ngrams + 1)
        for i in range(len(row) - n + 1)
    }
    assume(np.count_nonzero(hashed._vocabulary.bucket_counts()) == len(runs))  # none is shared
    assert named(hashed, texts) == named(apart, texts)
    assert hashed.n_ids == apart.n_ids
    assert list(hashed.word_index) == [word for word in apart.word_index if " " not in word]
    pairs = {pair for text in texts for pair in hashed.named_ids(text)}
    assert len(pairs) == len({i for i, _ in pairs}) == len({name for _, name in pairs})
    for text in texts:
        assert [i for i, _ in hashed.named_ids(text)] == hashed.encode([text])[0].tolist()


def test_few_buckets_are_shared():
    texts = [" ".join(f"w{i}" for i in np.random.default_rng(0).integers(0, 50, 400))]
    tokenizer = fitted(texts, ngrams=2, buckets=16)
    assert tokenizer.n_ids == 1 + len(tokenizer.word_index) + 16
    ids = tokenizer.encode(texts)[0]
    assert len(ids) == 400 + 399
    assert set(ids[400:]) == set(range(len(tokenizer.word_index) + 1, tokenizer.n_ids))


def test_counts_stop_at_255_however_the_texts_are_cut():
    texts = ["a b"] * 254 + ["c d"] * 300
    for n_threads in (1, 2, 5):
        before = _core.n_threads()
        _core.set_n_threads(n_threads)
        try:
            tokenizer = fitted(texts, ngrams=2, buckets=MANY, min_count=255)
        finally:
            _core.set_n_threads(before)
        assert named(tokenizer, ["a b", "c d"]) == [[], ["c", "d", "c d"]]
    tokenizer.fit_on_texts(["a b"])
    assert named(tokenizer, ["a b"]) == [["a", "b", "a b"]]


def test_saved_tokenizers_give_the_same_ids():
    texts = ["a good film", "not a good film", "a good day"]
    tokenizer = fitted(texts, ngrams=3, buckets=1000, min_count=2)
    expected = tokenizer.texts_to_sequences(texts)
    assert max(max(ids) for ids in expected) == tokenizer.n_ids - 1
    for again in (
        tokenizer_from_json(tokenizer.to_json()),
        pickle.loads(pickle.dumps(tokenizer)),
    ):
        assert again.texts_to_sequences(texts) == expected
        again.fit_on_texts(["a bad film", "a bad film"])
        assert "a bad" in named(again, ["a bad film"])[0]


def test_a_changed_word_index_leaves_the_buckets():
    texts = ["a good film", "a good day"]
    tokenizer = fitted(texts, ngrams=2, buckets=1000, min_count=2)
    assert named(tokenizer, texts[:1]) == [["a", "good", "a good"]]
    tokenizer.word_index["film"] = 7
    assert tokenizer.named_ids(texts[0]) == [(1, "a"), (2, "good"), (7, "film"), (8, "a good")]


def test_a_classifier_with_buckets_is_saved_and_explained(tmp_path):
    texts = ["not good at all", "good indeed", "not bad at all", "bad indeed"] * 3
    labels = ["no", "yes", "yes", "no"] * 3
    classifier = TextClassifier(ngrams=2, buckets=5000, seed=1).fit(texts, labels)
    assert classifier.predict(texts[:4]).tolist() == labels[:4]
    path = tmp_path / "model.safetensors"
    classifier.save(path)
    again = TextClassifier.load(path)
    assert (again.predict_proba(texts) == classifier.predict_proba(texts)).all()
    explanation = explain_text(again, "not good")
    assert [part.word for part in explanation.contributions] == ["not", "good", "not good"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"buckets": 0, "ngrams": 2}, "`buckets` must be a whole number above 0"),
        ({"buckets": 2**31, "ngrams": 2}, "below 2"),
        ({"buckets": 1.5, "ngrams": 2}, "received 1.5"),
        ({"buckets": 100}, "ngrams=2 or more"),
        ({"buckets": 100, "ngrams": 2, "min_count": 256}, "min_count of at most 255"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer(**options)


def test_damaged_json_is_refused():
    good = fitted(["a b"], ngrams=2, buckets=1000).to_json()
    for old, new in [
        ('"buckets": 1000', '"buckets": 999'),
        ('"bucket_counts": "', '"bucket_counts": "A'),
    ]:
        assert old in good
        with pytest.raises(ValueError, match="expected the JSON"):
            tokenizer_from_json(good.replace(old, new))
