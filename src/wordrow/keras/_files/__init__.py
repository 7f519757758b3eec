"""Keras's own files, `.keras` and `.h5`: models and weights, read and written.

A model keeps its weights, and the state of its optimizer where that fits ours. Needs h5py,
the extra `keras`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from wordrow import store
from wordrow.keras._config.compile_reader import CompileReader
from wordrow.keras._config.compile_writer import compile_entry
from wordrow.keras._config.entry import Style
from wordrow.keras._config.graph_writer import fits_keras_2
from wordrow.keras._config.reader import Reader
from wordrow.keras._config.writer import Writer
from wordrow.keras._files.archive import archive_bytes
from wordrow.keras._files.h5 import h5_bytes, h5_weights_bytes
from wordrow.keras._files.hdf5 import h5py_module
from wordrow.keras._files.opening import open_file
from wordrow.keras._files.optimizer_state import optimizer_arrays, restore_optimizer
from wordrow.keras._files.weights import assign
from wordrow.nn.model.model import Model

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]

Path = str | os.PathLike[str]


def load_model(
    path: Path, *, compiled: bool = True, custom_objects: Mapping[str, Any] | None = None
) -> Model:
    """Return the model of a `.keras` or `.h5` file."""
    name = os.fspath(path)
    with open_file(name) as file:
        reader = Reader(name, custom_objects, file.keras_version(), file.vocabularies())
        model: Model = reader.model(file.model_entry())
        assign(file.weights(model))
        arrays = file.optimizer_arrays()
        config = file.compile_config()
    options = CompileReader(reader.context).arguments(config) if compiled else None
    if options is None:
        return model
    try:
        model.compile(**options)
    except ValueError as error:
        warnings.warn(
            f"{name}: the model is not compiled: {error} Pass custom functions with "
            "load_model(path, custom_objects={'name': function}).",
            UserWarning,
            stacklevel=3,
        )
        return model
    if len(arrays) > 1:
        restore_optimizer(model, arrays, name)
    return model


def save_model(model: Model, path: Path, *, include_optimizer: bool = True) -> None:
    """Write a model to a `.keras` or `.h5` file, atomically."""
    h5py_module()  # without it, an error before any work
    is_archive = os.fspath(path).endswith(".keras")
    _ = model.graph  # builds the model, or it has no weights to save
    style: Style = 3 if is_archive or not fits_keras_2(model) else 2
    entry = Writer(style).model(model)
    config = compile_entry(model, style) if include_optimizer else None
    arrays = optimizer_arrays(model) if config else []
    if is_archive:
        data = archive_bytes(model, entry, config, arrays)
    else:
        data = h5_bytes(model, style, entry, config, arrays)
    with store.writing(path) as target:
        target.write(data)


def save_weights(model: Model, path: Path) -> None:
    """Write weights: as Keras 3 for names that end in .weights.h5, otherwise as Keras 2."""
    h5py_module()
    _ = model.graph
    if not os.fspath(path).endswith(".weights.h5"):
        data = h5_weights_bytes(model, 2)
    else:
        arrays = None if model.optimizer is None else optimizer_arrays(model)
        if arrays and not model.step:
            arrays = arrays[:2]  # Keras stores no more before the first step
        data = h5_weights_bytes(model, 3, arrays)
    with store.writing(path) as target:
        target.write(data)


def load_weights(
    model: Model, path: Path, *, by_name: bool = False, skip_mismatch: bool = False
) -> None:
    """Load the weights of a file of weights or of a model.

    by_name: only of layers with the same name here and in the file. skip_mismatch: of those,
    only where the shapes agree. Both are for `.h5` files as Keras 1 and 2 write them.
    """
    _ = model.graph
    with open_file(os.fspath(path)) as file:
        weights = file.weights(model, by_name=by_name, skip_mismatch=skip_mismatch)
    assign(weights)
