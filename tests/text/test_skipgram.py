import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.legacy.preprocessing import sequence as keras_sequence

from wordrow import make_sampling_table, skipgrams


@pytest.mark.filterwarnings("ignore:non-integer arguments to randrange")  # Keras's own
@given(
    st.lists(st.integers(0, 9), max_size=12),
    st.integers(1, 4),
    st.sampled_from([0, 0.5, 1.0, 2.0]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 99)),
)
def test_as_keras_from_the_same_random_state(
    ids, window, negatives, shuffle, categorical, sampled, seed
):
    arguments = {
        "window_size": window,
        "negative_samples": negatives,
        "shuffle": shuffle,
        "seed": seed,
        "categorical": categorical,
        "sampling_table": make_sampling_table(10) * 50 if sampled else None,
    }
    random.seed(5)
    try:
        expected = keras_sequence.skipgrams(ids, 10, **arguments)
    except (ZeroDivisionError, TypeError):  # no couples; a float seed from Python 3.12 on
        return
    random.seed(5)
    couples, labels = skipgrams(ids, 10, **arguments)
    assert couples == expected[0]
    assert labels == expected[1]


def test_sampling_table_as_keras():
    for size, factor in ((1, 1e-5), (5, 1e-3), (20_000, 1e-5)):
        expected = keras_sequence.make_sampling_table(size, factor)
        np.testing.assert_array_equal(make_sampling_table(size, factor), expected)
