"""Layers around a layer: both ways through a text, or the same for every step."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Literal, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Spec
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.named import config_of

__all__ = ["Bidirectional", "TimeDistributed"]

_MERGES = ("concat", "sum", "mul", "ave", None)


def _layer(layer: Layer | Mapping[str, Any]) -> Layer:
    """Return a layer, made from its config where one is given."""
    if isinstance(layer, Mapping):
        from wordrow.nn.layers import LAYERS

        if layer["class_name"] in ("Model", "Sequential"):
            saving = importlib.import_module("wordrow.nn.saving")  # which knows of models
            return _Inside(
                saving.model_from_parts(None, layer["config"], name="the config", compiled=False)
            )
        made: Layer = LAYERS[layer["class_name"]](**layer["config"])
        return made
    if hasattr(layer, "_units"):
        return _Inside(layer)
    if not isinstance(layer, Layer):
        raise TypeError(f"`layer` must be a layer, for example LSTM(32); received {show(layer)}.")
    return layer


def _part(prefix: str, arrays: Arrays) -> Arrays:
    """Return the arrays of one inner layer, under its own names."""
    start = f"{prefix}/"
    return {k.removeprefix(start): array for k, array in arrays.items() if k.startswith(start)}


def _joined(**parts: Arrays) -> Arrays:
    """Return the arrays of inner layers as one dict."""
    return {f"{part}/{k}": array for part, arrays in parts.items() for k, array in arrays.items()}


class _Inside(Layer):
    """A model of one input and one output as a layer, with weights of its own from then on."""

    def __init__(self, model: Any) -> None:
        super().__init__(name=model.name)
        self.model = model
        self.trainable = model.trainable

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Take the weights that the model has."""
        if self.model._graph is None:
            self.model.build(spec.shape)
        graph = self.model.graph
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise ValueError(f"{self.name!r} must have one input and one output to be wrapped.")
        weights = {
            f"{layer.name}/{name}": array for layer in self.model._layers
            for name, array in (layer._held or {}).items()
        }  # fmt: skip
        return weights, {}, Spec(self.model.output_shapes[0])

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return what the model answers."""
        names = [layer.name for layer in self.model._layers]
        (outputs,), (mask,), after = self.model.graph.apply(
            {name: _part(name, weights) for name in names},
            {name: _part(name, state) for name in names}, [inputs], [mask],
            training=training, rng=rng,
        )  # fmt: skip
        left = {k: v for k, v in _joined(**after).items() if k in state}
        return ops.laid_out(outputs), mask, state | left

    def check(self, inputs: Any) -> None:
        """Raise ValueError for ids that the model has no rows for."""
        self.model.graph.check_columns([inputs.reshape(-1, inputs.shape[-1])])

    @property
    def n_rows(self) -> int | None:
        """Ids that come in must be below this, where the model looks them up."""
        if self.model._graph is None:
            return None
        graph = self.model.graph
        found = [graph.nodes[node].layer.n_rows for node in graph.lookups()]
        return min(found) if found else None

    def rule(self, weight: str, role: Literal["regularizer", "constraint"]) -> Any:
        """Return the regularizer or constraint of a weight of the model."""
        name, own = weight.split("/", 1)
        return self.model.get_layer(name).rule(own, role)

    def parts(self) -> tuple[Layer, ...]:
        """Return the layers of the model."""
        return tuple(self.model._layers)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The weights of the model that no gradient changes."""
        return tuple(
            f"{layer.name}/{name}" for layer in self.model._layers
            for name in (layer.fixed if layer.trainable else layer._held or {})
        )  # fmt: skip

    @property
    def mixes_texts(self) -> bool:  # type: ignore[override]
        """Whether a layer of the model mixes texts while training."""
        return any(layer.mixes_texts for layer in self.model._layers)

    def get_config(self) -> dict[str, Any]:
        """Return the model's own config."""
        config: dict[str, Any] = self.model.get_config()
        return config


def _config_of(layer: Layer) -> dict[str, Any]:
    """Return the class name and arguments of a layer, or of the model that stands for one."""
    if not isinstance(layer, _Inside):
        return config_of(layer)
    kind = "Model" if "nodes" in layer.get_config() else "Sequential"
    return {"class_name": kind, "config": layer.get_config()}


class Bidirectional(Layer):
    """A recurrent layer forwards, and another one like it backwards.

    [B, T, D] -> [B, 2 * units]; [B, T, 2 * units] where the layer returns
    sequences. merge_mode: "concat", "sum", "mul", "ave", or None for a list of
    both. backward_layer: the one to read backwards, where it is to differ.
    Schuster & Paliwal 1997.

    >>> from wordrow import LSTM
    >>> Bidirectional(LSTM(2))(np.zeros((4, 5, 3), np.float32)).shape
    (4, 4)
    """

    takes_lookups = True

    def __init__(
        self,
        layer: Recurrent | Mapping[str, Any],
        merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat",
        weights: Any = None,
        backward_layer: Recurrent | Mapping[str, Any] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if merge_mode not in _MERGES:
            raise ValueError(f"`merge_mode` must be one of {_MERGES}; received {show(merge_mode)}.")
        forward = _layer(layer)
        if not isinstance(forward, Recurrent):
            raise TypeError(
                f"Bidirectional takes a recurrent layer (LSTM, GRU, SimpleRNN); received {forward}."
            )
        if backward_layer is None:
            entry = config_of(forward)
            entry["config"] |= {"go_backwards": not forward.go_backwards}
            backward = _layer(entry)
            backward.name = f"backward_{forward.name.removeprefix('forward_')}"
        else:
            backward = _layer(backward_layer)
        if not isinstance(backward, Recurrent) or backward.go_backwards == forward.go_backwards:
            raise ValueError(
                "`backward_layer` must be a recurrent layer with the other go_backwards; "
                f"received {show(backward_layer)}."
            )
        if forward.given_name is None:
            forward.name = f"forward_{forward.name}"
        if self.first_shape is None:
            self.first_shape = forward.first_shape
        self.forward_layer, self.backward_layer = forward, backward
        self.merge_mode, self._given = merge_mode, weights
        self.mask_rule = "carries" if forward.return_sequences else "consumes"

    def build(self, spec: Any, rng: np.random.Generator) -> tuple[Arrays, Arrays, Any]:
        """Build both layers."""
        specs = spec if isinstance(spec, list) else [spec]
        half = (len(specs) - 1) // 2
        forward, forward_state, output = self._built(self.forward_layer, specs[: 1 + half], rng)
        backward, backward_state, _ = self._built(
            self.backward_layer, [specs[0], *specs[1 + half :]], rng
        )
        weights = _joined(forward=forward, backward=backward)
        state = _joined(forward=forward_state, backward=backward_state)
        if self._given is not None:
            weights = {
                k: np.array(w, np.float32) for k, w in zip(weights, self._given, strict=True)
            }
        first, *ends = output if isinstance(output, list) else [output]
        if self.merge_mode is None:
            outputs = [first, first]
        elif self.merge_mode == "concat":
            outputs = [Spec((*first.shape[:-1], 2 * first.shape[-1]))]
        else:
            outputs = [first]
        outputs += 2 * ends
        return weights, state, outputs if len(outputs) > 1 else outputs[0]

    @staticmethod
    def _built(layer: Layer, specs: list[Spec], rng: Any) -> tuple[Arrays, Arrays, Any]:
        return layer.build(specs if len(specs) > 1 else specs[0], rng)

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return both answers, merged."""
        x, *initial = inputs if isinstance(inputs, list) else [inputs]
        steps_mask = mask[0] if isinstance(mask, list) else mask
        half = len(initial) // 2
        found, states = [], []
        layers = (self.forward_layer, self.backward_layer)
        for i, (layer, given) in enumerate(
            zip(layers, (initial[:half], initial[half:]), strict=True)
        ):
            part = ("forward", "backward")[i]
            outputs, _, after = layer.apply(
                _part(part, weights), _part(part, state), [x, *given], [steps_mask],
                training=training, rng=ops.rng_of(rng, i),
            )  # fmt: skip
            found.append(outputs if isinstance(outputs, list) else [outputs])
            states.append(after)
        (ahead, *ahead_ends), (back, *back_ends) = found
        if self.forward_layer.return_sequences:  # the one that went backwards, turned round
            if self.backward_layer.go_backwards:
                back = back[:, ::-1]
            else:
                ahead = ahead[:, ::-1]
        merged = self._merge(ahead, back)
        ends = ahead_ends + back_ends
        out_mask = steps_mask if self.forward_layer.return_sequences else None
        after = _joined(forward=states[0], backward=states[1])
        if len(merged) + len(ends) == 1:
            return merged[0], out_mask, after
        return merged + ends, [out_mask] * len(merged) + [None] * len(ends), after

    def _merge(self, ahead: Any, back: Any) -> list[Any]:
        if self.merge_mode is None:
            return [ahead, back]
        if self.merge_mode == "concat":
            return [ops.namespace(ahead).concatenate([ahead, back], axis=-1)]
        if self.merge_mode == "mul":
            return [ahead * back]
        return [(ahead + back) / 2 if self.merge_mode == "ave" else ahead + back]

    def rule(self, weight: str, role: Literal["regularizer", "constraint"]) -> Any:
        """Return the regularizer or constraint of a weight of either layer."""
        part, name = weight.split("/", 1)
        layer = self.forward_layer if part == "forward" else self.backward_layer
        return layer.rule(name, role)

    def parts(self) -> tuple[Layer, ...]:
        """Return both layers."""
        return self.forward_layer, self.backward_layer

    def __call__(
        self,
        inputs: Any,
        mask: Any = None,
        *,
        training: bool | None = None,
        initial_state: Any = None,
    ) -> Any:
        """Return the layer's outputs; initial_state: the states of both, forward first."""
        if initial_state is not None:
            inputs = [inputs, *initial_state]
            mask = mask if mask is None else [mask, *[None] * len(initial_state)]
        return super().__call__(inputs, mask, training=training)

    def reset_states(self) -> None:
        """Begin the next batch of stateful layers with zeros."""
        self._weights = self._weights  # whoever trains them must load them anew
        self._state = {name: np.zeros_like(array) for name, array in self._state.items()}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {
            "layer": config_of(self.forward_layer),
            "backward_layer": config_of(self.backward_layer),
            "merge_mode": self.merge_mode,
        }


class TimeDistributed(Layer):
    """The same layer, or model, for every step: [B, T, ...] -> [B, T, ...]. Carries the mask.

    A model begins with the weights that it has, and keeps these: what is trained here is a copy.

    Over texts of sentences, [B, S, T], it takes the mask of the words, and puts
    out that of the sentences: real where any word is.

    >>> from wordrow import Dense
    >>> TimeDistributed(Dense(2))(np.zeros((4, 5, 3), np.float32)).shape
    (4, 5, 2)
    """

    def __init__(self, layer: Layer | Mapping[str, Any], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.layer = _layer(layer)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Build the layer for one step."""
        if len(spec.shape) < 2:
            raise ValueError(
                f"TimeDistributed ({self.name!r}) takes [batch, steps, ...]; received the shape "
                f"{spec.shape}."
            )
        weights, state, output = self.layer.build(Spec((None, *spec.shape[2:]), spec.dtype), rng)
        return (
            _joined(layer=weights),
            _joined(layer=state),
            Spec((*spec.shape[:2], *output.shape[1:]), output.dtype),
        )

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the layer's outputs for all steps, as if each were a text of its own."""
        n, steps = inputs.shape[:2]
        inner = mask if mask is not None and mask.ndim > 2 else None
        flat = inputs.reshape(n * steps, *inputs.shape[2:])
        outputs, out_mask, after = self.layer.run(
            _part("layer", weights), _part("layer", state), flat,
            None if inner is None else inner.reshape(n * steps, *inner.shape[2:]),
            training=training, rng=rng,
        )  # fmt: skip
        if out_mask is not None:
            mask = out_mask.reshape(n, steps, *out_mask.shape[1:])
        elif inner is not None:
            mask = inner.any(axis=-1)
        return outputs.reshape(n, steps, *outputs.shape[1:]), mask, _joined(layer=after)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The weights of the layer that no gradient changes."""
        return tuple(f"layer/{name}" for name in self.layer.fixed)

    @property
    def mixes_texts(self) -> bool:  # type: ignore[override]
        """Whether the layer's answers depend on other texts while training."""
        return self.layer.mixes_texts

    @property
    def n_rows(self) -> int | None:
        """Ids that come in must be below this, where the layer looks ids up."""
        return self.layer.n_rows

    def check(self, inputs: Any) -> None:
        """Raise ValueError for values that the layer cannot take."""
        self.layer.check(inputs)

    def rule(self, weight: str, role: Literal["regularizer", "constraint"]) -> Any:
        """Return the regularizer or constraint of a weight of the layer."""
        return self.layer.rule(weight.split("/", 1)[1], role)

    def parts(self) -> tuple[Layer, ...]:
        """Return the layer."""
        return (self.layer,)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {"layer": _config_of(self.layer)}
