"""The shell around the contract: it holds a layer's weights, and calls the layer on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn import ops, random
from wordrow.nn.graph.symbol import Call, ModelCall, Symbol, symbols_in
from wordrow.nn.layers.context import current_call
from wordrow.nn.layers.contract import LayerContract
from wordrow.nn.spec import Array, Arrays, Mask, Specs, shapes_of, spec_of
from wordrow.nn.table.weight import Weight

__all__ = ["PureLayer", "part_of"]


class PureLayer(LayerContract):
    """A layer with its weights, each of which may be shared with other layers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._weights: dict[str, Weight] | None = None  # None before it is built
        self._state: dict[str, Weight] = {}  # what `apply` updates in training, by name
        # While an enclosing custom layer runs: arrays to use instead of the weights and the state.
        self.stand_in: tuple[Arrays, Arrays] | None = None
        self.first_weights: Sequence[Any] | None = None  # taken when it is built
        self.input_spec: Specs = None
        self.input: Any = None  # the symbols of the latest symbolic call
        self.output: Any = None

    def parts(self) -> Mapping[str, PureLayer]:
        """Return the layers inside this one, by the prefix of their weights in this one's."""
        return {}

    def __getattr__(self, name: str) -> Any:
        """Return a weight by its name: `layer.kernel`."""
        weights = vars(self).get("_weights")
        if weights and name in weights:
            return weights[name]
        if name in ("embeddings", *(type(self).kinds)) and weights is None:
            raise AttributeError(
                f"layer {vars(self).get('name')!r} has no {name!r} before it is built: give it an "
                "input shape, or call it."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def built(self) -> bool:
        """Whether the layer has its weights."""
        return self._weights is not None

    @property
    def weights(self) -> list[Weight]:
        """The weights, in Keras's order."""
        return list((self._weights or {}).values())

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes by gradients."""
        return [self.named_weights()[name] for name in self.trained]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that no gradient changes."""
        trained = self.trained
        return [weight for name, weight in self.named_weights().items() if name not in trained]

    @property
    def trained(self) -> tuple[str, ...]:
        """The names of the weights that training changes by gradients."""
        if not self.trainable:
            return ()
        return tuple(name for name in self.named_weights() if name not in self.fixed)

    def named_weights(self) -> Mapping[str, Weight]:
        """Return the weights by name; empty before the layer is built."""
        return self._weights or {}

    def named_state(self) -> Mapping[str, Weight]:
        """Return the state by name."""
        return self._state

    def read_weights(self) -> Arrays:
        """Return the weights by name, as NumPy arrays that must not be changed."""
        return {name: weight.read() for name, weight in self.named_weights().items()}

    def read_state(self) -> Arrays:
        """Return the state by name, as arrays."""
        return {name: weight.array for name, weight in self._state.items()}

    def write_state(self, state: Arrays) -> None:
        """Store the state that `apply` returned."""
        for name, array in state.items():
            if name in self._state:
                self._state[name].put(array, {})
            elif name in self.named_weights():  # fixed weights
                self.named_weights()[name].put(array, {})
            else:
                self._state[name] = Weight(array, name)

    def new_weight(self, name: str, array: Array) -> Weight:
        """Return a new holder of a weight's array."""
        return Weight(array, name)

    def hold(self, weights: Arrays, state: Arrays) -> None:
        """Store the arrays of a build; the layers inside share the weights.

        A layer that already has weights keeps them.
        """
        if self._weights is not None:
            return
        own: dict[str, Weight] = {}
        own_state: dict[str, Weight] = {}
        for prefix, part in self.parts().items():
            part.hold(part_of(prefix, weights), part_of(prefix, state))
            own |= {f"{prefix}/{name}": one for name, one in part.named_weights().items()}
            own_state |= {f"{prefix}/{name}": one for name, one in part.named_state().items()}
        self._weights = {
            name: own[name] if name in own else self.new_weight(name, array)
            for name, array in weights.items()
        }
        self._state = {
            name: own_state[name] if name in own_state else Weight(array, name)
            for name, array in state.items()
        }

    def build_in_place(self, spec: Specs, rng: np.random.Generator) -> Specs:
        """Build the layer and store its weights; a built layer only checks the inputs' shape."""
        if not self.built:
            weights, state, output = self.build(spec, rng)
            self.hold(weights, state)
            if self.first_weights is not None:
                given, self.first_weights = self.first_weights, None
                self.set_weights(given)
        elif spec == self.input_spec and self.output_spec is not None:
            return self.output_spec
        else:
            with self.without_drawing():
                weights, state, output = self.build(spec, rng)
            _check_shapes(self, weights)
            for name, array in state.items():
                if name in self._state:
                    self._state[name].replace(array)
                else:
                    self._state[name] = Weight(array, name)
        self.input_spec, self.output_spec = spec, output
        return output

    def __call__(self, inputs: Any, mask: Mask = None, *, training: bool | None = None) -> Any:
        """Return the outputs for arrays, or symbols for symbols; build the layer if needed.

        training: by default that of the enclosing custom layer's call, or False.
        """
        symbols = symbols_in(inputs)
        if symbols is not None:
            return self.call_on(
                symbols, is_list=isinstance(inputs, list | tuple), rng=random.generator()
            )
        is_list = isinstance(inputs, list | tuple) and any(hasattr(i, "shape") for i in inputs)
        is_list = is_list or self.takes_list
        items = [x if hasattr(x, "shape") else np.asarray(x) for x in inputs] if is_list else []
        if not is_list and not hasattr(inputs, "shape"):
            inputs = np.asarray(inputs)
        specs = [spec_of(x) for x in (items or [inputs])]
        if not self.built:
            self.build_in_place(specs if is_list else specs[0], random.generator())
        for item in items or [inputs]:
            if not ops.is_jax(item):
                self.check(item)
        taken = items if is_list else inputs
        if is_list and not isinstance(mask, list | tuple):
            mask = [mask] * len(items)
        context = current_call()
        if training is None:
            training = context is not None and context.training
        outputs, _, state = self.run(
            self.arrays_in_use(),
            self.read_state() if self.stand_in is None else self.stand_in[1],
            taken,
            mask,
            training=training,
            rng=random.generator() if context is None else context.next_rng(),
        )
        if self.stand_in is None:
            self.write_state({name: array for name, array in state.items() if name in self._state})
        else:
            self.stand_in = self.stand_in[0], state
        return outputs

    def arrays_in_use(self) -> Arrays:
        """Return the arrays that a call uses: the weights, or what stands in for them."""
        return self.read_weights() if self.stand_in is None else self.stand_in[0]

    def call_on(
        self,
        symbols: list[Symbol],
        *,
        is_list: bool,
        rng: np.random.Generator,
        within: ModelCall | None = None,
    ) -> Any:
        """Return the symbols of the outputs for those of the inputs; build the layer if needed.

        within: the model call that this is part of.
        """
        is_list = is_list or self.takes_list
        if not is_list and len(symbols) != 1:
            raise ValueError(f"{type(self).__name__} takes one input; received {len(symbols)}.")
        specs = [symbol.spec for symbol in symbols]
        output = self.build_in_place(specs if is_list else specs[0], rng)
        call = Call(self, tuple(symbols), is_list, within)
        self.input = list(symbols) if is_list else symbols[0]
        if isinstance(output, list):
            self.output = [Symbol(spec, call, index) for index, spec in enumerate(output)]
        else:
            self.output = Symbol(output, call)
        return self.output

    def check(self, inputs: Any) -> None:
        """Raise ValueError for values that the layer cannot take."""

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return copies of the weights, in Keras's order."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights to arrays of `get_weights`'s shapes; if any does not fit, none is set."""
        own = self.named_weights()
        if len(weights) != len(own):
            hint = "" if self.built else " It is not built yet: give the model an input shape."
            raise ValueError(
                f"layer {self.name!r} has {len(own)} weights ({', '.join(own) or 'none'}); "
                f"received {len(weights)}.{hint}"
            )
        taken = []
        for (name, weight), value in zip(own.items(), weights, strict=True):
            array = np.array(value, dtype=weight.dtype)
            if array.shape != weight.shape:
                raise ValueError(
                    f"weight {name!r} of layer {self.name!r} has the shape {weight.shape}; "
                    f"received {array.shape}."
                )
            taken.append((weight, array))
        for weight, array in taken:
            weight.replace(array)

    def count_params(self) -> int:
        """Return the number of elements in all weights."""
        return sum(weight.size for weight in self.weights)

    def count_trained(self) -> int:
        """Return the number of elements in the weights that training changes by gradients."""
        return sum(weight.size for weight in self.trainable_weights)

    @property
    def output_shape(self) -> Any:
        """The shape of the outputs, None for axes of any length; None if not built."""
        return shapes_of(self.output_spec)

    @property
    def input_shape(self) -> Any:
        """The shape of the inputs, None for axes of any length; None if not built."""
        return shapes_of(self.input_spec)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, output shape {self.output_shape}>"


def _check_shapes(layer: PureLayer, weights: Arrays) -> None:
    for name, weight in layer.named_weights().items():
        if weights[name].shape != weight.shape:
            raise ValueError(
                f"layer {layer.name!r} was built with {name} of shape {weight.shape}; these inputs "
                f"would need {weights[name].shape}. Use a new layer."
            )


def part_of(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays of one inner layer, by its own names for them."""
    start = f"{prefix}/"
    return {k.removeprefix(start): array for k, array in arrays.items() if k.startswith(start)}
