"""The `.h5` container: JSON and arrays in one HDF5 file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from wordrow.errors import FileFormatError
from wordrow.keras._config.entry import KERAS_VERSIONS, Entry, Style
from wordrow.keras._files.archive import write_arrays
from wordrow.keras._files.hdf5 import (
    Array,
    Group,
    h5py_module,
    parse_json,
    read_weights,
    write_weights,
)
from wordrow.keras._files.weights import LayerWeights
from wordrow.keras._files.weights_by_layer import read_by_layer, write_by_layer
from wordrow.keras._files.weights_by_path import read_by_path
from wordrow.nn.model.model import Model
from wordrow.store import to_json

__all__ = ["H5Reader", "h5_bytes", "h5_weights_bytes"]


class H5Reader:
    """Reads an `.h5` file of Keras 1, 2 or 3: a model, or weights alone."""

    def __init__(self, file: Group, file_name: str) -> None:
        self._file, self._file_name = file, file_name

    def keras_version(self) -> str:
        """Return the version of the Keras that wrote the file; Keras 1.0 stored none."""
        version = self._file.attrs.get("keras_version", "1")
        return version.decode() if isinstance(version, bytes) else str(version)

    def vocabularies(self) -> dict[str, list[str]]:
        """Return the vocabularies of text layers: these files hold none."""
        return {}

    def model_entry(self) -> Any:
        """Return {"class_name", "config"} of the model."""
        if "model_config" not in self._file.attrs:
            raise FileFormatError(
                f"{self._file_name}: expected a model, received a file of weights alone. Create "
                "the model, and use model.load_weights(path)."
            )
        return parse_json(self._file.attrs["model_config"], self._file_name)

    def compile_config(self) -> Any:
        """Return the arguments of `compile`, as a config."""
        return parse_json(self._file.attrs.get("training_config", "null"), self._file_name)

    def weights(
        self, model: Model, *, by_name: bool = False, skip_mismatch: bool = False
    ) -> LayerWeights:
        """Return the weights of each layer; the options are those of `load_weights`."""
        file, name = self._file, self._file_name
        if "layer_names" not in file.attrs and "model_weights" not in file:
            return read_by_path(model, file, name)
        group = file.get("model_weights", file)
        return read_by_layer(model, group, name, by_name=by_name, skip_mismatch=skip_mismatch)

    def optimizer_arrays(self) -> list[Array]:
        """Return the optimizer's state."""
        return read_weights(self._file.get("optimizer_weights"))


def h5_bytes(
    model: Model,
    style: Style,
    entry: Entry,
    compile_config: Entry | None,
    optimizer_arrays: Sequence[Array],
) -> bytes:
    """Return the bytes of an `.h5` file of a model."""
    buffer = io.BytesIO()
    with h5py_module().File(buffer, "w") as file:
        file.attrs["keras_version"] = KERAS_VERSIONS[style]
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = to_json(entry)
        if compile_config:
            config = {k: v for k, v in compile_config.items() if k != "optimizer"}
            config["optimizer_config"] = compile_config["optimizer"]
            file.attrs["training_config"] = to_json(config)
        write_by_layer(model, file.create_group("model_weights"), KERAS_VERSIONS[2])
        if optimizer_arrays:
            names = [f"optimizer/{i}" for i in range(len(optimizer_arrays))]
            write_weights(file.create_group("optimizer_weights"), names, optimizer_arrays)
    return buffer.getvalue()


def h5_weights_bytes(
    model: Model, style: Style, optimizer_arrays: Sequence[Array] | None = None
) -> bytes:
    """Return the bytes of a file of weights alone; only Keras 3's holds the optimizer's state."""
    buffer = io.BytesIO()
    with h5py_module().File(buffer, "w") as file:
        if style == 3:
            write_arrays(file, model, optimizer_arrays)
        else:
            write_by_layer(model, file, KERAS_VERSIONS[2])
    return buffer.getvalue()
