"""Keras's `RNN` of cells: its own cells, and users'; and layers that only Keras 1 has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from wordrow.keras._array_functions import over_steps
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.initializers import INITIALIZERS, initializer_config
from wordrow.nn.layers import Layer
from wordrow.nn.registry import KINDS, config_of
from wordrow.nn.spec import Array, Mask, Shape

__all__ = [
    "OWN_LAYERS",
    "RNN",
    "GRUCell",
    "Highway",
    "LSTMCell",
    "MaxoutDense",
    "SimpleRNNCell",
    "StackedRNNCells",
]


class _Cell(Layer):
    """What Keras's cells share: a step from (inputs [B, D], states) to (output, new states)."""

    # Weights, and arrays while `call` runs.
    kernel: Any
    recurrent_kernel: Any
    bias: Any

    n_gates: ClassVar[int]
    n_states: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **options: Any,
    ) -> None:
        options.pop("seed", None)
        rules = [name for name in options if name.endswith(("_regularizer", "_constraint"))]
        refused = [name for name in rules if options.pop(name) is not None]
        super().__init__(**options)
        if dropout or recurrent_dropout or refused:
            raise ValueError(
                f"{type(self).__name__} has no {', '.join(refused) or 'dropout'} here: use the "
                "layer of the same name without `Cell`, which has."
            )
        self.units, self.use_bias = int(units), bool(use_bias)
        self.activation = get_activation(activation)
        self.recurrent_activation = get_activation(recurrent_activation)
        self.initializers = {
            "kernel": INITIALIZERS.get(kernel_initializer),
            "recurrent": INITIALIZERS.get(recurrent_initializer),
            "bias": INITIALIZERS.get(bias_initializer),
        }

    @property
    def state_size(self) -> Any:
        """The number of units of each state."""
        return self.units if self.n_states == 1 else [self.units] * self.n_states

    @property
    def output_size(self) -> int:
        """The number of units of the output."""
        return self.units

    def build(self, input_shape: Shape) -> None:
        """Make the kernel, the recurrent kernel and the bias."""
        width, draw = self.n_gates * self.units, self.initializers
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=draw["kernel"]
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer=draw["recurrent"]
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=self._bias_shape(), initializer=draw["bias"]
            )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.n_gates * self.units,)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this cell."""
        config = super().get_config() | {
            "units": self.units,
            "activation": ACTIVATIONS.config(self.activation),
            "recurrent_activation": ACTIVATIONS.config(self.recurrent_activation),
            "use_bias": self.use_bias,
        }
        return config | {
            f"{kind}_initializer": initializer_config(one)
            for kind, one in self.initializers.items()
        }


class SimpleRNNCell(_Cell):
    """A step of SimpleRNN."""

    n_gates = 1

    def call(self, inputs: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        """Return (the output, [the new state])."""
        z = inputs @ self.kernel + states[0] @ self.recurrent_kernel
        h = self.activation(z + self.bias if self.use_bias else z)
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this cell."""
        config = super().get_config()
        del config["recurrent_activation"]
        return config


class LSTMCell(_Cell):
    """A step of LSTM; its gates are input, forget, candidate and output."""

    n_gates, n_states = 4, 2

    def __init__(
        self, units: int, *args: Any, unit_forget_bias: bool = True, **options: Any
    ) -> None:
        super().__init__(units, *args, **options)
        self.unit_forget_bias = bool(unit_forget_bias)
        if self.unit_forget_bias:
            draw = self.initializers["bias"]

            def with_ones(shape: Shape, rng: Any) -> Array:
                drawn = np.array(draw(shape, rng))
                drawn[self.units : 2 * self.units] = 1
                return drawn

            self._plain_bias, self.initializers["bias"] = draw, with_ones

    def call(self, inputs: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        """Return (the output, [the new h, c])."""
        h, c = states
        z = inputs @ self.kernel + h @ self.recurrent_kernel
        if self.use_bias:
            z = z + self.bias
        i, f, candidate, o = ops.namespace(z).split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(candidate)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this cell."""
        drawn = self.initializers["bias"]
        if self.unit_forget_bias:
            self.initializers["bias"] = self._plain_bias
        config = super().get_config() | {"unit_forget_bias": self.unit_forget_bias}
        self.initializers["bias"] = drawn
        return config


class GRUCell(_Cell):
    """A step of GRU; its gates are update, reset and candidate."""

    n_gates = 3

    def __init__(self, units: int, *args: Any, reset_after: bool = True, **options: Any) -> None:
        super().__init__(units, *args, **options)
        self.reset_after = bool(reset_after)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def call(self, inputs: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        """Return (the output, [the new state])."""
        h, n, gate = states[0], self.units, self.recurrent_activation
        x = inputs @ self.kernel
        if self.use_bias:
            x = x + (self.bias[0] if self.reset_after else self.bias)
        if self.reset_after:
            inner = h @ self.recurrent_kernel
            if self.use_bias:
                inner = inner + self.bias[1]
            z, r = gate(x[:, :n] + inner[:, :n]), gate(x[:, n : 2 * n] + inner[:, n : 2 * n])
            candidate = self.activation(x[:, 2 * n :] + r * inner[:, 2 * n :])
        else:
            kernel = self.recurrent_kernel
            z = gate(x[:, :n] + h @ kernel[:, :n])
            r = gate(x[:, n : 2 * n] + h @ kernel[:, n : 2 * n])
            candidate = self.activation(x[:, 2 * n :] + (r * h) @ kernel[:, 2 * n :])
        h = z * h + (1 - z) * candidate
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this cell."""
        return super().get_config() | {"reset_after": self.reset_after}


class StackedRNNCells(Layer):
    """Several cells as one: each takes the output of the one before it."""

    def __init__(self, cells: Sequence[Any], **options: Any) -> None:
        super().__init__(**options)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[int]:
        """The number of units of each state, cell after cell."""
        return [size for cell in self.cells for size in _sizes(cell)]

    @property
    def output_size(self) -> int:
        """The number of units of the output."""
        return int(getattr(self.cells[-1], "output_size", _sizes(self.cells[-1])[0]))

    def call(self, inputs: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        """Return (the last cell's output, the new states)."""
        after, begin = [], 0
        for cell in self.cells:
            n = len(_sizes(cell))
            inputs, new = cell(inputs, list(states[begin : begin + n]))
            after += list(new) if isinstance(new, list | tuple) else [new]
            begin += n
        return inputs, after

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate these cells."""
        return super().get_config() | {"cells": [config_of(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> StackedRNNCells:
        """Return the cells of a `get_config`."""
        return cls(**{**config, "cells": [_made(cell) for cell in config["cells"]]})


class RNN(Layer):
    """A cell applied to each step: [B, T, D] -> [B, U], or [B, T, U] with return_sequences.

    cell: one, or a list of them. It has `state_size`, and `call(inputs, states)` that returns the
    output and the new states. Masked steps keep the states and repeat the output before them.
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **options: Any,
    ) -> None:
        for ignored in ("input_length", "time_major", "return_runs"):
            options.pop(ignored, None)
        super().__init__(**options)
        if stateful:
            raise ValueError(
                "RNN cannot be stateful here: return its states (return_state=True) and pass them "
                "as initial_state, or use LSTM, GRU or SimpleRNN."
            )
        self.cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        for needed in ("call", "state_size"):
            if not hasattr(self.cell, needed):
                raise ValueError(f"a cell must have `{needed}`; received {type(cell).__name__}.")
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.zero_output_for_mask = bool(go_backwards), zero_output_for_mask

    def __call__(
        self, inputs: Any, *arguments: Any, initial_state: Any = None, **options: Any
    ) -> Any:
        """Return the outputs. initial_state: the first states, instead of zeros."""
        if initial_state is not None:
            given = initial_state if isinstance(initial_state, list | tuple) else [initial_state]
            inputs = [inputs, *given]
        return super().__call__(inputs, *arguments, **options)

    def call(self, inputs: Any, mask: Mask = None) -> Any:
        """Return the outputs of the last step, or of all."""
        x, *first = inputs if isinstance(inputs, list | tuple) else [inputs]
        mask = mask[0] if isinstance(mask, list) else mask
        xp, sizes = ops.namespace(x), _sizes(self.cell)
        states = first or [xp.zeros((x.shape[0], n), np.float32) for n in sizes]
        if self.go_backwards:
            x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
        last, outputs, states_after = over_steps(self.cell, x, states, mask)
        found = last
        if self.return_sequences:
            found = ops.fill_masked(outputs, mask) if self.zero_output_for_mask else outputs
        return [found, *states_after] if self.return_state else found

    def compute_mask(self, inputs: Any, mask: Mask = None) -> Mask:
        """Return the mask of the steps with return_sequences, else none."""
        mask = mask[0] if isinstance(mask, list) else mask
        kept = mask if self.return_sequences else None
        return [kept, *[None] * len(_sizes(self.cell))] if self.return_state else kept

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "cell": config_of(self.cell),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> RNN:
        """Return the layer of a `get_config`."""
        return cls(**{**config, "cell": _made(config["cell"])})


class Highway(Layer):
    """Keras 1's gated layer: t * activation(x @ W + b) + (1 - t) * x, t = sigmoid(x @ V + c)."""

    def __init__(
        self,
        init: Any = "glorot_uniform",
        activation: Any = None,
        bias: bool = True,
        transform_bias: float = -2.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.init, self.bias = INITIALIZERS.get(init), bool(bias)
        self.activation, self.transform_bias = get_activation(activation), float(transform_bias)

    def build(self, input_shape: Shape) -> None:
        """Make W, V and their biases."""
        n = input_shape[-1]
        self.W = self.add_weight(name="W", shape=(n, n), initializer=self.init)
        self.W_carry = self.add_weight(name="W_carry", shape=(n, n), initializer=self.init)
        if self.bias:
            self.b = self.add_weight(name="b", shape=(n,), initializer="zeros")
            low = INITIALIZERS.get({"class_name": "Constant", "config": {"value": -2.0}})
            low = type(low)(self.transform_bias)
            self.b_carry = self.add_weight(name="b_carry", shape=(n,), initializer=low)

    def call(self, inputs: Array) -> Array:
        """Return a mixture of the layer's outputs and its inputs."""
        z, carry = inputs @ self.W, inputs @ self.W_carry
        if self.bias:
            z, carry = z + self.b, carry + self.b_carry
        t = ops.sigmoid(carry)
        return t * self.activation(z) + (1 - t) * inputs

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "init": initializer_config(self.init),
            "activation": ACTIVATIONS.config(self.activation),
            "bias": self.bias,
            "transform_bias": self.transform_bias,
        }


class MaxoutDense(Layer):
    """Keras 1's maximum over several Dense layers: [B, D] -> [B, output_dim]."""

    def __init__(
        self,
        output_dim: int,
        nb_feature: int = 4,
        init: Any = "glorot_uniform",
        bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.output_dim, self.nb_feature = int(output_dim), int(nb_feature)
        self.init, self.bias = INITIALIZERS.get(init), bool(bias)

    def build(self, input_shape: Shape) -> None:
        """Make W [features, D, output_dim] and b [features, output_dim]."""
        shape = (self.nb_feature, input_shape[-1], self.output_dim)
        self.W = self.add_weight(name="W", shape=shape, initializer=self.init)
        if self.bias:
            self.b = self.add_weight(name="b", shape=shape[::2], initializer="zeros")

    def call(self, inputs: Array) -> Array:
        """Return the maximum over the features."""
        z = ops.namespace(inputs).einsum("...d,fdu->...fu", inputs, self.W)
        return (z + self.b if self.bias else z).max(axis=-2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "output_dim": self.output_dim,
            "nb_feature": self.nb_feature,
            "init": initializer_config(self.init),
            "bias": self.bias,
        }


def _sizes(cell: Any) -> list[int]:
    size = cell.state_size
    return [int(n) for n in size] if isinstance(size, list | tuple) else [int(size)]


def _made(entry: Any) -> Any:
    """Return a cell of its entry in a config; a cell is returned as it is."""
    return KINDS.make(entry) if isinstance(entry, Mapping) else entry


OWN_LAYERS: dict[str, type[Layer]] = {
    one.__name__: one
    for one in (RNN, GRUCell, Highway, LSTMCell, MaxoutDense, SimpleRNNCell, StackedRNNCells)
}
for _name, _class in OWN_LAYERS.items():
    KINDS.add(_name, _class.from_config)
