import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow import Ragged, pad_sequences

SEQUENCES = st.lists(st.lists(st.integers(0, 99), max_size=7), min_size=1, max_size=6)
SIDE = st.sampled_from(["pre", "post"])


@given(
    SEQUENCES, st.one_of(st.none(), st.integers(1, 9)), SIDE, SIDE, st.sampled_from([0, -1, 2.5])
)
def test_as_keras(sequences, maxlen, padding, truncating, value):
    arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": value}
    expected = keras.utils.pad_sequences(sequences, **arguments)
    for given_as in (
        sequences,
        [np.array(s, int) for s in sequences],
        Ragged.from_lists(sequences),
    ):
        result = pad_sequences(given_as, **arguments)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)


@given(SEQUENCES, st.one_of(st.none(), st.integers(1, 9)), SIDE, SIDE)
def test_the_mask_of_a_ragged_is_its_real_tokens(sequences, maxlen, padding, truncating):
    padded = Ragged.from_lists(sequences).pad(maxlen, padding=padding, truncating=truncating)
    ones = [[1] * len(s) for s in sequences]
    expected = pad_sequences(ones, maxlen, padding=padding, truncating=truncating)
    np.testing.assert_array_equal(padded.mask, expected == 1)


def test_items_with_axes_of_their_own():
    sequences = [[[1, 2]], [[3, 4], [5, 6]]]
    np.testing.assert_array_equal(pad_sequences(sequences), keras.utils.pad_sequences(sequences))
    strings = pad_sequences([["a"], ["b", "cd"]], dtype=object, value="")
    assert strings.tolist() == [["", "a"], ["b", "cd"]]
    assert pad_sequences([[]]).shape == (1, 0)
    assert pad_sequences([[1.9]]).tolist() == [[1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pad_sequences(5), "`sequences` must be iterable"),
        (lambda: pad_sequences([1, [2]]), "Found non-iterable: 1 at position 0"),
        (lambda: pad_sequences([]), "`sequences` is empty"),
        (lambda: pad_sequences([[1]], truncating="mid"), 'Truncating type "mid" not understood'),
        (lambda: pad_sequences([[1]], padding="mid"), 'Padding type "mid" not understood'),
        (lambda: pad_sequences([[1]], value="x"), "dtype=object"),
        (lambda: pad_sequences([[[1]], [[1, 2]]]), r"sample \(2,\) of sequence at position 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
