"""`keras.backend`: its functions on arrays and on symbols, and its settings.

Called on symbols, a function becomes a Lambda layer, so that `K.mean(x, axis=1)` works within
a model.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.keras import _array_functions as on_arrays
from wordrow.nn import random as nn_random
from wordrow.nn.functions import activations, losses
from wordrow.nn.graph.symbol import Symbol
from wordrow.nn.layers import Input, Lambda
from wordrow.nn.layers.context import current_call
from wordrow.nn.model.model import Model
from wordrow.nn.optimizers.optimizer import LearningRate
from wordrow.nn.table.weight import Weight

__all__ = ["FUNCTIONS", "also_on_symbols", "named_as"]

Function = Callable[..., Any]
Floats = npt.NDArray[np.float32]
_settings: dict[str, float] = {"epsilon": 1e-7}


def _is_symbol(x: Any) -> bool:
    return isinstance(getattr(x, "symbol", None), Symbol)


def also_on_symbols(function: Function) -> Function:
    """Return the function; called on symbols, it adds a Lambda layer and returns its output."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        is_list = bool(args) and isinstance(args[0], list | tuple)
        if is_list and any(_is_symbol(one) for one in args[0]):
            rest = args[1:]
            return Lambda(lambda x: function(x, *rest, **options))(list(args[0]))
        positions = [i for i, one in enumerate(args) if _is_symbol(one)]
        if not positions:
            return function(*args, **options)

        def on_inputs(x: Any) -> Any:
            arrays = iter(x if len(positions) > 1 else [x])
            mixed = [next(arrays) if i in positions else one for i, one in enumerate(args)]
            return function(*mixed, **options)

        symbols = [args[i] for i in positions]
        return Lambda(on_inputs)(symbols if len(symbols) > 1 else symbols[0])

    return called


def named_as(function: Function, name: str, doc: str) -> Function:
    """Return the function under a public name, with a docstring."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def shape(x: Any) -> Any:
    """Return the shape."""
    return x.shape


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape, with None for axes of any length."""
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(x.shape)


def _of_floats(function: Callable[..., Any]) -> Function:
    """Return a function of NumPy's that makes arrays, with float32 as their type."""

    def floats(*args: Any, name: str | None = None, **options: Any) -> Floats:
        return np.asarray(function(*args, **options), np.float32)

    floats.__doc__ = f"NumPy's {function.__name__}, of float32."
    return floats


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Floats:
    """Return normally distributed values."""
    drawn = nn_random.generator().standard_normal(tuple(shape)) * stddev + mean
    return drawn.astype(np.float32)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Floats:
    """Return uniformly distributed values."""
    drawn = nn_random.generator().random(tuple(shape)) * (maxval - minval) + minval
    return drawn.astype(np.float32)


def arange(
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: Any = "int32",
    *,
    limit: Any = None,
    delta: Any = None,
    name: str | None = None,
) -> npt.NDArray[Any]:
    """Return evenly spaced values; limit and delta are TensorFlow's names of stop and step."""
    stop = limit if stop is None else stop
    return np.arange(*([start] if stop is None else [start, stop, delta or step]), dtype=dtype)


def get_value(x: Any) -> Any:
    """Return a variable's value."""
    return x if np.isscalar(x) else np.asarray(x)


def set_value(x: Any, value: Any) -> None:
    """Set the values of an array that `variable` made, of a weight, or of `optimizer.lr`.

    Raises TypeError for other numbers, such as optimizer.learning_rate.
    """
    if isinstance(x, LearningRate):
        x.optimizer.learning_rate = value
        return
    if isinstance(x, Weight):
        x.assign(value)
        return
    if not isinstance(x, np.ndarray):
        raise TypeError(
            f"`x` must be a variable (an array); received {type(x).__name__}. A learning rate is "
            "a plain number: use model.optimizer.learning_rate = 0.001, or a "
            "LearningRateScheduler."
        )
    x[...] = value


def epsilon() -> float:
    """Return the small number that keeps divisions and logarithms finite."""
    return _settings["epsilon"]


def floatx() -> str:
    """Return "float32", the type of weights."""
    return "float32"


def set_floatx(value: str) -> None:
    """Accept "float32", the only type of weights."""
    if value != "float32":
        raise ValueError(
            f'`value` must be "float32"; received {value!r}. Weights have no other type here.'
        )


def set_epsilon(value: float) -> None:
    """Set what `epsilon` returns."""
    _settings["epsilon"] = float(value)


def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, **options: Any
) -> Any:
    """Return the symbol of an Input; its shape includes the batch."""
    if shape is None and ndim is None:
        raise ValueError("placeholder needs `shape`, with the batch, or `ndim`.")
    shape = (None,) * (ndim or 0) if shape is None else tuple(shape)
    return Input(batch_shape=shape, dtype=str(dtype or "float32"), name=options.get("name"))


def function(inputs: Any, outputs: Any, updates: Any = None, **options: Any) -> Function:
    """Return a function from a list of arrays to the list of a model's outputs for them.

    inputs: symbols of Inputs; the learning phase may be one of them, and its value, 1 for
    training, stands at its place.
    """
    given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    wanted = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    symbols = [one.symbol for one in given if _is_symbol(one)]
    model = Model(symbols, [one.symbol if _is_symbol(one) else one for one in wanted])

    def call(arrays: Any) -> list[Any]:
        taken = list(arrays) if isinstance(arrays, list | tuple) else [arrays]
        if len(taken) != len(given):
            raise ValueError(f"the function takes {len(given)} inputs; received {len(taken)}.")
        pairs = list(zip(given, taken, strict=True))
        data = [array for one, array in pairs if _is_symbol(one)]
        training = any(bool(array) for one, array in pairs if not _is_symbol(one))
        found = model(data if len(data) > 1 else data[0], training=training)
        return list(found)

    return call


def rnn(
    step_function: Callable[..., Any],
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Any, Any, list[Any]]:
    """Return (last output, outputs [B, T, ...], states) of step_function(x [B, D], states).

    It returns (output, new states). constants: given to it behind the states.
    """
    if go_backwards:
        inputs, mask = inputs[:, ::-1], None if mask is None else mask[:, ::-1]
    fixed = list(constants or ())

    def step(x: Any, states: list[Any]) -> Any:
        return step_function(x, [*states, *fixed])

    return on_arrays.over_steps(step, inputs, list(initial_states), mask)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return x, or its value if it is a function, in training; else alt, likewise."""
    context = current_call()
    is_training = (context is not None and context.training) if training is None else training
    chosen = x if is_training else alt
    return chosen() if callable(chosen) and not hasattr(chosen, "shape") else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return x when not training, else alt; see in_train_phase."""
    return in_train_phase(alt, x, training)


def map_fn(fn: Any, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Return fn of each item of the first axis, stacked."""
    found = [fn(one) for one in elems]
    return on_arrays.stack(found)


def count_params(x: Any) -> int:
    """Return the number of elements."""
    return int(np.prod(x.shape))


def clear_session() -> None:
    """Do nothing: unreferenced models need no cleaning up."""


def _always(value: Any) -> Function:
    """Return a function that takes any arguments and returns the value."""

    def constant(*args: Any, **options: Any) -> Any:
        return value

    constant.__doc__ = f"Return {value!r}."
    return constant


# keras.backend's name -> NumPy's.
_NUMPY = {
    "abs": "abs", "all": "all", "any": "any", "argmax": "argmax", "argmin": "argmin",
    "cos": "cos", "cumsum": "cumsum", "cumprod": "cumprod", "equal": "equal", "exp": "exp",
    "expand_dims": "expand_dims", "greater": "greater", "greater_equal": "greater_equal",
    "less": "less", "less_equal": "less_equal", "log": "log", "max": "max", "maximum": "maximum",
    "mean": "mean", "min": "min", "minimum": "minimum", "not_equal": "not_equal",
    "ones_like": "ones_like", "pow": "power", "prod": "prod", "reshape": "reshape",
    "round": "round", "sign": "sign", "sin": "sin", "sqrt": "sqrt", "square": "square",
    "squeeze": "squeeze", "std": "std", "sum": "sum", "tanh": "tanh", "tile": "tile",
    "transpose": "transpose", "var": "var", "zeros_like": "zeros_like",
}  # fmt: skip

_ON_ARRAYS = (
    on_arrays.batch_dot,
    on_arrays.bias_add,
    on_arrays.logsumexp,
    on_arrays.stop_gradient,
    on_arrays.batch_flatten,
    on_arrays.cast,
    on_arrays.clip,
    on_arrays.concatenate,
    on_arrays.dot,
    on_arrays.dropout,
    on_arrays.flatten,
    on_arrays.gather,
    on_arrays.l2_normalize,
    on_arrays.one_hot,
    on_arrays.permute_dimensions,
    on_arrays.relu,
    on_arrays.repeat,
    on_arrays.repeat_elements,
    on_arrays.reverse,
    on_arrays.softmax,
    on_arrays.stack,
    on_arrays.switch,
)
_ACTIVATIONS = ("elu", "hard_sigmoid", "sigmoid", "softplus", "softsign")
_LOSSES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")

FUNCTIONS: dict[str, Any] = {
    name: also_on_symbols(on_arrays.function_named(ours)) for name, ours in _NUMPY.items()
}
FUNCTIONS |= {one.__name__: also_on_symbols(one) for one in _ON_ARRAYS}
FUNCTIONS |= {name: also_on_symbols(getattr(activations, name)) for name in _ACTIVATIONS}
FUNCTIONS |= {name: getattr(losses, name) for name in _LOSSES}
for _name in (*_ACTIVATIONS, "relu", "softmax", "tanh"):  # as `activation=K.relu`
    FUNCTIONS[_name].registered_name = _name
FUNCTIONS |= {
    "arange": arange,
    "backend": _always("jax" if "jax" in sys.modules else "numpy"),
    "clear_session": clear_session,
    "constant": _of_floats(np.array),
    "epsilon": epsilon,
    "eval": get_value,
    "eye": _of_floats(np.eye),
    "batch_get_value": lambda tensors: [get_value(one) for one in tensors],
    "count_params": count_params,
    "in_test_phase": in_test_phase,
    "in_train_phase": in_train_phase,
    "map_fn": map_fn,
    "floatx": floatx,
    "function": function,
    "get_session": _always(None),
    "get_value": get_value,
    "image_data_format": _always("channels_last"),
    "image_dim_ordering": _always("tf"),
    "int_shape": int_shape,
    "is_keras_tensor": _is_symbol,
    "learning_phase": _always(0),
    "manual_variable_initialization": _always(None),
    "ndim": ndim,
    "placeholder": placeholder,
    "rnn": rnn,
    "ones": _of_floats(np.ones),
    "random_normal": random_normal,
    "random_uniform": random_uniform,
    "set_epsilon": set_epsilon,
    "set_floatx": set_floatx,
    "set_image_data_format": _always(None),
    "set_image_dim_ordering": _always(None),
    "set_learning_phase": _always(None),
    "set_random_seed": nn_random.set_random_seed,
    "set_session": _always(None),
    "set_value": set_value,
    "shape": shape,
    "variable": _of_floats(np.array),
    "zeros": _of_floats(np.zeros),
}
