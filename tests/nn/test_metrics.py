"""Metrics against Keras's: the same answers, weighted or not, batch by batch."""

import re

import keras
import numpy as np
import pytest

import wordrow
from wordrow.nn.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPARSE = (
    "SparseCategoricalCrossentropy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
)
OPTIONS = {
    "F1Score": {"average": "macro"},
    "FBetaScore": {"average": "weighted", "beta": 2.0, "threshold": 0.3},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2},
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [n for n in METRICS.classes if n[0].isupper()])
def test_as_keras(name, weighted, rng):
    theirs = getattr(keras.metrics, name)(**OPTIONS.get(name, {}))
    ours = METRICS.classes[name](**OPTIONS.get(name, {}))
    assert ours.name == re.sub(r"_\d+$", "", theirs.name)  # Keras numbers them on and on
    for _ in range(2):
        p = rng.random((7, 3)).astype("float32")
        p /= p.sum(axis=-1, keepdims=True)
        y = np.eye(3, dtype="float32")[rng.integers(0, 3, 7)]
        if name == "Accuracy":
            p = p.round()
        if name in SPARSE:
            y = y.argmax(axis=-1)
        weight = rng.random(7).astype("float32") if weighted else None
        ours.update_state(y, p, weight)
        theirs.update_state(y, p, weight)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=2e-5, atol=1e-6)
    again = type(ours)(**ours.get_config())
    assert again.get_config() == ours.get_config()
    ours.reset_state()
    assert np.all(np.nan_to_num(ours.result()) == ours.result())


def test_wrong_settings():
    with pytest.raises(ValueError, match="`average` must be"):
        wordrow.metrics.F1Score(average="mean")
    with pytest.raises(ValueError, match="takes one threshold"):
        wordrow.metrics.TruePositives(thresholds=[0.1, 0.2])
    model = wordrow.Sequential([wordrow.Dense(3, input_dim=2)])
    with pytest.raises(ValueError, match="F1Score gives 3 numbers for 3 classes"):
        model.compile("sgd", "mse", metrics=[wordrow.metrics.F1Score()])
