"""A TextClassifier's model: its own, or the user's, compiled."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import random
from wordrow.nn.layers import Dense, Embedding, GlobalAveragePooling1D, Input
from wordrow.nn.model.model import Model
from wordrow.nn.model.sequential import Sequential
from wordrow.nn.optimizers import Adam
from wordrow.nn.optimizers.schedules import PolynomialDecay, Schedule
from wordrow.types import Padded, Ragged

__all__ = [
    "ModelFactory",
    "check_model",
    "compile_model",
    "default_epochs",
    "default_model",
    "falling_rate",
    "inputs_for",
    "table_of",
    "user_model",
]

ModelFactory: TypeAlias = Callable[[int, int], Model]  # of (n_rows, n_classes)
Rng: TypeAlias = np.random.Generator

# Small data need more passes to take as many steps; large data overfit after
# a few. Chosen on held-out parts of the IMDB, SST-2, TREC, SMS and Reuters
# training sets.
_STEPS_WANTED, _FEWEST_EPOCHS, _MOST_EPOCHS = 1000, 3, 100


def default_epochs(n_texts: int, batch_size: int) -> int:
    """Return how many passes give about 1,000 steps, from 3 to 100.

    >>> default_epochs(25_000, 64), default_epochs(5_452, 64), default_epochs(2, 64)
    (3, 12, 100)
    """
    steps = math.ceil(n_texts / batch_size)
    return min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_STEPS_WANTED / steps)))


def default_model(n_rows: int, n_classes: int, dim: int, rng: Rng) -> Model:
    """Return a new model of Embedding, mean and Dense."""
    dense = Dense(1, "sigmoid") if n_classes == 2 else Dense(n_classes, "softmax")
    layers = [Embedding(n_rows, dim, mask_zero=True), GlobalAveragePooling1D(), dense]
    ids = Input((None,), dtype="int32")
    return Sequential.from_layers([ids, *layers], "text_classifier", rng)


def user_model(given: Model | ModelFactory, n_rows: int, n_classes: int, rng: Rng) -> Model:
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
            f"there are {n_classes} labels, and the outputs of `model` have the shape "
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
    """Return the layer whose rows the ids are.

    Raises ValueError where there is none.
    """
    for layer in model.all_layers:
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


def falling_rate(rate: float, epochs: int, n_texts: int, batch_size: int) -> PolynomialDecay:
    """Return a learning rate that falls in a line to zero over a training."""
    steps = epochs * math.ceil(n_texts / batch_size)
    return PolynomialDecay(rate, steps, end_learning_rate=0.0)


def compile_model(model: Model, rate: float | Schedule, adam: Mapping[str, float]) -> None:
    """Compile a model with Adam, and the loss and accuracy that fit its last layer.

    adam: its settings, where they are not the defaults.
    """
    one = model.output_shapes[0][-1] == 1
    loss = "binary_crossentropy" if one else "sparse_categorical_crossentropy"
    optimizer = Adam(
        rate,
        beta_1=adam.get("beta_1", 0.9),
        beta_2=adam.get("beta_2", 0.999),
        epsilon=adam.get("epsilon", 1e-7),
    )
    model.compile(optimizer, loss, ["accuracy"])
