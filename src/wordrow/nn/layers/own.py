"""Layers of one's own, written as for Keras: a function, or a class with `build` and `call`."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from wordrow.errors import show
from wordrow.nn.constraints import CONSTRAINTS
from wordrow.nn.initializers import INITIALIZERS
from wordrow.nn.layers.layer import CALLING, Around, Arrays, Layer, Shape, Spec, shapes_of
from wordrow.nn.regularizers import REGULARIZERS

__all__ = ["Lambda", "OwnLayer", "Weight"]


def _spec_of_answer(function: Callable[[Any], Any], spec: Any) -> Any:
    """Return the spec of what a function gives, by calling it on zeros.

    An axis of any length is tried with two lengths: where the answers differ, so may it.
    """
    specs = spec if isinstance(spec, list) else [spec]
    found = []
    for n in (2, 3):
        zeros = [
            np.zeros([n if size is None else size for size in one.shape], one.dtype)
            for one in specs
        ]
        with np.errstate(all="ignore"):
            answer = function(zeros if isinstance(spec, list) else zeros[0])
        parts = answer if isinstance(answer, list | tuple) else [answer]
        found.append([(np.shape(part), str(getattr(part, "dtype", "float32"))) for part in parts])
    outputs = [
        Spec(tuple(a if a == b else None for a, b in zip(one, other, strict=True)), dtype)
        for (one, dtype), (other, _) in zip(*found, strict=True)
    ]
    return outputs if isinstance(answer, list | tuple) else outputs[0]


class Lambda(Layer):
    """A function of your own as a layer: of arrays, by operators, their methods and jax.numpy.

    function may take a `mask`; arguments are handed to it by name. Where it cannot be called
    on zeros to learn what comes out, say output_shape, without the batch. The mask goes on as
    it came, unless `mask` says another: a mask, or a function of (inputs, mask).

    >>> Lambda(lambda x: x * 2)(np.array([[1.0, 2.0]])).tolist()
    [[2.0, 4.0]]
    """

    def __init__(
        self, function: Callable[..., Any], output_shape: Any = None, mask: Any = None,
        arguments: Mapping[str, Any] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(mask="drop" if mask == "drop" else None, **options)
        if not callable(function):
            raise TypeError(f"`function` must be a function; received {show(function)}.")
        self.function, self.given_shape = function, output_shape
        self.arguments, self.new_mask = dict(arguments or {}), None if mask == "drop" else mask
        parameters: Mapping[str, Any] = {}
        with contextlib.suppress(TypeError, ValueError):
            parameters = inspect.signature(function).parameters
        self._takes = {name for name in ("mask", "training") if name in parameters}

    def _called(self, inputs: Any, **known: Any) -> Any:
        return self.function(
            inputs, **self.arguments, **{k: v for k, v in known.items() if k in self._takes}
        )

    def build(self, spec: Any, rng: np.random.Generator) -> tuple[Arrays, Arrays, Any]:
        """Find out what comes out."""
        if self.given_shape is None:
            made = _spec_of_answer(lambda x: self._called(x, mask=None, training=False), spec)
            return {}, {}, made
        first = spec[0] if isinstance(spec, list) else spec
        if callable(self.given_shape):
            return {}, {}, Spec(tuple(self.given_shape(shapes_of(spec))))
        return {}, {}, Spec((first.shape[0], *self.given_shape))

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return what the function gives."""
        outputs = self._called(inputs, mask=mask, training=training)
        if self.new_mask is not None:
            mask = self.new_mask(inputs, mask) if callable(self.new_mask) else self.new_mask
        elif isinstance(mask, list):
            mask = mask[0]

        def fitting(output: Any) -> Any:  # where the steps are gone, so is the mask
            return mask if mask is not None and mask.shape == output.shape[: mask.ndim] else None

        if isinstance(outputs, list | tuple):
            return list(outputs), [fitting(one) for one in outputs], state
        return outputs, fitting(outputs), state

    def get_config(self) -> dict[str, Any]:
        """Raise ValueError: a function is no text, and nothing in a file is ever run."""
        raise ValueError(
            f"the Lambda layer {self.name!r} holds a function of your own, which a file cannot: "
            "keep the weights (save_weights, load_weights) and make the model by its code."
        )


class Weight:
    """A weight of a layer of one's own, by name; while the layer runs, an array stands for it."""

    def __init__(self, layer: OwnLayer, name: str, shape: Shape) -> None:
        self._layer, self.name, self.shape = layer, name, shape

    def numpy(self) -> Any:
        """Return the weight as it is now."""
        return np.array((self._layer._weights or {})[self.name])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.numpy().astype(dtype) if dtype else self.numpy()

    def __repr__(self) -> str:
        return f"<weight {self.name!r} of {self._layer.name!r}, shape {self.shape}>"


@contextlib.contextmanager
def _calling(around: Around) -> Iterator[None]:
    """Let layers that are called in this block know within which call they are."""
    CALLING.append(around)
    try:
        yield
    finally:
        CALLING.pop()


class OwnLayer(Layer):
    """The class to write a layer from, as in Keras: `__init__`, `build(input_shape)`, `call`.

    `build` makes weights by `add_weight`; `call(inputs)` may also take `mask` and `training`,
    and works on arrays by operators, their methods, jax.numpy or Keras's backend functions.
    The mask goes on where `supports_masking` is set, or as `compute_mask` says. Shapes come
    from `compute_output_shape`, or by calling the layer on zeros.

    >>> class Scaled(OwnLayer):
    ...     def build(self, input_shape):
    ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.scale
    >>> Scaled()(np.ones((1, 2), np.float32)).tolist()
    [[1.0, 1.0]]
    """

    supports_masking = False
    _left: Mapping[str, Any] = {}  # the state that layers inside were left in
    _own_build: Any = None
    _parameters: Mapping[str, Any] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "build" in vars(cls):  # Keras's takes a shape, the contract's a spec
            cls._own_build = vars(cls)["build"]
            cls.build = OwnLayer.build  # type: ignore[method-assign]
        if "call" in vars(cls):
            cls._parameters = inspect.signature(cls.call).parameters

    def __init__(self, *, dtype: Any = None, dynamic: Any = None, **options: Any) -> None:
        if (sizes := options.pop("input_dim", None)) is not None:
            options["input_shape"] = (sizes,)
        whole = options.pop("batch_input_shape", None)
        super().__init__(**options)
        if whole is not None:
            self.first_shape = tuple(whole)
        self.dtype = dtype or "float32"
        self._rng: Any = None
        self._shapes: dict[str, tuple[Any, bool]] = {}
        self._drawn: Arrays = {}
        self._rules: dict[tuple[str, str], Any] = {}

    @property
    def built(self) -> bool:
        """Whether the layer has its weights."""
        return self._held is not None

    @built.setter
    def built(self, value: bool) -> None:
        """Take what Keras layers set at the end of `build`; it changes nothing here."""

    def add_weight(
        self, name: Any = None, shape: Any = None, dtype: Any = None,
        initializer: Any = "glorot_uniform", regularizer: Any = None, trainable: bool = True,
        constraint: Any = None, **options: Any,
    ) -> Weight:  # fmt: skip
        """Make a weight; to be called in `build`."""
        if isinstance(name, tuple | list) or isinstance(shape, str):  # Keras 3 has shape first
            name, shape = (shape if isinstance(shape, str) else None), name
        name = name or f"weight_{len(self._shapes)}"
        if self._rng is None:
            raise ValueError(f"{self.name!r}: make weights in `build`, by add_weight.")
        if name in self._shapes:
            raise ValueError(f"{self.name!r} has a weight {name!r} already; name it otherwise.")
        size = tuple(int(n) for n in (shape or ()))
        draw = INITIALIZERS.get(initializer or "glorot_uniform")
        drawn = draw(size if len(size) > 1 else (*size, 1), self._rng)
        self._drawn[name] = np.asarray(drawn, np.float32).reshape(size)
        self._shapes[name] = size, trainable
        for role, family, rule in (("regularizer", REGULARIZERS, regularizer),
                                   ("constraint", CONSTRAINTS, constraint)):  # fmt: skip
            self._rules[name, role] = None if rule is None else family.get(rule)
        return Weight(self, name, size)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The weights made with trainable=False, and those of layers inside that are fixed."""
        own = [name for name, (_, trained) in self._shapes.items() if not trained]
        inside = [f"{place}/{name}" for place, layer in self._inside().items()
                  for name in (layer.fixed if layer.trainable else layer._held or {})]  # fmt: skip
        return (*own, *inside)

    def rule(self, weight: str, role: Any) -> Any:
        """Return the regularizer or constraint that add_weight, or a layer inside, was given."""
        for place, layer in self._inside().items():
            if weight.startswith(f"{place}/"):
                return layer.rule(weight.removeprefix(f"{place}/"), role)
        return self._rules.get((weight, role))

    def parts(self) -> tuple[Layer, ...]:
        """Return the layers inside this one."""
        return tuple(self._inside().values())

    @property
    def mixes_texts(self) -> bool:  # type: ignore[override]
        """Whether a layer inside mixes texts while training."""
        return any(layer.mixes_texts for layer in self.parts())

    def _inside(self) -> dict[str, Layer]:
        """Return the layers in the attributes, those of lists and models too, by their places."""
        found: dict[str, Layer] = {}

        def look(place: str, value: Any) -> None:
            if isinstance(value, Layer):
                found.setdefault(place, value)
            elif isinstance(value, list | tuple):
                for i, one in enumerate(value):
                    look(f"{place}_{i}", one)
            elif hasattr(value, "_units"):  # a model
                for one in value._layers:
                    look(f"{place}_{one.name}", one)

        for place, value in vars(self).items():
            if place not in ("input", "output"):
                look(place, value)
        return found

    def build(self, spec: Any, rng: Any = None) -> Any:
        """Make the weights. Called with a shape alone, as Keras layers end theirs, do nothing."""
        if rng is None and not isinstance(spec, Spec | list):
            return None
        if isinstance(spec, list) and not isinstance(spec[0], Spec):
            return None
        if self._own_build is not None and not self._shapes:
            self._rng = rng or np.random.default_rng(0)
            try:
                self._own_build(shapes_of(spec))
            finally:
                self._rng = None
        weights, self._drawn = self._drawn, {}
        given = weights if self._held is None else self._held
        if self._inside():
            made = _spec_of_answer(lambda x: self._answer(given, x, None, training=False), spec)
            given = given | {
                f"{place}/{name}": array for place, layer in self._inside().items()
                for name, array in (layer._held or {}).items()
            }  # fmt: skip
            return given, {}, made
        with contextlib.suppress(NotImplementedError):
            shape = self.compute_output_shape(shapes_of(spec))
            if isinstance(shape, list):
                return given, {}, [Spec(tuple(one)) for one in shape]
            return given, {}, Spec(tuple(shape))

        def answer(x: Any) -> Any:
            return self._answer(given, x, None, training=False)

        return given, {}, _spec_of_answer(answer, spec)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs; where it is not said, the layer is tried on zeros."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        """Return the outputs; to be written."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `call`.")

    @contextlib.contextmanager
    def _standing_in(self, weights: Arrays) -> Iterator[None]:
        """Put arrays in the places of the weights that the layer keeps in its attributes."""
        own = vars(self)
        kept = {k: v for k, v in own.items() if isinstance(v, Weight | list | dict)}

        def array(value: Any) -> Any:
            if isinstance(value, Weight) and value._layer is self:
                return weights[value.name]
            if isinstance(value, list):
                return [array(one) for one in value]
            if isinstance(value, dict) and any(isinstance(one, Weight) for one in value.values()):
                return {k: array(one) for k, one in value.items()}
            return value

        own.update({k: array(v) for k, v in kept.items() if not k.startswith("_")})
        inside = self._inside()
        before = {place: (layer._held, layer._state) for place, layer in inside.items()}
        for place, layer in inside.items():
            start = f"{place}/"
            part = {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}
            if part:
                layer._held = part
                layer._state = {k: part[k] for k in layer.fixed if k in part}
        try:
            yield
        finally:
            own.update(kept)
            self._left = {
                f"{place}/{name}": array for place, layer in inside.items()
                for name, array in layer._state.items()
            }  # fmt: skip
            for place, (held, state) in before.items():
                if held is not None:  # else it has been built just now
                    inside[place]._held, inside[place]._state = held, state

    def _answer(
        self, weights: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any = None
    ) -> Any:
        known = {"mask": mask, "training": training}
        around = Around(training, np.random.default_rng(0) if rng is None else rng)
        with self._standing_in(weights), _calling(around):
            return self.call(inputs, **{k: v for k, v in known.items() if k in self._parameters})

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return what `call` gives."""
        fixed = self.fixed
        given = weights | {k: v for k, v in state.items() if k in fixed}
        outputs = self._answer(given, inputs, mask, training=training, rng=rng)
        if training:
            state = state | {k: v for k, v in self._left.items() if k in state}
        own_mask = self.compute_mask(inputs, mask)
        if isinstance(outputs, list | tuple):
            masks = own_mask if isinstance(own_mask, list) else [own_mask] * len(outputs)
            return list(outputs), masks, state
        return outputs, own_mask[0] if isinstance(own_mask, list) else own_mask, state

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs: the inputs' where supports_masking is set, else none."""
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

    @property
    def weights(self) -> list[Any]:
        """The weights, as arrays."""
        return self.get_weights()
