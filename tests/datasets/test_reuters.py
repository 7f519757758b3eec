"""Reuters as Keras gives it, from a file of the same form."""

import keras
import numpy as np
import pytest

from wordrow.datasets import reuters
from wordrow.errors import FileFormatError


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"num_words": 900, "skip_top": 5},
        {"maxlen": 50, "test_split": 0.5},
        {"start_char": None, "index_from": 0, "oov_char": None, "num_words": 500, "seed": 3},
    ],
)
def test_as_keras(arguments, tmp_path, monkeypatch, rng):
    lists = np.empty(60, object)
    lists[:] = [rng.integers(1, 3000, rng.integers(1, 90)).tolist() for _ in range(60)]
    path = tmp_path / "reuters.npz"
    np.savez(path, x=lists, y=rng.integers(0, 46, 60))
    monkeypatch.setattr(keras.src.datasets.reuters, "get_file", lambda *_, **__: path)
    theirs = keras.datasets.reuters.load_data(**arguments)
    for ours, wanted in zip(reuters.load_data(path, **arguments), theirs, strict=True):
        assert ours[0].tolist() == wanted[0].tolist()
        assert ours[1].tolist() == wanted[1].tolist()


def test_names_and_files(tmp_path):
    assert reuters.get_label_names() == keras.datasets.reuters.get_label_names()
    (tmp_path / "i.json").write_text('{"the": 1}', encoding="utf-8")
    assert reuters.get_word_index(tmp_path / "i.json") == {"the": 1}
    np.savez(tmp_path / "r.npz", x=np.zeros(3), y=np.zeros(3, int))
    with pytest.raises(FileFormatError, match="expected lists in x and numbers in y"):
        reuters.load_data(tmp_path / "r.npz")
