"""Keras's initializers, regularizers, optimizers and so on: one table of names per family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wordrow.arguments import whole_number
from wordrow.keras._alias import Alias
from wordrow.nn import callbacks, metrics, optimizers
from wordrow.nn.functions import activations, constraints, initializers, losses, regularizers
from wordrow.nn.optimizers import schedules
from wordrow.nn.registry import Registry

__all__ = [
    "ACTIVATIONS",
    "CALLBACKS",
    "CONSTRAINTS",
    "INITIALIZERS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "REGULARIZERS",
    "SCHEDULES",
]

Names = dict[str, Any]


def _converters(family: Registry) -> Names:
    """Return Keras's functions from names and configs to objects, and back."""

    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        name = config if isinstance(config, str) else ""
        return (custom_objects or {}).get(name) or family.get(config)

    def get(identifier: Any) -> Any:
        return None if identifier is None else family.get(identifier)

    return {"get": get, "serialize": family.config, "deserialize": deserialize}


def _initializers() -> Names:
    family = initializers.INITIALIZERS
    ignored = {"seed": None, "dtype": None}
    found: Names = {name: Alias(cls, renames=ignored) for name, cls in family.classes.items()}

    def factory(initializer: Any) -> Callable[..., Any]:
        return lambda *seed, **options: initializer

    for name, initializer in family.names.items():
        if isinstance(initializer, initializers.VarianceScaling):
            camel = "".join(part.capitalize() for part in name.split("_"))
            found[name] = found[camel] = factory(initializer)
    found["Zeros"] = found["zeros"] = factory(family.names["zeros"])
    found["Ones"] = found["ones"] = factory(family.names["ones"])
    old = {
        "constant": "Constant", "orthogonal": "Orthogonal", "identity": "Identity",
        "uniform": "RandomUniform", "normal": "RandomNormal", "random_uniform": "RandomUniform",
        "random_normal": "RandomNormal", "truncated_normal": "TruncatedNormal",
        "IdentityInitializer": "Identity", "OrthogonalInitializer": "Orthogonal",
    }  # fmt: skip
    found |= {name: found[ours] for name, ours in old.items()}
    return found | {"Initializer": object} | _converters(family)


def _regularizers() -> Names:
    def l1(l1: float = 0.01, l: float | None = None) -> Any:  # noqa: E741
        """Return the penalty l1 * sum |w|."""
        return regularizers.L1(l1 if l is None else l)

    def l2(l2: float = 0.01, l: float | None = None) -> Any:  # noqa: E741
        """Return the penalty l2 * sum w ** 2."""
        return regularizers.L2(l2 if l is None else l)

    def l1_l2(l1: float = 0.01, l2: float = 0.01) -> Any:
        """Return the sum of both penalties."""
        return regularizers.L1L2(l1, l2)

    functions: Names = {"l1": l1, "l2": l2, "l1_l2": l1_l2, "l1l2": l1_l2}
    family = regularizers.REGULARIZERS
    return dict(family.classes) | functions | _converters(family)


def _constraints() -> Names:
    family = constraints.CONSTRAINTS
    renames = {"m": "max_value"}
    found: Names = {name: Alias(cls, renames=renames) for name, cls in family.classes.items()}
    old = {
        "max_norm": "MaxNorm",
        "maxnorm": "MaxNorm",
        "non_neg": "NonNeg",
        "nonneg": "NonNeg",
        "unit_norm": "UnitNorm",
        "unitnorm": "UnitNorm",
        "min_max_norm": "MinMaxNorm",
    }
    return found | {name: found[ours] for name, ours in old.items()} | _converters(family)


def _optimizers() -> Names:
    renames = {
        "lr": "learning_rate",
        "schedule_decay": None,
        "use_ema": None,
        "ema_momentum": None,
        "jit_compile": None,
    }
    default_epsilon = {"epsilon": lambda value: 1e-7 if value is None else value}
    family = optimizers.OPTIMIZERS
    found: Names = {
        name: Alias(cls, renames=renames, converters=default_epsilon)
        for name, cls in family.classes.items()
        if name[0].isupper()
    }
    old = {"rmsprop": found["RMSprop"], "adam": found["Adam"], "sgd": found["SGD"]}
    return found | old | {"Optimizer": optimizers.Optimizer} | _converters(family)


def _functions_and_classes(family: Registry) -> Names:
    classes = {name: cls for name, cls in family.classes.items() if name[0].isupper()}
    return dict(family.names) | classes | _converters(family)


def _callbacks() -> Names:
    found: Names = {
        name: getattr(callbacks, name) for name in callbacks.__all__ if name != "Callbacks"
    }
    renames: dict[str, dict[str, str | None]] = {
        "ModelCheckpoint": {"save_best": "save_best_only"},
        "ReduceLROnPlateau": {"epsilon": "min_delta"},
        "TensorBoard": dict.fromkeys(
            ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")
        ),
    }

    def with_period(checkpoint: Any, period: int = 1) -> Any:
        checkpoint.period = whole_number("period", period)
        return checkpoint

    finishing: Names = {"ModelCheckpoint": {"withheld": ("period",), "finish": with_period}}
    return found | {
        name: Alias(found[name], renames=old, **finishing.get(name, {}))
        for name, old in renames.items()
    }


ACTIVATIONS: Names = (
    activations.ACTIVATIONS.names
    | _converters(activations.ACTIVATIONS)
    | {"get": activations.get_activation}
)
CALLBACKS = _callbacks()
CONSTRAINTS = _constraints()
INITIALIZERS = _initializers()
LOSSES = _functions_and_classes(losses.LOSSES) | {"Loss": losses.Loss}
METRICS: Names = _functions_and_classes(metrics.METRICS) | {
    "Mean": metrics.MeanMetric,
    "Metric": metrics.Metric,
    "MeanMetricWrapper": metrics.MeanMetric,
}
REGULARIZERS = _regularizers()
SCHEDULES: Names = {
    name: cls for name, cls in schedules.SCHEDULES.classes.items() if name[0].isupper()
}
OPTIMIZERS: Names = _optimizers() | SCHEDULES
