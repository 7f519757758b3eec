"""What the recurrent layers share: a state that is carried from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.arguments import share, whole_number
from wordrow.nn import ops
from wordrow.nn.activations import ACTIVATIONS, get_activation
from wordrow.nn.activations import Activation as Function
from wordrow.nn.layers.dense import KernelOptions, last_axis
from wordrow.nn.layers.layer import Arrays, Layer, Spec
from wordrow.nn.layers.window import check_steps

__all__ = ["Recurrent", "RecurrentOptions", "SimpleRNN"]

# Keras's choices between ways to compute the same, and a seed for each layer.
_WAYS = ("implementation", "unroll", "use_cudnn", "seed")


class RecurrentOptions(KernelOptions, total=False):
    """What every recurrent layer takes by keyword: see `Recurrent`."""

    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    recurrent_regularizer: Any
    recurrent_constraint: Any
    dropout: float
    recurrent_dropout: float
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    input_dim: int | None
    input_length: int | None
    implementation: int
    unroll: bool
    use_cudnn: Any
    seed: int | None


class Recurrent(Layer):
    """A layer that reads a text step by step: [B, T, D] -> [B, units], or [B, T, units].

    A masked step leaves the state as it was. return_sequences: put out the state
    after every step, not only after the last. return_state: put out the last
    states as well, as a list [outputs, state, ...]. go_backwards: read from the
    end. stateful: begin each batch where the batch before ended, text by text
    (the batch size must be fixed: Input(batch_shape=(B, T))). dropout,
    recurrent_dropout: the share of inputs, and of the state, that are left out
    while training, the same ones at every step (Gal & Ghahramani 2016).
    `implementation`, `unroll`, `use_cudnn` and `seed` are taken, and change nothing: what is
    dropped follows from `set_random_seed`.
    """

    kinds: ClassVar = {"kernel": "glorot_uniform", "recurrent": "orthogonal", "bias": "zeros"}
    takes_lookups = True
    n_gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(
        self,
        units: int,
        activation: str | Function | None = "tanh",
        use_bias: bool = True,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        input_dim: int | None = None,
        input_length: int | None = None,
        **options: Any,
    ) -> None:
        for way in _WAYS:
            options.pop(way, None)
        if input_dim is not None:
            options["input_shape"] = (input_length, input_dim)
        super().__init__(**options)
        self.units = whole_number("units", units)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)
        self.dropout = share("dropout", dropout)
        self.recurrent_dropout = share("recurrent_dropout", recurrent_dropout)
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful = bool(go_backwards), bool(stateful)
        self.mask_rule = "carries" if return_sequences else "consumes"

    # ---- what a kind of recurrent layer says ----------------------------

    def step(self, weights: Arrays, z: Any, states: tuple[Any, ...], kept: Any) -> tuple[Any, ...]:
        """Return the states after a step, the output first.

        z: inputs @ kernel + bias, [B, n_gates * units]. kept: what recurrent
        dropout leaves of the state, [B, units], or 1.
        """
        raise TypeError(f"{type(self).__name__} does not say how it steps: define `step`.")

    def draw_bias(self, rng: np.random.Generator) -> Any:
        """Return the first bias: [n_gates * units], or [2, n_gates * units]."""
        return self.draw("bias", (self.n_gates * self.units,), rng)

    def kernel_options(self, weights: Arrays) -> dict[str, Any]:
        """Return what `ops.recurrent` needs to know of this layer: at least kind and activation."""
        return {}

    # ---- the contract ---------------------------------------------------

    def build(self, spec: Any, rng: np.random.Generator) -> tuple[Arrays, Arrays, Any]:
        """Draw the kernel [D, G * units], recurrent_kernel [units, G * units] and bias."""
        first = spec[0] if isinstance(spec, list) else spec
        self._check_states(spec[1:] if isinstance(spec, list) else [])
        batch, steps, _ = check_steps(self, first)
        width = self.n_gates * self.units
        weights = {
            "kernel": self.draw("kernel", (last_axis(self, first), width), rng),
            "recurrent_kernel": self.draw("recurrent_kernel", (self.units, width), rng),
        }
        if self.use_bias:
            weights["bias"] = self.draw_bias(rng)
        if self.stateful and batch is None:
            raise ValueError(
                f"layer {self.name!r} is stateful: each text of a batch goes on where the one "
                "before it ended, so the batch size must be fixed. Use Input(batch_shape=(B, T))."
            )
        state = self._zeros(batch or 0) if self.stateful else ()
        output = Spec((batch, steps, self.units) if self.return_sequences else (batch, self.units))
        ends = [Spec((batch, self.units))] * len(self.states)
        outputs = [output, *ends] if self.return_state else output
        return weights, dict(zip(self.states, state, strict=False)), outputs

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the output of the last step, or of all."""
        x, *first = inputs if isinstance(inputs, list) else [inputs]
        if isinstance(mask, list):
            mask = mask[0]
        if self.go_backwards:
            x, mask = _backwards(x), None if mask is None else mask[:, ::-1]
        states = tuple(first or state.values()) or None
        if training and (self.dropout or self.recurrent_dropout):
            x = ops.laid_out(x)
        x, kept = self._drop(x, training, rng)
        options = self.kernel_options(weights)
        names = options.get("activation"), options.get("gate", "linear")
        if kept is None and options and ops.has_kernel(weights["kernel"], *names):
            z, places = self._projected(weights, x)
            last, sequence = ops.recurrent(
                z=z, places=places, kernel=weights["recurrent_kernel"], states=states, mask=mask,
                shape=x.shape[:2], sequences=self.return_sequences, **options,
            )  # fmt: skip
        else:
            x = ops.laid_out(x)
            states = states or self._zeros(len(x), ops.namespace(x))
            last, sequence = self._scan(weights, x, states, mask, 1 if kept is None else kept)
        if self.stateful:
            state = dict(zip(self.states, last, strict=True))
        outputs = sequence if self.return_sequences else last[0]
        out_mask = mask if self.return_sequences else None
        if self.return_state:
            return [outputs, *last], [out_mask] + [None] * len(last), state
        return outputs, out_mask, state

    def _project(self, weights: Arrays, x: Any) -> Any:
        z = ops.product(x, weights["kernel"])
        if not self.use_bias:
            return z
        bias = weights["bias"]
        return z + (bias[0] if bias.ndim == 2 else bias)

    def _projected(self, weights: Arrays, x: Any) -> tuple[Any, Any]:
        """Return (inputs @ kernel + bias [rows, G * units], the row of each step or None)."""
        if isinstance(x, ops.Lookup) and x.is_dense:
            return self._project(weights, x.table), x.ids
        x = ops.laid_out(x)
        return self._project(weights, x.reshape(-1, x.shape[-1])), None

    def _scan(
        self, weights: Arrays, x: Any, states: tuple[Any, ...], mask: Any, kept: Any
    ) -> tuple[tuple[Any, ...], Any]:
        xp = ops.namespace(x)

        def step(before: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
            # Projected here and not all at once: what is kept for the gradient stays small.
            after = self.step(weights, self._project(weights, now[0]), before, kept)
            if mask is not None:
                real = now[1][:, None]
                after = tuple(xp.where(real, a, b) for a, b in zip(after, before, strict=True))
            return after, after[0] if self.return_sequences else None

        last, sequence = ops.scan(step, states, (x,) if mask is None else (x, mask))
        return last, sequence

    def _drop(self, x: Any, training: bool, rng: Any) -> tuple[Any, Any]:
        """Return (inputs, what is kept of the state or None for all), with some left out."""
        kept: Any = None
        if training and self.dropout:
            keep = ops.keep_mask(ops.rng_of(rng, 0), 1 - self.dropout, (len(x), 1, x.shape[2]))
            x = x * keep.astype(x.dtype) / (1 - self.dropout)
        if training and self.recurrent_dropout:
            keep = 1 - self.recurrent_dropout
            kept = ops.keep_mask(ops.rng_of(rng, 1), keep, (len(x), self.units))
            kept = kept.astype(x.dtype) / keep
        return x, kept

    def _zeros(self, batch: int, xp: Any = np) -> tuple[Any, ...]:
        return tuple(xp.zeros((batch, self.units), np.float32) for _ in self.states)

    def _check_states(self, specs: Sequence[Spec]) -> None:
        shapes = [spec.shape[1:] for spec in specs]
        if shapes and shapes != [(self.units,)] * len(self.states):
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes {len(self.states)} initial states of "
                f"shape [batch, {self.units}]; received {[spec.shape for spec in specs]}."
            )

    # ---- the shell ------------------------------------------------------

    def __call__(
        self,
        inputs: Any,
        mask: Any = None,
        *,
        training: bool | None = None,
        initial_state: Any = None,
    ) -> Any:
        """Return the layer's outputs; initial_state: what to begin with instead of zeros."""
        if initial_state is not None:
            given = initial_state if isinstance(initial_state, list | tuple) else [initial_state]
            inputs = [inputs, *given]
            mask = mask if mask is None else [mask, *[None] * len(given)]
        return super().__call__(inputs, mask, training=training)

    def reset_states(self) -> None:
        """Begin the next batch of a stateful layer with zeros."""
        self._weights = self._weights  # whoever trains it must load it anew
        self._state = {name: np.zeros_like(array) for name, array in self._state.items()}

    reset_state = reset_states

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        names = ("units", "use_bias", "dropout", "recurrent_dropout", "return_sequences",
                 "return_state", "go_backwards", "stateful")  # fmt: skip
        own = {name: vars(self)[name] for name in names}
        return super().get_config() | own | {"activation": ACTIVATIONS.config(self.activation)}


class SimpleRNN(Recurrent):
    """h = activation(x @ kernel + h @ recurrent_kernel + bias), step by step.

    [B, T, D] -> [B, units], or [B, T, units] with return_sequences. Elman 1990,
    "Finding Structure in Time".

    >>> SimpleRNN(2)(np.zeros((4, 5, 3), np.float32)).shape
    (4, 2)
    """

    def __init__(
        self,
        units: int,
        activation: str | Function | None = "tanh",
        use_bias: bool = True,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        super().__init__(units, activation, use_bias, **options)

    def step(self, weights: Arrays, z: Any, states: tuple[Any, ...], kept: Any) -> tuple[Any, ...]:
        """Return (h,)."""
        (h,) = states
        return (self.activation(z + (h * kept) @ weights["recurrent_kernel"]),)

    def kernel_options(self, weights: Arrays) -> dict[str, Any]:
        """Return what the kernel needs to know."""
        return {"kind": "simple", "activation": ACTIVATIONS.name(self.activation)}


def _backwards(x: Any) -> Any:
    """Return inputs with their steps in reverse."""
    if isinstance(x, ops.Lookup):
        return ops.Lookup(x.table, x.ids[:, ::-1])
    return x[:, ::-1]
