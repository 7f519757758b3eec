"""The arguments of `compile` from a file's config."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

from wordrow.keras._config.context import Config, Context
from wordrow.keras._families import LOSSES, METRICS, OPTIMIZERS
from wordrow.keras._versions import unseen
from wordrow.nn.optimizers.schedules import SCHEDULES

__all__ = ["CompileReader"]

_IGNORED_OF_OPTIMIZERS = {  # without effect here, or said by other arguments
    "use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile", "loss_scale_factor",
    "gradient_accumulation_steps", "is_legacy_optimizer", "initial_decay", "dtype",
}  # fmt: skip
_IGNORED_OF_SCORES = {"reduction", "dtype", "fn", "axis", "name", "summation_method"}
_FUNCTION_WRAPPERS = ("MeanMetricWrapper", "LossFunctionWrapper")


class CompileReader:
    """Reads a `.keras` file's compile_config, or an `.h5` file's training_config."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def arguments(self, config: Config | None) -> dict[str, Any] | None:
        """Return the arguments of `compile`, or None.

        Warns where a config has something that is not supported.
        """
        if not config:
            return None
        optimizer = config.get("optimizer") or config.get("optimizer_config")
        if not optimizer:
            return None
        try:
            return {
                "optimizer": self._optimizer(optimizer),
                "loss": self._scores(config.get("loss"), LOSSES),
                "metrics": self._scores(config.get("metrics"), METRICS),
                "weighted_metrics": self._scores(config.get("weighted_metrics"), METRICS),
                "loss_weights": config.get("loss_weights"),
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            warnings.warn(
                f"{self._context.file_name}: the arguments of compile cannot be restored "
                f"({error}). Compile the model again before training.",
                UserWarning,
                stacklevel=4,
            )
            return None

    def _optimizer(self, entry: Any) -> Any:
        """Return the optimizer of a config, or its name."""
        if isinstance(entry, str):
            return entry
        config = {k: v for k, v in entry["config"].items() if k not in _IGNORED_OF_OPTIMIZERS}
        rate = config.get("learning_rate", config.get("lr"))
        if isinstance(rate, Mapping):
            options = {k: v for k, v in rate["config"].items() if k != "name"}
            config["learning_rate"] = SCHEDULES.classes[rate["class_name"]](**options)
        kind = entry["class_name"].removeprefix("Custom>")  # tf.keras registered its own so
        if kind not in OPTIMIZERS:
            raise ValueError(f"the optimizer {kind!r} is not supported")
        if config.get("weight_decay") is None:
            config.pop("weight_decay", None)
        with unseen():
            return OPTIMIZERS[kind](**config)

    def _scores(self, value: Any, known: Mapping[str, Any]) -> Any:
        """Return losses or metrics: names, objects, or lists and dicts of them."""
        if isinstance(value, list | tuple):
            found = [self._scores(one, known) for one in value]
            is_nested = len(found) == 1 and isinstance(found[0], list)
            return found[0] if is_nested else found
        if isinstance(value, str):
            return self._context.custom_objects.get(value, value)
        if not isinstance(value, Mapping):
            return value
        if "class_name" not in value:
            return {key: self._scores(one, known) for key, one in value.items()}
        return self._score(value, known)

    def _score(self, entry: Config, known: Mapping[str, Any]) -> Any:
        """Return the loss or metric of {"class_name", "config"}."""
        kind, config = entry["class_name"], entry.get("config") or {}
        if isinstance(config, str) or kind == "function":
            return self._context.function(entry)
        if kind in self._context.custom_objects:
            return self._context.custom_objects[kind](**config)
        if kind not in known or kind in _FUNCTION_WRAPPERS:
            if config.get("name") in ("accuracy", "acc"):  # which one depends on the labels
                return config["name"]
            if (function := config.get("fn")) is None:
                raise ValueError(f"{kind!r} is not supported")
            return self._context.function(function)
        parameters = inspect.signature(known[kind]).parameters
        used = {k for k, v in config.items() if v not in (None, False)}
        if unknown := sorted(used - {*parameters} - _IGNORED_OF_SCORES):
            raise ValueError(f"{kind} has no argument {unknown}")
        return known[kind](**{k: v for k, v in config.items() if k in parameters and v is not None})
