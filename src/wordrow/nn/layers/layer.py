"""The layer contract, and the thin shell that holds a layer's weights.

A layer is a description and two pure functions:

    build(spec, rng) -> weights, state, spec of the outputs
    apply(weights, state, inputs, mask, training=, rng=) -> outputs, mask, state

Both run on whatever arrays they are given, NumPy's or JAX's. A layer that
merges takes a list of inputs with a list of masks (and of specs); one that puts
out several things gives lists. The mask is an argument and a result: bool
[B, T], True for a real token, None where every step is real. What a layer does
with it stands in `mask_rule`:

    carries   the steps that come out have a mask too
    consumes  the mask is used, and none comes out
    refuses   the layer has no meaning under a mask, and says so

`mask="drop"` makes a layer forget the mask instead, as Keras does with some;
`mask="ignore"` lets padding count in it, and the mask go on behind it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypedDict

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import ops, random
from wordrow.nn.constraints import CONSTRAINTS
from wordrow.nn.initializers import INITIALIZERS, initializer_config
from wordrow.nn.layers.symbol import Call, Inside, Symbol, symbols_in
from wordrow.nn.regularizers import REGULARIZERS

__all__ = [
    "CALLING", "Around", "Arrays", "Layer", "LayerOptions", "Lender", "MaskRule", "Shape", "Spec",
    "UnknownDimensionError", "shapes_of",
]  # fmt: skip

Arrays = dict[str, Any]
Shape = tuple[int | None, ...]
MaskRule = Literal["carries", "consumes", "refuses"]


@dataclass(frozen=True)
class Spec:
    """The shape of an array, None for an axis that may have any length; axis 0 is the batch."""

    shape: Shape
    dtype: str = "float32"


class Around:
    """What layers called within a layer of one's own take from its call."""

    def __init__(self, training: bool, rng: Any) -> None:
        self.training, self._rng, self._n = training, rng, 0

    def next_rng(self) -> Any:
        """Return another source of random numbers for each call."""
        self._n += 1
        return ops.rng_of(self._rng, self._n)


CALLING: list[Around] = []  # the calls of layers of one's own that run now, the innermost last


class UnknownDimensionError(ValueError):
    """A layer cannot be built before the length of an axis is known."""


class LayerOptions(TypedDict, total=False):
    """What every layer takes by keyword: see `Layer`."""

    name: str | None
    trainable: bool
    input_shape: Sequence[int | None] | None
    mask: Literal["drop", "ignore"] | None
    activity_regularizer: Any


class Lender(Protocol):
    """Who holds a layer's weights while they are trained."""

    def give_back(self) -> None:
        """Put the weights, as they are now, into the layers."""

    def take_over(self) -> None:
        """Learn that a layer's weights were changed from outside."""


class Layer:
    """What all layers share: a name, and the weights once they are built.

    name: unique in a model; numbered by kind where it is not given. trainable:
    whether training changes the weights. input_shape: of a first layer, without
    the batch axis. mask: "drop" forgets the mask, as Keras does in some layers;
    "ignore" lets padding count here, but not behind it.
    activity_regularizer: a penalty on what comes out. A layer with weights also
    takes an `_initializer`, a `_regularizer` and a `_constraint` for each kind
    of them: `kernel_regularizer="l2"`.
    """

    mask_rule: MaskRule = "carries"
    keeps_ids: ClassVar[bool] = False  # ids that go in come out, perhaps in another shape
    takes_list: ClassVar[bool] = False  # even of one input
    takes_lookups: ClassVar[bool] = False  # may be given rows as ops.Lookup, not laid out
    takes_sums: ClassVar[bool] = False  # may be given windows as ops.Sums, not summed
    says_that_it_drops = False  # a mask, where it does: once
    reads_text: ClassVar[bool] = False  # texts that come in become ids at a model's door
    mixes_texts: ClassVar[bool] = False  # what a text gives while training depends on the others
    kinds: ClassVar[dict[str, str]] = {}  # kind of weight -> how it is drawn by default

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        input_shape: Sequence[int | None] | None = None,
        mask: Literal["drop", "ignore"] | None = None,
        activity_regularizer: Any = None,
        **of_weights: Any,
    ) -> None:
        if mask not in (None, "drop", "ignore"):
            raise ValueError(f"`mask` must be None, 'drop' or 'ignore'; received {show(mask)}.")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be a string; received {show(name)}.")
        self.given_name = name
        self.in_a_model = False
        self.name = name or _snake_case(type(self).__name__)
        self.trainable = trainable
        self.mask = mask
        self.activity_regularizer = _get(REGULARIZERS, activity_regularizer)
        self._take_weight_options(of_weights)
        self.first_shape: Shape | None = None if input_shape is None else (None, *input_shape)
        self._held: Arrays | None = None
        self._state: Arrays = {}
        self._lender: Lender | None = None
        self.input_spec: Any = None
        self.output_spec: Any = None
        self.input: Any = None  # the symbols of its latest call on symbols
        self.output: Any = None

    def _take_weight_options(self, options: dict[str, Any]) -> None:
        for kind, default in self.kinds.items():
            initializer = options.pop(f"{kind}_initializer", default)
            vars(self)[f"{kind}_initializer"] = INITIALIZERS.get(initializer)
            for role, family in (("regularizer", REGULARIZERS), ("constraint", CONSTRAINTS)):
                vars(self)[f"{kind}_{role}"] = _get(family, options.pop(f"{kind}_{role}", None))
        if options:
            raise TypeError(f"{type(self).__name__} has no argument {sorted(options)}.")

    # ---- the contract ---------------------------------------------------

    def build(self, spec: Any, rng: np.random.Generator) -> tuple[Arrays, Arrays, Any]:
        """Return (weights, state, spec of the outputs) for inputs of a spec."""
        return {}, {}, spec

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return (outputs, mask, state)."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `apply`.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.mask:
            config["mask"] = self.mask
        if self.activity_regularizer:
            config["activity_regularizer"] = REGULARIZERS.config(self.activity_regularizer)
        for kind in self.kinds:
            own = vars(self)
            config[f"{kind}_initializer"] = initializer_config(own[f"{kind}_initializer"])
            for role, family in (("regularizer", REGULARIZERS), ("constraint", CONSTRAINTS)):
                if own[f"{kind}_{role}"] is not None:
                    config[f"{kind}_{role}"] = family.config(own[f"{kind}_{role}"])
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """Return the layer that `get_config` described."""
        return cls(**config)

    def run(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any,
        as_lookup: bool = False,
    ) -> tuple[Any, Any, Arrays]:  # fmt: skip
        """Apply the layer under its mask rule; as_lookup: by `look_up`, not by `apply`."""
        masks = mask if isinstance(mask, list) else [mask]
        if self.mask is not None:
            if self.says_that_it_drops and any(m is not None for m in masks):
                self.says_that_it_drops = False
                warnings.warn(
                    f"{type(self).__name__} ({self.name!r}) drops the mask, as in Keras: from here "
                    "on padding counts. wordrow's own layer of this name honours it, or says why "
                    "it cannot.",
                    UserWarning,
                    stacklevel=2,
                )
            mask = [None] * len(masks) if isinstance(mask, list) else None
        elif self.mask_rule == "refuses" and any(m is not None for m in masks):
            shape = (None, *inputs.shape[1:])
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) cannot honour a mask: every step counts in "
                f"it, padding too; its inputs have the shape {shape}. Pool over the real steps "
                "first (GlobalAveragePooling1D, GlobalMaxPooling1D), "
                "build the Embedding with mask_zero=False, or give this layer mask='drop' to let "
                "padding count as Keras does."
            )
        apply = self.look_up if as_lookup else self.apply
        outputs, out, state = apply(weights, state, inputs, mask, training=training, rng=rng)
        if self.mask == "ignore" and self.mask_rule == "carries":
            out = [masks[0], *out[1:]] if isinstance(out, list) else masks[0]
        return outputs, out, state

    def look_up(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return what `apply` does, as ops.Lookup or ops.Sums where the layer can do so."""
        return self.apply(weights, state, inputs, mask, training=training, rng=rng)

    def rule(self, weight: str, role: Literal["regularizer", "constraint"]) -> Any:
        """Return the regularizer or constraint of a weight, None where it has none."""
        kind = weight.removesuffix("_kernel")
        return vars(self).get(f"{kind}_{role}") if kind in self.kinds else None

    def draw(self, weight: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        """Return a weight's first values."""
        drawn: Any = vars(self)[f"{weight.removesuffix('_kernel')}_initializer"](shape, rng)
        return drawn

    @contextlib.contextmanager
    def without_drawing(self) -> Iterator[None]:
        """Make `build` give weights that take no memory, and no random numbers, in this block."""
        own = {k: value for k, value in vars(self).items() if k.endswith("_initializer")}
        vars(self).update(dict.fromkeys(own, _shape_alone))
        try:
            with contextlib.ExitStack() as stack:
                for part in self.parts():
                    stack.enter_context(part.without_drawing())
                yield
        finally:
            vars(self).update(own)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The weights that no gradient changes; while training they are part of the state."""
        return ()

    @property
    def n_rows(self) -> int | None:
        """Ids that come in must be below this, for a layer that looks ids up."""
        return None

    def parts(self) -> tuple[Layer, ...]:
        """Return the layers inside this one."""
        return ()

    # ---- the shell ------------------------------------------------------

    @property
    def _weights(self) -> Arrays | None:
        if self._lender is not None:
            self._lender.give_back()
        return self._held

    @_weights.setter
    def _weights(self, weights: Arrays | None) -> None:
        if self._lender is not None:
            self._lender.give_back()
            self._lender.take_over()
        self._held = weights

    @property
    def built(self) -> bool:
        """Whether the layer has its weights."""
        return self._held is not None

    def build_in_place(self, spec: Any, rng: np.random.Generator) -> Any:
        """Build the layer and keep its weights; a built layer only checks its inputs' shape."""
        if not self.built:
            self._held, self._state, output = self.build(spec, rng)
        elif spec == self.input_spec and self.output_spec is not None:
            return self.output_spec
        else:
            with self.without_drawing():
                weights, self._state, output = self.build(spec, rng)
            _check_shapes(self, weights)
        self.input_spec, self.output_spec = spec, output
        return output

    def __call__(self, inputs: Any, mask: Any = None, *, training: bool | None = None) -> Any:
        """Return the layer's outputs for arrays, or symbols for symbols; build it where needed.

        training: within a layer of one's own what that is called with, elsewhere False.
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
        specs = [_spec_of(x) for x in (items or [inputs])]
        if not self.built:
            self.build_in_place(specs if is_list else specs[0], random.generator())
        for item in items or [inputs]:
            if not ops.is_jax(item):
                self.check(item)
        taken = items if is_list else inputs
        if is_list and not isinstance(mask, list | tuple):
            mask = [mask] * len(items)
        around = CALLING[-1] if CALLING else None
        if training is None:
            training = around is not None and around.training
        outputs, _, self._state = self.run(
            self._weights or {}, self._state, taken, mask, training=training,
            rng=random.generator() if around is None else around.next_rng(),
        )  # fmt: skip
        return outputs

    def call_on(
        self, symbols: list[Symbol], *, is_list: bool, rng: np.random.Generator,
        within: Inside | None = None,
    ) -> Any:  # fmt: skip
        """Return the symbols of the outputs for those of the inputs; build it where needed.

        within: the call of a model that this is part of.
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
        return [np.array(weight) for weight in (self._weights or {}).values()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take arrays of the shapes that `get_weights` gives."""
        own = self._weights or {}
        if len(weights) != len(own):
            hint = "" if self.built else " It is not built yet: give the model an input shape."
            raise ValueError(
                f"layer {self.name!r} has {len(own)} weights ({', '.join(own) or 'none'}); "
                f"received {len(weights)}.{hint}"
            )
        taken = {}
        for (name, weight), value in zip(own.items(), weights, strict=True):
            array = np.array(value, dtype=weight.dtype)
            if array.shape != weight.shape:
                raise ValueError(
                    f"weight {name!r} of layer {self.name!r} has the shape {weight.shape}; "
                    f"received {array.shape}."
                )
            taken[name] = array
        self._weights = taken if self.built else None

    def count_params(self) -> int:
        """Return the number of single weights."""
        return sum(int(weight.size) for weight in (self._held or {}).values())

    def count_trained(self) -> int:
        """Return the number of single weights that training changes by gradients."""
        fixed = sum(int((self._held or {})[name].size) for name in self.fixed if self.built)
        return self.count_params() - fixed if self.trainable else 0

    @property
    def output_shape(self) -> Any:
        """The shape of the outputs, None for axes of any length; None before it is built."""
        return shapes_of(self.output_spec)

    @property
    def input_shape(self) -> Any:
        """The shape of the inputs, None for axes of any length; None before it is built."""
        return shapes_of(self.input_spec)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, output shape {self.output_shape}>"


def shapes_of(specs: Any) -> Any:
    """Return the shape of a spec, or the shapes of a list of specs."""
    if isinstance(specs, list):
        return [spec.shape for spec in specs]
    return None if specs is None else specs.shape


def _get(family: Any, value: Any) -> Callable[[Any], Any] | None:
    got: Callable[[Any], Any] | None = None if value is None else family.get(value)
    return got


def _spec_of(array: Any) -> Spec:
    return Spec((None, *array.shape[1:]), str(array.dtype))


def _shape_alone(shape: tuple[int, ...], rng: Any) -> Any:
    return np.broadcast_to(np.float32(0), shape)


def _check_shapes(layer: Layer, weights: Arrays) -> None:
    for name, weight in (layer._held or {}).items():
        if weights[name].shape != weight.shape:
            raise ValueError(
                f"layer {layer.name!r} was built with {name} of shape {weight.shape}; these inputs "
                f"would need {weights[name].shape}. Use a new layer."
            )


def _snake_case(name: str) -> str:
    """Return a class name as a layer name: GlobalMaxPooling1D -> global_max_pooling1d."""
    out = ""
    for i, char in enumerate(name):
        if char.isupper() and i and not name[i - 1].isupper() and not name[i - 1].isdigit():
            out += "_"
        out += char.lower()
    return out
