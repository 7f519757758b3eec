import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.base
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

import wordrow
from wordrow import TextClassifier, _core, load_model, store
from wordrow.errors import FileFormatError, TextTypeError
from wordrow.explain import explain_text

POSITIVE = ["fine", "lovely", "great", "superb", "a joy"]
NEGATIVE = ["dull", "awful", "boring", "poor", "a bore"]
NOUNS = ["film", "plot", "acting", "story", "ending"]


def reviews(n=200, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    texts = [
        f"the {rng.choice(NOUNS)} was {rng.choice(POSITIVE if y else NEGATIVE)}" for y in labels
    ]
    return texts, np.array(["bad", "good"])[labels]


def topics(n=150):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, n)
    words = [["ball", "goal"], ["vote", "law"], ["star", "planet"]]
    texts = [f"{rng.choice(words[y])} {rng.choice(NOUNS)} {rng.choice(words[y])}" for y in labels]
    return texts, labels * 10


@pytest.fixture(scope="module")
def fitted():
    return TextClassifier(seed=1).fit(*reviews())


def test_two_classes(fitted):
    texts, labels = reviews(seed=2)
    assert fitted.score(texts, labels) == 1.0
    assert fitted.classes_.tolist() == ["bad", "good"]
    p = fitted.predict_proba(texts)
    assert p.shape == (200, 2)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    scores = fitted.decision_function(texts)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), p[:, 1], atol=1e-6)
    assert (fitted.predict(texts) == np.where(scores > 0, "good", "bad")).all()
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]


def test_many_classes_with_numbers_for_labels():
    texts, labels = topics()
    classifier = TextClassifier(seed=1, ngrams=2).fit(texts, labels)
    assert classifier.classes_.tolist() == [0, 10, 20]
    assert classifier.predict(texts).dtype == labels.dtype
    assert classifier.score(texts, labels) == 1.0
    scores = classifier.decision_function(texts)
    assert scores.shape == (150, 3)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        powers / powers.sum(axis=1, keepdims=True), classifier.predict_proba(texts), atol=1e-6
    )


def test_the_model_is_the_same_model_as_a_sequential(fitted):
    texts, _ = reviews(seed=3)
    padded = fitted.tokenizer.encode(texts).pad(30)
    from_padded = fitted.model_.predict(padded.ids)
    np.testing.assert_allclose(from_padded[:, 0], fitted.predict_proba(texts)[:, 1], atol=1e-6)
    kinds = [type(layer).__name__ for layer in fitted.model_.layers]
    assert kinds == ["Embedding", "GlobalAveragePooling1D", "Dense"]
    assert len(fitted.model_.get_weights()[0]) == len(fitted.tokenizer.word_index) + 1


def test_batched_equals_single(fitted):
    texts, _ = reviews(50, seed=4)
    together = fitted.predict_proba(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(fitted.predict_proba([text])[0], row, atol=1e-6)


def test_texts_without_known_words_are_answered(fitted):
    p = fitted.predict_proba(["", "zzz qqq"])
    assert np.isfinite(p).all()
    np.testing.assert_array_equal(p[0], p[1])
    assert fitted.predict_proba([]).shape == (0, 2)


def test_the_same_seed_gives_the_same_bits():
    texts, labels = reviews(300)
    before, results = _core.n_threads(), []
    try:
        for n in (1, 2, 2):
            _core.set_n_threads(n)
            classifier = TextClassifier(seed=5, ngrams=2, validation_split=0.2, epochs=3)
            classifier.fit(texts, labels)
            results.append([w.tobytes() for w in classifier.model_.get_weights()])
    finally:
        _core.set_n_threads(before)
    assert results[0] == results[1] == results[2]
    other = TextClassifier(seed=6, ngrams=2, epochs=3).fit(texts, labels)
    assert other.model_.get_weights()[1].tobytes() != results[0][1]


def test_arrow_columns_and_iterators():
    texts, labels = reviews()
    frame = pl.DataFrame({"text": texts, "label": labels})
    expected = TextClassifier(seed=1).fit(texts, labels).predict_proba(texts)
    columns = TextClassifier(seed=1).fit(frame["text"], frame["label"])
    np.testing.assert_array_equal(columns.predict_proba(frame["text"]), expected)
    lazy = TextClassifier(seed=1).fit(iter(texts), iter(labels.tolist()))
    np.testing.assert_array_equal(lazy.predict_proba(iter(texts)), expected)


def test_early_stopping_keeps_the_best_rows():
    texts, labels = reviews(100)
    noisy = np.where(np.random.default_rng(0).random(100) < 0.4, labels[::-1], labels)
    classifier = TextClassifier(
        seed=1, validation_split=0.3, epochs=60, learning_rate=0.1, patience=2
    ).fit(texts, noisy)
    losses = classifier.history_["val_loss"]
    assert len(losses) < 60
    assert len(losses) == int(np.argmin(losses)) + 3
    assert classifier.history_.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_partial_fit_goes_on():
    texts, labels = reviews(400)
    classifier = TextClassifier(seed=1, learning_rate=0.1, batch_size=10)
    classifier.partial_fit(texts[:100], labels[:100], classes=["bad", "good", "odd"])
    first = classifier.model_.get_weights()[0]
    for start in range(100, 400, 100):
        classifier.partial_fit(texts[start : start + 100], labels[start : start + 100])
    assert not np.array_equal(first, classifier.model_.get_weights()[0])
    assert classifier.predict_proba(texts[:1]).shape == (1, 3)
    assert classifier.score(texts, labels) > 0.95
    with pytest.raises(ValueError, match="label 0 is 'new'.*not one of the classes"):
        classifier.partial_fit(["fine"], ["new"])
    classifier.partial_fit([], [])


def test_a_loaded_classifier_learns_on(fitted, tmp_path):
    fitted.save(tmp_path / "m")
    loaded = TextClassifier.load(tmp_path / "m")
    before = loaded.predict_proba(["the film was dull"])
    loaded.partial_fit(["the film was dull"] * 30, ["good"] * 30)
    assert loaded.predict_proba(["the film was dull"])[0, 1] > before[0, 1]
    np.testing.assert_array_equal(fitted.predict_proba(["the film was dull"]), before)


# ---- scikit-learn ---------------------------------------------------------


def test_it_is_an_estimator():
    texts, labels = reviews()
    classifier = TextClassifier(dim=4, seed=1, verbose=False)
    assert sklearn.base.is_classifier(classifier)
    assert sklearn.base.clone(classifier).get_params() == classifier.get_params()
    assert (cross_val_score(classifier, texts, labels, cv=3) > 0.9).all()
    pipeline = Pipeline([("same", FunctionTransformer()), ("model", classifier)])
    assert pipeline.fit(texts, labels).score(texts, labels) == 1.0
    check_is_fitted(pipeline)
    search = GridSearchCV(classifier, {"dim": [2, 4], "ngrams": [1, 2]}, n_jobs=2, cv=2)
    search.fit(texts, labels)
    assert search.best_score_ > 0.9
    assert search.best_estimator_.predict(["the film was dull"]).tolist() == ["bad"]
    assert repr(classifier) == "TextClassifier(dim=4, seed=1, verbose=False)"


def test_params():
    classifier = TextClassifier()
    assert classifier.set_params(dim=3).dim == 3
    with pytest.raises(ValueError, match="no parameter .'dims'"):
        classifier.set_params(dims=3)


def test_pickles_go_through_the_same_bytes(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    texts, _ = reviews(20, seed=9)
    np.testing.assert_array_equal(again.predict_proba(texts), fitted.predict_proba(texts))
    assert pickle.loads(pickle.dumps(TextClassifier(dim=3))).dim == 3


# ---- files ----------------------------------------------------------------


def test_a_new_process_predicts_the_same_bits(fitted, tmp_path):
    first, second, answers = tmp_path / "a.safetensors", tmp_path / "b.safetensors", tmp_path / "p"
    fitted.save(first)
    code = (
        "import sys; from wordrow import TextClassifier; c = TextClassifier.load(sys.argv[1]);"
        "c.save(sys.argv[2]); p = c.predict_proba(sys.argv[4:]);"
        "open(sys.argv[3], 'wb').write(p.tobytes())"
    )
    texts = ["the film was dull", "a lovely story", ""]
    subprocess.run([sys.executable, "-c", code, first, second, answers, *texts], check=True)
    assert answers.read_bytes() == fitted.predict_proba(texts).tobytes()
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(
    "options", [{"ngrams": 3}, {"num_words": 8}, {"split": None, "lower": False}]
)
def test_every_setting_comes_back(options, tmp_path):
    texts, labels = topics()
    classifier = TextClassifier(seed=1, epochs=2, **options).fit(texts, labels)
    classifier.save(tmp_path / "m")
    loaded = TextClassifier.load(tmp_path / "m")
    assert loaded.get_params() == classifier.get_params()
    np.testing.assert_array_equal(loaded.classes_, classifier.classes_)
    assert loaded.classes_.dtype == classifier.classes_.dtype
    np.testing.assert_array_equal(loaded.predict_proba(texts), classifier.predict_proba(texts))
    if "num_words" in options:
        assert len(loaded.model_.get_weights()[0]) == 8


def repacked(data, change):
    """The bytes of a file with its config, or its tensors, changed."""
    tensors, config = store.from_bytes(data, name="x")
    tensors = dict(tensors)
    change(tensors, config)
    return store.to_bytes(tensors, config)


def set_config(*path, value):
    def change(tensors, config):
        place = config
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def drop_layer(tensors, config):
    del config["model"]["layers"][2]


CHANGES = {
    "no model": lambda tensors, config: config.pop("model"),
    "a table of 2**31 rows": set_config("model", "layers", 1, "config", "input_dim", value=2**31),
    "a layer name that is a list": set_config("model", "layers", 1, "config", "name", value=[1]),
    "another layer": set_config("model", "layers", 2, "class_name", value="GlobalMaxPooling1D"),
    "no pooling": drop_layer,
    "too few classes": set_config("classes", "labels", value=["bad"]),
    "classes of text": set_config("classes", "labels", value="ab"),
    "unsorted classes": set_config("classes", "labels", value=["good", "bad"]),
    "a class too large": set_config("classes", value={"kind": "i", "labels": [1, 2**70]}),
    "no filters": set_config("params", "filters", value=None),
    "an odd split": set_config("tokenizer", "split", value={}),
    "text for num_words": set_config("tokenizer", "num_words", value="3"),
    "too many ngrams": set_config("tokenizer", "ngrams", value=99),
    "an unknown setting": set_config("params", "odd", value=1),
    "whole numbers for rows": lambda tensors, config: tensors.update(
        {"embedding/embeddings": tensors["embedding/embeddings"].astype(np.int32)}
    ),
    "fewer rows": lambda tensors, config: tensors.update(
        {"embedding/embeddings": tensors["embedding/embeddings"][:-1]}
    ),
    "no counts": lambda tensors, config: tensors.pop("vocabulary/occurrences"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_files_are_refused(fitted, tmp_path, change):
    path = tmp_path / "m.safetensors"
    fitted.save(path)
    path.write_bytes(repacked(path.read_bytes(), CHANGES[change]))
    with pytest.raises(FileFormatError, match="m.safetensors: "):
        TextClassifier.load(path)


def test_a_failed_partial_fit_leaves_nothing(fitted):
    classifier = TextClassifier()
    for texts, labels in (([""], ["a"]), (["zzz"], ["c"])):
        with pytest.raises(ValueError, match="no word got a row|not one of the classes"):
            classifier.partial_fit(texts, labels, classes=["a", "b"])
    classifier.partial_fit(["fine", "dull"], ["a", "b"], classes=["a", "b"])
    assert classifier.tokenizer.word_index == {"fine": 1, "dull": 2}


def test_settings_of_the_next_fit_do_not_change_the_saved_model(fitted, tmp_path):
    classifier = pickle.loads(pickle.dumps(fitted)).set_params(ngrams=2, split=",", num_words=3)
    classifier.save(tmp_path / "m")
    loaded = TextClassifier.load(tmp_path / "m")
    texts, _ = reviews(20)
    np.testing.assert_array_equal(loaded.predict_proba(texts), fitted.predict_proba(texts))
    assert loaded.get_params() == classifier.get_params()


def test_files_that_do_not_fit(fitted, tmp_path):
    path = tmp_path / "m.safetensors"
    fitted.save(path)
    good = path.read_bytes()
    with pytest.raises(FileFormatError, match="holds a text classifier: use TextClassifier.load"):
        load_model(path)
    fitted.model_.save(tmp_path / "model.safetensors")
    with pytest.raises(FileFormatError, match="without a vocabulary: use load_model"):
        TextClassifier.load(tmp_path / "model.safetensors")
    assert b"lovely" in good
    path.write_bytes(good.replace(b"lovely", b"lovelx"))
    with pytest.raises(FileFormatError, match="their hashes differ"):
        TextClassifier.load(path)
    for n in (0, 10, 100, 1000, len(good) - 1):
        path.write_bytes(good[:n])
        with pytest.raises(FileFormatError, match="m.safetensors: "):
            TextClassifier.load(path)


# ---- bad input ------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([], [], ValueError, "X is empty"),
        (["a", "b"], ["x", "x"], ValueError, "at least two classes; the labels hold only x"),
        (["a", "b"], ["x"], ValueError, "equally many; received 2 texts and 1 labels"),
        (["a", None], ["x", "y"], TextTypeError, "text 1: .*received None"),
        (["a", 5], ["x", "y"], TextTypeError, "text 1: .*received 5 .int."),
        ("abc", ["x", "y", "z"], TextTypeError, "received one text, 'abc'"),
        (["a", "b"], ["x", None], ValueError, "label 1 is None"),
        (["a", "b"], [1.0, float("nan")], ValueError, "label 1 is NaN"),
        (["a", "b"], np.array(["x", 1], object), ValueError, "all strings or all numbers"),
        (["a", "b", "c"], ["x", float("nan"), "y"], ValueError, "label 1 is NaN"),
        (["a", "b"], [1, "x"], ValueError, "all strings or all numbers"),
        (["a", "b"], [1.0, float("inf")], ValueError, "label 1 is inf"),
        (["a", "b"], np.array([1, 2**63], np.uint64), ValueError, "below 2..63"),
        (["a", "b"], [[1, 0], [0, 1]], ValueError, r"received the shape \(2, 2\)"),
        (["", "!"], ["x", "y"], ValueError, "no word got a row"),
    ],
)
def test_bad_data_is_refused(X, y, error, message):
    with pytest.raises(error, match=message):
        TextClassifier().fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dim": 0}, "`dim` must be a whole number above 0 .*; received 0"),
        ({"epochs": 1.5}, "`epochs` must be"),
        ({"learning_rate": 0}, "`learning_rate` must be above 0"),
        ({"learning_rate": float("inf")}, "`learning_rate` must be above 0"),
        (
            {"learning_rate": 1e30, "epochs": 9},
            "the loss became .*Use a smaller learning rate than",
        ),
        ({"seed": -1}, "`seed` must be a whole number from 0 on"),
        ({"num_words": 2**40}, "`num_words` must be .* below 2..31"),
        ({"split": ""}, "`split` must be a string that separates words"),
        ({"validation_split": 1.0}, "`validation_split` must be from 0"),
        ({"validation_split": 0.01}, "leaves 0 to hold out"),
        ({"min_count": 1000}, "rarer than min_count=1000"),
        ({"beta_1": 1.0}, "`beta_1` must be from 0 to below 1"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        TextClassifier(**params).fit(*reviews(20))


def test_before_it_is_fitted(tmp_path):
    classifier = TextClassifier()
    for call in (
        lambda: classifier.predict(["a"]),
        lambda: classifier.decision_function(["a"]),
        lambda: classifier.save(tmp_path / "m"),
        lambda: classifier.model_,
        lambda: classifier.tokenizer,
    ):
        with pytest.raises(ValueError, match="not fitted yet"):
            call()


def test_a_failed_fit_leaves_the_old_one(fitted):
    classifier = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="two classes"):
        classifier.fit(["a"], ["x"])
    assert classifier.predict(["the film was dull"]).tolist() == ["bad"]


# ---- models of your own -----------------------------------------------------


def own_texts(n=40):
    good, bad = ("fine", "lovely", "warm"), ("dull", "cold", "slow")
    rng = np.random.default_rng(0)
    texts, labels = [], []
    for i in range(n):
        words = rng.choice(good if i % 2 else bad, 4)
        texts.append(" ".join([*words, "film"]))
        labels.append("good" if i % 2 else "bad")
    return texts, labels


def lstm(n_rows, n_classes):
    return wordrow.Sequential(
        [
            wordrow.Embedding(n_rows, 4, mask_zero=True),
            wordrow.LSTM(4),
            wordrow.Dense(1, "sigmoid") if n_classes == 2 else wordrow.Dense(n_classes, "softmax"),
        ]
    )


def test_a_model_of_its_own_learns_and_is_saved(tmp_path):
    texts, labels = own_texts()
    classifier = TextClassifier(model=lstm, seed=1, epochs=30, batch_size=8, verbose=False)
    classifier.fit(texts, labels)
    assert classifier.score(texts, labels) == 1
    assert classifier.predict(["fine warm", "cold slow"]).tolist() == ["good", "bad"]
    assert (classifier.decision_function(["fine warm"]) > 0).all()
    again = TextClassifier(model=lstm, seed=1, epochs=30, batch_size=8, verbose=False)
    again.fit(texts, labels)
    for a, b in zip(classifier.model_.get_weights(), again.model_.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    path = tmp_path / "own.safetensors"
    classifier.save(path)
    loaded = TextClassifier.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(texts), classifier.predict_proba(texts))
    loaded.partial_fit(["grey grey film"], ["bad"])
    with pytest.raises(ValueError, match="only a classifier of Embedding, mean and Dense"):
        loaded.pooled(texts)
    with pytest.raises(ValueError, match="sums of words' parts"):
        explain_text(loaded, "fine")


def test_a_given_model_is_copied_and_must_fit():
    texts, labels = own_texts()
    given = lstm(8, 2)
    given.compile("adam", "binary_crossentropy")
    before = given.get_weights()
    classifier = TextClassifier(model=given, epochs=2, validation_split=0.2, verbose=False)
    classifier.fit(texts, labels)
    assert set(classifier.history_) == {"loss", "val_loss"}
    for a, b in zip(before, given.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert classifier.table_shape == (8, 4)
    for model, message in (
        (lstm(5, 2), "has 5 rows, and the texts need 8.*Use num_words=5"),
        (lstm(8, 3), r"there are 2 labels, and the outputs of `model` have the shape \(None, 3\)"),
        (wordrow.Sequential([wordrow.Dense(1, input_dim=3)]), "look its ids up in an Embedding"),
    ):
        with pytest.raises(ValueError, match=message):
            TextClassifier(model=model).fit(texts, labels)
    with pytest.raises(TypeError, match="a function of .n_rows, n_classes. that returns one"):
        TextClassifier(model=lambda n_rows, n_classes: None).fit(texts, labels)


def test_a_model_of_one_length_gets_texts_of_that_length():
    texts, labels = own_texts()

    def flat(n_rows, n_classes):
        return wordrow.Sequential(
            [
                wordrow.Embedding(n_rows, 4, input_length=3),
                wordrow.Flatten(),
                wordrow.Dense(1, "sigmoid"),
            ]
        )

    classifier = TextClassifier(model=flat, seed=1, epochs=20, verbose=False).fit(texts, labels)
    assert classifier.score(texts, labels) > 0.9


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_label_names_its_row(missing):
    with pytest.raises(ValueError, match="label 1 is .*every text needs a label"):
        TextClassifier().fit(["a", "b"], ["x", missing])


def test_labels_that_no_file_can_hold():
    with pytest.raises(ValueError, match="label 2, 'x.ud800', holds half of a surrogate pair"):
        TextClassifier().fit(["a", "b", "c"], ["x", "y", "x\ud800"])


def test_a_notebook_shows_the_settings():
    assert "ngrams" in TextClassifier(ngrams=2)._repr_html_()
