"""Layers that wrap a layer: in both directions, or at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.ids import check_ids
from wordrow.nn.layers.contract import LayerOptions, Role, WeightRule
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.layers.shell import PureLayer, part_of
from wordrow.nn.registry import KINDS, config_of
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, Specs

__all__ = ["Bidirectional", "ModelLayer", "TimeDistributed"]

_MERGES = ("concat", "sum", "mul", "ave", None)


def _layer(layer: Any) -> PureLayer:
    """Return a layer; a config is made into one."""
    if isinstance(layer, Mapping):
        layer = KINDS.make(layer)
    if hasattr(layer, "all_layers"):  # a model
        return ModelLayer(layer)
    if not isinstance(layer, PureLayer):
        raise TypeError(f"`layer` must be a layer, for example LSTM(32); received {show(layer)}.")
    return layer


def _joined(**parts: Arrays) -> Arrays:
    """Return the arrays of inner layers as one dict."""
    return {f"{part}/{k}": array for part, arrays in parts.items() for k, array in arrays.items()}


class ModelLayer(Layer):
    """A model with one input and one output as a layer that shares its weights."""

    def __init__(self, model: Any) -> None:
        super().__init__(name=model.name)
        self.model = model
        self.trainable = model.trainable

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Use the model's weights."""
        if not self.model.built:
            self.model.build(spec.shape)
        graph = self.model.graph
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise ValueError(f"{self.name!r} must have one input and one output to be wrapped.")
        parts = self.parts().items()
        weights = {
            name: {k: w.array for k, w in layer.named_weights().items()} for name, layer in parts
        }
        return _joined(**weights), {}, Spec(self.model.output_shapes[0])

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the model's outputs."""
        names = list(self.parts())
        (outputs,), (mask,), after = self.model.graph.apply(
            {name: part_of(name, weights) for name in names},
            {name: part_of(name, state) for name in names},
            [inputs],
            [mask],
            training=training,
            rng=rng,
        )
        left = {k: v for k, v in _joined(**after).items() if k in state}
        return ops.materialize(outputs), mask, state | left

    def check(self, inputs: Array) -> None:
        """Raise ValueError for ids that are out of range for the model's tables."""
        n_rows = self.n_rows
        if n_rows is not None:
            check_ids(np.asarray(inputs), n_rows, self.name)

    @property
    def n_rows(self) -> int | None:
        """The exclusive upper bound of input ids, if the model gathers rows by them."""
        if not self.model.built:
            return None
        graph = self.model.graph
        found = [graph.nodes[node].layer.n_rows for node in graph.lookups]
        return min(found) if found else None

    def rule(self, weight: str, role: Role) -> WeightRule | None:
        """Return the regularizer or constraint of a weight of the model."""
        name, own = weight.split("/", 1)
        return self.parts()[name].rule(own, role)

    def parts(self) -> Mapping[str, PureLayer]:
        """Return the layers of the model, by name."""
        return {layer.name: layer for layer in self.model.all_layers}

    @property
    def fixed(self) -> tuple[str, ...]:
        """The model's weights that gradients do not change."""
        return tuple(
            f"{prefix}/{name}"
            for prefix, layer in self.parts().items()
            for name in (layer.fixed if layer.trainable else layer.named_weights())
        )

    @property
    def mixes_texts(self) -> bool:
        """Whether a layer of the model mixes texts in training."""
        return any(layer.mixes_texts for layer in self.parts().values())

    def get_config(self) -> dict[str, Any]:
        """Return the model's own config."""
        config: dict[str, Any] = self.model.get_config()
        return config


def _config_of(layer: PureLayer) -> dict[str, Any]:
    """Return the class name and config of a layer, or of the model that it wraps."""
    if not isinstance(layer, ModelLayer):
        return config_of(layer)
    kind = "Model" if "nodes" in layer.get_config() else "Sequential"
    return {"class_name": kind, "config": layer.get_config()}


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a copy of it backwards.

    [B, T, D] -> [B, 2 * units]; [B, T, 2 * units] if the layer returns
    sequences. merge_mode: "concat", "sum", "mul", "ave", or None for a list of
    both. backward_layer: another layer to run backwards, instead of a copy.
    Schuster & Paliwal 1997.

    >>> from wordrow import LSTM
    >>> Bidirectional(LSTM(2))(np.zeros((4, 5, 3), np.float32)).shape
    (4, 4)
    """

    accepts = frozenset({ops.Form.GATHERED})

    def __init__(
        self,
        layer: Recurrent | Mapping[str, Any],
        merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat",
        weights: Sequence[Array] | None = None,
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
        self.mask_rule = "propagates" if forward.return_sequences else "consumes"

    def build(self, spec: Specs, rng: np.random.Generator) -> tuple[Arrays, Arrays, Specs]:
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
    def _built(layer: PureLayer, specs: list[Spec], rng: Rng) -> tuple[Arrays, Arrays, Specs]:
        built: tuple[Arrays, Arrays, Specs] = layer.build(
            specs if len(specs) > 1 else specs[0], rng
        )
        return built

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the outputs of both, merged."""
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
                part_of(part, weights),
                part_of(part, state),
                [x, *given],
                [steps_mask],
                training=training,
                rng=ops.fold_in(rng, i),
            )
            found.append(outputs if isinstance(outputs, list) else [outputs])
            states.append(after)
        (ahead, *ahead_ends), (back, *back_ends) = found
        if self.forward_layer.return_sequences:  # reverse the backward one's
            if self.backward_layer.go_backwards:
                back = back[:, ::-1]
            else:
                ahead = ahead[:, ::-1]
            # Masked steps have kept the states before them in one, after them in the other.
            ahead, back = (ops.fill_masked(one, steps_mask) for one in (ahead, back))
        merged = self._merge(ahead, back)
        ends = ahead_ends + back_ends
        out_mask = steps_mask if self.forward_layer.return_sequences else None
        after = _joined(forward=states[0], backward=states[1])
        if len(merged) + len(ends) == 1:
            return merged[0], out_mask, after
        return merged + ends, [out_mask] * len(merged) + [None] * len(ends), after

    def _merge(self, ahead: Array, back: Array) -> list[Array]:
        if self.merge_mode is None:
            return [ahead, back]
        if self.merge_mode == "concat":
            return [ops.namespace(ahead).concatenate([ahead, back], axis=-1)]
        if self.merge_mode == "mul":
            return [ahead * back]
        return [(ahead + back) / 2 if self.merge_mode == "ave" else ahead + back]

    def rule(self, weight: str, role: Role) -> WeightRule | None:
        """Return the regularizer or constraint of a weight of either layer."""
        part, name = weight.split("/", 1)
        layer = self.forward_layer if part == "forward" else self.backward_layer
        return layer.rule(name, role)

    def parts(self) -> Mapping[str, PureLayer]:
        """Return both layers."""
        return {"forward": self.forward_layer, "backward": self.backward_layer}

    def __call__(  # type: ignore[override]
        self,
        inputs: Any,
        mask: Mask = None,
        *,
        training: bool | None = None,
        initial_state: Any = None,
    ) -> Any:
        """Return the layer's outputs; initial_state: the first states of both, forward first."""
        if initial_state is not None:
            inputs = [inputs, *initial_state]
            mask = mask if mask is None else [mask, *[None] * len(initial_state)]
        return super().__call__(inputs, mask, training=training)

    def reset_states(self) -> None:
        """Start the next batch of stateful layers with zeros."""
        for state in self.named_state().values():
            state.replace(np.zeros(state.shape, np.float32))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "layer": config_of(self.forward_layer),
            "backward_layer": config_of(self.backward_layer),
            "merge_mode": self.merge_mode,
        }


class TimeDistributed(Layer):
    """Applies a layer, or a model, to every step: [B, T, ...] -> [B, T, ...]. Propagates the mask.

    A model shares its weights with this layer. On documents of sentences, [B, S, T], it
    takes the mask of the words and returns that of the sentences: real if any word is.

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
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the layer's outputs for all steps, each treated as a separate text."""
        n, steps = inputs.shape[:2]
        inner = mask if mask is not None and mask.ndim > 2 else None
        flat = inputs.reshape(n * steps, *inputs.shape[2:])
        outputs, out_mask, after = self.layer.run(
            part_of("layer", weights),
            part_of("layer", state),
            flat,
            None if inner is None else inner.reshape(n * steps, *inner.shape[2:]),
            training=training,
            rng=rng,
        )
        if out_mask is not None:
            mask = out_mask.reshape(n, steps, *out_mask.shape[1:])
        elif inner is not None:
            mask = inner.any(axis=-1)
        return outputs.reshape(n, steps, *outputs.shape[1:]), mask, _joined(layer=after)

    def apply_as_keras(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the layer's outputs, with the mask of the inputs and none of the layer's own."""
        outputs, _, state = self.apply(weights, state, inputs, mask, training=training, rng=rng)
        return outputs, mask, state

    @property
    def fixed(self) -> tuple[str, ...]:
        """The layer's weights that gradients do not change."""
        return tuple(f"layer/{name}" for name in self.layer.fixed)

    @property
    def mixes_texts(self) -> bool:
        """Whether the layer mixes texts in training."""
        return self.layer.mixes_texts

    @property
    def n_rows(self) -> int | None:
        """The exclusive upper bound of input ids, if the layer gathers rows by them."""
        return self.layer.n_rows

    def check(self, inputs: Any) -> None:
        """Raise ValueError for values that the layer cannot take."""
        self.layer.check(inputs)

    def rule(self, weight: str, role: Role) -> WeightRule | None:
        """Return the regularizer or constraint of a weight of the layer."""
        return self.layer.rule(weight.split("/", 1)[1], role)

    def parts(self) -> Mapping[str, PureLayer]:
        """Return the layer."""
        return {"layer": self.layer}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"layer": _config_of(self.layer)}
