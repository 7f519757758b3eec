"""A table with rows from elsewhere, rows that stay, and vocabularies that grow."""

import numpy as np
import pytest

import wordrow
from wordrow import (
    LSTM,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Sequential,
    TextClassifier,
    Tokenizer,
    load_model,
    pad_sequences,
)
from wordrow.nn.train import loop
from wordrow.vectors import Subwords, Vectors

TEXTS = ["the fine film", "a dull film", "Paris is fine", "the dull plto", "fine fine film"] * 4
LABELS = np.array([1, 0, 1, 0, 1] * 4)
KNOWN = ["the", "fine", "film", "dull", "Paris", "plot"]


@pytest.fixture
def tokenizer():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    subwords = Subwords(min_n=3, max_n=4, table=rng.random((40, 8), np.float32))
    return Vectors(KNOWN, rng.standard_normal((6, 8)), subwords=subwords)


def ids_of(tokenizer, texts=TEXTS):
    return pad_sequences(tokenizer.texts_to_sequences(texts), 4)


def model_of(layer, *, kind="mean", optimizer="adam"):
    middle = {"mean": GlobalAveragePooling1D, "max": GlobalMaxPooling1D}.get(kind)
    model = Sequential([layer, middle() if middle else LSTM(3), Dense(1, activation="sigmoid")])
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


# ---- rows from elsewhere ----------------------------------------------------


def test_words_get_the_rows_that_they_have_elsewhere(tokenizer, vectors):
    layer = Embedding.from_vectors(vectors, tokenizer, mask_zero=True, name="words")
    table = layer(np.arange(tokenizer.n_ids)[None])[0]
    index = tokenizer.word_index
    for word in ("the", "fine", "film", "dull"):
        assert (table[index[word]] == vectors[word]).all()
    assert not table[0].any()
    assert layer.name == "words"
    assert layer.mask_zero
    coverage = layer.coverage
    assert (coverage.n_words, coverage.n_found, coverage.n_exact) == (8, 4, 4)
    assert coverage.missing == [("a", 4), ("paris", 4), ("is", 4), ("plto", 4)]
    assert coverage.misspelled == {"plto": ["plot"]}
    assert "4 of 8 words have rows (50.0%), which are 73.3% of the text" in str(coverage)
    assert "likely misspellings: 1: plto (plot)" in str(coverage)


def test_case_may_be_folded(tokenizer, vectors):
    layer = Embedding.from_vectors(vectors, tokenizer, case="fallback")
    row = layer(np.array([tokenizer.word_index["paris"]]))[0]
    assert (row == vectors["Paris"]).all()
    assert layer.coverage.folded == {"paris": "Paris"}
    assert "found after case folding: 1: paris (Paris)" in str(layer.coverage)


@pytest.mark.parametrize("missing", ["uniform", "mean", "subword", "zeros"])
def test_what_missing_words_begin_with(missing, tokenizer, vectors):
    wordrow.set_random_seed(1)
    layer = Embedding.from_vectors(vectors, tokenizer, missing=missing)
    row = layer(np.array([tokenizer.word_index["plto"]]))[0]
    found = vectors.table[:4]
    if missing == "uniform":
        assert row.any()
        assert np.abs(row).max() <= np.sqrt(3 * found.var()) + 1e-6
        again = Embedding.from_vectors(vectors, tokenizer)
        assert (again(np.array([tokenizer.word_index["plto"]]))[0] != row).any()
    else:
        expected = {"mean": found.mean(axis=0), "subword": vectors["plto"], "zeros": np.zeros(8)}[
            missing
        ]
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_an_oov_token_and_num_words(vectors):
    tokenizer = Tokenizer(4, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    layer = Embedding.from_vectors(vectors, tokenizer, missing="zeros")
    assert layer.input_dim == 4
    table = layer(np.arange(4)[None])[0]
    assert not table[1].any()  # "?"
    for word in ("fine", "film"):
        assert (table[tokenizer.word_index[word]] == vectors[word]).all()


def test_what_cannot_be(tokenizer, vectors):
    plain = Vectors(["fine"], [[1, 2]])
    with pytest.raises(ValueError, match="missing='subword' needs vectors with sub-words"):
        Embedding.from_vectors(plain, tokenizer, missing="subword")
    with pytest.raises(ValueError, match="`missing` must be one of"):
        Embedding.from_vectors(vectors, tokenizer, missing="random")
    with pytest.raises(ValueError, match="`case` must be one of"):
        Embedding.from_vectors(vectors, tokenizer, case="lower")
    with pytest.raises(ValueError, match="`trainable` must be True, False or 'missing'"):
        Embedding.from_vectors(vectors, tokenizer, trainable="found")
    with pytest.raises(ValueError, match="the tokenizer has no words"):
        Embedding.from_vectors(vectors, Tokenizer())


# ---- rows that stay ---------------------------------------------------------


OPTIMIZERS = [
    "adam",
    "sgd",
    "adagrad",
    "rmsprop",
    "adamw",
    "adadelta",
    "lazyadam",
    wordrow.optimizers.SGD(0.1, momentum=0.9),
]


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [*(("mean", one) for one in OPTIMIZERS), ("max", "adam"), ("lstm", "adam")],
    ids=str,
)
def test_rows_that_were_found_stay_bit_for_bit(kind, optimizer, tokenizer, vectors):
    wordrow.set_random_seed(2)
    layer = Embedding.from_vectors(vectors, tokenizer, trainable="missing", mask_zero=kind != "max")
    model = model_of(layer, kind=kind, optimizer=optimizer)
    ids = ids_of(tokenizer)
    model.predict(ids)
    before = layer.get_weights()[0]
    model.fit(ids, LABELS, epochs=5, batch_size=4, verbose=0)
    after = layer.get_weights()[0]
    fixed = layer.fixed_rows
    assert fixed.sum() == 5  # padding, and four words
    assert (before[fixed].view(np.int32) == after[fixed].view(np.int32)).all()
    assert (before[~fixed] != after[~fixed]).any(axis=1).all()


def test_the_rest_learns_what_it_would_without(tokenizer, vectors):
    """Under SGD a free row takes the same first step whether or not others are fixed."""
    tables = []
    for trainable in (True, "missing"):
        wordrow.set_random_seed(3)
        layer = Embedding.from_vectors(vectors, tokenizer, trainable=trainable)
        model = model_of(layer, optimizer="sgd")
        model.fit(ids_of(tokenizer), LABELS, epochs=1, batch_size=20, verbose=0, shuffle=False)
        tables.append((layer.fixed_rows, layer.get_weights()[0]))
    free = ~tables[1][0]
    np.testing.assert_allclose(tables[0][1][free], tables[1][1][free], rtol=1e-6)


def test_the_core_and_jax_agree_with_fixed_rows(tokenizer, vectors, monkeypatch):
    tables = []
    for alone in (True, False):
        if not alone:
            monkeypatch.setattr(loop, "fused_engine", lambda *_: None)
        wordrow.set_random_seed(4)
        layer = Embedding.from_vectors(vectors, tokenizer, trainable="missing", mask_zero=True)
        model = model_of(layer)
        model.fit(ids_of(tokenizer), LABELS, epochs=4, batch_size=8, verbose=0, shuffle=False)
        tables.append(model.get_weights())
    for ours, theirs in zip(*tables, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_a_frozen_table_is_trained_around_without_jax(tokenizer, vectors):
    wordrow.set_random_seed(5)
    layer = Embedding.from_vectors(vectors, tokenizer, trainable=False, mask_zero=True)
    model = model_of(layer)
    model.predict(ids_of(tokenizer))
    before = model.get_weights()
    model.fit(ids_of(tokenizer), LABELS, epochs=3, verbose=0)
    assert model.training.jax_engine is None
    after = model.get_weights()
    assert (before[0] == after[0]).all()
    assert (before[1] != after[1]).any()


def test_fixed_rows_by_number_are_kept_by_files(tmp_path, tokenizer):
    layer = Embedding(tokenizer.n_ids, 4, fixed_rows=[0, 2])
    model = model_of(layer)
    model.fit(ids_of(tokenizer), LABELS, epochs=1, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert np.flatnonzero(again.layers[0].fixed_rows).tolist() == [0, 2]
    before = again.layers[0].get_weights()[0]
    again.fit(ids_of(tokenizer), LABELS, epochs=1, verbose=0)
    moved = (before != again.layers[0].get_weights()[0]).any(axis=1)
    assert not moved[[0, 2]].any()
    assert moved[1]
    for wrong in ([1.5], [99], [-1], np.ones(3, bool), [[1]]):
        with pytest.raises(ValueError, match="`fixed_rows` must be"):
            Embedding(5, 2, fixed_rows=wrong)


def test_rows_that_are_fixed_later_forget_their_moments(tokenizer):
    layer = Embedding(tokenizer.n_ids, 4)
    model = model_of(layer, kind="lstm")
    ids = ids_of(tokenizer)
    model.fit(ids, LABELS, epochs=2, batch_size=4, verbose=0)
    layer.fixed_rows = np.arange(tokenizer.n_ids) % 2 == 0
    before = layer.get_weights()[0]
    model.fit(ids, LABELS, epochs=2, batch_size=4, verbose=0)
    after = layer.get_weights()[0]
    assert (before[::2] == after[::2]).all()
    assert (before[1::2] != after[1::2]).any(axis=1).all()


# ---- words and rows that come later -----------------------------------------


def test_a_tokenizer_grows_behind_its_words(tokenizer):
    before = dict(tokenizer.word_index)
    n_documents = tokenizer.document_count
    assert tokenizer.grow(["brand new words, new and fine", "new"]) == 4
    assert {w: i for w, i in tokenizer.word_index.items() if w in before} == before
    assert tokenizer.word_index["new"] == len(before) + 1  # the most frequent first
    assert tokenizer.word_counts["fine"] == 17
    assert tokenizer.document_count == n_documents + 2
    assert tokenizer.grow(["new"]) == 0
    assert tokenizer.texts_to_sequences(["the new film"]) == [
        [before["the"], len(before) + 1, before["film"]]
    ]
    limited = Tokenizer(4)
    limited.fit_on_texts(TEXTS)
    kept = [w for w, i in limited.word_index.items() if i < 4]
    assert limited.grow(["plto new plto"]) == 2
    assert limited.num_words == 6
    assert limited.texts_to_sequences([f"{kept[0]} plto new is"]) == [[1, 4, 5]]
    rare = Tokenizer(min_count=3)
    rare.fit_on_texts(["a a a b b"])
    assert rare.grow(["b c"]) == 1
    assert rare.word_index == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="ngrams=2"):
        Tokenizer(ngrams=2).grow(["a"])
    tokenizer.word_index = {"a": 1}
    with pytest.raises(ValueError, match="edited"):
        tokenizer.grow(["a"])


@pytest.mark.parametrize(
    ("kind", "optimizer"), [("mean", "adam"), ("mean", "adagrad"), ("lstm", "adam")]
)
def test_growing_keeps_all_that_was_learned(kind, optimizer, tokenizer):
    """A model that has grown goes on as one that has not, where new words are not used."""
    outcomes = []
    ids = ids_of(tokenizer)
    n_before = tokenizer.n_ids
    for grows in (False, True):
        wordrow.set_random_seed(6)
        model = model_of(
            Embedding(n_before, 4, mask_zero=True, name="table"), kind=kind, optimizer=optimizer
        )
        model.fit(ids, LABELS, epochs=2, batch_size=8, verbose=0)
        if grows:
            grown = Tokenizer()
            grown.fit_on_texts(TEXTS)
            grown.grow(["brand new words"])
            assert model.grow_vocabulary(grown) == 3
            assert model.grow_vocabulary(grown) == 0
        model.fit(ids, LABELS, epochs=2, batch_size=8, verbose=0)
        weights = model.get_weights()
        outcomes.append([weights[0][:n_before], *weights[1:]])
    for a, b in zip(*outcomes, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    assert model.predict(ids_of(grown, ["brand new words"])).shape == (1, 1)
    model.fit(ids_of(grown, ["brand new words"] * 4), LABELS[:4], epochs=1, verbose=0)


@pytest.mark.parametrize("kind", ["mean", "lstm"])
def test_a_table_that_two_models_share_grows_for_both(kind, tokenizer, tmp_path):
    layer = Embedding(tokenizer.n_ids, 4, mask_zero=True, name="table")
    models = [model_of(layer, kind=kind), model_of(layer, kind=kind)]
    for model in models:
        model.fit(ids_of(tokenizer), LABELS, epochs=1, verbose=0)
    tokenizer.grow(["brand new words"])
    assert [model.grow_vocabulary(tokenizer) for model in models] == [3, 0]
    before = layer.get_weights()[0]
    models[1].save(tmp_path / "grown.safetensors")
    again = load_model(tmp_path / "grown.safetensors")
    for model in (*models, again):
        model.fit(ids_of(tokenizer, ["brand new words"] * 4), LABELS[:4], epochs=1, verbose=0)
    assert (layer.get_weights()[0] != before).any(axis=1)[-3:].all()
    assert again.step == models[1].step


def test_new_words_may_take_their_rows_from_elsewhere(tokenizer, vectors):
    wordrow.set_random_seed(7)
    layer = Embedding.from_vectors(vectors, tokenizer, trainable="missing", mask_zero=True)
    model = model_of(layer)
    model.fit(ids_of(tokenizer), LABELS, epochs=1, verbose=0)
    tokenizer.grow(["a plot unseenword"])
    assert model.grow_vocabulary(tokenizer, vectors, missing="subword") == 2
    table = layer.get_weights()[0]
    assert (table[tokenizer.word_index["plot"]] == vectors["plot"]).all()
    assert (table[tokenizer.word_index["unseenword"]] == vectors["unseenword"]).all()
    assert layer.fixed_rows[tokenizer.word_index["plot"]]
    assert not layer.fixed_rows[tokenizer.word_index["unseenword"]]
    found = model.vectors(tokenizer)
    assert (found["plot"] == vectors["plot"]).all()
    tokenizer.grow(["more"])
    with pytest.raises(ValueError, match="`missing` must be one of uniform, mean"):
        model.grow_vocabulary(tokenizer, missing="typo")
    with pytest.raises(ValueError, match="missing='subword' needs `vectors`"):
        model.grow_vocabulary(tokenizer, missing="subword")
    with pytest.raises(ValueError, match="`vectors` must have rows of 8 numbers"):
        model.grow_vocabulary(tokenizer, Vectors(["more"], [[1]]))
    with pytest.raises(ValueError, match="Call model.grow_vocabulary"):
        model.vectors(tokenizer)


def test_the_trained_table_as_vectors(tokenizer):
    layer = Embedding(tokenizer.n_ids, 4, name="table")
    model = model_of(layer)
    before = model.vectors(tokenizer)
    model.fit(ids_of(tokenizer), LABELS, epochs=20, verbose=0)
    after = model.vectors(tokenizer)
    assert list(after) == [w for w, _ in sorted(tokenizer.word_index.items(), key=lambda p: p[1])]
    assert (after["fine"] == layer.get_weights()[0][tokenizer.word_index["fine"]]).all()
    assert before.drift(after, 1)[0].distance > 0
    with pytest.raises(TypeError, match="expected a Tokenizer; received"):
        model.vectors(["fine"])
    with pytest.raises(ValueError, match=r"name of one of the Embeddings .*\['table'\]"):
        model.vectors(tokenizer, layer="other")


def test_a_classifiers_vectors():
    classifier = TextClassifier(seed=1, ngrams=1).fit(TEXTS, LABELS.astype(str))
    vectors = classifier.vectors
    assert "fine" in vectors
    table = classifier.model_.layers[0].get_weights()[0]
    assert (vectors["fine"] == table[classifier.tokenizer.word_index["fine"]]).all()
    assert vectors.similarity("fine", "the") < 1
