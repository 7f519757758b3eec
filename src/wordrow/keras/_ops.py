"""`keras.ops`: NumPy's functions under their names, and Keras's own, on NumPy and JAX arrays.

Called on symbols, each becomes a layer, as those of `keras.backend` do. Without JAX's arrays they
are NumPy's; results have 32 bits, as in Keras.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from wordrow.keras._array_functions import cast, logsumexp, stop_gradient
from wordrow.keras._backend import FUNCTIONS, also_on_symbols, named_as
from wordrow.nn import ops
from wordrow.nn.functions import activations

__all__ = ["OPS"]

Tensor = Any  # an array of NumPy or JAX: they share no type
_NARROW = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}

# One array first.
_UNARY = (
    "absolute", "all", "amax", "amin", "any", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctanh", "argmax", "argmin", "argpartition", "argsort", "average", "bincount",
    "bitwise_invert", "broadcast_to", "cbrt", "ceil", "conj", "conjugate", "copy", "cos",
    "cosh", "count_nonzero", "cumprod", "cumsum", "deg2rad", "diag", "diagonal", "diff",
    "digitize", "exp", "exp2", "expand_dims", "expm1", "flip", "floor", "full_like", "imag",
    "isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "logical_not", "max", "mean",
    "median", "min", "moveaxis", "nan_to_num", "nanmax", "nanmean", "nanmin", "nansum",
    "negative", "nonzero", "ones_like", "pad", "prod", "quantile", "ravel", "real",
    "reciprocal", "repeat", "reshape", "roll", "round", "searchsorted", "sign", "signbit",
    "sin", "sinh", "size", "sort", "sqrt", "square", "squeeze", "std", "sum", "swapaxes",
    "take", "take_along_axis", "tan", "tanh", "tile", "trace", "transpose", "tril", "triu",
    "trunc", "var", "zeros_like",
)  # fmt: skip
# Two arrays first.
_BINARY = (
    "add", "append", "arctan2", "bitwise_and", "bitwise_left_shift", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "correlate", "cross", "divide", "dot", "equal",
    "floor_divide", "greater", "greater_equal", "hypot", "inner", "isclose", "isin", "kron",
    "left_shift", "less", "less_equal", "logaddexp", "logical_and", "logical_or", "logical_xor",
    "matmul", "maximum", "minimum", "mod", "multiply", "not_equal", "outer", "power",
    "right_shift", "subtract", "tensordot", "true_divide", "vdot",
)  # fmt: skip
_OF_SEVERAL = ("concatenate", "hstack", "stack", "vstack")
_OF_SHAPES = (
    "arange", "empty", "eye", "hamming", "hanning", "identity", "linspace", "logspace", "ones",
    "tri", "zeros",
)  # fmt: skip
_LINEAR_ALGEBRA = (
    "cholesky", "det", "eig", "eigh", "inv", "norm", "qr", "solve", "svd",
)  # fmt: skip


def _space(values: Iterator[Any] | Sequence[Any]) -> Any:
    """Return jax.numpy if one of some values is an array of JAX, else NumPy."""
    found = any(ops.is_jax(value) for value in values)
    return sys.modules["jax"].numpy if found else np


def _narrow(found: Any) -> Any:
    """Return what a function has returned, with 32 bits."""
    if isinstance(found, tuple | list):
        return type(found)(map(_narrow, found)) if type(found) in (tuple, list) else tuple(found)
    name = str(getattr(found, "dtype", ""))
    return found.astype(_NARROW[name]) if name in _NARROW else found


def _array(x: Any) -> Any:
    return x if hasattr(x, "shape") else np.asarray(x)


def _of_numpy(name: str, n_arrays: int, *, room: str = "") -> Callable[..., Tensor]:
    """Return NumPy's or JAX's function; its first arguments are arrays."""

    def function(*args: Any, **options: Any) -> Tensor:
        arrays = [_array(one) for one in args[:n_arrays]]
        if isinstance(options.get("axis"), list):
            options["axis"] = tuple(options["axis"])
        xp = _space([*arrays, *args[n_arrays:], *options.values()])
        found = getattr(getattr(xp, room) if room else xp, name)
        return _narrow(found(*arrays, *args[n_arrays:], **options))

    return named_as(function, name, f"NumPy's {name}.")


def _of_several(name: str) -> Callable[..., Tensor]:
    def function(arrays: Sequence[Any], *args: Any, **options: Any) -> Tensor:
        items = [_array(one) for one in arrays]
        return _narrow(getattr(_space(items), name)(items, *args, **options))

    return named_as(function, name, f"NumPy's {name}.")


def where(condition: Any, x1: Any = None, x2: Any = None) -> Tensor:
    """Return elements of x1 where the condition holds, else of x2; without them, the places."""
    xp = _space([condition, x1, x2])
    chosen = [] if x1 is None and x2 is None else [_array(x1), _array(x2)]
    return _narrow(xp.where(_array(condition), *chosen))


def einsum(subscripts: str, *operands: Any, **options: Any) -> Tensor:
    """Return Einstein's sum: NumPy's einsum."""
    return _narrow(_space(operands).einsum(subscripts, *map(_array, operands)))


def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """Return x between two bounds."""
    return _narrow(_array(x).clip(x_min, x_max))


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Return the parts of x along an axis."""
    return [_narrow(one) for one in _space([x]).split(_array(x), indices_or_sections, axis=axis)]


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the items along an axis."""
    x = _array(x)
    return [x.take(i, axis=axis) for i in range(x.shape[axis])]


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """Return grids of coordinates."""
    return [_narrow(one) for one in _space(x).meshgrid(*map(_array, x), indexing=indexing)]


def divide_no_nan(x1: Any, x2: Any) -> Tensor:
    """Return x1 / x2; 0 where x2 is 0."""
    x1, x2 = _array(x1), _array(x2)
    xp = _space([x1, x2])
    return _narrow(xp.where(x2 == 0, 0, x1 / xp.where(x2 == 0, 1, x2)))


def rsqrt(x: Any) -> Tensor:
    """Return 1 / sqrt(x)."""
    return _narrow(1 / _space([x]).sqrt(_array(x)))


def erf(x: Any) -> Tensor:
    """Return the error function."""
    return _narrow(ops.erf(_array(x)))


def convert_to_numpy(x: Any) -> Any:
    """Return an array of NumPy."""
    return np.asarray(x)


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Tensor:
    """Return x as an array."""
    return _narrow(_array(x)) if dtype is None else _array(x).astype(dtype)


def is_tensor(x: Any) -> bool:
    """Return whether x is an array."""
    return hasattr(x, "shape") and hasattr(x, "dtype")


def shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape; None for axes of any length."""
    return tuple(_array(x).shape)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(shape(x))


def slice_of(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """Return the part of an array that begins at some indices and has a shape."""
    starts = [int(start) for start in start_indices]
    return inputs[tuple(slice(a, a + n) for a, n in zip(starts, shape, strict=True))]


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """Return the array with a part of it replaced."""
    updates = _array(updates)
    starts = [int(start) for start in start_indices]
    where = tuple(slice(a, a + n) for a, n in zip(starts, updates.shape, strict=True))
    return _updated(inputs, where, updates)


def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Return an array of a shape with values added to zeros at indices [N, axes]."""
    indices, values = _array(indices), _array(values)
    zeros = _space([indices, values]).zeros(shape, values.dtype)
    where = tuple(indices[..., axis] for axis in range(indices.shape[-1]))
    if ops.is_jax(zeros):
        return zeros.at[where].add(values)
    np.add.at(zeros, where, values)
    return zeros


def scatter_update(inputs: Any, indices: Any, updates: Any) -> Tensor:
    """Return the array with the elements at indices [N, axes] replaced."""
    indices = _array(indices)
    return _updated(inputs, tuple(indices[..., i] for i in range(indices.shape[-1])), updates)


def _updated(inputs: Any, where: Any, updates: Any) -> Tensor:
    if ops.is_jax(inputs) or ops.is_jax(updates):
        return _space([inputs, updates]).asarray(inputs).at[where].set(updates)
    after = np.array(inputs)
    after[where] = updates
    return after


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:  # noqa: A002 Keras's name
    """Return the k largest values of the last axis, falling, and their indices."""
    x, xp = _array(x), _space([x])
    places = xp.argsort(-x, axis=-1, stable=True)[..., :k].astype("int32")
    return xp.take_along_axis(x, places, axis=-1), places


def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Return whether each target is among its k largest predictions."""
    targets, predictions = _array(targets), _array(predictions)
    of_target = _space([targets, predictions]).take_along_axis(
        predictions, targets[..., None], axis=-1
    )
    return (predictions > of_target).sum(axis=-1) < k


def segment_sum(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    sorted: bool = False,  # noqa: A002
) -> Tensor:
    """Return the sum of the rows of each segment."""
    data, ids = _array(data), _array(segment_ids)
    n = int(ids.max()) + 1 if num_segments is None else num_segments
    return scatter(ids[:, None], data, (n, *data.shape[1:]))


def normalize(x: Any, axis: int = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """Return vectors divided by their norms."""
    x, xp = _array(x), _space([x])
    norms = (xp.abs(x) ** order).sum(axis=axis, keepdims=True) ** (1 / order)
    return _narrow(x / xp.maximum(norms, 1e-7 if epsilon is None else epsilon))


def multi_hot(inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Tensor:
    """Return 1 for each class among the ids of an example."""
    return one_hot(inputs, num_classes).max(axis=-2)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: Any = None) -> Any:
    """Return rows with a 1 at each index."""
    rows = (_array(x)[..., None] == np.arange(num_classes)).astype(dtype or "float32")
    return rows if axis == -1 else _space([rows]).moveaxis(rows, -1, axis)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return an array of one value."""
    return np.full(shape, fill_value, dtype or "float32")


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """Return x times the normal distribution function of x; by default approximated by tanh."""
    x, xp = _array(x), _space([x])
    if not approximate:
        return _narrow(x * (1 + erf(x / math.sqrt(2))) / 2)
    return _narrow(x * (1 + xp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return the cross-entropy of each element."""
    target, output = _array(target), _array(output)
    xp = _space([target, output])
    p = 1 / (1 + xp.exp(-output)) if from_logits else output
    p = p.clip(1e-7, 1 - 1e-7)
    return _narrow(-(target * xp.log(p) + (1 - target) * xp.log(1 - p)))


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return what one or the other function returns."""
    if ops.is_jax(pred):
        return sys.modules["jax"].lax.cond(pred, true_fn, false_fn)
    return true_fn() if pred else false_fn()


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Return the variables after calling `body` on them while `cond` holds."""
    if maximum_iterations is None and any(ops.is_jax(one) for one in loop_vars):
        lax = sys.modules["jax"].lax
        return lax.while_loop(lambda v: cond(*v), lambda v: tuple(body(*v)), tuple(loop_vars))
    found, n_done = tuple(loop_vars), 0
    while cond(*found) and n_done != maximum_iterations:
        after = body(*found)
        found, n_done = tuple(after) if isinstance(after, tuple | list) else (after,), n_done + 1
    return found


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """Return the value after calling body_fun(i, value) for each i."""
    for i in range(lower, upper):
        init_val = body_fun(i, init_val)
    return init_val


def scan(f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None) -> Any:
    """Return (the last carry, the outputs stacked) of f(carry, x) for each x."""
    carry, outputs = init, []
    for i in range(len(xs) if length is None else length):
        carry, output = f(carry, None if xs is None else xs[i])
        outputs.append(_array(output))
    return carry, _space(outputs).stack(outputs)


def map_of(f: Callable[[Any], Any], xs: Any) -> Tensor:
    """Return f of each item of the first axis, stacked."""
    found = [_array(f(x)) for x in xs]
    return _space(found).stack(found)


def _activation(name: str) -> Callable[..., Tensor]:
    known = activations.get_activation(name)

    def function(x: Any, *args: Any, **options: Any) -> Tensor:
        return _narrow(known(_array(x), *args, **options))

    made = named_as(function, name, known.__doc__ or name)
    made.registered_name = name  # type: ignore[attr-defined]
    return made


_ON_ARRAYS: dict[str, Callable[..., Any]] = {name: _of_numpy(name, 1) for name in _UNARY}
_ON_ARRAYS |= {name: _of_numpy(name, 2) for name in _BINARY}
_ON_ARRAYS |= {name: _of_several(name) for name in _OF_SEVERAL}
_ON_ARRAYS |= {name: _of_numpy(name, 1, room="linalg") for name in _LINEAR_ALGEBRA}
_ON_ARRAYS |= {
    name: _activation(name)
    for name in (
        "elu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
        "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "softmax",
        "softplus", "softsign", "swish", "tanh_shrink",
    )
}  # fmt: skip
_ON_ARRAYS |= {
    one.__name__: one
    for one in (
        binary_crossentropy, cast, clip, cond, convert_to_numpy, convert_to_tensor, divide_no_nan,
        einsum, erf, gelu, in_top_k, logsumexp, meshgrid, multi_hot, normalize, one_hot, rsqrt,
        scatter, scatter_update, segment_sum, slice_update, split, stop_gradient, top_k, unstack,
        where, while_loop,
    )
}  # fmt: skip
_ON_ARRAYS |= {
    "abs": _of_numpy("abs", 1),
    "arange": _of_numpy("arange", 0),
    "array": convert_to_tensor,
    "max": _of_numpy("max", 1),
    "slice": slice_of,
}

OPS: dict[str, Any] = {name: also_on_symbols(one) for name, one in _ON_ARRAYS.items()}
OPS |= {name: _of_numpy(name, 0) for name in _OF_SHAPES}
OPS |= {
    "fori_loop": fori_loop,
    "full": full,
    "is_tensor": is_tensor,
    "map": map_of,
    "ndim": ndim,
    "scan": scan,
    "shape": shape,
    "vectorized_map": map_of,
}
OPS |= {
    name: FUNCTIONS[name]
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy")
}
