"""Operators and functions on symbols that stand among the layers of a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wordrow.keras._backend import FUNCTIONS
from wordrow.keras._config.context import Config
from wordrow.keras._config.naming import snake_case
from wordrow.keras._layers import LAYERS

__all__ = ["Operation", "operator_of", "read_operation"]


@dataclass(frozen=True)
class Operation:
    """A function on symbols, with the keyword arguments of its config."""

    name: str
    function: Callable[..., Any]
    options: dict[str, Any]


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y, **_: x + y,
    "subtract": lambda x, y, **_: x - y,
    "multiply": lambda x, y, **_: x * y,
    "true_divide": lambda x, y, **_: x / y,
    "divide": lambda x, y, **_: x / y,
    "negative": lambda x, **_: -x,
    "power": lambda x, y, **_: x**y,
    "get_item": lambda x, key, **_: x[_index(key)],
}
_OLD_NAMES = {
    "reduce_mean": "mean", "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min",
    "concat": "concatenate", "amax": "max", "transpose": "permute_dimensions", "matmul": "dot",
    "__getitem__": "get_item", "mul": "multiply", "sub": "subtract", "truediv": "divide",
    "pow": "power", "neg": "negative",
}  # fmt: skip
_WRAPPERS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
_NOT_OPTIONS = ("name", "dtype", "trainable", "function", "node_def", "constants")


def read_operation(entry: Config, custom_objects: Mapping[str, Any]) -> Operation | None:
    """Return the operation that an entry describes; None for a layer."""
    kind = entry["class_name"]
    is_operation = str(entry.get("module") or "").startswith("keras.src.ops")
    if "module" not in entry and kind not in LAYERS and kind not in custom_objects:  # in .h5 files
        is_operation = snake_case(kind) in _OPERATORS or snake_case(kind) in FUNCTIONS
    if not is_operation and kind not in _WRAPPERS:
        return None
    config = entry["config"]
    name = config.get("function", kind).rsplit(".", 1)[-1]
    options = {k: v for k, v in config.items() if k not in _NOT_OPTIONS and v is not None}
    return Operation(name, _function_of(name), options)


def operator_of(layer: Any) -> Callable[..., Any] | None:
    """Return the operator that does what a merging layer does; None for other layers."""
    return _OPERATORS.get(type(layer).__name__.lower())


def _function_of(name: str) -> Callable[..., Any]:
    name = _OLD_NAMES.get(snake_case(name), snake_case(name))

    def missing(*args: Any, **options: Any) -> Any:
        raise ValueError(f"no function {name}")

    found: Callable[..., Any] = _OPERATORS.get(name) or FUNCTIONS.get(name) or missing
    return found


def _index(key: Any) -> Any:
    """Return the index of a `get_item`; configs hold slices as their three numbers."""
    if isinstance(key, Mapping):
        config = key.get("config", key)
        if key.get("class_name") == "slice" and isinstance(config, list):
            return slice(*config)
        return slice(config.get("start"), config.get("stop"), config.get("step"))
    if isinstance(key, list | tuple):
        return tuple(_index(one) for one in key)
    return Ellipsis if key == "Ellipsis" else key
