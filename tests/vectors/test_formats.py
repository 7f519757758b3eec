"""Files of vectors: what is written is read, by us and by gensim; what is broken is named."""

import gzip
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordrow import Tokenizer, _core
from wordrow.errors import FileFormatError
from wordrow.vectors import Subwords, Vectors
from wordrow.vectors.formats import FORMATS, detect_format
from wordrow.vectors.formats.projector import metadata_path
from wordrow.vectors.formats.source import Source

NAMES = {
    "safetensors": "v.safetensors",
    "npz": "v.npz",
    "word2vec-binary": "v.bin",
    "projector": "v.tsv",
    "word2vec": "v.vec",
    "glove": "v.txt",
}
PACKABLE = [form.name for form in FORMATS if form.compressible and form.write]


def some_vectors(n=50, dim=7, seed=0):
    rng = np.random.default_rng(seed)
    words = [f"{'wörd' if i % 3 else '日本'}{i}" for i in range(n)]
    return Vectors(words, rng.standard_normal((n, dim)) * 10.0 ** rng.integers(-20, 20, (n, 1)))


# ---- what is written is read ------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_bit_for_bit(name, tmp_path):
    vectors = some_vectors()
    path = tmp_path / NAMES[name]
    vectors.save(path)
    assert detect_format(Source(path)).name == name
    assert Vectors.load(path) == vectors
    vectors.save(tmp_path / "any", name)
    if name != "projector":
        assert Vectors.load(tmp_path / "any") == vectors


plain = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=40)
@given(st.data(), st.lists(plain, unique=True, min_size=1, max_size=8), st.integers(2, 5))
def test_any_words_and_numbers(tmp_path_factory, data, words, dim):
    table = data.draw(
        st.lists(
            st.lists(numbers, min_size=dim, max_size=dim),
            min_size=len(words),
            max_size=len(words),
        )
    )
    vectors = Vectors(words, np.array(table, np.float32))
    folder = tmp_path_factory.mktemp("any")
    for name in NAMES:
        path = folder / NAMES[name]
        vectors.save(path)
        assert Vectors.load(path) == vectors, name
        for kept in metadata_path(path), path:
            kept.unlink(missing_ok=True)


@pytest.mark.parametrize("name", PACKABLE)
@pytest.mark.parametrize("suffix", [".gz", ".zst", ".zip"])
def test_packed(name, suffix, tmp_path):
    if suffix == ".zst":
        pytest.importorskip("zstandard")
    vectors = some_vectors(3000, 11)
    path = tmp_path / (NAMES[name] + suffix)
    vectors.save(path)
    first = path.read_bytes()
    vectors.save(path)
    assert path.read_bytes() == first  # the same bytes, whenever it is written
    assert Vectors.load(path) == vectors
    path.write_bytes(first[:-20])
    with pytest.raises(FileFormatError, match="truncated|damaged"):
        Vectors.load(path)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["npz", "projector"])
def test_what_is_not_packed_again(name, tmp_path):
    with pytest.raises(ValueError, match="not compressed again. Leave .gz out"):
        some_vectors().save(tmp_path / (NAMES[name] + ".gz"))


def test_subwords_are_kept_by_our_own_format(tmp_path):
    subwords = Subwords(
        min_n=2, max_n=4, table=np.random.default_rng(0).random((30, 7), np.float32)
    )
    plain = some_vectors()
    vectors = Vectors(list(plain), plain.table, subwords=subwords)
    vectors.save(tmp_path / "v.safetensors")
    again = Vectors.load(tmp_path / "v.safetensors")
    assert (again["unseen"] == vectors["unseen"]).all()
    kept = Subwords(min_n=2, max_n=3, table=subwords.table, n_buckets=400, kept={3: 0, 399: 29})
    Vectors(list(plain), plain.table, subwords=kept).save(tmp_path / "v.safetensors")
    again = Vectors.load(tmp_path / "v.safetensors")
    assert again.subwords.kept == {3: 0, 399: 29}


def test_the_name_must_say_the_format(tmp_path):
    with pytest.raises(ValueError, match="does not say which format to write. End it in .safet"):
        some_vectors().save(tmp_path / "v.xyz")
    with pytest.raises(ValueError, match="`format` must be one of .* received 'fasttext'"):
        some_vectors().save(tmp_path / "v", "fasttext")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        some_vectors().save(tmp_path / "no" / "v.vec")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("a\nb", "glove"),
        (" a", "word2vec"),
        ("a ", "glove"),
        ("", "word2vec"),
        ("a\tb", "projector"),
        ("a b", "word2vec-binary"),
        ("\ud800", "glove"),
        ("a\0", "npz"),
    ],
)
def test_words_that_a_format_cannot_hold(word, name, tmp_path):
    vectors = Vectors(["fine", word], [[1, 2], [3, 4]])
    path = tmp_path / NAMES[name]
    with pytest.raises(ValueError, match="cannot hold the word"):
        vectors.save(path)
    assert not list(tmp_path.iterdir())
    vectors.save(tmp_path / "v.safetensors")
    assert Vectors.load(tmp_path / "v.safetensors") == vectors


# ---- gensim -----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # gensim's own
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("word2vec", {"binary": False}),
        ("word2vec-binary", {"binary": True}),
        ("glove", {"binary": False, "no_header": True}),
    ],
)
def test_gensim_reads_ours_and_we_read_gensims(name, options, tmp_path):
    models = pytest.importorskip("gensim.models")
    vectors = some_vectors(200, 9)
    vectors.save(tmp_path / "ours", name)
    theirs = models.KeyedVectors.load_word2vec_format(str(tmp_path / "ours"), **options)
    assert theirs.index_to_key == list(vectors)
    assert (theirs.vectors == vectors.table).all()
    theirs.save_word2vec_format(
        str(tmp_path / "theirs"),
        binary=options["binary"],
        write_header=not options.get("no_header", False),
    )
    assert Vectors.load(tmp_path / "theirs") == vectors


def test_the_files_of_the_data_folder(data):
    models = pytest.importorskip("gensim.models")
    for name, binary in (("euclidean_vectors.bin", True), ("lee_fasttext.vec", False)):
        path = data / "vectors" / name
        theirs = models.KeyedVectors.load_word2vec_format(str(path), binary=binary)
        ours = Vectors.load(path)
        assert list(ours) == theirs.index_to_key
        assert (ours.table == theirs.vectors).all()
    path = data / "glove.6B.100d.top50k.txt"
    ours = Vectors.load(path)
    rows = [line.split(" ") for line in path.read_text(encoding="utf-8").splitlines()[::997]]
    for row in rows:
        assert (ours[row[0]] == np.array([np.float32(x) for x in row[1:]])).all()


def test_a_line_end_behind_each_row_or_not(tmp_path):
    vectors = some_vectors(20, 3)
    for end in (b"", b"\n"):
        data = b"20 3\n" + b"".join(
            word.encode() + b" " + row.tobytes() + end
            for word, row in zip(vectors, vectors.table, strict=True)
        )
        (tmp_path / "v").write_bytes(data)
        assert Vectors.load(tmp_path / "v") == vectors


# ---- what is wanted alone ---------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_wanted_is_read(name, tmp_path):
    vectors = some_vectors()
    path = tmp_path / NAMES[name]
    vectors.save(path)
    first = vectors.vocabulary[:9]
    assert list(Vectors.load(path, limit=9)) == first
    some = [first[7], "nowhere", first[2]]
    found = Vectors.load(path, words=some)
    assert list(found) == [first[2], first[7]]
    assert (found[first[7]] == vectors[first[7]]).all()
    assert len(Vectors.load(path, words=some, limit=1)) == 1
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts([f"{first[3]} {first[3]} other"])
    assert list(Vectors.load(path, words=tokenizer)) == [first[3]]


@pytest.mark.parametrize("name", NAMES)
def test_case_may_be_folded(name, tmp_path):
    path = tmp_path / NAMES[name]
    Vectors(["Paris", "paris", "ÉTÉ", "Rom"], np.eye(4)).save(path)
    assert list(Vectors.load(path, words=["paris", "été"])) == ["paris"]
    found = Vectors.load(path, words=["paris", "été"], case="fallback")
    assert list(found) == ["Paris", "paris", "ÉTÉ"]


@pytest.mark.parametrize(
    "argument",
    [
        {"limit": 0},
        {"limit": 1.5},
        {"case": "lower"},
        {"encoding_errors": "ignore"},
        {"bad_rows": "drop"},
    ],
)
def test_arguments_that_mean_nothing(argument, tmp_path):
    some_vectors().save(tmp_path / "v.vec")
    (name,) = argument
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        Vectors.load(tmp_path / "v.vec", **argument)


# ---- rules for what is odd --------------------------------------------------


def load(tmp_path, text, **options):
    path = tmp_path / "v.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Vectors.load(path, **options)


@pytest.mark.parametrize(
    "text",
    [
        "a 1 2\nb 3 4\n",
        "a 1 2\nb 3 4",
        "2 2\na 1 2\nb 3 4\n",
        "a 1 2 \r\nb 3 4 \r\n",
        "a\t1\t2\nb\t3\t4\n",
        "2\t2\na 1 2\nb 3 4\n",
        "a  1   2\n\n\nb 3 4\n\n",
        "a 1e0 +2.0\nb 3. 4e-0\n",
        "a 0001 2\nb 3.000000000000000000000 4\n",
    ],
)
def test_ways_to_write_the_same(text, tmp_path):
    found = load(tmp_path, text)
    assert list(found) == ["a", "b"]
    assert found.table.tolist() == [[1, 2], [3, 4]]


@given(
    st.lists(st.floats(width=64, allow_nan=False, allow_infinity=False), min_size=2, max_size=6),
    st.sampled_from(["{!r}", "{:.3f}", "{:.17e}", "{:.25f}", "{:g}"]),
)
def test_numbers_are_rounded_as_python_does(tmp_path_factory, values, form):
    texts = [form.format(value) for value in values]
    with np.errstate(over="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.array([np.float32(float(text)) for text in texts])
    folder = tmp_path_factory.mktemp("n")
    if np.isinf(expected).any():
        with pytest.raises(FileFormatError, match="not finite"):
            load(folder, f"word {' '.join(texts)}\n")
        return
    found = load(folder, f"word {' '.join(texts)}\n").table[0]
    assert (found.view(np.int32) == expected.view(np.int32)).all()


@pytest.mark.filterwarnings("ignore:.*words end in a number:UserWarning")
def test_words_with_spaces_are_told_by_the_number_of_numbers(tmp_path):
    found = load(tmp_path, "a 1 2\nnew york 3 4\n. . . 5 6\n1 2 3 4\n at 7 8\n")
    assert list(found) == ["a", "new york", ". . .", "1 2", " at"]
    assert found["1 2"].tolist() == [3, 4]
    assert list(load(tmp_path, "a 1 2\nnew york 3 4\n", words=["new york"])) == ["new york"]
    assert list(load(tmp_path, "2 2\nnew york 3 4\nx 1 2\n")) == ["new york", "x"]
    assert list(load(tmp_path, "new york 3 4\nx 1 2\n")) == ["new york", "x"]


def test_words_that_end_in_a_number_are_warned_of(tmp_path):
    (tmp_path / "v.txt").write_text("a 1 2\nb 0.5 1.5 2.5\nroute 66 3 4\n1.5 1 2\n")
    with pytest.warns(UserWarning, match=r"2 words end in a number \('b 0.5' is the") as told:
        found = Vectors.load(tmp_path / "v.txt")
    assert list(found) == ["a", "b 0.5", "route 66", "1.5"]
    assert told[0].filename == __file__  # the line that loads
    (tmp_path / "v.txt").write_text("the 1 2\nb 5 3 4\nc 7 8\n")  # one number too many
    with pytest.warns(UserWarning, match=r"1 words end in a number \('b 5' is the first"):
        assert list(Vectors.load(tmp_path / "v.txt")) == ["the", "b 5", "c"]


def test_a_first_word_that_begins_like_a_mark(tmp_path):
    vectors = Vectors(["\ufeffx", "b"], [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="would be read as a byte order mark"):
        vectors.save(tmp_path / "v.txt")
    for name in ("v.vec", "v.bin", "v.npz", "v.tsv", "v.safetensors"):
        vectors.save(tmp_path / name)
        assert Vectors.load(tmp_path / name) == vectors


def test_what_is_no_number_is_soon_seen_to_be_none(tmp_path):
    with pytest.raises(FileFormatError, match="not a file of vectors"):
        load(tmp_path, "1" * 60_000 + "x\n")


@pytest.mark.parametrize("n", range(40))
def test_packed_words_are_read_to_their_end(n):
    words = _core.Words()
    data = np.frombuffer(b"x" * (n + 1), np.uint8).copy()
    assert not len(words.add_packed(data, np.array([0, n + 1])))
    assert words.list(0, 2) == ["x" * (n + 1)]


def test_other_spaces_are_no_gaps(tmp_path):
    found = load(tmp_path, "a\u00a0b 1 2\nc\u2028d 3 4\ne\x0bf 5 6\n")
    assert list(found) == ["a\u00a0b", "c\u2028d", "e\x0bf"]


def test_what_is_not_utf8(tmp_path):
    text = b"fine 1 2\nbr\xffken 3 4\n\xe2\x82 5 6\n"
    with pytest.raises(FileFormatError, match="v.txt, line 2: 'br.ken' is not UTF-8. Read"):
        load(tmp_path, text)
    found = load(tmp_path, text, encoding_errors="replace")
    assert list(found) == ["fine", "br\ufffdken", "\ufffd"]


@given(st.binary(min_size=1, max_size=12).filter(lambda b: not set(b) & set(b" \t\r\n\0")))
def test_bytes_are_replaced_as_python_does(tmp_path_factory, data):
    found = load(
        tmp_path_factory.mktemp("u"), b"w 1 2\n" + data + b"- 1 2\n", encoding_errors="replace"
    )
    assert found.vocabulary[1] == data.decode("utf-8", "replace") + "-"


def test_of_a_repeated_word_the_first_row_is_kept(tmp_path):
    with pytest.warns(UserWarning, match=r"1 rows repeat a word \('a' is the"):
        found = load(tmp_path, "a 1 2\nb 3 4\na 5 6\n")
    assert found["a"].tolist() == [1, 2]
    assert list(found) == ["a", "b"]
    with pytest.warns(UserWarning, match="rows repeat a word"):
        load(tmp_path, b"\xff 1 2\n\xfe 3 4\n", encoding_errors="replace")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a 1 2\nb 3\n", "line 2: expected a word and 2 numbers; 'b' has fewer"),
        ("2 2\na 1 2\nb 3\n", "line 3: expected a word and 2 numbers; 'b' has fewer"),
        ("a 1 2\nb 3 x\n", "line 2: expected a word and 2 numbers; 'x' is not a number"),
        ("a 1 2\nb 3 0x10\n", "'0x10' is not a number"),
        ("a 1 2\nb 3 1_0\n", "'1_0' is not a number"),
        ("a 1 2\nb 3 1e\n", "'1e' is not a number"),
        ("a 1 2\nb 3 --1\n", "'--1' is not a number"),
        ("a 1 2\nb 3 nan\n", "'nan' is not a number"),
        ("a 1 2\nb 3 1e39\n", "line 2: the row of 'b' holds a number that is not finite"),
        (f"a 1 2\nb 3 1.{'1' * 500}e400\n", "'b' holds a number that is not finite"),
        (f"a 1 2\nb 3 {'1' * 400}.{'1' * 500}\n", "'b' holds a number that is not finite"),
        ("a 1 2\n3 4\n", "line 2: expected a word and 2 numbers; '3' has fewer"),
    ],
)
def test_damaged_rows(text, says, tmp_path):
    with pytest.raises(FileFormatError, match=says):
        load(tmp_path, text)
    with pytest.warns(UserWarning, match="1 invalid rows were skipped"):
        found = load(tmp_path, text, bad_rows="skip")
    assert list(found) == ["a"]


def test_damaged_rows_of_binary_files(tmp_path):
    nan = np.array([1, np.nan], np.float32).tobytes()
    text = b"2 2\na " + bytes(8) + b"b " + nan
    with pytest.raises(FileFormatError, match="row 1, at byte 14: the row of 'b' holds a number"):
        load(tmp_path, text)
    with pytest.warns(UserWarning, match="1 invalid rows"):
        assert list(load(tmp_path, text, bad_rows="skip")) == ["a"]
    with pytest.raises(FileFormatError, match="row 1, at byte 14: the file ends within 'b"):
        load(tmp_path, text[:-1])
    broken = b"1 2\n\xff\xfe " + bytes(8)
    with pytest.raises(FileFormatError, match="is not UTF-8"):
        load(tmp_path, broken)
    assert list(load(tmp_path, broken, encoding_errors="replace")) == ["\ufffd\ufffd"]


@pytest.mark.parametrize("n", [1, 3, 999_999_999_999])
def test_counts_that_are_wrong(n, tmp_path):
    for text in (
        f"{n} 2\na 1 2\nb 3 4\n".encode(),
        f"{n} 2\n".encode() + b"a " + bytes(range(8)) + b"\nb " + bytes(8),
    ):
        with pytest.raises(FileFormatError, match=f"first line says {n:,} rows, but there are 2"):
            load(tmp_path, text)
        assert len(load(tmp_path, text, limit=1)) == 1


def test_long_lines_and_many_lines(tmp_path):
    wide = Vectors(["a", "b"], np.random.default_rng(0).random((2, 600_000)))
    wide.save(tmp_path / "wide.vec")  # a line longer than what is read at a time
    assert Vectors.load(tmp_path / "wide.vec") == wide
    wide.save(tmp_path / "wide.txt")
    assert Vectors.load(tmp_path / "wide.txt") == wide
    many = Vectors([f"w{i}" for i in range(400_000)], np.arange(800_000).reshape(-1, 2))
    many.save(tmp_path / "many.txt")
    assert Vectors.load(tmp_path / "many.txt") == many
    with pytest.raises(FileFormatError, match="line 1: it does not end within 16 MB"):
        load(tmp_path, b"word 1 2 3" + b" 4" * (10 << 20))


def test_threads_change_nothing(tmp_path, n_threads):
    vectors = some_vectors(20_000, 4)
    vectors.save(tmp_path / "v.txt")
    assert Vectors.load(tmp_path / "v.txt") == vectors


# ---- files of other kinds ---------------------------------------------------


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "received an empty"),
        (b"just some words\nand more\n", "not a file of vectors. Tried wordrow's safetensors: .*"
         "NumPy's npz: .*fastText's model: .*word2vec's binary: .*TensorBoard's projector: .*"
         "word2vec's text: .*GloVe's text: its first lines are not words and numbers"),
        (b"\x80\x04\x95\x00", "a pickle, which wordrow never loads"),
        (b"\x93NUMPY\x01\x00", "an array without words"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1f\x8b\x08\x00garbage", "expected a complete gz file; decompressing it fails"),
        (gzip.compress(b"", mtime=0), "its content is empty"),
        (b"PK\x03\x04garbage", "expected a complete zip file"),
        (zipped(a="x 1 2", b="y 1 2"), "zip with one file of vectors in it; received 2: a, b"),
        (struct.pack("<ii", 793712314, 99) + bytes(80), "version 11 or 12; received 99"),
        (struct.pack("<ii", 793712314, 12), "expected the training arguments"),
    ],
    ids=["nothing", "prose", "pickle", "npy", "hdf5", "broken gz", "empty gz", "broken zip",
         "zip of two", "fastText of the future", "fastText cut short"],
)  # fmt: skip
def test_files_that_are_something_else(data, says, tmp_path):
    with pytest.raises(FileFormatError, match=says):
        load(tmp_path, data)


def test_folders_and_files_that_are_not_there(tmp_path):
    with pytest.raises(FileFormatError, match="received a folder"):
        Vectors.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        Vectors.load(tmp_path / "nix")


def test_npz_with_other_arrays(tmp_path):
    path = tmp_path / "v.npz"
    np.savez(path, tokens=np.array([b"a", "é".encode()]), emb=np.eye(2, order="F"))
    assert list(Vectors.load(path)) == ["a", "é"]
    np.savez(path, words=np.array(["a", None], object), table=np.eye(2))
    with pytest.raises(FileFormatError, match="Arrays of objects are pickled, and never read"):
        Vectors.load(path)
    np.savez(path, table=np.eye(2))
    with pytest.raises(FileFormatError, match="received 0 and 1"):
        Vectors.load(path)
    np.savez(path, words=np.array(["a", "a"]), table=np.eye(2))
    with pytest.warns(UserWarning, match="1 rows repeat a word .*'a'") as told:
        assert Vectors.load(path) == Vectors(["a"], [[1, 0]])
    assert told[0].filename == __file__
    np.savez(path, words=np.array([b"a", b"\xff"]), table=np.array([[np.nan, 0], [0, 1]]))
    with pytest.raises(FileFormatError, match="word 1: .* Read it with encoding_errors='replace'"):
        Vectors.load(path)
    with pytest.raises(FileFormatError, match="row 0: the row of 'a' holds a number that is not"):
        Vectors.load(path, encoding_errors="replace")
    with pytest.warns(UserWarning, match="1 invalid rows were skipped"):
        found = Vectors.load(path, encoding_errors="replace", bad_rows="skip")
    assert found == Vectors(["\ufffd"], [[0, 1]])
    np.savez(path, words=np.array(["a"]), table=np.array([[1e300, 0]]))
    with pytest.raises(FileFormatError, match="row 0: the row of 'a' holds a number that is not"):
        Vectors.load(path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("text", ["the 1 2\na 3 4\n", "2 2\nthe 1 2\na 3 4\n"])
def test_a_mark_before_the_text_is_left_out(text, suffix, tmp_path):
    data = b"\xef\xbb\xbf" + text.encode()
    path = tmp_path / f"v.txt{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    assert Vectors.load(path) == Vectors(["the", "a"], [[1, 2], [3, 4]])


def test_control_characters_are_letters_of_words(tmp_path):
    assert list(load(tmp_path, "2 2\n\x01a\x0c 1 2\nb 3 4\n")) == ["\x01a\x0c", "b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2 3\nthe 1 2\na 3 4\n", "its first line says rows of 3 numbers, but they have 2"),
        ("2 99999999\nthe 1 2\n", "its first line says rows of 99999999 numbers, but they have 2"),
        (
            f"1 99999999\nthe{' 1' * 40_000}\n",
            "cannot hold rows of 99999999 numbers",
        ),
        ("1 999999\nword \0\0\0\0", "a file of .* bytes cannot hold rows of 999999 numbers"),
        ("2 2\n\nthe 1 2\na 3\n", "line 4: expected a word and 2 numbers; 'a' has fewer"),
    ],
)
def test_a_header_that_is_wrong_is_that_of_a_text(text, says, tmp_path):
    with pytest.raises(FileFormatError, match=says):
        load(tmp_path, text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX's")
def test_pipes_are_written_to_and_not_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileFormatError, match="read more than once; received a pipe or device"):
        Vectors.load(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    got: list = []
    reader.start()
    Vectors(["a"], [[1, 2]]).save(pipe, "word2vec")
    reader.join()
    assert got == [b"1 2\na 1 2\n"]
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("vectors", "name"),
    [
        (Vectors([f"year {n}" for n in range(1990, 2000)], np.eye(10, 3)), "v.txt"),
        (Vectors(["1", "b"], [[1], [2]]), "v.txt"),
        (Vectors(["a\t1"], [[1, 2]]), "v.txt"),
        (Vectors([], np.empty((0, 3))), "v.txt"),
        (Vectors([], np.empty((0, 3))), "v.tsv"),
        (Vectors(["a"], [[1]]), "v.tsv"),
        (Vectors(["a "], [[1, 2]]), "v.tsv"),
        (Vectors(["a", ""], [[1, 2], [3, 4]]), "v.tsv"),
        (Vectors(["a\0"], [[1, 2]]), "v.vec"),
    ],
    ids=lambda x: x if isinstance(x, str) else repr(list(x)[:2]),
)
def test_what_would_be_read_otherwise_is_not_written(vectors, name, tmp_path):
    with pytest.raises(ValueError, match=r"cannot hold|needs at least one row"):
        vectors.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    vectors.save(tmp_path / "v.safetensors")
    assert Vectors.load(tmp_path / "v.safetensors") == vectors


def test_our_own_files_of_other_things(tmp_path):
    from wordrow import store

    path = tmp_path / "v.safetensors"
    store.write(path, {}, {"kind": "model"})
    with pytest.raises(FileFormatError, match="expected vectors; received .* holds 'model'"):
        Vectors.load(path)
    some_vectors().save(path)
    tensors, config = store.read(path)
    tensors = {k: np.array(v) for k, v in tensors.items()}
    tensors["table"] = tensors["table"][:-1]
    store.write(path, tensors, config)
    with pytest.raises(FileFormatError, match="50 words for 49 rows"):
        Vectors.load(path)


def test_the_projector_has_two_files(tmp_path):
    path = tmp_path / "imdb_vectors.tsv"
    vectors = some_vectors()
    vectors.save(path)
    beside = tmp_path / "imdb_metadata.tsv"
    assert beside.read_text(encoding="utf-8").split("\n")[:-1] == list(vectors)
    assert Vectors.load(path) == vectors
    words = list(vectors)
    beside.write_text("word\tcount\n" + "".join(f"{w}\t1\n" for w in words), encoding="utf-8")
    assert Vectors.load(path) == vectors
    beside.write_text("".join(f"{w}\n" for w in words[:-1]), encoding="utf-8")
    with pytest.raises(FileFormatError, match="fewer words than lines"):
        Vectors.load(path)
    beside.write_text("".join(f"{w}\n" for w in [*words, "x"]), encoding="utf-8")
    with pytest.raises(FileFormatError, match="more words than lines"):
        Vectors.load(path)
    beside.unlink()
    with pytest.raises(FileFormatError, match="there is no imdb_metadata.tsv with the words"):
        Vectors.load(path)


@pytest.mark.parametrize("n", [1024, 2048, 1500])
def test_the_projectors_last_line_needs_no_end(n, tmp_path):
    vectors = some_vectors(n)
    vectors.save(tmp_path / "v.tsv")
    whole = (tmp_path / "v.tsv").read_bytes()
    (tmp_path / "v.tsv").write_bytes(whole.rstrip(b"\n"))
    assert Vectors.load(tmp_path / "v.tsv") == vectors


def test_memory_is_that_of_the_table(tmp_path):
    """Reading 32 MB of text takes the memory of its table, and what is read at a time."""
    pytest.importorskip("resource")
    rng = np.random.default_rng(0)
    path = tmp_path / "v.txt"
    Vectors([f"w{i}" for i in range(60_000)], rng.standard_normal((60_000, 50))).save(path)
    code = (
        "import resource, sys\nfrom wordrow.vectors import Vectors\n"
        "Vectors.load(sys.argv[2])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "v = Vectors.load(sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, v.table.nbytes)"
    )
    Vectors(["a"], [[1, 2]]).save(tmp_path / "small.txt")
    out = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "small.txt"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    grown, table = int(out[0]) * (1 if sys.platform == "darwin" else 1024), int(out[1])
    assert grown < table + (20 << 20)
