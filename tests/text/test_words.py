import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.legacy.preprocessing import text as keras_text

from wordrow import hashing_trick, one_hot, text_to_word_sequence

TEXT = st.text(alphabet="abAB ,.!?'\té“字", max_size=40)


@given(TEXT, st.sampled_from([" ", ",", "ab", None]), st.booleans())
def test_words_as_keras(text, split, lower):
    expected = keras_text.text_to_word_sequence(text, lower=lower, split=split)
    assert text_to_word_sequence(text, lower=lower, split=split) == expected
    assert text_to_word_sequence(input_text=text, lower=lower, split=split) == expected


@given(TEXT, st.integers(2, 1000), st.sampled_from([None, "md5", len]))
def test_hashing_as_keras(text, n, hash_function):
    ids = hashing_trick(text, n, hash_function)
    assert ids == keras_text.hashing_trick(text, n, hash_function)
    assert all(1 <= i < n for i in ids)
    assert one_hot(text, n) == keras_text.one_hot(text, n)


def test_bad_arguments():
    with pytest.raises(ZeroDivisionError):
        hashing_trick("a", 1)
    with pytest.raises(TypeError, match="`hash_function` must be"):
        hashing_trick("a", 5, "sha1")
    with pytest.raises(ValueError, match="empty separator"):
        text_to_word_sequence("a", split="")
    with pytest.raises(TypeError, match="`text` must be a string; received None"):
        text_to_word_sequence(None)
    assert hashing_trick("A b", 9, "md5", analyzer=list) == hashing_trick(
        ["A", " ", "b"], 9, "md5", analyzer=list
    )
