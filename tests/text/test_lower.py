import sys

from hypothesis import given
from hypothesis import strategies as st

from wordrow import Tokenizer, text_to_word_sequence


def lowered(text):
    """The core's lower case: one word, since nothing is filtered and nothing splits."""
    words = text_to_word_sequence(text, filters="", split="\0\0")
    return words[0] if words else ""


def test_every_code_point_lowers_as_python_lowers_it():
    for code in range(1, sys.maxunicode + 1):
        char = chr(code)
        assert lowered(char) == char.lower(), f"U+{code:04X}"


# Where a sigma ends a word depends on what stands around it, across any
# number of case-ignorable characters.
AROUND_SIGMA = st.text(alphabet="ΣσAaz1 .'\u0301\u0345:·ªʰİ-!\U0001f600", max_size=12)


@given(AROUND_SIGMA)
def test_sigma_in_context(text):
    assert lowered(text) == text.lower().strip("\0")


@given(st.text(alphabet=st.characters(exclude_characters="\0")))
def test_any_text(text):
    assert lowered(text) == text.lower()


@given(st.lists(st.text(max_size=8), max_size=5))
def test_tokens_are_lowered_one_by_one(tokens):
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts([tokens])
    assert list(tokenizer.word_counts) == list(dict.fromkeys(t.lower() for t in tokens))
