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
from wordrow.nn.layers import Lambda
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
    "floatx": floatx,
    "get_session": _always(None),
    "get_value": get_value,
    "image_data_format": _always("channels_last"),
    "image_dim_ordering": _always("tf"),
    "int_shape": int_shape,
    "is_keras_tensor": _is_symbol,
    "learning_phase": _always(0),
    "manual_variable_initialization": _always(None),
    "ndim": ndim,
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
