import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load

from wordrow import store
from wordrow.errors import FileFormatError

ARRAYS = hnp.arrays(
    st.sampled_from(["f4", "f8", "i4", "i8", "u1", "?"]), hnp.array_shapes(min_dims=1, min_side=0)
)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8)


@given(
    st.dictionaries(NAMES.filter(lambda n: n != "__metadata__"), ARRAYS, max_size=4),
    st.dictionaries(NAMES, st.integers(0, 9)),
)
def test_what_was_written_is_read(tensors, config):
    data = store.to_bytes(tensors, config)
    assert data == store.to_bytes(dict(reversed(tensors.items())), dict(reversed(config.items())))
    back, back_config = store.from_bytes(data, name="x")
    assert back_config == config
    assert back.keys() == tensors.keys() == load(data).keys()
    for name, array in tensors.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


@given(st.data())
def test_damaged_bytes_give_a_clear_error_or_another_file(data):
    tensors = {"table": np.arange(12, dtype=np.float32).reshape(4, 3), "n": np.arange(3)}
    good = bytearray(store.to_bytes(tensors, {"kind": "x"}))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    try:
        tensors, _ = store.from_bytes(cut, name="x")
    except FileFormatError as error:
        assert str(error).startswith("x:")  # noqa: PT017
    else:
        assert all(tensor.nbytes <= len(cut) for tensor in tensors.values())


@given(st.lists(st.text()))
def test_strings(strings):
    assert store.unpack_strings(*store.pack_strings(strings)) == strings


def test_offsets_that_do_not_fit():
    with pytest.raises(FileFormatError, match="do not match"):
        store.unpack_strings(np.zeros(3, np.uint8), np.array([0, 2]))


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.safetensors"
    store.write(path, {}, {"n": 1})

    def stop_halfway():
        with store.writing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_halfway()
    assert store.read(path)[1] == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    with pytest.raises(FileNotFoundError, match="does not exist"):
        store.write(tmp_path / "none" / "a", {}, {})
    with pytest.raises(IsADirectoryError, match="received a folder"):
        store.write(tmp_path, {}, {})


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_file_keeps_the_permissions_of_the_one_it_replaces(tmp_path):
    path = tmp_path / "private"
    path.write_bytes(b"")
    path.chmod(0o600)
    with store.writing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_golden_bytes():
    """The format on disk. A change here breaks every file that users have."""
    tensors = {"b": np.array([1.5], "f4"), "a": np.array([7], "i4")}
    header = (
        '{"__metadata__":{"wordrow":"{\\"a\\": \\"é\\", \\"z\\": 1}"},'
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        '"a":{"dtype":"I32","shape":[1],"data_offsets":[4,8]}}      '
    ).encode()
    body = b"\x00\x00\xc0\x3f" + b"\x07\x00\x00\x00"
    expected = len(header).to_bytes(8, "little") + header + body
    assert store.to_bytes(tensors, {"z": 1, "a": "é"}) == expected
