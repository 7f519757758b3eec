"""What the documents show is what happens; what they list is what there is."""

import contextlib
import io
import os
import pathlib
import re
import runpy
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)


def alike(shown, real):
    """The same words; numbers may differ in their last digits, times altogether."""
    shown, real = (re.sub(r"in [\d.]+ s", "in some time", text).split() for text in (shown, real))
    assert len(shown) == len(real), real
    for a, b in zip(shown, real, strict=True):
        if re.fullmatch(r"\d\.\d+", a):
            assert float(a) == pytest.approx(float(b), abs=0.02)
        else:
            assert a == b


@pytest.mark.parametrize(
    ("code", "shown"),
    list(zip(blocks("python"), blocks("text"), strict=True)),
    ids=["first", "classifier", "any model", "vectors"],
)
def test_the_readmes_code_prints_what_it_shows(code, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    alike(shown, out.getvalue())


def test_the_first_code_has_twelve_lines():
    assert len([line for line in blocks("python")[0].splitlines() if line]) == 12


def test_the_readmes_commands_print_what_it_shows(tmp_path):
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "reviews.csv").write_bytes(
        (ROOT / "examples" / "reviews.csv").read_bytes()
    )
    (session,) = [block for block in blocks("console") if block.startswith("$")]
    for part in session.split("$ ")[1:]:
        command, shown = part.split("\n", 1)
        words = shlex.split(command)
        assert words[0] == "wordrow"
        answer = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stderr
        alike(shown, answer.stderr + answer.stdout)


def test_the_makefile_has_the_readmes_commands():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_map_lists_the_files_that_there_are():
    listed = ARCHITECTURE.split("\n## Files\n")[1].split("\n## ")[0]
    named = [
        f"{room}/{name}"
        for room, lines in re.findall(r"^`([\w/]+)/`\n\n((?:- .*\n)+)", listed, re.MULTILINE)
        for line in lines.splitlines()
        for name in re.findall(r"`([\w/]+\.\w+)`", line.split(": ")[0])
    ]
    assert sorted(named) == sorted(set(named))
    files = [
        path
        for folder in ("core", "bind", "src/wordrow")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".h", ".cpp", ".inc", ".py", ".pyi") and "__pycache__" not in path.parts
    ]
    there = {path.relative_to(ROOT).as_posix() for path in files}
    assert set(named) - there == set()  # are gone
    unlisted = there - set(named)
    assert "src/wordrow/nn/layers/__init__.py" not in unlisted
    assert {name for name in unlisted if not name.endswith("/__init__.py")} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path, capsys):
    runpy.run_path(str(path))
    assert capsys.readouterr().out


def test_the_walkthrough_shows_the_questions_numbers(capsys):
    found = runpy.run_path(str(ROOT / "examples" / "embedding_walkthrough.py"))
    assert found["padded"].tolist() == [[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]]
    assert found["output"].shape == (2, 6, 3)
    assert (found["output"] == found["table"][found["padded"]]).all()
    assert "(2, 6, 3) (10, 3)" in capsys.readouterr().out


def test_links_between_documents():
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)", document.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{document.name}: {target}"


def test_the_project_speaks_of_itself_alone():
    """No paths of a machine, and no package index, in what is tracked."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    home = re.compile(r"(?<![\w.])/(?:ro" r"ot|ho" r"me|wo" r"rk)/\w")
    for name in listed.stdout.split("\n"):
        path = ROOT / name
        if path.is_file() and path.name != "LICENSE" and os.path.getsize(path) < 1_000_000:
            assert not home.search(path.read_text(encoding="utf-8")), name
