"""Models as the configs that Keras reads: of Keras 3, or as Keras 2 wrote them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from wordrow.keras._layers import drops_the_mask
from wordrow.nn.graph import Node
from wordrow.nn.layers import (
    Attention,
    Bidirectional,
    Embedding,
    Input,
    Layer,
    Masking,
    MultiHeadAttention,
    TimeDistributed,
)
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.layers.symbol import Symbol
from wordrow.nn.losses import LOSSES
from wordrow.nn.model import Model
from wordrow.nn.saving import compile_config
from wordrow.nn.sequential import Sequential

__all__ = ["Writer"]

Config = dict[str, Any]
# Arguments of ours that Keras's layers of the name do not have.
_OURS = ("mask", "causal", "with_scores", "input_length", "fixed_rows")
_OPTIMIZERS = {"LazyAdam": "Adam", "LazyRMSprop": "RMSprop"}


class Writer:
    """Describes models. style: 3, or 2 for what Keras 2 reads and Keras 3 too."""

    def __init__(self, style: Literal[2, 3]) -> None:
        self.style = style

    # ---- models -----------------------------------------------------------

    def model(self, model: Model) -> Config:
        """Return {"class_name", "config"} of a model.

        Raises ValueError for a Lambda layer, whose function no file can hold.
        """
        _say_how_masks_differ(model)
        return self._model(model)

    def _model(self, model: Model) -> Config:
        if isinstance(model, Sequential) and len(model.graph.inputs) == 1:
            first = [] if model._input is None else [model._input]
            entries = [self.unit(unit) for unit in (*first, *model.layers)]
            return self._entry("Sequential", {"name": model.name, "layers": entries}, "keras")
        return self._entry("Functional", self._functional(model), "keras.src.models.functional")

    def _functional(self, model: Model) -> Config:
        graph = model.graph
        numbers = {id(node.call): number for number, node in enumerate(graph.nodes)}
        calls: dict[int, list[int]] = {}  # of each layer or model, the ids of its calls
        firsts: dict[int, Node] = {}  # the first node of each call
        for node in graph.nodes:
            known = calls.setdefault(id(node.unit), [])
            if (key := _key(node)) not in firsts:
                firsts[key] = node
                known.append(key)

        def place(symbol: Symbol) -> list[Any]:
            node = graph.nodes[numbers[id(symbol.call)]]
            index = symbol.index
            if (inside := node.call.within) is not None:
                index = next(
                    i for i, one in enumerate(inside.outputs)
                    if one is not None and (one.call, one.index) == (symbol.call, symbol.index)
                )  # fmt: skip
            return [node.unit.name, calls[id(node.unit)].index(_key(node)), index]

        entries = []
        for unit in graph.units:
            nodes = [firsts[key] for key in calls[id(unit)]]
            entry = self.unit(unit) | {"name": unit.name}
            entry["inbound_nodes"] = [] if isinstance(unit, Input) else [
                self._node(node, place) for node in nodes]  # fmt: skip
            entries.append(entry)
        ends: list[Any] = [
            [place(Symbol(graph.nodes[number].layer.output_spec, graph.nodes[number].call, index))
             for number, index in places]
            for places in ([(number, 0) for number in graph.inputs], graph.outputs)
        ]  # fmt: skip
        if self.style == 3:
            names = model._input_names, model._output_names
            if names[0] is not None:
                ends[0] = dict(zip(names[0], ends[0], strict=True))
            if names[1] is not None:
                ends[1] = dict(zip(names[1], ends[1], strict=True))
            ends[0] = ends[0][0] if len(ends[0]) == 1 else ends[0]
            ends[1] = ends[1][0] if model._one_output else ends[1]
        return {"name": model.name, "trainable": True, "layers": entries,
                "input_layers": ends[0], "output_layers": ends[1]}  # fmt: skip

    def _node(self, node: Node, place: Any) -> Any:
        inside = node.call.within
        symbols = node.call.inputs if inside is None else inside.inputs
        if self.style == 2:
            return [[*place(symbol), {}] for symbol in symbols]

        def tensor(symbol: Symbol) -> Config:
            config = {"shape": list(symbol.shape), "dtype": symbol.dtype,
                      "keras_history": place(symbol)}  # fmt: skip
            return {"class_name": "__keras_tensor__", "config": config}

        layer = node.unit
        options: dict[str, Any] = {}
        taken: list[Any] = [tensor(symbol) for symbol in symbols]
        if isinstance(layer, Recurrent | Bidirectional) and len(taken) > 1:
            options["initial_state"], taken = taken[1:], taken[:1]
        elif isinstance(layer, MultiHeadAttention):
            names = ("key", "attention_mask")
            options, taken = dict(zip(names, taken[2:], strict=False)), taken[:2]
        elif node.is_list or len(taken) > 1:
            taken = [taken]
        if isinstance(layer, Attention | MultiHeadAttention):
            ways = {"use_causal_mask": layer.causal, "return_attention_scores": layer.with_scores}
            options |= {name: True for name, wanted in ways.items() if wanted}
        return {"args": taken, "kwargs": options}

    # ---- layers -----------------------------------------------------------

    def unit(self, unit: Layer | Model) -> Config:
        """Return {"class_name", "config"} of a layer, or of a model inside."""
        if isinstance(unit, Model):
            return self._model(unit)
        config = {k: self._value(k, v) for k, v in unit.get_config().items() if k not in _OURS}
        if isinstance(unit, Embedding) and unit.fixed_rows is not None:
            warnings.warn(
                f"Keras cannot fix rows of a table: those of layer {unit.name!r} would be trained "
                "there.",
                UserWarning,
                stacklevel=2,
            )
        if config.get("trainable"):  # not all of Keras's take it
            del config["trainable"]
        config.setdefault("dtype", "float32")
        if isinstance(unit, Input):
            shape = "batch_shape" if self.style == 3 else "batch_input_shape"
            config = {shape: list(unit.shape), "dtype": unit.dtype, "sparse": False,
                      "name": unit.name}  # fmt: skip
            return self._entry("InputLayer", config, "keras.layers")
        if isinstance(unit, Bidirectional):
            config["layer"] = Writer(3).unit(unit.forward_layer)
            config["backward_layer"] = Writer(3).unit(unit.backward_layer)
        elif isinstance(unit, TimeDistributed):
            config["layer"] = Writer(3).unit(unit.layer)  # with its module, or it is not found
        entry = self._entry(type(unit).__name__, config, "keras.layers")
        return entry | {"wordrow_mask": unit.mask}  # or reading would take what Keras does

    def _entry(self, kind: str, config: Config, module: str) -> Config:
        entry: Config = {"class_name": kind, "config": config}
        return entry if self.style == 2 else {"module": module, "registered_name": None} | entry

    def _value(self, key: str, value: Any) -> Any:
        for role in ("initializer", "regularizer", "constraint"):
            if key.endswith(f"_{role}") and isinstance(value, Mapping):
                return self._entry(value["class_name"], dict(value["config"]), f"keras.{role}s")
        if key.endswith("activation") and value == "keras2_hard_sigmoid":
            if self.style == 3:
                raise ValueError(
                    "Keras 3 has no hard_sigmoid of Keras 2's slope: save to an .h5 file of plain "
                    "layers, which Keras 2 reads, or to model.safetensors."
                )
            return "hard_sigmoid"
        return list(value) if isinstance(value, tuple) else value

    # ---- training -----------------------------------------------------------

    def compiled(self, model: Model) -> Config | None:
        """Return what `compile` was given; None where it was not, or cannot be said."""
        own = compile_config(model, names=True)
        if own is None:
            return None
        optimizer = own["optimizer"]
        config = {k: v for k, v in optimizer["config"].items() if k != "decay" and v is not None}
        if decay := optimizer["config"].get("decay"):  # Keras 3 has it as a schedule alone
            config["learning_rate"] = {"class_name": "InverseTimeDecay", "config": {
                "initial_learning_rate": config["learning_rate"], "decay_steps": 1,
                "decay_rate": decay, "staircase": False}}  # fmt: skip
        kind = _OPTIMIZERS.get(optimizer["class_name"], optimizer["class_name"])
        rate = config["learning_rate"]
        if isinstance(rate, Mapping):
            config["learning_rate"] = self._entry(
                rate["class_name"], dict(rate["config"]), "keras.optimizers.schedules"
            )
        return {
            "optimizer": self._entry(kind, config, "keras.optimizers"),
            "loss": self._scores(own["loss"], "keras.losses"),
            "metrics": self._scores(own["metrics"], "keras.metrics"),
            "weighted_metrics": self._scores(own["weighted_metrics"], "keras.metrics"),
            "loss_weights": own["loss_weights"],
        }

    def _scores(self, value: Any, module: str) -> Any:
        if isinstance(value, Mapping) and "class_name" in value:
            return self._entry(value["class_name"], dict(value["config"]), module)
        if isinstance(value, Mapping):
            return {k: self._scores(one, module) for k, one in value.items()}
        if isinstance(value, list):
            return [self._scores(one, module) for one in value]
        full = getattr(LOSSES.names.get(value), "__name__", value)  # Keras knows no "mse" in a file
        return full if module == "keras.losses" else value


def _key(node: Node) -> int:
    return id(node.call if node.call.within is None else node.call.within)


def _say_how_masks_differ(model: Model) -> None:
    """Warn of layers that honour a mask here and drop it in Keras, or the other way round."""
    layers: Sequence[Layer] = model._layers
    if not any(isinstance(one, Masking) or (isinstance(one, Embedding) and one.mask_zero)
               for one in layers):  # fmt: skip
        return
    more = [one.name for one in layers
            if one.mask is None and one.mask_rule != "refuses" and drops_the_mask(one)]  # fmt: skip
    more += [node.layer.name for node in model.graph.nodes if len(node.inputs) > 1
             and isinstance(node.layer, Recurrent | Bidirectional) and node.layer.mask is None
             and node.layer.name not in more]  # fmt: skip
    less = [one.name for one in layers if one.mask == "drop" and not drops_the_mask(one)]
    for names, what in ((more, "honour the mask here and drop it in Keras"),
                        (less, "drop the mask here and honour it in Keras")):  # fmt: skip
        if names:
            warnings.warn(
                f"the layers {names} {what}: with padding in the inputs the model will answer "
                "otherwise there.",
                UserWarning, stacklevel=6,
            )  # fmt: skip
