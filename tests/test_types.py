import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow import Ragged

LISTS = st.lists(st.lists(st.integers(-9, 2**31 - 1), max_size=5), max_size=8)


@given(LISTS, st.integers(-9, 9), st.integers(-9, 9), st.randoms())
def test_a_ragged_is_its_lists(lists, start, stop, random):
    ragged = Ragged.from_lists(lists)
    assert ragged.to_lists() == lists
    assert len(ragged) == len(lists)
    assert [ids.tolist() for ids in ragged] == lists
    assert ragged[start:stop].to_lists() == lists[start:stop]
    rows = random.sample(range(len(lists)), len(lists) // 2)
    assert ragged.take(np.array(rows, np.int64)).to_lists() == [lists[i] for i in rows]
    odd = [[i for i in ids if i % 2] for ids in lists]
    assert ragged.keep(ragged.ids % 2 == 1).to_lists() == odd
    if lists:
        assert ragged[-1].tolist() == lists[-1]
    assert ragged.ids.dtype == np.int32


def test_other_whole_numbers_are_taken_and_others_refused():
    ragged = Ragged(ids=np.array([1, 2]), offsets=np.array([0, 2], np.int32))
    assert (ragged.ids.dtype, ragged.offsets.dtype) == (np.int32, np.int64)
    for ids in (np.array([1.5]), np.array([2**40])):
        with pytest.raises(ValueError, match="`ids` must be whole numbers of int32"):
            Ragged(ids=ids, offsets=np.array([0, 1]))


def test_what_is_out_of_range():
    ragged = Ragged.from_lists([[1]])
    with pytest.raises(IndexError, match="text 1 of 1"):
        ragged[1]
    with pytest.raises(ValueError, match="steps of 1"):
        ragged[::2]
