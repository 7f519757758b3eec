"""Functional models: layers, and the calls that connect them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wordrow.errors import FileFormatError
from wordrow.keras._config.calls import (
    MissingOutputError,
    OutputRef,
    arguments_of,
    first_calls,
    layers_in,
    output_at,
    resolve,
)
from wordrow.keras._config.context import Config, Context
from wordrow.keras._config.operations import Operation, operator_of, read_operation
from wordrow.nn.graph.symbol import Symbol
from wordrow.nn.model.model import Model

__all__ = ["GraphReader"]

_MASK_ARGUMENTS = ("mask", "query_mask", "value_mask", "key_mask")


@dataclass(frozen=True)
class _Call:
    """Call `number` of a layer, as its config describes it."""

    layer: str
    number: int
    node: Any


class GraphReader:
    """Builds one functional model. read_layer: makes a layer or inner model of its config."""

    def __init__(self, context: Context, read_layer: Callable[[Config], Any]) -> None:
        self._context, self._read_layer = context, read_layer
        self._units: dict[str, Any] = {}  # layers, inner models and operations by name
        self._symbols: dict[OutputRef, Symbol] = {}
        self._failures: dict[str, str] = {}  # of operations: name -> reason

    def read(self, config: Config) -> Model:
        """Return the model of a config, with new weights."""
        calls = self._read_units(config["layers"])
        # An inner model counts its own creation as call 0, so its calls here start at 1.
        first = first_calls([arguments_of(call.node) for call in calls], config["output_layers"])
        self._make([_Call(c.layer, c.number + first.get(c.layer, 0), c.node) for c in calls])
        try:
            inputs = self._outputs_at(config["input_layers"])
            outputs = self._outputs_at(config["output_layers"])
        except MissingOutputError as error:
            reasons = "; ".join(f"{name!r}: {why}" for name, why in self._failures.items())
            raise FileFormatError(
                f"{self._context.file_name}: the output of layer {error} cannot be computed"
                f"{f' ({reasons})' if reasons else ''}."
            ) from None
        if isinstance(outputs, list) and len(outputs) == 1:
            (outputs,) = outputs  # predict then returns an array, not a list of one
        model = Model(inputs, outputs, config.get("name"))
        model.arrange([k for k, unit in self._units.items() if not isinstance(unit, Operation)])
        return model

    def _read_units(self, entries: Sequence[Config]) -> list[_Call]:
        """Make the layers; return their calls."""
        calls: list[_Call] = []
        for entry in entries:
            name = entry.get("name") or entry["config"]["name"]
            operation = read_operation(entry, self._context.custom_objects)
            unit: Any = operation or self._read_layer(entry)
            self._units[name] = unit
            if entry["class_name"] == "InputLayer":
                self._symbols[OutputRef(name, 0, 0)] = unit.symbol
                continue
            nodes = [node for node in entry["inbound_nodes"] if node]
            calls += [_Call(name, number, node) for number, node in enumerate(nodes)]
        return calls

    def _make(self, calls: list[_Call]) -> None:
        """Make the calls, each as soon as its inputs exist."""
        while calls:
            waiting = [call for call in calls if not self._try(call)]
            if len(waiting) == len(calls):
                return
            calls = waiting

    def _try(self, call: _Call) -> bool:
        """Make a call; return False where an input does not exist yet."""
        unit = self._units[call.layer]
        args, options = arguments_of(call.node)
        self._check_masks(call.layer, [options.pop(key, None) for key in _MASK_ARGUMENTS])
        options.pop("training", None)
        try:
            args, options = resolve(args, self._symbols), resolve(options, self._symbols)
        except MissingOutputError:
            return False
        if isinstance(unit, Operation):
            try:
                outputs = unit.function(*args, **unit.options | options)
            except Exception as error:  # it may compute a mask, which nothing here depends on
                self._failures[call.layer] = f"{unit.name} is not supported ({error})"
                return False
        elif len(args) == 2 and (operator := operator_of(unit)):
            outputs = operator(*args)  # .h5 files store x + y like Add()([x, y])
        else:
            outputs = unit(*args, **{k: v for k, v in options.items() if v is not None})
        for index, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            self._symbols[OutputRef(call.layer, call.number, index)] = output
        return True

    def _check_masks(self, layer: str, masks: Sequence[Any]) -> None:
        """Refuse masks that are not derived; Keras also writes those that propagate by themselves.

        Raises FileFormatError for a mask that a layer's output is used as.
        """
        for source in layers_in(masks):
            if not isinstance(self._units.get(source), Operation):
                raise FileFormatError(
                    f"{self._context.file_name}: layer {layer!r} takes its mask from {source!r}; "
                    "masks must come from an Embedding (mask_zero=True) or a Masking layer."
                )

    def _outputs_at(self, refs: Any) -> Any:
        """Return the symbols of a model's inputs or outputs: one, a list or a dict."""
        if isinstance(refs, dict):
            return {key: self._outputs_at(ref) for key, ref in refs.items()}
        if refs and isinstance(refs[0], str):
            return output_at(OutputRef(*refs[:3]), self._symbols)
        return [self._outputs_at(ref) for ref in refs]
