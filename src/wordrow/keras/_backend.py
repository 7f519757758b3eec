"""The functions of `keras.backend` that text scripts use, on arrays and on symbols.

On symbols they are Lambda layers, so that `K.mean(x, axis=1)` stands in a model as it did.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import wordrow
from wordrow.nn import activations, losses, ops
from wordrow.nn import random as own_random
from wordrow.nn.layers import Lambda, ReLU
from wordrow.nn.layers.symbol import Symbol

__all__ = ["FUNCTIONS"]

Function = Callable[..., Any]
_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7}


def _is_symbol(x: Any) -> bool:
    return isinstance(getattr(x, "symbol", None), Symbol)


def _taking_symbols(function: Function) -> Function:
    """Return the function; called on symbols, it gives the symbol of a Lambda layer."""

    @functools.wraps(function)
    def called(*given: Any, **options: Any) -> Any:
        places = [i for i, one in enumerate(given) if _is_symbol(one)]
        listed = bool(given) and isinstance(given[0], list | tuple) and any(
            _is_symbol(one) for one in given[0])  # fmt: skip
        if listed:
            rest = given[1:]
            return Lambda(lambda x: function(x, *rest, **options))(list(given[0]))
        if not places:
            return function(*given, **options)

        def on_arrays(x: Any) -> Any:
            arrays = iter(x if len(places) > 1 else [x])
            mixed = [next(arrays) if i in places else one for i, one in enumerate(given)]
            return function(*mixed, **options)

        symbols = [given[i] for i in places]
        return Lambda(on_arrays)(symbols if len(symbols) > 1 else symbols[0])

    return called


def _xp(x: Any) -> Any:
    return ops.namespace(x)


# What an axis is where none is said, other than NumPy's.
_AXES = {"argmax": -1, "argmin": -1, "cumsum": 0, "cumprod": 0, "expand_dims": -1}


def _by_name(name: str) -> Function:
    """Return a function that NumPy and jax.numpy have under this name."""

    def function(x: Any, *given: Any, **options: Any) -> Any:
        if name in _AXES and not given:
            options.setdefault("axis", _AXES[name])
        return getattr(_xp(x), name)(x if hasattr(x, "shape") else np.asarray(x), *given, **options)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"NumPy's {name}."
    return function


def dot(x: Any, y: Any) -> Any:
    """Return the sums of products along the last axis of x and the last but one of y."""
    y = y if hasattr(y, "shape") else np.asarray(y)
    if y.ndim <= 2:
        return x @ y
    xp = _xp(x)
    return xp.tensordot(x, y, axes=[[x.ndim - 1], [y.ndim - 2]])


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Return, text by text, the sums of products along an axis of each."""
    if axes is None:
        axes = (x.ndim - 1, 1 if y.ndim == 2 else y.ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    xp = _xp(x)
    a, b = xp.moveaxis(x, first, -1), xp.moveaxis(y, second, -1)
    if a.ndim == b.ndim == 2:
        return (a * b).sum(axis=-1, keepdims=True)
    left = a[:, None] if a.ndim == 2 else a.reshape(a.shape[0], -1, a.shape[-1])
    right = b[:, None] if b.ndim == 2 else b.reshape(b.shape[0], -1, b.shape[-1])
    return (left @ right.swapaxes(1, 2)).reshape(*a.shape[:-1], *b.shape[1:-1])


def cast(x: Any, dtype: Any) -> Any:
    """Return x as another type."""
    return (x if hasattr(x, "astype") else np.asarray(x)).astype(dtype)


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """Return x between two bounds."""
    return x.clip(min_value, max_value)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Return arrays behind each other along an axis."""
    return _xp(tensors[0]).concatenate(tensors, axis=axis)


def stack(x: Any, axis: int = 0) -> Any:
    """Return arrays along a new axis."""
    return _xp(x[0]).stack(x, axis=axis)


def permute_dimensions(x: Any, pattern: Any) -> Any:
    """Return the axes in another order."""
    return x.transpose(*pattern)


def repeat(x: Any, n: int) -> Any:
    """Return [B, D] as n equal steps: [B, n, D]."""
    return _xp(x).repeat(x[:, None], n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Return every element `rep` times along an axis."""
    return _xp(x).repeat(x, rep, axis=axis)


def batch_flatten(x: Any) -> Any:
    """Return [B, everything else]."""
    return x.reshape(x.shape[0], -1)


def flatten(x: Any) -> Any:
    """Return one long vector."""
    return x.reshape(-1)


def one_hot(indices: Any, num_classes: int) -> Any:
    """Return rows with a 1 at each index."""
    return (indices[..., None] == np.arange(num_classes)).astype(np.float32)


def reverse(x: Any, axes: Any) -> Any:
    """Return x backwards along axes."""
    return _xp(x).flip(x, axis=axes if isinstance(axes, int) else tuple(axes))


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along an axis."""
    return ops.softmax(x, axis)


def relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Any:
    """Return x where above the threshold, alpha times what is below it; at most max_value."""
    return ReLU(max_value, alpha, threshold).function(x)


def l2_normalize(x: Any, axis: int = -1) -> Any:
    """Return vectors along an axis divided by their lengths."""
    xp = _xp(x)
    return xp.moveaxis(ops.of_length_one(xp.moveaxis(x, axis, -1)), -1, axis)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Return x: outside of a Dropout layer nothing is dropped."""
    return x


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one or the other, place by place."""
    xp = _xp(condition)
    values = [one() if callable(one) else one for one in (then_expression, else_expression)]
    return xp.where(condition, *values)


def gather(reference: Any, indices: Any) -> Any:
    """Return rows by number."""
    return reference[indices]


def shape(x: Any) -> Any:
    """Return the shape."""
    return x.shape


def int_shape(x: Any) -> Any:
    """Return the shape, None for axes of any length."""
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(x.shape)


def _made(function: Callable[..., Any]) -> Function:
    def made(*given: Any, **options: Any) -> Any:
        return np.asarray(function(*given, **{k: v for k, v in options.items() if k != "name"}),
                          _settings["floatx"])  # fmt: skip

    made.__doc__ = f"NumPy's {function.__name__}, of {_settings['floatx']}."
    return made


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None,
                  seed: Any = None) -> Any:  # fmt: skip
    """Return normally distributed numbers."""
    drawn = own_random.generator().standard_normal(tuple(shape)) * stddev + mean
    return drawn.astype(np.float32)


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None,
                   seed: Any = None) -> Any:  # fmt: skip
    """Return evenly spread numbers."""
    drawn = own_random.generator().random(tuple(shape)) * (maxval - minval) + minval
    return drawn.astype(np.float32)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32", *,
           limit: Any = None, delta: Any = None, name: Any = None) -> Any:  # fmt: skip
    """Return whole numbers one after the other; limit and delta are TensorFlow's words."""
    stop = limit if stop is None else stop
    return np.arange(*([start] if stop is None else [start, stop, delta or step]), dtype=dtype)


def get_value(x: Any) -> Any:
    """Return the number or array of a variable."""
    return x if np.isscalar(x) else np.asarray(x)


def set_value(x: Any, value: Any) -> None:
    """Give an array that `variable` made new numbers in place.

    Raises TypeError for a learning rate, which is a number: set optimizer.learning_rate.
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(
            "K.set_value takes a variable; a learning rate is a number here: "
            "model.optimizer.learning_rate = 0.001, or a LearningRateScheduler."
        )
    x[...] = value


def epsilon() -> float:
    """Return the small number that keeps divisions and logarithms finite."""
    return float(_settings["epsilon"])


def floatx() -> str:
    """Return "float32", the type of weights."""
    return "float32"


def set_floatx(value: str) -> None:
    """Take "float32"; other types of weights are not here."""
    if value != "float32":
        raise ValueError(f"weights are float32; received {value!r}.")


def set_epsilon(value: float) -> None:
    """Set what `epsilon` returns."""
    _settings["epsilon"] = float(value)


def clear_session() -> None:
    """Do nothing: models that nobody holds are gone already."""


def _answer(value: Any) -> Function:
    def answer(*given: Any, **options: Any) -> Any:
        return value

    answer.__doc__ = f"Return {value!r}."
    return answer


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

FUNCTIONS: dict[str, Any] = {ours: _taking_symbols(_by_name(name)) for ours, name in _NUMPY.items()}
FUNCTIONS |= {
    one.__name__: _taking_symbols(one)
    for one in (
        dot, batch_dot, cast, clip, concatenate, stack, permute_dimensions, repeat,
        repeat_elements, batch_flatten, flatten, one_hot, reverse, softmax, relu, l2_normalize,
        dropout, switch, gather,
    )
}  # fmt: skip
FUNCTIONS |= {
    name: _taking_symbols(getattr(activations, name))
    for name in ("sigmoid", "hard_sigmoid", "softplus", "softsign", "elu")
}
FUNCTIONS |= {
    one.__name__: one
    for one in (
        shape, int_shape, ndim, random_normal, random_uniform, get_value, set_value, epsilon,
        floatx, set_floatx, set_epsilon, clear_session,
    )
}  # fmt: skip
FUNCTIONS |= {
    name: getattr(losses, name)
    for name in ("binary_crossentropy", "categorical_crossentropy",
                 "sparse_categorical_crossentropy")
}  # fmt: skip
FUNCTIONS |= {
    "arange": arange,
    "zeros": _made(np.zeros), "ones": _made(np.ones), "eye": _made(np.eye),
    "variable": _made(np.array), "constant": _made(np.array), "eval": get_value,
    "backend": _answer("jax" if "jax" in sys.modules else "numpy"),
    "image_data_format": _answer("channels_last"), "image_dim_ordering": _answer("tf"),
    "set_image_data_format": _answer(None), "set_image_dim_ordering": _answer(None),
    "learning_phase": _answer(0), "set_learning_phase": _answer(None),
    "set_session": _answer(None), "get_session": _answer(None),
    "manual_variable_initialization": _answer(None),
    "is_keras_tensor": _is_symbol, "set_random_seed": wordrow.set_random_seed,
}  # fmt: skip
