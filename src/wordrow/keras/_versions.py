"""Which Keras a script was written for, as its imports and arguments tell, and what differed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["OLD_ARGUMENTS", "OLD_DEFAULTS", "old_defaults", "saw_argument", "saw_module", "unseen"]

# What Keras 1 and 2 took where an argument was left out, and tf.keras 2 and Keras 3 do not. From
# keras/optimizers.py of the releases 1.2.2 and 2.3.1.
OLD_DEFAULTS: dict[str, dict[str, Any]] = {
    "Adadelta": {"learning_rate": 1.0},
    "Adagrad": {"learning_rate": 0.01, "initial_accumulator_value": 0.0},
    "Adamax": {"learning_rate": 0.002},
    "Nadam": {"learning_rate": 0.002},
}

# Modules that only Keras 1 and 2 had; keras.layers.core and its like, too.
_OLD_MODULES = (
    "engine", "initializations", "objectives", "preprocessing.text", "wrappers", "utils.np_utils",
    "utils.data_utils", "utils.generic_utils", "utils.layer_utils", "utils.vis_utils",
    "utils.visualize_util", "backend.tensorflow_backend",
)  # fmt: skip
# Arguments that Keras 1 and 2 had under these names.
OLD_ARGUMENTS = {
    "lr", "nb_epoch", "nb_filter", "nb_val_samples", "samples_per_epoch", "filter_length",
    "border_mode", "subsample_length", "pool_length", "init", "inner_init", "inner_activation",
    "W_regularizer", "b_regularizer", "U_regularizer", "W_constraint", "b_constraint",
    "U_constraint", "dropout_W", "dropout_U", "sigma", "batch_input_shape",
}  # fmt: skip

_seen: set[str] = set()


@contextlib.contextmanager
def unseen() -> Iterator[None]:
    """Take no note of the arguments in this block: they are a file's, not the script's."""
    before = set(_seen)
    try:
        yield
    finally:
        _seen.intersection_update(before)


def saw_module(name: str) -> None:
    """Take note of a module that a script imports."""
    if name.split(".")[0] in ("tensorflow", "tf_keras"):
        _seen.add("tf.keras")
    own = name.removeprefix("wordrow.").removeprefix("keras.")
    is_inner = own.startswith("layers.") and own != name
    if own != name and (is_inner or own.startswith(_OLD_MODULES)):
        _seen.add("old")


def saw_argument(name: str) -> None:
    """Take note of an argument that a script gives."""
    if name in OLD_ARGUMENTS:
        _seen.add("old")


def old_defaults(kind: str) -> dict[str, Any]:
    """Return the arguments of a class that Keras 1 and 2 took, if the script was written for one.

    A script that imports tf.keras was not: its defaults are today's.
    """
    is_old = "old" in _seen and "tf.keras" not in _seen
    return OLD_DEFAULTS.get(kind, {}) if is_old else {}
