"""Arrow string columns of every kind give what the same list gives."""

import io

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow import Tokenizer
from wordrow.errors import TextTypeError

TEXTS = ["a fine film", "", "Ünïcödé — 字 \U0001f600, a film", "a" * 300 + " b", "fine"]

COLUMNS = {
    "polars": lambda t: pl.Series(t),
    "polars frame of one column": lambda t: pl.DataFrame({"text": t}),
    "polars categorical": lambda t: pl.Series(t, dtype=pl.Categorical),
    "pandas": lambda t: pd.Series(t),
    "pandas objects": lambda t: pd.Series(t, dtype=object),
    "pandas arrow": lambda t: pd.Series(t, dtype=pd.ArrowDtype(pa.string())),
    "utf8": lambda t: pa.array(t, pa.string()),
    "large_utf8": lambda t: pa.array(t, pa.large_string()),
    "utf8_view": lambda t: pa.array(t, pa.string_view()),
    "dictionary": lambda t: pa.array(t).dictionary_encode(),
    "struct": lambda t: pa.StructArray.from_arrays([pa.array(t)], ["text"]),
    "chunked": lambda t: pa.chunked_array([t[:2], t[2:]], pa.string()),
    "sliced": lambda t: pa.array(["x", *t, "y"]).slice(1, len(t)),
    "sliced view": lambda t: pa.array(["x", *t, "y"], pa.string_view()).slice(1, len(t)),
    "sliced struct": lambda t: pa.StructArray.from_arrays([pa.array(["x", *t, "y"])], ["t"]).slice(
        1, len(t)
    ),
    "table": lambda t: pa.table({"text": t}),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_is_its_list(kind, n_threads):
    column = COLUMNS[kind](TEXTS)
    from_list, from_column = Tokenizer(ngrams=2), Tokenizer(ngrams=2)
    from_list.fit_on_texts(TEXTS)
    from_column.fit_on_texts(column)
    assert from_column.word_index == from_list.word_index
    assert from_column.document_count == len(TEXTS)
    assert from_column.texts_to_sequences(column) == from_list.texts_to_sequences(TEXTS)


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=20), max_size=20))
def test_any_texts(texts):
    from_list, from_column = Tokenizer(), Tokenizer()
    from_list.fit_on_texts(texts)
    from_column.fit_on_texts(pa.array(texts, pa.string_view()))
    assert from_column.word_counts == from_list.word_counts


@pytest.mark.parametrize(
    "make",
    [
        pl.Series,
        pa.array,
        lambda t: pa.array(t).dictionary_encode(),
        lambda t: pa.array(t, pa.string_view()),
    ],
)
def test_a_null_is_named(make):
    with pytest.raises(TextTypeError, match="text 2 is null"):
        Tokenizer().encode(make(["a", "b", None]))


@pytest.mark.parametrize(
    "column",
    [pa.array([1]), pa.array([["a"]]), pa.array([b"a"]), pa.table({"a": ["x"], "b": ["y"]})],
)
def test_other_types_are_refused(column):
    with pytest.raises(ValueError, match="an Arrow column of texts must be utf8"):
        Tokenizer().fit_on_texts(column)


class Spent:
    """A source that gives the same capsule twice, which only the first reader may use."""

    def __init__(self):
        self.capsule = pa.chunked_array([["a"]]).__arrow_c_stream__()

    def __arrow_c_stream__(self, requested_schema=None):
        return self.capsule


def test_a_spent_capsule_is_refused():
    source = Spent()
    Tokenizer().fit_on_texts(source)
    with pytest.raises(ValueError, match="was read already"):
        Tokenizer().fit_on_texts(source)


def test_producers_that_need_python_while_they_are_read():
    lines = b"text\n" + b"a fine film\n" * 400_000
    reader = pyarrow.csv.open_csv(pa.PythonFile(io.BytesIO(lines), mode="r"))
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(reader)
    assert tokenizer.document_count == 400_000


def test_bytes_that_are_not_utf8_are_named():
    good = pa.array(["ok", "abcd"])
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, good.buffers()[1], pa.py_buffer(b"okab\xffd")]
    )
    with pytest.raises(ValueError, match="text 1 is not UTF-8: byte 2"):
        Tokenizer().encode(broken)
