"""Damaged files of every format are refused, or loaded right, with little memory."""

import importlib.util
import pathlib

import pytest

spec = importlib.util.spec_from_file_location(
    "mutation", pathlib.Path(__file__).with_name("mutation.py")
)
mutation = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutation)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return mutation.seeds(tmp_path_factory.mktemp("seeds"))


NAMES = [
    "v.safetensors",
    "v.txt",
    "v.vec",
    "v.bin",
    "v.npz",
    "v.tsv",
    "v.vec.gz",
    "v.bin.zip",
    "v.txt.zst",
    "supervised.bin",
    "skipgram.bin",
    "supervised.ftz",
]


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files(name, files, tmp_path):
    if name not in files:
        pytest.skip("zstandard is not installed")
    whole = tmp_path / name
    whole.write_bytes(files[name])
    if name == "v.tsv":
        words = "".join(f"w{i}\n" for i in range(12))
        mutation.metadata_path(whole).write_text(words)
    assert mutation.attempt(whole, mutation.random.Random(1))
    n_right = mutation.try_all(name, files[name], tmp_path, 150, seed=7)
    assert n_right < 150
