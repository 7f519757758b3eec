"""How configs refer to layer calls: `inbound_nodes` of Keras 2 and 3, and references to outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wordrow.nn.graph.symbol import Symbol

__all__ = [
    "MissingOutputError",
    "OutputRef",
    "arguments_of",
    "first_calls",
    "layers_in",
    "output_at",
    "resolve",
]


class MissingOutputError(Exception):
    """A call needs the output of another call that has not been made yet."""


class OutputRef(NamedTuple):
    """Output number `output` of a layer's call number `call`."""

    layer: str
    call: int
    output: int


Symbols = Mapping[OutputRef, Symbol]


def arguments_of(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return (positional, keyword) arguments of a call.

    Keras 3 writes {"args", "kwargs"}; Keras 2 [layer, call, output, kwargs] for each input.
    """
    if isinstance(node, Mapping):
        return list(node.get("args", ())), dict(node.get("kwargs", {}))
    if isinstance(node[0], str):
        node = [node]
    inputs = [
        OutputRef(*one[:3]) if isinstance(one[0], str) and one[0] != "_CONSTANT_VALUE" else one[-1]
        for one in node
    ]
    options = dict(node[0][3]) if len(node[0]) > 3 else {}
    return (
        [inputs if len(inputs) > 1 else inputs[0]],
        {name: _with_refs(value) for name, value in options.items()},
    )


def _with_refs(value: Any) -> Any:
    """Return nested lists with Keras 2's [layer, call, output] as OutputRefs."""
    if not isinstance(value, list):
        return value
    if len(value) >= 3 and isinstance(value[0], str):
        layer, call, output = value[:3]
        if isinstance(call, int) and isinstance(output, int):
            return OutputRef(layer, call, output)
    return [_with_refs(one) for one in value]


def _ref_of(value: Any) -> OutputRef | None:
    """Return the reference that a value is, in either version's form; None for other values."""
    if isinstance(value, OutputRef):
        return value
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        return OutputRef(*value["config"]["keras_history"][:3])
    return None


def layers_in(value: Any) -> Iterator[str]:
    """Yield the names of the layers that a value refers to."""
    if (ref := _ref_of(value)) is not None:
        yield ref.layer
    elif isinstance(value, list | tuple):
        for one in value:
            yield from layers_in(one)


def first_calls(arguments: Sequence[Any], outputs: Any) -> dict[str, int]:
    """Return the lowest call number that is referred to, for each layer."""
    found: dict[str, int] = {}
    outputs = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
    stack: list[Any] = [arguments, _with_refs(outputs)]
    while stack:
        value = stack.pop()
        if (ref := _ref_of(value)) is not None:
            found[ref.layer] = min(found.get(ref.layer, ref.call), ref.call)
        elif isinstance(value, Mapping):
            stack += value.values()
        elif isinstance(value, list | tuple):
            stack += value
    return found


def resolve(value: Any, symbols: Symbols) -> Any:
    """Return arguments with symbols in place of references.

    Raises MissingOutputError for a call that has not been made.
    """
    if (ref := _ref_of(value)) is not None:
        return output_at(ref, symbols)
    if isinstance(value, Mapping):
        if "class_name" in value:
            return value
        return {name: resolve(one, symbols) for name, one in value.items()}
    return [resolve(one, symbols) for one in value] if isinstance(value, list | tuple) else value


def output_at(ref: OutputRef, symbols: Symbols) -> Symbol:
    """Return the symbol that a reference stands for."""
    if ref not in symbols:
        raise MissingOutputError(repr(ref.layer))
    return symbols[ref]
