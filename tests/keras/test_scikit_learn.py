"""Keras's scikit-learn wrappers."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from wordrow.keras.layers import Dense
from wordrow.keras.models import Sequential
from wordrow.keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor

X = np.random.default_rng(0).random((30, 3)).astype(np.float32)
Y = (X[:, 0] > 0.5).astype(int)


def build(units=2):
    model = Sequential(
        [Dense(units, activation="tanh", input_dim=3), Dense(1, activation="sigmoid")]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def test_scikit_learn_takes_them():
    classifier = KerasClassifier(build_fn=build, epochs=1, verbose=0)
    assert is_classifier(classifier)
    assert is_regressor(KerasRegressor(build_fn=build))
    assert clone(classifier).get_params() == classifier.get_params()
    scores = cross_val_score(make_pipeline(FunctionTransformer(), classifier), X, Y, cv=2)
    assert len(scores) == 2
    classifier.fit(X, Y)
    assert set(classifier.predict(X)) <= {0, 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KerasClassifier(build_fn=build()), "must be a function that returns"),
        (lambda: KerasClassifier(), "must be a function that returns.*received None"),
        (
            lambda: KerasClassifier(build_fn=build, unit=3),
            r"given \['unit'\].*build_fn takes .units",
        ),
    ],
)
def test_what_cannot_be_fitted(make, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, Y)


def test_before_it_is_fitted():
    for call in (
        lambda: KerasClassifier(build_fn=build).predict(X),
        lambda: KerasClassifier(build_fn=build).score(X, Y),
        lambda: KerasRegressor(build_fn=build).score(X, Y),
    ):
        with pytest.raises(ValueError, match="not fitted yet: fit"):
            call()
