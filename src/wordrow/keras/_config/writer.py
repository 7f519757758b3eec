"""Layers and models as the configs that Keras reads: Keras 3's, or in the form of Keras 2."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from wordrow.keras._cells import RNN, StackedRNNCells
from wordrow.keras._config.entry import Entry, Style, entry_of
from wordrow.keras._config.graph_writer import GraphWriter
from wordrow.keras._layers import drops_mask, padding_counts
from wordrow.nn.layers import Bidirectional, Embedding, Input, Masking, TimeDistributed
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.layers.shell import PureLayer
from wordrow.nn.model.model import Model
from wordrow.nn.model.sequential import Sequential

__all__ = ["Writer"]

# Arguments that Keras's layers of the same name do not have.
_WORDROW_ONLY = ("mask", "causal", "with_scores", "input_length", "fixed_rows")


class Writer:
    """Describes models. style: 3, or 2 for files that both Keras 2 and Keras 3 read."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def model(self, model: Model) -> Entry:
        """Return {"class_name", "config"} of a model.

        Raises ValueError for a Lambda layer, whose function no file can hold.
        """
        _warn_of_mask_differences(model)
        return self._model(model)

    def _model(self, model: Model) -> Entry:
        if isinstance(model, Sequential) and len(model.graph.inputs) == 1:
            first = [] if model._input is None else [model._input]
            entries = [self.unit(unit) for unit in (*first, *model.layers)]
            config = {"name": model.name, "layers": entries}
            return entry_of("Sequential", config, "keras", self.style)
        config = GraphWriter(model, self.style, self.unit).config()
        return entry_of("Functional", config, "keras.src.models.functional", self.style)

    def unit(self, unit: PureLayer | Model) -> Entry:
        """Return {"class_name", "config"} of a layer, or of an inner model."""
        if isinstance(unit, Model):
            return self._model(unit)
        if isinstance(unit, Input):
            return self._input(unit)
        if getattr(unit, "call_arguments", None) is not None:
            raise ValueError(
                f"Keras's files cannot hold how layer {unit.name!r} is called, with the arguments "
                f"{unit.call_arguments.all}. Save the model under another name, such as model.st."
            )
        options = unit.get_config().items()
        config = {k: self._argument(k, v) for k, v in options if k not in _WORDROW_ONLY}
        if isinstance(unit, Embedding) and unit.fixed_rows is not None:
            warnings.warn(
                f"Keras cannot fix rows of an embedding: those of layer {unit.name!r} will be "
                "trained there.",
                UserWarning,
                stacklevel=2,
            )
        if config.get("trainable"):  # not every Keras layer takes it
            del config["trainable"]
        config.setdefault("dtype", "float32")
        if isinstance(unit, Bidirectional):
            config["layer"] = Writer(3).unit(unit.forward_layer)
            config["backward_layer"] = Writer(3).unit(unit.backward_layer)
        elif isinstance(unit, TimeDistributed):
            config["layer"] = Writer(3).unit(unit.layer)  # Keras needs the module to find it
        elif isinstance(unit, RNN):
            config["cell"] = Writer(3).unit(unit.cell)
        elif isinstance(unit, StackedRNNCells):
            config["cells"] = [Writer(3).unit(cell) for cell in unit.cells]
        entry = entry_of(type(unit).__name__, config, "keras.layers", self.style)
        return entry | {"wordrow_mask": unit.mask}  # otherwise loading takes Keras's behaviour

    def _input(self, layer: Input) -> Entry:
        shape = "batch_shape" if self.style == 3 else "batch_input_shape"
        config = {
            shape: list(layer.shape),
            "dtype": layer.dtype,
            "sparse": False,
            "name": layer.name,
        }
        return entry_of("InputLayer", config, "keras.layers", self.style)

    def _argument(self, key: str, value: Any) -> Any:
        for role in ("initializer", "regularizer", "constraint"):
            if key.endswith(f"_{role}") and isinstance(value, Mapping):
                config = dict(value["config"])
                return entry_of(value["class_name"], config, f"keras.{role}s", self.style)
        if key.endswith("activation") and value == "keras2_hard_sigmoid":
            if self.style == 3:
                raise ValueError(
                    "Keras 3 has no hard_sigmoid with Keras 2's slope. Save a model of plain "
                    "layers to an .h5 file, which Keras 2 reads; other models to "
                    "model.safetensors."
                )
            return "hard_sigmoid"
        return list(value) if isinstance(value, tuple) else value


def _warn_of_mask_differences(model: Model) -> None:
    """Warn of layers that honour a mask here and let padding count in Keras, or vice versa."""
    honoured_here, dropped_here = [], []
    for layer, n_inputs in _layers_under_masks(model):
        takes_state = n_inputs > 1 and isinstance(layer, Recurrent | Bidirectional)
        if layer.mask is None and layer.mask_rule != "refuses":
            if takes_state or padding_counts(layer):
                honoured_here.append(layer.name)
        elif layer.mask == "drop" and not drops_mask(layer):
            dropped_here.append(layer.name)
    for names, difference in (
        (honoured_here, "honour the mask here, and padding counts in Keras"),
        (dropped_here, "drop the mask here and honour it in Keras"),
    ):
        if names:
            warnings.warn(
                f"the layers {names} {difference}: the model's predictions for padded inputs will "
                "differ there.",
                UserWarning,
                stacklevel=6,
            )


def _layers_under_masks(model: Model) -> list[tuple[Any, int]]:
    """Return the layers whose inputs have a mask, each once, with their number of inputs."""
    masked: set[tuple[int, int]] = set()
    found: dict[int, tuple[Any, int]] = {}
    for number, node in enumerate(model.graph.nodes):
        layer, is_masked = node.layer, not masked.isdisjoint(node.inputs)
        if is_masked:
            found[id(layer)] = layer, len(node.inputs)
        passes_on = is_masked and layer.mask_rule == "propagates" and layer.mask != "drop"
        if passes_on or layer.makes_mask or isinstance(layer, Masking):
            masked.add((number, 0))
    return list(found.values())
