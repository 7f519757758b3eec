"""Files that Keras has downloaded before."""

import hashlib

from wordrow.datasets.download import fetch


def test_a_file_of_keras_is_used_if_it_is_the_right_one(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDROW_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    kept = tmp_path / "keras" / "datasets" / "x.npz"
    kept.write_bytes(b"content")
    url = (tmp_path / "nowhere.npz").as_uri()
    for algorithm in ("sha256", "md5"):
        known = f"{algorithm}:{hashlib.new(algorithm, b'content').hexdigest()}"
        assert fetch(url, "x.npz", known_hash=known, by_hand="") == kept
    assert fetch(url, "x.npz", known_hash=None, by_hand="") == kept
    monkeypatch.setattr("pooch.retrieve", lambda *args, **options: tmp_path / "downloaded")
    other = "sha256:" + hashlib.sha256(b"other").hexdigest()
    assert fetch(url, "x.npz", known_hash=other, by_hand="") == tmp_path / "downloaded"
