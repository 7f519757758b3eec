"""The arguments of `compile` as a file's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wordrow.keras._config.entry import Entry, Style, entry_of
from wordrow.nn.functions.losses import LOSSES
from wordrow.nn.model.model import Model
from wordrow.nn.model.saving import compile_config

__all__ = ["compile_entry"]

_KERAS_CLASSES = {"LazyAdam": "Adam", "LazyRMSprop": "RMSprop"}


def compile_entry(model: Model, style: Style) -> Entry | None:
    """Return the arguments of `compile`; None for a model that is not compiled, or cannot say."""
    config = compile_config(model, names=True)
    if config is None:
        return None
    return {
        "optimizer": _optimizer(config["optimizer"], style),
        "loss": _scores(config["loss"], "keras.losses", style),
        "metrics": _scores(config["metrics"], "keras.metrics", style),
        "weighted_metrics": _scores(config["weighted_metrics"], "keras.metrics", style),
        "loss_weights": config["loss_weights"],
    }


def _optimizer(entry: Mapping[str, Any], style: Style) -> Entry:
    config = {k: v for k, v in entry["config"].items() if k != "decay" and v is not None}
    if decay := entry["config"].get("decay"):  # in Keras 3 a schedule
        schedule = {
            "initial_learning_rate": config["learning_rate"],
            "decay_steps": 1,
            "decay_rate": decay,
            "staircase": False,
        }
        config["learning_rate"] = {"class_name": "InverseTimeDecay", "config": schedule}
    rate = config["learning_rate"]
    if isinstance(rate, Mapping):
        config["learning_rate"] = entry_of(
            rate["class_name"], dict(rate["config"]), "keras.optimizers.schedules", style
        )
    kind = _KERAS_CLASSES.get(entry["class_name"], entry["class_name"])
    return entry_of(kind, config, "keras.optimizers", style)


def _scores(value: Any, module: str, style: Style) -> Any:
    """Return losses or metrics: names, entries, or lists and dicts of them."""
    if isinstance(value, Mapping) and "class_name" in value:
        return entry_of(value["class_name"], dict(value["config"]), module, style)
    if isinstance(value, Mapping):
        return {name: _scores(one, module, style) for name, one in value.items()}
    if isinstance(value, list):
        return [_scores(one, module, style) for one in value]
    if module != "keras.losses":
        return value
    return getattr(LOSSES.names.get(value), "__name__", value)  # Keras wants no "mse" in a file
