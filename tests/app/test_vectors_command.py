"""`wordrow vectors`, as its users meet it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from wordrow.app.main import run
from wordrow.vectors import Vectors


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    rng = np.random.default_rng(0)
    words = ["man", "king", "woman", "queen", "plum", "pear", "Paris", "tree"]
    table = rng.standard_normal((8, 6))
    table[3] = table[1] - table[0] + table[2]
    Vectors(words, table).save("v.vec")
    Vectors(words[:7], table[:7] + 0.1).save("w.safetensors")
    return tmp_path


def ask(capfd, *arguments):
    status = run(["vectors", *map(str, arguments)])
    out, err = capfd.readouterr()
    return status, out, err


def test_info(files, capfd):
    status, out, _ = ask(capfd, "info", "v.vec")
    assert status == 0
    for line in ("word2vec's text", "words           8", "dimensions      6", "man king woman"):
        assert line in out
    _, out, _ = ask(capfd, "info", "v.vec", "--json")
    found = json.loads(out)
    assert (found["format"], found["words"], found["dimensions"]) == ("word2vec", 8, 6)


def test_convert_and_subset(files, capfd):
    assert ask(capfd, "convert", "v.vec", "v.bin.gz", "--normalize")[0] == 0
    np.testing.assert_allclose(np.linalg.norm(Vectors.load("v.bin.gz").table, axis=1), 1, rtol=1e-6)
    assert ask(capfd, "convert", "v.vec", "x", "--format", "glove", "--limit", 3)[0] == 0
    assert len(Vectors.load("x")) == 3
    (files / "texts.txt").write_text("a Plum, a plum.\nParis!\n")
    status, _, err = ask(capfd, "subset", "v.vec", "s.npz", "--words", "texts.txt")
    assert status == 0
    assert "s.npz: 2 rows of 6" in err
    assert list(Vectors.load("s.npz")) == ["plum", "Paris"]
    (files / "texts.txt").write_text("PLUM, paris!\n")
    ask(capfd, "subset", "v.vec", "s.npz", "--words", "texts.txt", "--case", "fallback")
    assert list(Vectors.load("s.npz")) == ["plum", "Paris"]


def test_nearest_and_analogy(files, capfd):
    vectors = Vectors.load("v.vec")
    _, out, _ = ask(capfd, "nearest", "v.vec", "man", "plum", "-n", 2)
    for word in ("man", "plum"):
        for other, cosine in vectors.most_similar(word, n=2):
            assert f"{other}" in out
            assert f"{cosine:.4f}" in out
    _, out, _ = ask(capfd, "nearest", "v.vec", "man", "--json", "-n", 1)
    assert json.loads(out) == {"man": [list(vectors.most_similar("man", n=1)[0])]}
    _, out, _ = ask(capfd, "nearest", "v.vec", "man", "king", "--together", "--json", "-n", 1)
    assert json.loads(out)["man king"] == [list(vectors.most_similar(["man", "king"], n=1)[0])]
    _, out, _ = ask(capfd, "analogy", "v.vec", "man", "king", "woman", "-n", 1)
    assert "queen" in out
    assert json.loads(ask(capfd, "analogy", "v.vec", "man", "king", "woman", "--json")[1])[0][
        0
    ] == ("queen")


def test_evaluate_and_compare(files, capfd):
    (files / "questions.txt").write_text(": royal\nman king woman queen\nx y z w\n")
    (files / "pairs.tsv").write_text("plum\tpear\t9\nman\tking\t3\nman\tnix\t1\n")
    status, out, _ = ask(capfd, "evaluate", "v.vec", "questions.txt", "pairs.tsv")
    assert status == 0
    assert "royal" in out
    assert "1.0000" in out
    assert "pairs.tsv" in out
    found = json.loads(ask(capfd, "evaluate", "v.vec", "questions.txt", "pairs.tsv", "--json")[1])
    assert found[0]["scores"][-1] == {
        "section": "all",
        "accuracy": 1.0,
        "right": 1,
        "asked": 1,
        "unknown": 1,
    }
    assert found[1]["scores"][0]["asked"] == 2
    _, out, _ = ask(capfd, "compare", "v.vec", "w.safetensors", "-n", 3)
    assert "words: 8 and 7, 7 of them in both" in out
    found = json.loads(ask(capfd, "compare", "v.vec", "w.safetensors", "--json")[1])
    assert found["moved"][0]["distance"] == pytest.approx(0.1 * 6**0.5, rel=1e-4)


def test_train(files, capfd):
    (files / "corpus.txt").write_text("The king eats a plum\nthe queen eats a pear\n" * 40)
    status, _, err = ask(
        capfd, "train", "corpus.txt", "--dim", 5, "--seed", 1, "--deterministic", "--max-n", 3
    )
    assert status == 0
    assert "corpus.safetensors: 7 rows of 5" in err
    vectors = Vectors.load("corpus.safetensors")
    assert list(vectors)[:3] == ["the", "eats", "a"]
    assert vectors.subwords is not None
    ask(capfd, "train", "corpus.txt", "-o", "x.txt", "--no-lower", "--phrases", 1, "--dim", 4)
    assert "The" in Vectors.load("x.txt")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["info", "nix"], "nix: No such file"),
        (["nearest", "v.vec", "kimg"], "'kimg' is not among the 8 words. Did you mean 'king'?"),
        (["convert", "v.vec", "x.xyz"], "does not say which format to write"),
        (["convert", "v.vec", "no/x.vec"], "does not exist"),
        (["train", "nix"], "nix: No such file"),
        (["train", "corpus.txt", "-o", "x.txt"], "no word occurs 5 times"),
        (["train", "corpus.txt", "-o", "x.xyz"], "does not say which format to write"),
        (
            ["train", "/dev/null"],
            "/dev/null: expected a file of text, which is read more",
        ),
        (
            ["subset", "v.vec", "x.vec", "--words", "corpus.txt"],
            "none of the 4 words of corpus",
        ),
        (["evaluate", "v.vec", "corpus.txt"], "corpus.txt: expected pairs of words"),
        (["subset", "v.vec", "x.vec", "--words", "empty.txt"], "expected words; found none"),
        (["info", "corpus.txt"], "not a file of vectors. Tried"),
    ],
)
def test_what_goes_wrong_is_one_line(arguments, says, files, capfd):
    (files / "corpus.txt").write_text("a text of words\n")
    (files / "empty.txt").write_text("\n")
    status, out, err = ask(capfd, *arguments)
    assert status == 2
    assert not out
    assert says in err
    assert len(err.strip().split("\n")) == 1
    assert not (files / "x.vec").exists()


def test_words_are_printed_as_they_are(files, capfd):
    Vectors(["[/]", "[bold]x", "y"], np.eye(3)).save("odd.vec")
    for arguments in (["nearest", "odd.vec", "[/]"], ["analogy", "odd.vec", "[/]", "[bold]x", "y"]):
        status, out, _ = ask(capfd, *arguments)
        assert status == 0
        assert "[/]" in out
        assert "[bold]x" in out


def test_what_is_written_is_told_as_json(files, capfd):
    (files / "words.txt").write_text("king plum")
    for arguments in (
        ["convert", "v.vec", "x.bin", "--json"],
        ["subset", "v.vec", "x.bin", "--words", "words.txt", "--json"],
    ):
        status, out, err = ask(capfd, *arguments)
        assert status == 0
        assert "rows of 6" in err
        found = json.loads(out)
        assert found["words"] == len(Vectors.load("x.bin"))
        assert found["bytes"] == (files / "x.bin").stat().st_size


def test_ctrl_c_leaves_nothing(files):
    import signal
    import time

    (files / "corpus.txt").write_text("the king eats a plum and the queen a pear\n" * 20_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "wordrow", "vectors", "train", "corpus.txt", "--epochs", "100000"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=files,
        env=os.environ,
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "stopped; nothing was written" in err
    assert not list(files.glob("*corpus*safetensors*"))
