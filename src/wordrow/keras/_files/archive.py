"""The `.keras` container: a zip of JSON, and HDF5 for the arrays."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from wordrow.keras._config.entry import KERAS_VERSIONS, Entry
from wordrow.keras._files.hdf5 import Array, Group, h5py_module, parse_json, write_numbered
from wordrow.keras._files.weights import LayerWeights
from wordrow.keras._files.weights_by_path import read_by_path, write_by_path
from wordrow.nn.model.model import Model
from wordrow.store import to_json

__all__ = ["ArchiveReader", "archive_bytes", "write_arrays"]

_METADATA, _CONFIG, _ARRAYS = "metadata.json", "config.json", "model.weights.h5"
_OPTIMIZER = "optimizer/vars"


class ArchiveReader:
    """Reads a `.keras` file."""

    def __init__(self, archive: zipfile.ZipFile, file_name: str) -> None:
        self._archive, self._file_name = archive, file_name

    def keras_version(self) -> str:
        """Return the version of the Keras that wrote the file."""
        if _METADATA not in self._archive.namelist():
            return "3"
        return str(self._json(_METADATA).get("keras_version", "3"))

    def vocabularies(self) -> dict[str, list[str]]:
        """Return the vocabularies of text layers, by their group."""
        found = {}
        for name in self._archive.namelist():
            parts = name.split("/")
            is_layer = len(parts) == 4 and parts[:2] == ["assets", "layers"]
            if is_layer and parts[3] == "vocabulary.txt":
                found[parts[2]] = self._archive.read(name).decode("utf-8").split("\n")
        return found

    def model_entry(self) -> Any:
        """Return {"class_name", "config"} of the model."""
        return self._config

    def compile_config(self) -> Any:
        """Return the arguments of `compile`, as a config."""
        return self._config.get("compile_config")

    def weights(
        self, model: Model, *, by_name: bool = False, skip_mismatch: bool = False
    ) -> LayerWeights:
        """Return the weights of each layer, by their paths: the options have no effect."""
        return read_by_path(model, self._arrays, self._file_name)

    def optimizer_arrays(self) -> list[Array]:
        """Return the optimizer's state."""
        n_arrays = len(self._arrays.get(_OPTIMIZER, ()))
        return [np.asarray(self._arrays[f"{_OPTIMIZER}/{i}"]) for i in range(n_arrays)]

    def close(self) -> None:
        """Close the HDF5 file inside."""
        if "_arrays" in vars(self):
            self._arrays.close()

    def _json(self, name: str) -> Any:
        return parse_json(self._archive.read(name), self._file_name)

    @functools.cached_property
    def _config(self) -> Any:
        return self._json(_CONFIG)

    @functools.cached_property
    def _arrays(self) -> Group:
        return h5py_module().File(io.BytesIO(self._archive.read(_ARRAYS)), "r")


def write_arrays(file: Group, model: Model, optimizer_arrays: Sequence[Array] | None) -> None:
    """Write weights, and the optimizer's state unless it is None, as Keras 3 does."""
    write_by_path(model, file)
    if optimizer_arrays is not None:
        write_numbered(file.require_group(_OPTIMIZER), optimizer_arrays)


def archive_bytes(
    model: Model, entry: Entry, compile_config: Entry | None, optimizer_arrays: Sequence[Array]
) -> bytes:
    """Return the bytes of a `.keras` file."""
    arrays, buffer = io.BytesIO(), io.BytesIO()
    with h5py_module().File(arrays, "w") as file:
        write_arrays(file, model, optimizer_arrays)
    metadata = {
        "keras_version": KERAS_VERSIONS[3],
        "date_saved": f"{datetime.now():%Y-%m-%d@%H:%M:%S}",
    }
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(_METADATA, to_json(metadata))
        archive.writestr(_CONFIG, to_json(entry | {"compile_config": compile_config}))
        archive.writestr(_ARRAYS, arrays.getvalue())
    return buffer.getvalue()
