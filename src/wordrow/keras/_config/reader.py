"""Layers and models from the configs of Keras 1, 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wordrow.errors import FileFormatError, show
from wordrow.keras._alias import Alias
from wordrow.keras._config.context import Config, Context
from wordrow.keras._config.graph_reader import GraphReader
from wordrow.keras._families import INITIALIZERS
from wordrow.keras._layers import LAYERS
from wordrow.keras._versions import unseen
from wordrow.nn.functions.constraints import CONSTRAINTS
from wordrow.nn.functions.regularizers import REGULARIZERS
from wordrow.nn.layers import Layer
from wordrow.nn.model.sequential import Sequential
from wordrow.nn.registry import Registry

__all__ = ["Reader"]

# Arguments without effect here: dtypes, implementation hints.
_IGNORED = {
    "dtype", "quantization_config", "dynamic", "sparse", "ragged", "optional", "autocast",
    "synchronized", "lora_rank", "lora_alpha", "flash_attention",
    "batch_size", "input_dtype", "renorm_momentum", "forget_bias_init",
    "query_shape", "key_shape", "value_shape", "softmax_robust_masking", "vocabulary_size", "salt",
}  # fmt: skip
# Arguments that must have one of these values, since wordrow supports no other.
_SUPPORTED_VALUES: dict[str, tuple[Any, ...]] = {
    "use_gate": (None, False), "sliding_window": (None,), "attention_axes": (None, [1], [-2], 1),
    "rms_scaling": (None, False), "time_major": (None, False), "virtual_batch_size": (None,),
    "renorm": (None, False), "renorm_clipping": (None,), "fused": (None, False, True),
    "adjustment": (None,),
}  # fmt: skip
_FUNCTIONAL = ("Functional", "Model")
_VOCABULARY_GROUPS = {"TextVectorization": "text_vectorization", "StringLookup": "string_lookup"}


class Reader:
    """Builds models of configs.

    vocabularies: of text layers, which files hold apart from the config, by their group there.
    """

    def __init__(
        self,
        file_name: str,
        custom_objects: Mapping[str, Any] | None = None,
        keras_version: str = "3",
        vocabularies: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.context = Context(file_name, dict(custom_objects or {}), keras_version)
        self._vocabularies = dict(vocabularies or {})

    def model(self, entry: Config) -> Any:
        """Return the model of {"class_name", "config"}, with new weights."""
        kind, config = entry["class_name"], entry["config"]
        if kind == "Sequential":
            return self._sequential(config)
        if kind in _FUNCTIONAL or "input_layers" in config:
            return GraphReader(self.context, self.layer).read(config)
        raise FileFormatError(
            f"{self.context.file_name}: expected a Sequential or functional model, received a "
            f"model of the class {kind!r}, whose code is not in the file. Create the model from "
            "its class, and call load_weights."
        )

    def _sequential(self, config: Any) -> Sequential:
        if isinstance(config, list):  # Keras 1 and early Keras 2
            config = {"layers": config}
        model = Sequential(name=config.get("name"))
        for entry in config["layers"]:
            model.add(self.layer(entry))
        shape = config.get("build_input_shape")
        if not model.built and shape and not isinstance(shape, Mapping):
            model.build(tuple(shape))
        return model

    def layer(self, entry: Config) -> Any:
        """Return the layer, or inner model, of {"class_name", "config"}.

        Raises FileFormatError, with the layer's name, for an unknown class or argument.
        """
        kind, config = entry["class_name"], entry["config"]
        custom, file_name = self.context.custom_objects, self.context.file_name
        if kind in custom or entry.get("registered_name") in custom:
            cls = custom.get(kind) or custom[entry["registered_name"]]
            known = {k: v for k, v in config.items() if k not in _IGNORED}
            return cls.from_config(known) if hasattr(cls, "from_config") else cls(**known)
        if kind == "Sequential" or (kind in _FUNCTIONAL and "layers" in config):
            return self.model(entry)
        name = entry.get("name") or config.get("name")
        if kind == "Lambda":
            return self._lambda(name, config)
        if kind not in LAYERS or kind[0].islower():
            supported = sorted(known for known in LAYERS if known[0].isupper())
            raise FileFormatError(
                f"{file_name}: layer {name!r} is a {kind}, which wordrow does not have. For a "
                f"custom class, use load_model(path, custom_objects={{{kind!r}: {kind}}}). "
                f"Available layers: {', '.join(supported)}."
            )
        try:
            with unseen():
                layer = LAYERS[kind](**self._layer_arguments(kind, config))
        except FileFormatError:  # of a layer inside
            raise
        except (TypeError, ValueError) as error:
            raise FileFormatError(
                f"{file_name}: layer {name!r}, a {kind}, has unsupported arguments: {error}"
            ) from error
        _set_mask_behavior(layer, entry)
        return layer

    def _lambda(self, name: str | None, config: Config) -> Any:
        custom = self.context.custom_objects
        function = custom.get(name or "") or custom.get("Lambda")
        if function is None:
            raise FileFormatError(
                f"{self.context.file_name}: layer {name!r} is a Lambda, and code in files is never "
                "run. Pass its function: load_model(path, custom_objects="
                f"{{{name!r}: lambda x: …}})."
            )
        return LAYERS["Lambda"](function, arguments=config.get("arguments"), name=name)

    def _layer_arguments(self, kind: str, config: Config) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in config.items():
            if key in _IGNORED:
                continue
            if key in _SUPPORTED_VALUES:
                supported = _SUPPORTED_VALUES[key]
                if value not in supported:
                    raise ValueError(f"{key}={value!r}; it must be {supported[-1]!r}.")
                continue
            found[key] = self._argument(key, value)
        if kind == "InputLayer" and isinstance(config.get("dtype"), str):
            found["dtype"] = config["dtype"]
        if kind in _VOCABULARY_GROUPS and not found.get("vocabulary"):
            group = _VOCABULARY_GROUPS[kind]
            groups = sorted(one for one in self._vocabularies if one.startswith(group))
            if groups:  # several layers take theirs in order
                found["vocabulary"] = self._vocabularies.pop(groups[0])
        if kind == "GRU" and "reset_after" not in found:
            found["reset_after"] = False  # the only variant before the argument existed
        if kind == "BatchNormalization" and isinstance(found.get("axis"), list):
            (found["axis"],) = found["axis"]
        return found

    def _argument(self, key: str, value: Any) -> Any:
        if value is None:
            return None
        if key.endswith("_initializer") or key in ("init", "inner_init"):
            return _initializer(value)
        if key.endswith("_regularizer"):
            return _member(REGULARIZERS, value)
        if key.endswith("_constraint"):
            return _member(CONSTRAINTS, value)
        if key in ("layer", "backward_layer", "forward_layer", "cell"):
            return self.layer(value)
        if key == "cells":
            return [self.layer(one) for one in value]
        if key.endswith("activation"):
            return self.context.function(value)
        return value


def _set_mask_behavior(layer: Any, entry: Config) -> None:
    """Make a layer treat masks as the file's author had it: wordrow's own, or Keras's."""
    if entry.get("wordrow_mask", "") in (None, "drop", "ignore", "keras"):  # written by wordrow
        layer.mask = entry["wordrow_mask"]
        layer.warns_of_dropped_mask = False
        return
    nodes = [node for node in entry.get("inbound_nodes", ()) if isinstance(node, Mapping)]
    if any("initial_state" in n["kwargs"] and "mask" not in n["kwargs"] for n in nodes):
        layer.mask = "ignore"  # Keras 3 loses the mask where a state is passed


def _initializer(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    kind = value["class_name"]
    if kind not in INITIALIZERS:
        return "zeros"  # the file's weights replace them
    ignored = ("seed", "dtype", "input_axes", "output_axes")
    return INITIALIZERS[kind](**{k: v for k, v in value["config"].items() if k not in ignored})


def _member(family: Registry, value: Any) -> Any:
    """Return a regularizer or constraint by name or config."""
    if isinstance(value, Mapping) and value["class_name"] not in family.classes:
        value = value["config"] if isinstance(value.get("config"), str) else value["class_name"]
    found = family.get(value)
    if isinstance(found, Layer | Alias):
        raise ValueError(f"{show(value)} is not one of {sorted(family.classes)}")
    return found
