import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow.datasets import read_table
from wordrow.errors import DataError

ROWS = [("good", "a fine film"), ("bad", 'a "dull", long one'), ("good", "fine\tacting; yes")]


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_csv(rows, **options):
    import io

    out = io.StringIO()
    csv.writer(out, **options).writerows(rows)
    return out.getvalue()


FILES = {
    "with_header.csv": as_csv([("label", "text"), *ROWS]),
    "without_header.csv": as_csv(ROWS),
    "semicolon.csv": as_csv(ROWS, delimiter=";"),
    "other_order.csv": as_csv(
        [("review", "id", "sentiment"), *((t, i, y) for i, (y, t) in enumerate(ROWS))]
    ),
    "crlf_bom.csv": b"\xef\xbb\xbf"
    + as_csv([("Text", "Category"), *((t, y) for y, t in ROWS)]).encode(),
    "quoted.tsv": as_csv([("label", "text"), *ROWS], delimiter="\t"),
    "lines.jsonl": "\n".join(json.dumps({"text": t, "label": y}) for y, t in ROWS),
    "no_suffix_json": "\n\n".join(json.dumps({"y": y, "body": t}) for y, t in ROWS) + "\n",
}


@pytest.mark.parametrize("name", FILES)
def test_columns_are_found(tmp_path, name):
    table = read_table(write(tmp_path, name, FILES[name]))
    assert list(zip(table.labels, table.texts, strict=True)) == ROWS
    assert f"{len(ROWS)} rows of" in table.note


SAME = [("pos", "a good film, all told"), ("neg", "a bad film"), ("pos", "good one again")] * 4


def columns(name, *cells):
    """A CSV file with these header cells over index, hex id, text, label, number."""
    rows = [(i, f"{i:016x}", t, y, i % 3) for i, (y, t) in enumerate(SAME)]
    picked = [
        [row[["index", "id", "text", "label", "number"].index(c)] for c in cells] for row in rows
    ]
    return as_csv([name.split("|"), *picked])


@pytest.mark.parametrize(
    "content",
    [
        columns("|text|label", "index", "text", "label"),  # as pandas writes an index
        columns("id|comment_text|toxic", "id", "text", "label"),
        columns("v1|v2|", "label", "text", "number"),
        columns("Review Text|Rating", "text", "label"),
        columns("text|text|label", "text", "text", "label"),
        columns("отзыв|оценка", "text", "label"),
        columns("a|b", "text", "label"),
        columns("n|what|which", "number", "text", "label"),
    ],
)
def test_headers_of_many_kinds(tmp_path, content):
    table = read_table(write(tmp_path, "a.csv", content))
    assert table.texts == [text for _, text in SAME]
    assert len(set(table.labels)) == 2
    assert table.first_row == 2


def test_a_label_that_is_a_known_name_is_no_header(tmp_path):
    path = write(tmp_path, "a.tsv", "language\ta fine film\nstars\tb\nlanguage\tc d\n")
    assert read_table(path).labels == ["language", "stars", "language"]


def test_line_ends_and_quotes_of_tsv(tmp_path):
    rows = [("label", "text"), *SAME]
    quoted = as_csv(rows, delimiter="\t", quoting=csv.QUOTE_ALL)
    old = "\r".join("\t".join(row) for row in rows)
    for content in (quoted, old):
        table = read_table(write(tmp_path, "a.tsv", content))
        assert list(zip(table.labels, table.texts, strict=True)) == SAME


def test_quotes_in_tsv_are_text(tmp_path):
    path = write(tmp_path, "a.tsv", '1\t"quoted" start\n0\tan "inner" one\r\n1\tend"\n')
    table = read_table(path)
    assert table.texts == ['"quoted" start', 'an "inner" one', 'end"']
    assert table.note == "3 rows of TSV, no header; text: column 2, label: column 1"


def test_named_columns(tmp_path):
    rows = [("a", "b", "c"), ("long text here", "x", "1"), ("another long text", "y", "2")]
    path = write(tmp_path, "a.csv", as_csv([("text", "topic", "label"), *rows[1:]]))
    assert read_table(path, label="topic").labels == ["x", "y"]
    assert read_table(path, text="2", label="3").texts == ["x", "y"]
    assert read_table(path, labelled=False).labels is None
    with pytest.raises(
        DataError, match="no column 'rating'; the columns are 'text', 'topic', 'label'"
    ):
        read_table(path, label="rating")
    with pytest.raises(DataError, match="given as text and as label"):
        read_table(path, text="text", label="1")
    bare = write(tmp_path, "b.csv", as_csv(rows[1:]))
    with pytest.raises(DataError, match="no header, and its 3 columns are given by number"):
        read_table(bare, text="text")


def test_a_folder_per_label(tmp_path):
    for label, text in ROWS:
        (tmp_path / label).mkdir(exist_ok=True)
        write(tmp_path / label, f"{len(text)}.txt", text)
    (tmp_path / "unsup").mkdir()
    write(tmp_path / "unsup", "0.txt", "no label")
    table = read_table(tmp_path)
    assert sorted(zip(table.labels, table.texts, strict=True)) == sorted(ROWS)
    assert "the label is the folder: bad, good" in table.note


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", "\n \n", "the file is empty"),
        ("a.csv", "text,label\n", "a header and no rows"),
        ("a.jsonl", '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}", "line 1: not readable"),
        ("a.jsonl", '{"text": "\\ud800", "label": "a"}', "line 1: not readable as JSON"),
        ("a.tsv", 'good\ta "b\nbad\tc\td\n', "row 2: has 3 fields, and the first row has 2"),
        ("a.tsv", "good\ta\nb\xe9d\tb\n".encode("latin-1"), r"at byte 8 \(0xe9\) in line 2"),
        ("a.csv", "\ufeffgood,a\n".encode() + b"bad,\xff\n", r"at byte 14 .* in line 2"),
        ("a.csv", "good,a\nbad,b\n".encode("utf-16"), "UTF-16; expected UTF-8"),
        ("a.csv", "good,a\nbad\n", "row 2: has 1 fields, and the first row has 2"),
        ("a.csv", 'good,"a\nbad,b\n', "not readable as CSV"),
        ("a.txt", "one\ntwo\n", "found one column"),
        ("a.jsonl", '{"text": "a"\n', "line 1: not readable as JSON"),
        ("a.jsonl", "[1]\n", "line 1: expected a JSON object"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}', "record 2: has no value for"),
        ("a.csv", "label,text\ngood,a film\n,b film\n", "row 3: the label is empty"),
        ("a.csv", "".join(f"n{i},some text {i}\n" for i in range(30)), "no column looks like"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path, name, content))


def test_reading_on_past_bad_bytes(tmp_path):
    path = write(tmp_path, "a.tsv", b"good\tcaf\xe9 x\nbad\tb long text\n")
    assert read_table(path, encoding_errors="replace").texts[0] == "caf\ufffd x"


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="a folder per label"):
        read_table(tmp_path)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["good", "bad"]), TEXT), min_size=2, max_size=9))
def test_any_csv_that_python_writes(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(as_csv([("label", "text"), *rows]).encode())
    table = read_table(path)
    assert list(zip(table.labels, table.texts, strict=True)) == rows
