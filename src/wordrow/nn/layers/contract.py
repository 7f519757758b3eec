"""The layer contract: what a layer is, without its weights.

A layer is a description and two pure functions:

    build(spec, rng) -> weights, state, spec of the outputs
    apply(weights, state, inputs, mask, training=, rng=) -> outputs, mask, state

`apply` runs on NumPy or JAX arrays. A layer that merges takes lists of inputs, masks and specs; one
with several outputs returns lists. The mask is an argument and a result: bool [B, T], True for a
real token, or None if every step is real. `mask_rule` says what a layer does with it:

    propagates  the outputs have a mask too
    consumes    the mask is used, and the outputs have none
    refuses     the layer has no meaning under a mask, and raises

`mask="drop"` makes a layer drop the mask instead, as some Keras layers do. With `mask="ignore"`
padding counts in this layer, but the mask is passed on to the next one. With `mask="keras"` the
layer does what Keras's layer of that name does, by `apply_as_keras`.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypedDict

import numpy as np

from wordrow.errors import show
from wordrow.hints import argument_error
from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS
from wordrow.nn.functions.constraints import CONSTRAINTS
from wordrow.nn.functions.initializers import INITIALIZERS, initializer_config
from wordrow.nn.functions.regularizers import REGULARIZERS
from wordrow.nn.registry import Registry
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Specs

__all__ = ["LayerContract", "LayerOptions", "MaskRule", "Role", "WeightRule"]

MaskRule = Literal["propagates", "consumes", "refuses"]
Role = Literal["regularizer", "constraint"]
WeightRule: TypeAlias = Callable[[Array], Array]  # a regularizer or a constraint


class LayerOptions(TypedDict, total=False):
    """The keyword arguments of every layer; see `LayerContract`."""

    name: str | None
    trainable: bool
    input_shape: Sequence[int | None] | None
    mask: Literal["drop", "ignore", "keras"] | None
    activity_regularizer: Any


_FOREIGN = (
    "embedding_dim",
    "hidden_size",
    "num_embeddings",
    "out_features",
    "padding_idx",
    "vocab_size",
)


def _arguments_of(cls: type[LayerContract]) -> list[str]:
    """Return the names of the arguments that a class of layers takes."""
    found = [name for base in cls.__mro__ for name in _parameters(base)]
    for kind in cls.kinds:
        found += [f"{kind}_{role}" for role in ("initializer", "regularizer", "constraint")]
    return found


def _parameters(cls: type) -> list[str]:
    init = vars(cls).get("__init__")
    return [] if init is None or cls is object else list(inspect.signature(init).parameters)


class LayerContract:
    """The base of all layers: a name, and the weights once the layer is built.

    name: unique in a model; by default numbered by class. trainable: whether training changes the
    weights. input_shape: for a first layer, without the batch axis. mask: "drop" drops the mask, as
    some Keras layers do; "ignore" lets padding count here, but not in later layers; "keras" does
    what Keras does where that is something else.
    activity_regularizer: a penalty on the outputs. For each kind of weights, a layer also takes an
    `_initializer`, a `_regularizer` and a `_constraint`, such as `kernel_regularizer="l2"`.
    """

    mask_rule: MaskRule = "propagates"
    is_input: ClassVar[bool] = False
    keeps_ids: ClassVar[bool] = False  # the outputs are the input ids, perhaps in another shape
    takes_list: ClassVar[bool] = False  # even for one input
    accepts: ClassVar[frozenset[ops.Form]] = frozenset()  # deferred forms
    warns_of_dropped_mask = False  # warns once, then is False
    # The layers behind operators on its outputs, by name, where these are not wordrow's own.
    operations: Callable[[str], Any] | None = None
    reads_text: ClassVar[bool] = False  # turns texts into ids, before the model runs
    kinds: ClassVar[dict[str, str]] = {}  # kind of weight -> its default initializer

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Answer what other libraries call an argument, before Python says what is missing."""
        foreign = [name for name in _FOREIGN if name in options]
        if foreign and (unknown := set(foreign) - set(_arguments_of(cls))):
            raise argument_error(cls.__name__, unknown, _arguments_of(cls))
        return super().__new__(cls)

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        input_shape: Sequence[int | None] | None = None,
        mask: Literal["drop", "ignore", "keras"] | None = None,
        activity_regularizer: Any = None,
        **of_weights: Any,
    ) -> None:
        if mask not in (None, "drop", "ignore", "keras"):
            raise ValueError(
                f"`mask` must be None, 'drop', 'ignore' or 'keras'; received {show(mask)}."
            )
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
        self.output_spec: Specs = None  # once it is built

    def _take_weight_options(self, options: dict[str, Any]) -> None:
        for kind, default in self.kinds.items():
            initializer = options.pop(f"{kind}_initializer", default)
            vars(self)[f"{kind}_initializer"] = INITIALIZERS.get(initializer)
            for role, family in (("regularizer", REGULARIZERS), ("constraint", CONSTRAINTS)):
                vars(self)[f"{kind}_{role}"] = _get(family, options.pop(f"{kind}_{role}", None))
        if options:
            raise argument_error(type(self).__name__, options, _arguments_of(type(self)))

    def take_losses(self) -> list[Array]:
        """Return what the latest call has added to the loss, scalars, and forget it."""
        return []

    # ---- the contract ---------------------------------------------------

    def build(self, *arguments: Any, **options: Any) -> Any:
        """Return (weights, state, spec of the outputs) for build(spec, rng).

        Typed loosely, since layers written as for Keras take an input shape instead.
        """
        spec, _ = arguments
        return {}, {}, spec

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
        """Return (outputs, mask, state)."""
        raise TypeError(f"{type(self).__name__} must define `call` (or `apply`).")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
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
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the layer that `get_config` described."""
        return cls(**config)

    def run(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
        deferred: bool = False,
    ) -> tuple[Array, Mask, Arrays]:
        """Apply the layer under its mask rule. deferred: the outputs may have a deferred form."""
        masks = mask if isinstance(mask, list) else [mask]
        if self.mask == "keras":
            return self.apply_as_keras(weights, state, inputs, mask, training=training, rng=rng)
        if self.mask is not None:
            self._warn_of_dropped_mask(masks)
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
        apply = self.apply_deferred if deferred else self.apply
        outputs, after, state = apply(weights, state, inputs, mask, training=training, rng=rng)
        if self.mask == "ignore" and self.mask_rule == "propagates":
            after = [masks[0], *after[1:]] if isinstance(after, list) else masks[0]
        return outputs, after, state

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
        """Return what `apply` does, with the mask treated as Keras's layer treats it."""
        return self.apply(weights, state, inputs, mask, training=training, rng=rng)

    def _warn_of_dropped_mask(self, masks: Sequence[Mask]) -> None:
        if self.warns_of_dropped_mask and any(m is not None for m in masks):
            self.warns_of_dropped_mask = False
            warnings.warn(
                f"{type(self).__name__} ({self.name!r}) drops the mask, as in Keras: from here "
                "on padding counts. wordrow's own layer of this name honours it, or says why "
                "it cannot.",
                UserWarning,
                stacklevel=3,
            )

    def emits(self, form: ops.Form | None) -> ops.Form | None:
        """Return the deferred form of the outputs, given that of the input; None: an array."""
        return None

    def apply_deferred(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return what `apply` does, in the deferred form if possible."""
        return self.apply(weights, state, inputs, mask, training=training, rng=rng)

    def rule(self, weight: str, role: Role) -> WeightRule | None:
        """Return the regularizer or constraint of a weight; None if it has none."""
        kind = weight.removesuffix("_kernel")
        return vars(self).get(f"{kind}_{role}") if kind in self.kinds else None

    def draw(self, weight: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Return a weight's initial values."""
        drawn: Array = vars(self)[f"{weight.removesuffix('_kernel')}_initializer"](shape, rng)
        return drawn

    @contextlib.contextmanager
    def without_drawing(self) -> Iterator[None]:
        """Let `build` return weights without memory and without drawing them, in this block."""
        own = {k: value for k, value in vars(self).items() if k.endswith("_initializer")}
        vars(self).update(dict.fromkeys(own, _shape_alone))
        try:
            with contextlib.ExitStack() as stack:
                for part in self.parts().values():
                    stack.enter_context(part.without_drawing())
                yield
        finally:
            vars(self).update(own)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The weights that gradients do not change; in training they are part of the state."""
        return ()

    @property
    def n_rows(self) -> int | None:
        """The exclusive upper bound of input ids, for a layer that gathers rows; else None."""
        return None

    @property
    def makes_mask(self) -> bool:
        """Whether the outputs have a mask even if the inputs have none."""
        return False

    @property
    def mixes_texts(self) -> bool:
        """Whether a text's outputs may depend on the other texts in its batch.

        A user's functions might look at all of them.
        """
        activations = (vars(self).get(f"{name}activation") for name in ("", "recurrent_"))
        return any(f is not None and ACTIVATIONS.name(f) is None for f in activations)

    def parts(self) -> Mapping[str, LayerContract]:
        """Return the layers inside this one, by the prefix of their weights' names."""
        return {}


def _get(family: Registry, value: Any) -> WeightRule | None:
    return None if value is None else family.get(value)


def _shape_alone(shape: tuple[int, ...], rng: Rng) -> Array:
    return np.broadcast_to(np.float32(0), shape)


def _snake_case(name: str) -> str:
    """Return a class name as a layer name: GlobalMaxPooling1D -> global_max_pooling1d."""
    out = ""
    for i, char in enumerate(name):
        if char.isupper() and i and not name[i - 1].isupper() and not name[i - 1].isdigit():
            out += "_"
        out += char.lower()
    return out
