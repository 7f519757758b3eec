"""A TextClassifier's model of your own: what it must be like, and its training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import random
from wordrow.nn.callbacks import EarlyStopping, History
from wordrow.nn.layers import Embedding
from wordrow.nn.model import Model
from wordrow.nn.optimizers import Adam
from wordrow.nn.schedules import PolynomialDecay
from wordrow.types import Padded, Ragged

__all__ = ["Ask", "check_model", "fit_model", "inputs_for", "own_model", "table_of"]

Ask = Callable[[int, int], Model]


def own_model(given: Model | Ask, n_rows: int, n_classes: int, rng: Any) -> Model:
    """Return a new model to train: a copy, or what a function of (n_rows, n_classes) makes."""
    with random.drawing_from(rng):
        model = copy.deepcopy(given) if isinstance(given, Model) else given(n_rows, n_classes)
        if not isinstance(model, Model):
            raise TypeError(
                "`model` must be a model, or a function of (n_rows, n_classes) that returns one; "
                f"received {show(model)}."
            )
    check_model(model, n_rows, n_classes)
    return model


def check_model(model: Model, n_rows: int, n_classes: int) -> None:
    """Raise ValueError where a model does not fit a vocabulary and classes."""
    if len(model.graph.inputs) != 1 or len(model.graph.outputs) != 1:
        raise ValueError(
            f"`model` must have one input, of ids, and one output; received {model.input_names} "
            f"and {model.output_names}."
        )
    units = model.output_shapes[0][-1]
    fits = units == n_classes or (units, n_classes) == (1, 2)
    if len(model.output_shapes[0]) != 2 or not fits:
        raise ValueError(
            f"there are {n_classes} labels, and `model` puts out the shape "
            f"{model.output_shapes[0]}. End it with "
            + ("Dense(1, 'sigmoid')." if n_classes == 2 else f"Dense({n_classes}, 'softmax').")
        )
    table = table_of(model)
    if table.input_dim < n_rows:
        raise ValueError(
            f"the table of layer {table.name!r} has {table.input_dim} rows, and the texts need "
            f"{n_rows}: one for each word and one for padding. Use num_words={table.input_dim}, or "
            "give a function of (n_rows, n_classes) that makes the model."
        )


def table_of(model: Model) -> Embedding:
    """Return the layer that looks ids up.

    Raises ValueError where there is none.
    """
    for layer in model._layers:
        if isinstance(layer, Embedding):
            return layer
    raise ValueError(
        f"`model` must look its ids up in an Embedding; received {[x.name for x in model.layers]}."
    )


def inputs_for(model: Model, ragged: Ragged) -> Ragged | Padded | npt.NDArray[np.int32]:
    """Return texts as a model takes them: of its length, where it has one."""
    length = model.input_shapes[0][1]
    if length is None:
        return ragged
    padded = ragged.pad(length)
    return padded if table_of(model).mask_zero else padded.ids


def fit_model(
    model: Model, ragged: Ragged, numbers: npt.NDArray[np.int32], *, epochs: int, batch_size: int,
    learning_rate: float, held: tuple[Ragged, npt.NDArray[np.int32]] | None, patience: int,
    rng: np.random.Generator, verbose: Any,
) -> History:  # fmt: skip
    """Train a model; one that is not compiled with Adam, the rate falling in a line to zero."""
    callbacks, validation = [], None
    if held is not None:
        validation = inputs_for(model, held[0]), held[1]
        callbacks = [EarlyStopping(patience=patience, restore_best_weights=True)]
    with random.drawing_from(rng):
        if model.optimizer is None or model.loss is None:
            steps = epochs * math.ceil(len(ragged) / batch_size)
            one = model.output_shapes[0][-1] == 1
            loss = "binary_crossentropy" if one else "sparse_categorical_crossentropy"
            rate = PolynomialDecay(learning_rate, steps, end_learning_rate=0.0)
            model.compile(Adam(rate), loss, ["accuracy"])
        return model.fit(
            inputs_for(model, ragged), numbers, batch_size=batch_size, epochs=epochs,
            validation_data=validation, callbacks=callbacks,
            verbose=verbose if verbose == "auto" else int(bool(verbose)),
        )  # fmt: skip
