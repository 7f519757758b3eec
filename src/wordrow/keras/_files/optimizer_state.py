"""The state of an optimizer, as the list of arrays that Keras stores."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from wordrow.keras._files.hdf5 import Array
from wordrow.keras._files.weights import Weight, array_of, split_by_training
from wordrow.nn.model.model import Model
from wordrow.nn.optimizers import Nadam
from wordrow.nn.train.training import Training

__all__ = ["optimizer_arrays", "restore_optimizer"]

Groups = Sequence[Sequence[str]]
WeightStates = dict[tuple[str, str], dict[str, Array]]  # (layer, weight) -> name of a state
_PAIRED = (["m", "v"], ["m", "u"], ["accumulator", "change"])


def _state_groups(optimizer: Any) -> list[list[str]]:
    """Return the names of the state that Keras stores for each weight, in its order.

    The groups follow one another. Within a group, all states of a weight stand together.
    """
    names = list(optimizer.state_names)
    pair, rest = names[:2], [[name] for name in names[2:]]
    return [pair, *rest] if pair in _PAIRED else [[name] for name in names]


def optimizer_arrays(model: Model) -> list[Array]:
    """Return the step, the learning rate, and the state of each trainable weight."""
    optimizer, step = model.optimizer, model.step
    states = model.training.optimizer_state() if step else {}
    found = [np.array(step, np.int32)]
    if _has_constant_rate(optimizer):  # a schedule is no variable
        found.append(np.array(optimizer.rate(step), np.float32))
    trainable, _ = split_by_training(model)
    for group in _state_groups(optimizer):
        for weight in trainable:
            layer, name = weight
            state = states.get((layer.name, name)) or optimizer.init(array_of(weight))
            found += [np.asarray(state[key]) for key in group]
    if isinstance(optimizer, Nadam):
        found.append(np.array(optimizer.product(step), np.float32))
    return found


def restore_optimizer(model: Model, arrays: Sequence[Array], file_name: str) -> None:
    """Continue from a stored state; warn where it does not fit the optimizer."""
    optimizer, (trainable, _) = model.optimizer, split_by_training(model)
    step, rest = int(arrays[0]), list(arrays[1:])
    if not step and len(rest) <= 1:  # not trained yet
        return
    if isinstance(optimizer, Nadam) and not rest[-1].shape:
        rest = rest[:-1]  # the product of its momenta, which follows from the step
    groups = _state_groups(optimizer)
    single = [[name] for group in groups for name in group]
    is_keras_3 = len(rest) == 1 + len(single) * len(trainable)
    if is_keras_3:  # which stores the learning rate first
        if _has_constant_rate(optimizer):
            optimizer.learning_rate = float(rest[0])
        rest = rest[1:]
    # Keras 2 never groups: it stores one kind of state for all weights, then the next kind.
    orders: list[Groups] = [groups, single] if is_keras_3 else [single, groups]
    candidates = (_match(rest, order, trainable) for order in orders)
    states = next((one for one in candidates if one is not None), None)
    if states is None:
        warnings.warn(
            f"{file_name}: expected a state of {type(optimizer).__name__}, received {len(arrays)} "
            "arrays that do not fit it. Training continues with a new optimizer state.",
            UserWarning,
            stacklevel=5,
        )
        return
    training = Training(model.graph, optimizer, model.objective, model.seed, step)
    training.restore_state(states)
    model.training = training


def _has_constant_rate(optimizer: Any) -> bool:
    return isinstance(optimizer.learning_rate, int | float)


def _match(
    arrays: Sequence[Array], groups: Groups, trainable: Sequence[Weight]
) -> WeightStates | None:
    """Return the state of each weight; None where number or shapes do not fit this order."""
    states: WeightStates = {(layer.name, name): {} for layer, name in trainable}
    expected = [(weight, key) for group in groups for weight in trainable for key in group]
    if len(arrays) != len(expected):
        return None
    for array, (weight, key) in zip(arrays, expected, strict=True):
        if array.shape != array_of(weight).shape:
            return None
        states[weight.layer.name, weight.name][key] = array
    return states
