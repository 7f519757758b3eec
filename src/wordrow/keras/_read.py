"""The models that Keras's configs describe: of `.keras` and `.h5` files, of Keras 1, 2 and 3."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import wordrow
from wordrow.errors import FileFormatError, show
from wordrow.keras._backend import FUNCTIONS
from wordrow.keras._layers import LAYERS
from wordrow.keras._modules import MODULES
from wordrow.keras._names import Name, snake_case
from wordrow.nn.constraints import CONSTRAINTS
from wordrow.nn.layers import Layer
from wordrow.nn.layers.symbol import Symbol
from wordrow.nn.regularizers import REGULARIZERS
from wordrow.nn.schedules import SCHEDULES

__all__ = ["Reader"]

# What a config says of how to compute, or of what every number here is: nothing to keep.
_IGNORED = {
    "dtype", "quantization_config", "dynamic", "sparse", "ragged", "optional", "autocast",
    "zero_output_for_mask", "synchronized", "lora_rank", "lora_alpha", "flash_attention",
    "batch_size", "input_dtype", "renorm_momentum", "forget_bias_init",
    "query_shape", "key_shape", "value_shape", "softmax_robust_masking", "vocabulary_size", "salt",
}  # fmt: skip
# What Keras can do and we do not: a value other than these is refused.
_ONLY: dict[str, tuple[Any, ...]] = {
    "use_gate": (None, False), "sliding_window": (None,), "attention_axes": (None, [1], [-2], 1),
    "rms_scaling": (None, False), "time_major": (None, False), "virtual_batch_size": (None,),
    "renorm": (None, False), "renorm_clipping": (None,), "fused": (None, False, True),
    "adjustment": (None,),
}  # fmt: skip
_MASKS = ("mask", "query_mask", "value_mask", "key_mask")
_FUNCTIONAL = ("Functional", "Model")
_OF_OPTIMIZERS = {  # ours say what these would, or there is nothing to say
    "use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile", "loss_scale_factor",
    "gradient_accumulation_steps", "is_legacy_optimizer", "initial_decay", "dtype",
}  # fmt: skip


class _NotYetError(Exception):
    """A call takes from another one that has not been made yet."""


class Reader:
    """Makes models of configs.

    name: of the file, for messages. custom: names that a file holds -> what they are: classes
    of layers, functions of Lambda layers (by the layer's name too), losses, activations.
    version: of the Keras that wrote it. vocabularies: where a file keeps a layer's tokens ->
    these, as Keras does for what its text layers have learned.
    """

    def __init__(
        self, name: str, custom: Mapping[str, Any] | None = None, version: str = "3",
        vocabularies: Mapping[str, Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        self._vocabularies = dict(vocabularies or {})
        self.name, self.custom = name, dict(custom or {})
        self._renamed = {} if version.startswith("3") else {"hard_sigmoid": "keras2_hard_sigmoid"}

    # ---- models -----------------------------------------------------------

    def model(self, entry: Mapping[str, Any]) -> Any:
        """Return the model of {"class_name", "config"}, its weights drawn anew."""
        kind, config = entry["class_name"], entry["config"]
        if kind == "Sequential":
            return self._sequential(config)
        if kind in _FUNCTIONAL or "input_layers" in config:
            return self._functional(config)
        raise FileFormatError(
            f"{self.name}: holds a model of the class {kind!r}, and a file holds no code: make the "
            "model by its class, and take the weights with load_weights."
        )

    def _sequential(self, config: Any) -> Any:
        entries = config if isinstance(config, list) else config["layers"]
        name = None if isinstance(config, list) else config.get("name")
        model = wordrow.Sequential(name=name)
        for entry in entries:
            model.add(self.layer(entry))
        shape = None if isinstance(config, list) else config.get("build_input_shape")
        if not model.built and shape and not isinstance(shape, Mapping):
            model.build(tuple(shape))
        return model

    def _functional(self, config: Mapping[str, Any]) -> Any:
        things: dict[str, Any] = {}
        made: dict[tuple[str, int, int], Any] = {}
        waiting: list[tuple[str, int, Any]] = []
        for entry in config["layers"]:
            name = entry.get("name") or entry["config"]["name"]
            thing: Any = self._operation(entry) or self.layer(entry)
            things[name] = thing
            if entry["class_name"] == "InputLayer":
                made[name, 0, 0] = thing.symbol
                continue
            nodes = [node for node in entry["inbound_nodes"] if node]
            waiting += [(name, number, node) for number, node in enumerate(nodes)]
        # A model inside was its own first call: then those here are counted from 1.
        first = _first_calls([_arguments(node) for *_, node in waiting], config["output_layers"])
        waiting = [(name, number + first.get(name, 0), node) for name, number, node in waiting]
        failed: dict[str, str] = {}
        while waiting:
            rest = [one for one in waiting if not self._call(*one, things, made, failed)]
            if len(rest) == len(waiting):
                break
            waiting = rest

        def ends(places: Any) -> Any:
            if isinstance(places, Mapping):
                return {key: ends(place) for key, place in places.items()}
            if places and isinstance(places[0], str):
                return _taken(made, places)
            return [ends(place) for place in places]

        try:
            firsts, lasts = ends(config["input_layers"]), ends(config["output_layers"])
        except _NotYetError as error:
            reasons = "; ".join(f"{name!r}: {reason}" for name, reason in failed.items())
            raise FileFormatError(
                f"{self.name}: what layer {error} puts out cannot be made"
                f"{f' ({reasons})' if reasons else ''}."
            ) from None
        if isinstance(lasts, list) and len(lasts) == 1:
            (lasts,) = lasts  # one answer is an array, and no list of one
        model = wordrow.Model(firsts, lasts, config.get("name"))
        model.arrange([name for name in things if not isinstance(things[name], _Operation)])
        return model

    def _call(
        self, name: str, number: int, node: Any, things: Mapping[str, Any],
        made: dict[tuple[str, int, int], Any], failed: dict[str, str],
    ) -> bool:  # fmt: skip
        """Call a layer as a node says; return whether all it takes is there."""
        thing = things[name]
        given, options = _arguments(node)
        for key in _MASKS:  # Keras writes down the masks that go on by themselves
            mask = options.pop(key, None)
            for source in _sources(mask):
                if not isinstance(things.get(source), _Operation):
                    raise FileFormatError(
                        f"{self.name}: layer {name!r} is given a mask by {source!r}; masks come "
                        "from an Embedding (mask_zero=True) or a Masking layer here."
                    )
        options.pop("training", None)
        try:
            given, options = _filled(given, made), _filled(options, made)
        except _NotYetError:
            return False
        if isinstance(thing, _Operation):
            try:
                outputs = thing.function(*given, **thing.options | options)
            except Exception as error:  # it may belong to a mask, which nobody asks for
                failed[name] = f"{thing.kind} is not here ({error})"
                return False
        elif len(given) == 2 and (operator := _OPERATORS.get(type(thing).__name__.lower())):
            outputs = operator(*given)  # in an .h5 file, x + y and Add()([x, y]) are called alike
        else:
            outputs = thing(*given, **{k: v for k, v in options.items() if v is not None})
        for index, one in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            made[name, number, index] = one
        return True

    # ---- layers -----------------------------------------------------------

    def _operation(self, entry: Mapping[str, Any]) -> _Operation | None:
        """Return what an entry does that is no layer: an operator or function on symbols."""
        kind = entry["class_name"]
        inside = str(entry.get("module") or "").startswith("keras.src.ops")
        if "module" not in entry and kind not in LAYERS and kind not in self.custom:
            inside = (
                snake_case(kind) in _OPERATORS or snake_case(kind) in FUNCTIONS
            )  # as in .h5 files
        if not inside and kind not in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
            return None
        own = entry["config"].get("function", kind).rsplit(".", 1)[-1]
        options = {k: v for k, v in entry["config"].items()
                   if k not in ("name", "dtype", "trainable", "function", "node_def", "constants")
                   and v is not None}  # fmt: skip
        return _Operation(own, _function_of(own), options)

    def layer(self, entry: Mapping[str, Any]) -> Any:
        """Return the layer, or model, of {"class_name", "config"}.

        Raises FileFormatError, with the layer's name, where there is no such one.
        """
        kind, config = entry["class_name"], entry["config"]
        if kind in self.custom or entry.get("registered_name") in self.custom:
            cls = self.custom.get(kind) or self.custom[entry["registered_name"]]
            known = {k: v for k, v in config.items() if k not in _IGNORED}
            return cls.from_config(known) if hasattr(cls, "from_config") else cls(**known)
        if kind == "Sequential" or (kind in _FUNCTIONAL and "layers" in config):
            return self.model(entry)
        name = entry.get("name") or config.get("name")
        if kind == "Lambda":
            return self._lambda(name, config)
        if kind not in LAYERS or kind[0].islower():
            there = sorted(one for one in LAYERS if one[0].isupper())
            raise FileFormatError(
                f"{self.name}: layer {name!r} is a {kind}, which wordrow does not have. For a "
                f"class of your own: load_model(path, custom_objects={{{kind!r}: {kind}}}). "
                f"There is: {', '.join(there)}."
            )
        try:
            layer = LAYERS[kind](**self._layer_arguments(kind, config))
            if entry.get("wordrow_mask", "") in (None, "drop", "ignore"):  # a file of ours
                layer.mask = entry["wordrow_mask"]
                layer.says_that_it_drops = False
            elif "initial_state" in [key for node in entry.get("inbound_nodes", ())
                                     if isinstance(node, Mapping) and "mask" not in node["kwargs"]
                                     for key in node["kwargs"]]:  # fmt: skip
                layer.mask = "ignore"  # as Keras 3 does where a state is handed over
            return layer
        except FileFormatError:  # of a layer inside
            raise
        except (TypeError, ValueError) as error:
            raise FileFormatError(
                f"{self.name}: layer {name!r}, a {kind}, has arguments that are not here: {error}"
            ) from error

    def _lambda(self, name: Any, config: Mapping[str, Any]) -> Any:
        function = self.custom.get(name) or self.custom.get("Lambda")
        if function is None:
            raise FileFormatError(
                f"{self.name}: layer {name!r} is a Lambda, whose function is code, and code in "
                "files is never run. Give the function: load_model(path, custom_objects="
                f"{{{name!r}: lambda x: …}})."
            )
        return LAYERS["Lambda"](function, arguments=config.get("arguments"), name=name)

    def _layer_arguments(self, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in config.items():
            if key in _IGNORED:
                continue
            if key in _ONLY:
                if value not in _ONLY[key]:
                    raise ValueError(f"{key}={value!r}; it can be {_ONLY[key][-1]!r}.")
                continue
            found[key] = self._argument(key, value)
        if kind == "InputLayer" and isinstance(config.get("dtype"), str):
            found["dtype"] = config["dtype"]
        if kind in ("TextVectorization", "StringLookup") and not found.get("vocabulary"):
            base = "text_vectorization" if kind == "TextVectorization" else "string_lookup"
            places = sorted(place for place in self._vocabularies if place.startswith(base))
            if places:  # of several layers, each takes its own
                found["vocabulary"] = self._vocabularies.pop(places[0])
        if kind == "GRU" and "reset_after" not in found:
            found["reset_after"] = False  # as it was before there was a choice
        if kind == "BatchNormalization" and isinstance(found.get("axis"), list):
            (found["axis"],) = found["axis"]
        return found

    def _argument(self, key: str, value: Any) -> Any:
        if value is None:
            return None
        if key.endswith("_initializer") or key in ("init", "inner_init"):
            return _initializer(value)
        if key.endswith("_regularizer"):
            return _of(REGULARIZERS, value)
        if key.endswith("_constraint"):
            return _of(CONSTRAINTS, value)
        if key in ("layer", "backward_layer", "forward_layer"):
            return self.layer(value)
        if key.endswith("activation"):
            return self._function(value)
        return value

    def _function(self, value: Any) -> Any:
        """Return a function by name: one of the caller's, or the name itself."""
        if isinstance(value, Mapping):
            config = value.get("config")
            value = config if isinstance(config, str) else value["class_name"]
        if not isinstance(value, str):
            return value
        return self.custom.get(value, self._renamed.get(value, value))

    # ---- training -----------------------------------------------------------

    def compiled(self, config: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return the arguments of `compile`; None, with a warning, where they are not understood.

        config: a `.keras` file's compile_config, or an `.h5` file's training_config.
        """
        if not config or not (config.get("optimizer") or config.get("optimizer_config")):
            return None
        try:
            return {
                "optimizer": self.optimizer(config.get("optimizer") or config["optimizer_config"]),
                "loss": self._scores(config.get("loss"), MODULES["keras.losses"]),
                "metrics": self._scores(config.get("metrics"), MODULES["keras.metrics"]),
                "weighted_metrics": self._scores(
                    config.get("weighted_metrics"), MODULES["keras.metrics"]
                ),
                "loss_weights": config.get("loss_weights"),
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            warnings.warn(
                f"{self.name}: how the model was compiled is not understood ({error}): compile it "
                "again before training.",
                UserWarning,
                stacklevel=4,
            )
            return None

    def optimizer(self, entry: Any) -> Any:
        """Return the optimizer of a config or a name."""
        if isinstance(entry, str):
            return entry
        config = {k: v for k, v in entry["config"].items() if k not in _OF_OPTIMIZERS}
        rate = config.get("learning_rate", config.get("lr"))
        if isinstance(rate, Mapping):
            known = {k: v for k, v in rate["config"].items() if k != "name"}
            config["learning_rate"] = SCHEDULES.classes[rate["class_name"]](**known)
        kind = entry["class_name"].removeprefix("Custom>")  # as tf.keras named its own
        if kind not in MODULES["keras.optimizers"]:
            raise ValueError(f"the optimizer {kind!r} is not here")
        if config.get("weight_decay") is None:
            config.pop("weight_decay", None)
        return MODULES["keras.optimizers"][kind](**config)

    def _scores(self, value: Any, known: Mapping[str, Any]) -> Any:
        """Return losses or metrics: names, objects, or lists and dicts of them."""
        if isinstance(value, list | tuple):
            found = [self._scores(one, known) for one in value]
            flat = len(found) == 1 and isinstance(found[0], list)
            return found[0] if flat else found
        if not isinstance(value, Mapping):
            return self.custom.get(value, value) if isinstance(value, str) else value
        if "class_name" not in value:
            return {key: self._scores(one, known) for key, one in value.items()}
        kind, config = value["class_name"], value.get("config") or {}
        if isinstance(config, str) or kind == "function":
            return self._function(value)
        if kind in self.custom:
            return self.custom[kind](**config)
        fn = config.get("fn")
        if kind not in known or kind in ("MeanMetricWrapper", "LossFunctionWrapper"):
            if config.get("name") in ("accuracy", "acc"):  # chosen by the labels, as here
                return config["name"]
            if fn is None:
                raise ValueError(f"{kind!r} is not here")
            return self._function(fn)
        takes = inspect.signature(known[kind]).parameters
        ways = {"reduction", "dtype", "fn", "axis", "name", "summation_method"}
        said = [k for k, v in config.items() if v not in (None, False)]
        missing = sorted({*said} - {*takes} - ways)
        if missing:
            raise ValueError(f"{kind} has no argument {missing}")
        return known[kind](**{k: v for k, v in config.items() if k in takes and v is not None})


class _Operation:
    """A function on symbols that stands among the layers of a file."""

    def __init__(self, kind: str, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.kind, self.function, self.options = kind, function, options


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y, **_: x + y,
    "subtract": lambda x, y, **_: x - y,
    "multiply": lambda x, y, **_: x * y,
    "true_divide": lambda x, y, **_: x / y,
    "divide": lambda x, y, **_: x / y,
    "negative": lambda x, **_: -x,
    "power": lambda x, y, **_: x**y,
    "get_item": lambda x, key, **_: x[_slices(key)],
}
_RENAMED = {"reduce_mean": "mean", "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min",
            "concat": "concatenate", "amax": "max", "transpose": "permute_dimensions",
            "matmul": "dot", "__getitem__": "get_item", "mul": "multiply", "sub": "subtract",
            "truediv": "divide", "pow": "power", "neg": "negative"}  # fmt: skip


def _function_of(kind: str) -> Callable[..., Any]:
    name = _RENAMED.get(snake_case(kind), snake_case(kind))

    def missing(*given: Any, **options: Any) -> Any:
        raise ValueError(f"no function {name}")

    found: Callable[..., Any] = _OPERATORS.get(name) or FUNCTIONS.get(name) or missing
    return found


def _slices(key: Any) -> Any:
    """Return what a place was asked for by: slices are written down as their three numbers."""
    if isinstance(key, Mapping):
        config = key.get("config", key)
        if key.get("class_name") == "slice" and isinstance(config, list):
            return slice(*config)
        return slice(config.get("start"), config.get("stop"), config.get("step"))
    if isinstance(key, list | tuple):
        return tuple(_slices(one) for one in key)
    return Ellipsis if key == "Ellipsis" else key


def _arguments(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return (arguments, options) of a call, as Keras 3 or 2 writes it down.

    Keras 2: for each thing that is taken [layer, call, number, options].
    """
    if isinstance(node, Mapping):
        return list(node.get("args", ())), dict(node.get("kwargs", {}))
    if isinstance(node[0], str):
        node = [node]
    taken = [_Place(one[:3]) if isinstance(one[0], str) and one[0] != "_CONSTANT_VALUE"
             else one[-1] for one in node]  # fmt: skip
    options = dict(node[0][3]) if len(node[0]) > 3 else {}
    return [taken if len(taken) > 1 else taken[0]], {k: _places(v) for k, v in options.items()}


class _Place(tuple):  # type: ignore[type-arg]
    """[layer, call, number]: where something comes from."""


def _places(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    is_place = len(value) >= 3 and isinstance(value[0], str)
    if is_place and all(isinstance(n, int) for n in value[1:3]):
        return _Place(value[:3])
    return [_places(one) for one in value]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _sources(value: Any) -> Iterator[str]:
    """Yield the names of the layers that something comes from."""
    if isinstance(value, _Place):
        yield value[0]
    elif _is_tensor(value):
        yield value["config"]["keras_history"][0]
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _sources(one)


def _first_calls(calls: Sequence[Any], ends: Any) -> dict[str, int]:
    """Return the lowest number by which the calls of each layer are referred to."""
    found: dict[str, int] = {}
    stack: list[Any] = [calls, _places(ends) if isinstance(ends, list) else list(ends.values())]
    while stack:
        value = stack.pop()
        if _is_tensor(value):
            value = _Place(value["config"]["keras_history"])
        elif isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, _Place):
            found[value[0]] = min(found.get(value[0], value[1]), value[1])
        elif isinstance(value, list | tuple):
            stack += value
    return found


def _filled(value: Any, made: Mapping[tuple[str, int, int], Any]) -> Any:
    """Return arguments with the symbols in their places."""
    if isinstance(value, _Place):
        return _taken(made, value)
    if _is_tensor(value):
        return _taken(made, value["config"]["keras_history"])
    if isinstance(value, Mapping):
        return value if "class_name" in value else {k: _filled(v, made) for k, v in value.items()}
    return [_filled(one, made) for one in value] if isinstance(value, list | tuple) else value


def _taken(made: Mapping[tuple[str, int, int], Any], place: Sequence[Any]) -> Symbol:
    key = place[0], place[1], place[2]
    if key not in made:
        raise _NotYetError(repr(place[0]))
    found: Symbol = made[key]
    return found


def _initializer(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    known, kind = MODULES["keras.initializers"], value["class_name"]
    if kind not in known:
        return "zeros"  # the weights come from the file
    dropped = ("seed", "dtype", "input_axes", "output_axes")
    return known[kind](**{k: v for k, v in value["config"].items() if k not in dropped})


def _of(family: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and value["class_name"] not in family.classes:
        value = value["config"] if isinstance(value.get("config"), str) else value["class_name"]
    found = family.get(value)
    if isinstance(found, Layer | Name):
        raise ValueError(f"{show(value)} is not one of {sorted(family.classes)}")
    return found
