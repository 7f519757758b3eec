"""The base class of layers. User-defined ones work as in Keras: `build(input_shape)`, `call`."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from wordrow.errors import show
from wordrow.nn import random
from wordrow.nn.functions.constraints import CONSTRAINTS
from wordrow.nn.functions.initializers import INITIALIZERS
from wordrow.nn.functions.regularizers import REGULARIZERS
from wordrow.nn.graph.symbol import symbols_in
from wordrow.nn.layers.context import CallContext, calling, current_call
from wordrow.nn.layers.contract import Role, WeightRule
from wordrow.nn.layers.shell import PureLayer, part_of
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, Specs, shapes_of
from wordrow.nn.table.weight import Weight

__all__ = ["Layer", "spec_by_trial"]


@dataclass
class _Added:
    """The weights that `add_weight` has made."""

    weights: dict[str, Weight] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    rules: dict[tuple[str, str], WeightRule | None] = field(default_factory=dict)
    rng: Rng = None  # while `build` runs


@dataclass(frozen=True)
class CallArguments:
    """How a custom layer's inputs are the arguments of its `call`.

    n_first: how many are the list that is its first argument; None for one that is no list.
    names: of the arguments that are inputs, too; fixed: the other ones, by name.
    """

    n_first: int | None
    names: tuple[str, ...]
    fixed: Mapping[str, Any]

    @property
    def all(self) -> list[str]:
        """The names of all of them."""
        return [*self.names, *self.fixed]

    def split(self, inputs: list[Any]) -> tuple[Any, dict[str, Any]]:
        """Return the first argument, and the others by name."""
        n = self.n_first or 1
        first = inputs[0] if self.n_first is None else inputs[:n]
        return first, {**dict(zip(self.names, inputs[n:], strict=True)), **self.fixed}


class Layer(PureLayer):
    """A layer; subclass it to write your own.

    `build(input_shape)` makes weights with `add_weight`. `call(inputs)` may also take `mask` and
    `training`; it works on arrays with operators, array methods, jax.numpy or Keras's backend
    functions. Layers in attributes are part of the layer. `supports_masking` propagates the mask;
    `compute_mask` may return another one. The output shape is that of `compute_output_shape`, or
    else is inferred by calling the layer on zeros.

    >>> class Scaled(Layer):
    ...     def build(self, input_shape):
    ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.scale
    >>> Scaled()(np.ones((1, 2), np.float32)).tolist()
    [[1.0, 1.0]]
    """

    supports_masking = False
    is_custom: ClassVar[bool] = False  # written as for Keras, with `call`
    _parameters: ClassVar[Mapping[str, Any]] = {}  # of `call`
    call_arguments: CallArguments | None = None  # those of `call` behind its inputs, on symbols
    _user_build: ClassVar[Callable[..., None] | None] = None
    _pure_apply: ClassVar[Any] = None  # of the layer that a custom layer derives from

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls)
        if "build" in own and "rng" not in inspect.signature(own["build"]).parameters:
            cls._user_build = own["build"]  # takes a shape; the contract's takes a spec
            cls.build = Layer.build  # type: ignore[method-assign]
            cls.is_custom = True
        elif "build" in own:
            cls.build = _for_shapes_too(own["build"])  # type: ignore[method-assign]
        if "call" in own:
            cls.is_custom = True
            cls._parameters = inspect.signature(own["call"]).parameters
            if cls.apply is not Layer.apply:
                cls._pure_apply = cls.apply
                cls.apply = Layer.apply  # type: ignore[method-assign]
            cls.apply_deferred = PureLayer.apply_deferred  # type: ignore[method-assign]
            cls.emits = PureLayer.emits  # type: ignore[method-assign]
            cls.accepts = PureLayer.accepts

    def __init__(self, **options: Any) -> None:
        shape = None
        self.dtype = "float32"
        if self.is_custom:
            self.dtype = options.pop("dtype", None) or "float32"
            options.pop("dynamic", None)
            shape = options.pop("batch_input_shape", None)
            if (size := options.pop("input_dim", None)) is not None:
                options["input_shape"] = (size,)
        super().__init__(**options)
        if shape is not None:
            self.first_shape = tuple(shape)
        self._added = _Added()
        self._call_losses: list[Array] = []

    @property
    def built(self) -> bool:
        """Whether the layer has its weights."""
        return self._weights is not None

    @built.setter
    def built(self, value: bool) -> None:
        """Accept what Keras layers set at the end of `build`; it has no effect here."""

    def __call__(
        self,
        inputs: Any,
        *arguments: Any,
        mask: Mask = None,
        training: bool | None = None,
        **options: Any,
    ) -> Any:
        """Return the outputs for arrays, or symbols for symbols; build the layer if needed.

        A custom layer's `call` may take more arguments: arrays or symbols, and settings.
        """
        if not arguments and not options:
            return super().__call__(inputs, mask, training=training)
        names = [name for name in self._parameters if name != "self"][1:]
        only_mask = not options and len(arguments) == 1 and names[:1] in (["mask"], [])
        if only_mask or not self.is_custom:
            return super().__call__(inputs, *arguments, training=training, **options)
        extra = dict(zip(names, arguments, strict=False)) | options
        if symbols_in([x for x in (inputs, *extra.values()) if hasattr(x, "symbol")]):
            return self._call_on_symbols(inputs, extra)
        mask, training = extra.pop("mask", mask), extra.pop("training", training)
        return self._call_with(inputs, mask, training, extra)

    def _call_on_symbols(self, inputs: Any, extra: Mapping[str, Any]) -> Any:
        """Return the symbols of a call with further arguments, which become further inputs.

        Raises TypeError for a second call with other arguments.
        """
        first = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        known = {k: v for k, v in extra.items() if k not in ("mask", "training")}
        symbols = {k: v for k, v in known.items() if hasattr(v, "symbol")}
        fixed = {k: v for k, v in known.items() if k not in symbols}
        n_first = len(first) if isinstance(inputs, list | tuple) else None
        arguments = CallArguments(n_first, tuple(symbols), fixed)
        if self.call_arguments not in (None, arguments):
            raise TypeError(
                f"{type(self).__name__} ({self.name!r}) was called with the arguments "
                f"{sorted(self.call_arguments.all)} before, and now with {sorted(known)}. Use "
                "another layer for the second call."
            )
        self.call_arguments = arguments
        return super().__call__([*first, *symbols.values()])

    def _call_with(
        self, inputs: Any, mask: Mask, training: bool | None, extra: Mapping[str, Any]
    ) -> Any:
        """Return what `call` returns for arrays and further arguments."""
        context = current_call()
        if training is None:
            training = context is not None and context.training
        rng = random.generator() if context is None else context.next_rng()
        if self.built:
            arrays = self.arrays_in_use()
            return self._call(arrays, inputs, mask, training=training, rng=rng, extra=extra)
        self._build_own(Spec((None, *np.shape(inputs)[1:])), random.generator())
        given = {name: weight.array for name, weight in self._added.weights.items()}
        outputs = self._call(given, inputs, mask, training=training, rng=rng, extra=extra)
        for prefix, part in self.parts().items():
            own = part.named_weights().items()
            given |= {f"{prefix}/{name}": weight.array for name, weight in own}
        self.hold(given, {})
        return outputs

    # ---- called in `build` ------------------------------------------

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes by gradients. `build` may set it to arrays.

        These are arrays that the layer has as attributes, as layers written for Keras 1 and 2 do.
        """
        return super().trainable_weights

    @trainable_weights.setter
    def trainable_weights(self, arrays: Iterable[Any]) -> None:
        added = self._added
        for array in arrays:
            if isinstance(array, Weight):
                continue
            names = [name for name, value in vars(self).items() if value is array]
            if added.rng is None or not names:
                raise ValueError(
                    f"{self.name!r}: set trainable_weights in `build`, to arrays that are "
                    "attributes of the layer; or make them by add_weight."
                )
            weight = Weight(np.array(array, np.float32), names[0])
            added.weights[names[0]] = weight
            for name in names:
                setattr(self, name, weight)

    def add_weight(
        self,
        *arguments: Any,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        **options: Any,
    ) -> Weight:
        """Make a weight; call this in `build`.

        arguments: shape, initializer, dtype, as in Keras 1 and 3, or name, shape, dtype,
        initializer, as in Keras 2.

        Raises ValueError elsewhere, and for a duplicate name.
        """
        if arguments and not isinstance(arguments[0], str | None):
            second = arguments[1] if len(arguments) > 1 else None
            is_name = isinstance(second, str) and not INITIALIZERS.knows(second)
            order: tuple[str, ...] = (
                "shape",
                "name" if is_name else "initializer",
                "dtype",
                "trainable",
            )
        else:
            order = ("name", "shape", "dtype", "initializer", "regularizer", "trainable")
        given = dict(zip(order, arguments, strict=False))
        name, shape = given.get("name", name), given.get("shape", shape)
        initializer = given.get("initializer", initializer)
        regularizer = given.get("regularizer", regularizer)
        trainable = given.get("trainable", trainable)
        added = self._added
        name = name or f"weight_{len(added.weights)}"
        if added.rng is None:
            raise ValueError(f"{self.name!r}: make weights in `build`, by add_weight.")
        if name in added.weights:
            raise ValueError(f"{self.name!r} has a weight {name!r} already; use another name.")
        size = tuple(int(n) for n in (shape or ()))
        draw = INITIALIZERS.get(initializer or "glorot_uniform")
        drawn = draw(size if len(size) > 1 else (*size, 1), added.rng)
        added.weights[name] = Weight(np.asarray(drawn, np.float32).reshape(size), name)
        if not trainable:
            added.frozen.add(name)
        for role, family, rule in (
            ("regularizer", REGULARIZERS, regularizer),
            ("constraint", CONSTRAINTS, constraint),
        ):
            added.rules[name, role] = None if rule is None else family.get(rule)
        return added.weights[name]

    def build_by_shape(self, build: Callable[..., Any], specs: Specs) -> None:
        """Make the weights of a layer that is built by itself, or by a subclass's own `build`."""
        added = self._added
        if added.rng is None:
            self.build_in_place(specs, random.generator())
            return
        for name, array in build(self, specs, added.rng)[0].items():
            added.weights[name] = Weight(array, name)
            setattr(self, name, added.weights[name])

    def new_weight(self, name: str, array: Array) -> Weight:
        """Return the weight that `add_weight` has made, or a new one."""
        return self._added.weights.get(name) or super().new_weight(name, array)

    # ---- called in `call` -------------------------------------------

    def add_loss(self, losses: Any) -> None:
        """Add to the loss of training, one or several arrays (their sums); call this in `call`."""
        for one in losses if isinstance(losses, list | tuple) else [losses]:
            if not hasattr(one, "sum") and not isinstance(one, int | float):
                raise TypeError(f"add_loss takes arrays; received {show(one)}. Call it in `call`.")
            self._call_losses.append(one.sum() if hasattr(one, "sum") else one)

    def add_metric(self, *arguments: Any, **options: Any) -> None:
        """Raise AttributeError: metrics are those of `compile`."""
        raise AttributeError(
            "add_metric is not available, as in Keras 3: give `compile` a function of "
            "(y_true, y_pred) among its metrics."
        )

    @property
    def losses(self) -> list[Array]:
        """The scalars that the latest call, and those of layers inside, have added."""
        inside = [loss for part in self.parts().values() for loss in getattr(part, "losses", ())]
        return [*self._call_losses, *inside]

    def take_losses(self) -> list[Array]:
        """Return `losses`, and forget them: in a compiled step they are tracers."""
        found = self.losses
        self._call_losses = []
        for part in self.parts().values():
            part.take_losses()
        return found

    # ---- layers inside ---------------------------------------------------

    def parts(self) -> Mapping[str, PureLayer]:
        """Return the layers in attributes, also those in lists and models, by prefix."""
        found: dict[str, PureLayer] = {}
        if not self.is_custom:
            return found

        def look(prefix: str, value: Array) -> None:
            if isinstance(value, PureLayer):
                found.setdefault(prefix, value)
            elif isinstance(value, list | tuple):
                for i, one in enumerate(value):
                    look(f"{prefix}_{i}", one)
            elif hasattr(value, "all_layers"):  # a model
                for one in value.all_layers:
                    look(f"{prefix}_{one.name}", one)

        for attribute, value in vars(self).items():
            if attribute not in ("input", "output"):
                look(attribute, value)
        return found

    @property
    def fixed(self) -> tuple[str, ...]:
        """The weights made with trainable=False, and the fixed weights of the layers inside."""
        if not self.is_custom:
            return ()
        inside = [
            f"{prefix}/{name}"
            for prefix, part in self.parts().items()
            for name in (part.fixed if part.trainable else part.named_weights())
        ]
        return (*sorted(self._added.frozen, key=list(self._added.weights).index), *inside)

    def rule(self, weight: str, role: Role) -> WeightRule | None:
        """Return the regularizer or constraint given to add_weight or to a layer inside."""
        for prefix, part in self.parts().items():
            if weight.startswith(f"{prefix}/"):
                return part.rule(weight.removeprefix(f"{prefix}/"), role)
        if weight in self._added.weights:
            return self._added.rules.get((weight, role))
        return super().rule(weight, role)

    @property
    def mixes_texts(self) -> bool:
        """Whether the layer or one inside mixes texts; a user's `call` might."""
        inside = any(part.mixes_texts for part in self.parts().values())
        return self.is_custom or inside or super().mixes_texts

    # ---- the contract, with `build` and `call` --------------------------------

    def build(self, *arguments: Any, **options: Any) -> Any:
        """Make the weights: build(spec, rng).

        Called with a shape alone, as Keras layers end their own `build`, this does nothing.
        """
        spec, rng = (*arguments, *options.values(), None)[:2]
        first = spec[0] if isinstance(spec, list) and spec else spec
        if rng is None and not isinstance(first, Spec):
            return None
        if not self.is_custom:
            return super().build(spec, rng)
        self._build_own(spec, rng or np.random.default_rng(0))
        held = self._weights or self._added.weights
        given = {name: weight.array for name, weight in held.items()}

        def call(x: Array) -> Array:
            return self._call(given, x, None, training=False)

        if parts := self.parts():
            made = spec_by_trial(call, spec)
            for prefix, part in parts.items():
                weights = part.named_weights().items()
                given |= {f"{prefix}/{name}": weight.array for name, weight in weights}
            return given, {}, made
        with contextlib.suppress(NotImplementedError):
            shape = self.compute_output_shape(shapes_of(spec))
            if isinstance(shape, list):
                return given, {}, [Spec(tuple(one)) for one in shape]
            return given, {}, Spec(tuple(shape))
        return given, {}, spec_by_trial(call, spec)

    def _build_own(self, spec: Specs, rng: np.random.Generator) -> None:
        """Run the `build` of a custom layer, once."""
        if self._user_build is not None and not self._added.weights:
            self._added.rng = rng
            try:
                if self.call_arguments is not None and isinstance(spec, list):
                    spec = self.call_arguments.split(spec)[0]
                self._user_build(shapes_of(spec))
            finally:
                self._added.rng = None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, with the batch axis; a list for several.

        A custom layer may define it; by default its is inferred from a call on zeros.
        """
        if self.is_custom:
            raise NotImplementedError
        is_list = isinstance(input_shape, list)
        specs = [Spec(tuple(one)) for one in (input_shape if is_list else [input_shape])]
        with self.without_drawing():
            output = self.build(specs if is_list else specs[0], np.random.default_rng(0))[2]
        return [one.shape for one in output] if isinstance(output, list) else output.shape

    def call(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        """Return the outputs; to be defined by a custom layer.

        In a subclass of another layer, `super().call(inputs)` runs that layer.
        """
        if self._pure_apply is None:
            raise TypeError(f"{type(self).__name__} must define `call` (or `apply`).")
        context = current_call() or CallContext(False, np.random.default_rng(0))
        weights, state = self._running
        found: tuple[Array, Mask, Arrays] = self._pure_apply(
            weights,
            state,
            inputs,
            options.get("mask"),
            training=options.get("training", context.training),
            rng=context.next_rng(),
        )
        outputs, _, after = found
        self._running = weights, after
        return outputs

    _running: tuple[Arrays, Arrays] = ({}, {})  # weights and state of the running call

    @contextlib.contextmanager
    def _standing_in(self, weights: Arrays) -> Iterator[None]:
        """Replace the weights by arrays, in attributes and in the layers inside."""
        own = vars(self)
        kept = {k: v for k, v in own.items() if isinstance(v, Weight | list | dict)}

        def array(value: Any) -> Any:
            if isinstance(value, Weight) and self._added.weights.get(value.name) is value:
                return weights[value.name]
            if isinstance(value, list):
                return [array(one) for one in value]
            if isinstance(value, dict) and any(isinstance(one, Weight) for one in value.values()):
                return {k: array(one) for k, one in value.items()}
            return value

        own.update({k: array(v) for k, v in kept.items() if not k.startswith("_")})
        parts = self.parts()
        before = {prefix: part.stand_in for prefix, part in parts.items()}
        for prefix, part in parts.items():
            if arrays := part_of(prefix, weights):
                part.stand_in = arrays, {k: arrays[k] for k in part.fixed if k in arrays}
        self._running = weights, {k: weights[k] for k in self.fixed if k in weights}
        try:
            yield
        finally:
            own.update(kept)
            self._left = dict(self._running[1])
            for prefix, part in parts.items():
                state = {} if part.stand_in is None else part.stand_in[1]
                self._left |= {f"{prefix}/{name}": one for name, one in state.items()}
                part.stand_in = before[prefix]

    _left: Mapping[str, Array] = {}  # the state after the latest call

    def _call(
        self,
        weights: Arrays,
        inputs: Any,
        mask: Mask,
        *,
        training: bool,
        rng: Rng = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Any:
        known = {"mask": mask, "training": training}
        self._call_losses = []
        context = CallContext(training, np.random.default_rng(0) if rng is None else rng)
        with self._standing_in(weights), calling(context):
            given = {k: v for k, v in known.items() if k in self._parameters}
            if (names := self.call_arguments) is not None and isinstance(inputs, list):
                inputs, extra = names.split(inputs)
            return self.call(inputs, **given, **(extra or {}))

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
        """Return what `call` returns."""
        fixed = self.fixed
        given = weights | {k: v for k, v in state.items() if k in fixed}
        outputs = self._call(given, inputs, mask, training=training, rng=rng)
        if training:
            state = state | {k: v for k, v in self._left.items() if k in state}
        after = self.compute_mask(inputs, mask)
        if isinstance(outputs, list | tuple):
            masks = after if isinstance(after, list) else [after] * len(outputs)
            return list(outputs), masks, state
        return outputs, after[0] if isinstance(after, list) else after, state

    def compute_mask(self, inputs: Any, mask: Mask = None) -> Mask:
        """Return the mask of the outputs for arrays and their mask.

        That of a custom layer is the inputs' mask if supports_masking is set, else None.
        """
        if not self.is_custom:
            if not self.built:
                self(inputs)
            arrays = self.arrays_in_use(), self.read_state()
            inputs = inputs if isinstance(inputs, list) else np.asarray(inputs)
            return self.run(*arrays, inputs, mask, training=False, rng=random.generator())[1]
        if self.supports_masking:
            return mask
        masks = mask if isinstance(mask, list) else [mask]
        if "mask" not in self._parameters and any(one is not None for one in masks):
            warnings.warn(
                f"{type(self).__name__} ({self.name!r}) drops the mask: padding counts in it and "
                "after it. Let `call` take a mask, or set supports_masking.",
                UserWarning,
                stacklevel=2,
            )
        return None


def _for_shapes_too(build: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer's build(spec, rng), which can also be called with a shape, as in Keras."""

    @functools.wraps(build)
    def either(self: Any, *arguments: Any, **options: Any) -> Any:
        spec, rng = (*arguments, *options.values(), None)[:2]
        first = spec[0] if isinstance(spec, list) and spec else spec
        if rng is not None or isinstance(first, Spec):
            return build(self, *arguments, **options)
        is_list = isinstance(spec, list) and isinstance(first, tuple | list)
        specs = [Spec(tuple(one)) for one in (spec if is_list else [spec])]
        self.build_by_shape(build, specs if is_list else specs[0])
        return None

    return either


def spec_by_trial(function: Callable[[Any], Any], spec: Specs) -> Specs:
    """Return the spec of a function's outputs, by calling it on zeros.

    Axes of any length are tried with two lengths; output axes that differ have any length.
    """
    specs = spec if isinstance(spec, list) else [spec]
    found = []
    for n in (2, 3):
        zeros = [
            np.zeros([n if size is None else size for size in one.shape], one.dtype)
            for one in specs
        ]
        with np.errstate(all="ignore"):
            outputs = function(zeros if isinstance(spec, list) else zeros[0])
        parts = outputs if isinstance(outputs, list | tuple) else [outputs]
        found.append([(np.shape(part), str(getattr(part, "dtype", "float32"))) for part in parts])
    found_specs = [
        Spec(tuple(a if a == b else None for a, b in zip(one, other, strict=True)), dtype)
        for (one, dtype), (other, _) in zip(*found, strict=True)
    ]
    return found_specs if isinstance(outputs, list | tuple) else found_specs[0]
