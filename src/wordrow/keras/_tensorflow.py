"""The names of the `tensorflow` module that Keras scripts use beside `tensorflow.keras`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

import wordrow
from wordrow.keras import _families
from wordrow.keras._backend import FUNCTIONS
from wordrow.keras._data import STRINGS, Dataset
from wordrow.keras._ops import OPS

__all__ = ["TENSORFLOW", "TENSORFLOW_VERSION"]

TENSORFLOW_VERSION = "2.15.0"

# TensorFlow's name -> that of keras.backend.
_FUNCTIONS = {
    "abs": "abs", "argmax": "argmax", "cast": "cast", "clip_by_value": "clip",
    "concat": "concatenate", "exp": "exp", "expand_dims": "expand_dims", "matmul": "dot",
    "maximum": "maximum", "minimum": "minimum", "one_hot": "one_hot", "ones": "ones",
    "ones_like": "ones_like", "range": "arange", "reduce_max": "max", "reduce_mean": "mean",
    "reduce_min": "min", "reduce_sum": "sum", "reshape": "reshape", "reverse": "reverse",
    "shape": "shape", "sigmoid": "sigmoid", "sqrt": "sqrt", "square": "square",
    "squeeze": "squeeze", "stack": "stack", "tanh": "tanh", "tile": "tile",
    "transpose": "permute_dimensions", "where": "switch", "zeros": "zeros",
    "zeros_like": "zeros_like",
}  # fmt: skip
_MATH = {
    "argmax": "argmax",
    "exp": "exp",
    "log": "log",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "sqrt": "sqrt",
    "square": "square",
    "tanh": "tanh",
}
_NN = ("elu", "relu", "sigmoid", "softmax", "softplus", "tanh")


def _ignore(*args: Any, **options: Any) -> None:
    """Accept any arguments, without effect."""


def _no_devices(*args: Any, **options: Any) -> list[Any]:
    return []


_LOGGING = SimpleNamespace(set_verbosity=_ignore, ERROR=40)

# Functions that have the name of keras.ops.
_OPS = (
    "add", "cond", "cumsum", "divide", "einsum", "equal", "eye", "floor", "greater",
    "greater_equal", "less", "less_equal", "linspace", "logical_and", "logical_not", "logical_or",
    "map_fn", "multiply", "norm", "not_equal", "pad", "pow", "repeat", "round", "sign", "split",
    "stop_gradient", "subtract", "tensordot", "unstack", "while_loop",
)  # fmt: skip
_OTHER_NAMES = {"map_fn": "map", "pow": "power"}


def _function(given: Any = None, **options: Any) -> Any:
    """Return a function as it is, or a decorator that does: nothing is traced."""
    return given if given is not None else _function


TENSORFLOW: dict[str, Any] = {name: OPS[_OTHER_NAMES.get(name, name)] for name in _OPS}
TENSORFLOW |= {name: FUNCTIONS[ours] for name, ours in _FUNCTIONS.items()}
TENSORFLOW |= {
    "__version__": TENSORFLOW_VERSION,
    "constant": np.array,
    "function": _function,
    "gather": FUNCTIONS["gather"],
    "initializers": SimpleNamespace(**_families.INITIALIZERS),
    "losses": SimpleNamespace(**_families.LOSSES),
    "metrics": SimpleNamespace(**_families.METRICS),
    "newaxis": None,
    "optimizers": SimpleNamespace(**_families.OPTIMIZERS),
    "float64": "float64",
    "convert_to_tensor": np.asarray,
    "float32": "float32",
    "int32": "int32",
    "int64": "int64",
    "string": "str",
    "bool": "bool",
    "set_random_seed": wordrow.set_random_seed,
    "test": SimpleNamespace(is_gpu_available=lambda *args, **options: False),
    "random": SimpleNamespace(set_seed=wordrow.set_random_seed),
    "compat": SimpleNamespace(
        v1=SimpleNamespace(
            set_random_seed=wordrow.set_random_seed,
            disable_eager_execution=_ignore,
            disable_v2_behavior=_ignore,
            logging=_LOGGING,
        )
    ),
    "logging": _LOGGING,
    "config": SimpleNamespace(
        list_physical_devices=_no_devices,
        experimental=SimpleNamespace(list_physical_devices=_no_devices, set_memory_growth=_ignore),
    ),
    "data": SimpleNamespace(
        Dataset=Dataset,
        AUTOTUNE=-1,
        experimental=SimpleNamespace(AUTOTUNE=-1, cardinality=Dataset.cardinality),
    ),
    "strings": SimpleNamespace(**STRINGS),
    "nn": SimpleNamespace(**{name: FUNCTIONS[name] for name in _NN}),
    "math": SimpleNamespace(**{name: FUNCTIONS[ours] for name, ours in _MATH.items()}),
}
