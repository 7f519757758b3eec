"""What the recurrent layers share, and SimpleRNN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.arguments import share, whole_number
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.dense import KernelOptions, last_axis
from wordrow.nn.layers.layer import Layer
from wordrow.nn.layers.window import check_steps
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, Specs

__all__ = ["Recurrent", "RecurrentOptions", "SimpleRNN"]

# Keras's arguments that have no effect here.
_IGNORED = ("implementation", "unroll", "use_cudnn", "seed")


class RecurrentOptions(KernelOptions, total=False):
    """The keyword arguments of every recurrent layer; see `Recurrent`."""

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
    zero_output_for_mask: bool
    input_dim: int | None
    input_length: int | None
    implementation: int
    unroll: bool
    use_cudnn: Any
    seed: int | None


class Recurrent(Layer):
    """A layer that reads a text step by step: [B, T, D] -> [B, units], or [B, T, units].

    A masked step keeps the state. return_sequences: return the outputs of all steps, not
    only of the last; zero_output_for_mask: zeros for masked steps, not the state that they keep.
    return_state: also return the final states, as a list [outputs,
    state, ...]. go_backwards: read from the end. stateful: each text continues from
    the final state of the text at its position in the previous batch (the batch size must
    be fixed: Input(batch_shape=(B, T))). dropout, recurrent_dropout: the fraction of the
    inputs, and of the state, to drop in training, the same elements at every step (Gal &
    Ghahramani 2016). `implementation`, `unroll`, `use_cudnn` and `seed` have no effect:
    `set_random_seed` determines what is dropped.
    """

    kinds: ClassVar = {"kernel": "glorot_uniform", "recurrent": "orthogonal", "bias": "zeros"}
    accepts = frozenset({ops.Form.GATHERED})
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
        zero_output_for_mask: bool = False,
        input_dim: int | None = None,
        input_length: int | None = None,
        **options: Any,
    ) -> None:
        for ignored in _IGNORED:
            options.pop(ignored, None)
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
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.mask_rule = "propagates" if return_sequences else "consumes"

    # ---- what each recurrent layer defines ----------------------------

    def step(
        self, weights: Arrays, z: Array, states: tuple[Array, ...], kept: Array
    ) -> tuple[Array, ...]:
        """Return the states after a step, the output first.

        z: inputs @ kernel + bias, [B, n_gates * units]. kept: the
        mask of recurrent dropout, scaled, [B, units], or 1.
        """
        raise TypeError(f"{type(self).__name__} does not say how it steps: define `step`.")

    def draw_bias(self, rng: np.random.Generator) -> Array:
        """Return the initial bias: [n_gates * units], or [2, n_gates * units]."""
        return self.draw("bias", (self.n_gates * self.units,), rng)

    @property
    def cell(self) -> ops.Cell | None:
        """The cell, for the core's kernel; None if the core has no kernel for this layer."""
        return None

    def recurrent_bias(self, weights: Arrays) -> Array | None:
        """Return the bias that the kernel adds to h @ recurrent_kernel; None for none."""
        return None

    # ---- the contract ---------------------------------------------------

    def build(self, spec: Specs, rng: np.random.Generator) -> tuple[Arrays, Arrays, Specs]:
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
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the output of the last step, or of all steps."""
        x, *first = inputs if isinstance(inputs, list) else [inputs]
        if isinstance(mask, list):
            mask = mask[0]
        if self.go_backwards:
            x, mask = _backwards(x), None if mask is None else mask[:, ::-1]
        states = tuple(first or state.values()) or None
        if states and self.stateful and len(states[0]) != len(x):
            raise ValueError(
                f"layer {self.name!r} is stateful, and its states are of a batch of "
                f"{len(states[0])} texts; received {len(x)}. Give as many, or begin anew with a "
                "model of another batch size; reset_states() sets the states to zeros."
            )
        if training and (self.dropout or self.recurrent_dropout):
            x = ops.materialize(x)
        x, kept = self._drop(x, training, rng)
        cell = self.cell if kept is None else None
        if cell and ops.has_kernel(weights["kernel"], cell.activation, cell.gate):
            z, row_indices = self._projected(weights, x)
            last, sequence = ops.recurrent(
                cell,
                z,
                row_indices,
                weights["recurrent_kernel"],
                states,
                mask,
                shape=x.shape[:2],
                recurrent_bias=self.recurrent_bias(weights),
                sequences=self.return_sequences,
            )
        else:
            x = ops.materialize(x)
            states = states or self._zeros(len(x), ops.namespace(x))
            last, sequence = self._scan(weights, x, states, mask, 1 if kept is None else kept)
        if self.stateful:
            state = dict(zip(self.states, last, strict=True))
        outputs = sequence if self.return_sequences else last[0]
        if self.return_sequences and self.zero_output_for_mask:
            outputs = ops.fill_masked(outputs, mask)
        out_mask = mask if self.return_sequences else None
        if self.return_state:
            return [outputs, *last], [out_mask] + [None] * len(last), state
        return outputs, out_mask, state

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
        """Return what `apply` does, with the mask in the order of the inputs."""
        outputs, after, state = self.apply(weights, state, inputs, mask, training=training, rng=rng)
        if self.return_sequences:
            first = mask[0] if isinstance(mask, list) else mask
            after = [first, *after[1:]] if isinstance(after, list) else first
        return outputs, after, state

    def _project(self, weights: Arrays, x: Array) -> Array:
        z = ops.product(x, weights["kernel"])
        if not self.use_bias:
            return z
        bias = weights["bias"]
        return z + (bias[0] if bias.ndim == 2 else bias)

    def _projected(self, weights: Arrays, x: Array) -> tuple[Array, Array | None]:
        """Return (inputs @ kernel + bias [rows, G * units], row indices of the steps or None)."""
        if isinstance(x, ops.GatheredRows) and x.is_dense:
            return self._project(weights, x.table), x.ids
        x = ops.materialize(x)
        return self._project(weights, x.reshape(-1, x.shape[-1])), None

    def _scan(
        self, weights: Arrays, x: Array, states: tuple[Array, ...], mask: Mask, kept: Array
    ) -> tuple[tuple[Array, ...], Array | None]:
        xp = ops.namespace(x)

        def step(
            before: tuple[Array, ...], now: tuple[Array, ...]
        ) -> tuple[tuple[Array, ...], Array | None]:
            # Projecting step by step keeps the residuals of the backward pass small.
            after = self.step(weights, self._project(weights, now[0]), before, kept)
            if mask is not None:
                real = now[1][:, None]
                after = tuple(xp.where(real, a, b) for a, b in zip(after, before, strict=True))
            return after, after[0] if self.return_sequences else None

        last, sequence = ops.scan(step, states, (x,) if mask is None else (x, mask))
        return last, sequence

    def _drop(self, x: Array, training: bool, rng: Rng) -> tuple[Array, Array | None]:
        """Return (inputs after dropout, the scaled dropout mask of the state or None)."""
        kept: Array | None = None
        if training and self.dropout:
            keep = ops.bernoulli(ops.fold_in(rng, 0), 1 - self.dropout, (len(x), 1, x.shape[2]))
            x = x * keep.astype(x.dtype) / (1 - self.dropout)
        if training and self.recurrent_dropout:
            keep = 1 - self.recurrent_dropout
            kept = ops.bernoulli(ops.fold_in(rng, 1), keep, (len(x), self.units))
            kept = kept.astype(x.dtype) / keep
        return x, kept

    def _zeros(self, batch: int, xp: Any = np) -> tuple[Array, ...]:
        return tuple(xp.zeros((batch, self.units), np.float32) for _ in self.states)

    def _check_states(self, specs: Sequence[Spec]) -> None:
        shapes = [spec.shape[1:] for spec in specs]
        if shapes and shapes != [(self.units,)] * len(self.states):
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes {len(self.states)} initial states of "
                f"shape [batch, {self.units}]; received {[spec.shape for spec in specs]}."
            )

    # ---- the shell ------------------------------------------------------

    def __call__(  # type: ignore[override]
        self,
        inputs: Any,
        mask: Mask = None,
        *,
        training: bool | None = None,
        initial_state: Any = None,
    ) -> Any:
        """Return the layer's outputs. initial_state: the first state, instead of zeros."""
        if initial_state is not None:
            given = initial_state if isinstance(initial_state, list | tuple) else [initial_state]
            inputs = [inputs, *given]
            mask = mask if mask is None else [mask, *[None] * len(given)]
        return super().__call__(inputs, mask, training=training)

    def reset_states(self) -> None:
        """Start the next batch of a stateful layer with zeros."""
        for state in self.named_state().values():
            state.replace(np.zeros(state.shape, np.float32))

    reset_state = reset_states

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        names = (
            "units",
            "use_bias",
            "dropout",
            "recurrent_dropout",
            "return_sequences",
            "return_state",
            "go_backwards",
            "stateful",
        )
        own = {name: vars(self)[name] for name in names}
        if self.zero_output_for_mask:
            own["zero_output_for_mask"] = True
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

    def step(
        self, weights: Arrays, z: Array, states: tuple[Array, ...], kept: Array
    ) -> tuple[Array, ...]:
        """Return (h,)."""
        (h,) = states
        return (self.activation(z + (h * kept) @ weights["recurrent_kernel"]),)

    @property
    def cell(self) -> ops.Cell:
        """The cell, for the core's kernel."""
        return ops.Cell("simple", ACTIVATIONS.name(self.activation))


def _backwards(x: Array) -> Array:
    """Return inputs with their steps reversed."""
    if isinstance(x, ops.GatheredRows):
        return ops.GatheredRows(x.table, x.ids[:, ::-1])
    return x[:, ::-1]
