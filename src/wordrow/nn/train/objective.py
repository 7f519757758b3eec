"""What `compile` says, made to fit a model's outputs: losses, metrics, and their names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn import metrics
from wordrow.nn.data.inputs import Data
from wordrow.nn.functions import losses
from wordrow.nn.functions.activations import ACTIVATIONS
from wordrow.nn.functions.losses import LOSSES
from wordrow.nn.graph.graph import Graph
from wordrow.nn.metrics import METRICS, MeanMetric, Metric
from wordrow.nn.ops import namespace, with_axes

__all__ = ["Objective", "either_accuracy", "objective_of"]

_SPARSE = (losses.sparse_categorical_crossentropy, losses.SparseCategoricalCrossentropy)
_CATEGORICAL = (losses.categorical_crossentropy, losses.CategoricalCrossentropy)
_BINARY = (losses.binary_crossentropy, losses.BinaryCrossentropy)


@dataclass(frozen=True, kw_only=True)
class Output:
    """One output of a model: its loss, how much it counts, and its metrics."""

    name: str
    loss: Any
    weight: float
    metrics: tuple[Metric, ...]
    weighted_metrics: tuple[Metric, ...]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The loss of a model and what is counted meanwhile, as pure functions."""

    outputs: tuple[Output, ...]

    @property
    def is_custom(self) -> bool:
        """Whether a loss or a metric is user-defined, so that it may look at a whole batch."""
        return any(
            not _is_known_loss(output.loss)
            or not all(map(_is_known_metric, (*output.metrics, *output.weighted_metrics)))
            for output in self.outputs
        )

    def loss(
        self,
        y_true: Sequence[Any],
        y_pred: Sequence[Any],
        masks: Sequence[Any],
        weights: Sequence[Any],
        valid: Any,
    ) -> tuple[Any, list[Any]]:
        """Return (loss, loss of each output): means over what is valid, [B], and not masked."""
        parts = []
        for output, y, p, mask, weight in zip(
            self.outputs, y_true, y_pred, masks, weights, strict=True
        ):
            values, is_mean = _per_example(output, y, p)
            counts = with_axes(valid, values.ndim)
            if mask is not None:
                axes = range(values.ndim, mask.ndim)  # of a loss that takes steps together
                counts = counts * with_axes(mask.all(axis=tuple(axes)), values.ndim)
            counts = namespace(values).broadcast_to(counts, values.shape)
            weighted = values * counts
            if weight is not None:
                weighted = weighted * with_axes(weight, values.ndim)
            total = counts.sum() if is_mean else namespace(values).ones(())
            parts.append(weighted.sum() / namespace(total).where(total > 0, total, 1))
        return sum(o.weight * part for o, part in zip(self.outputs, parts, strict=True)), parts

    def init(self) -> dict[str, Any]:
        """Return totals in which nothing is counted."""
        totals: dict[str, Any] = {"loss": _nothing()}
        for output in self.outputs:
            if len(self.outputs) > 1:
                totals[f"{output.name}_loss"] = _nothing()
            for metric in (*output.metrics, *output.weighted_metrics):
                totals[self._key(output, metric)] = metric.init()
        return totals

    def count(
        self,
        totals: dict[str, Any],
        loss: Any,
        parts: Sequence[Any],
        y_true: Sequence[Any],
        y_pred: Sequence[Any],
        masks: Sequence[Any],
        weights: Sequence[Any],
        valid: Any,
    ) -> dict[str, Any]:
        """Return totals with a batch counted."""
        n = valid.sum()
        new = {"loss": _plus(totals["loss"], loss, n)}
        for output, part, y, p, mask, weight in zip(
            self.outputs, parts, y_true, y_pred, masks, weights, strict=True
        ):
            if len(self.outputs) > 1:
                new[f"{output.name}_loss"] = _plus(totals[f"{output.name}_loss"], part, n)
            plain = valid if mask is None else mask * with_axes(valid, mask.ndim)
            full = plain
            if weight is not None:
                n_axes = max(plain.ndim, weight.ndim)
                full = with_axes(plain, n_axes) * with_axes(weight, n_axes)
            pairs = [(m, plain) for m in output.metrics]
            pairs += [(m, full) for m in output.weighted_metrics]
            for metric, share in pairs:
                key = self._key(output, metric)
                new[key] = metric.update(totals[key], y, p, share)
        return new

    def results(self, totals: Mapping[str, Any]) -> dict[str, float]:
        """Return what totals come to, by the names of Keras's logs."""
        parts = [f"{output.name}_loss" for output in self.outputs if len(self.outputs) > 1]
        numbers = {name: _mean(totals[name]) for name in ("loss", *parts)}
        for output in self.outputs:
            for metric in (*output.metrics, *output.weighted_metrics):
                key = self._key(output, metric)
                state = {k: np.asarray(v, np.float64) for k, v in totals[key].items()}
                numbers[key] = float(metric.result(state))
        return numbers

    def _key(self, output: Output, metric: Metric) -> str:
        return metric.name if len(self.outputs) == 1 else f"{output.name}_{metric.name}"

    def check(self, data: Data, shapes: Sequence[Any]) -> list[npt.NDArray[Any]]:
        """Return the labels in the shape that the losses take.

        Raises ValueError for labels or weights of another shape, or labels outside the classes.
        """
        for output, weight, shape in zip(self.outputs, data.weights, shapes, strict=True):
            if weight is None or weight.ndim == 1:
                continue
            if len(shape) < 3 or shape[1] not in (None, weight.shape[1]):
                raise ValueError(
                    f"sample weights of shape {weight.shape} are one for each step, and output "
                    f"{output.name!r} has the shape {shape}. Give one for each example: (B,)."
                )
        return [
            _fitted(output, label, shape)
            for output, label, shape in zip(self.outputs, data.labels, shapes, strict=True)
        ]


def objective_of(
    graph: Graph,
    names: Sequence[str],
    *,
    loss: Any,
    metrics: Any,
    weighted_metrics: Any,
    loss_weights: Any,
) -> Objective:
    """Return the objective of a compiled model.

    Raises ValueError for unknown names, and where a list or dict does not fit
    the outputs. Warns where a loss does not fit the last activation.
    """
    given_losses = _by_output(loss, names, "loss")
    weights = _by_output(loss_weights, names, "loss_weights")
    plain, weighted = (_metrics_by_output(m, names) for m in (metrics, weighted_metrics))
    if all(one is None for one in given_losses):
        raise ValueError(
            "the model has no loss: compile it with one, for example "
            "compile('adam', 'binary_crossentropy', metrics=['accuracy'])."
        )
    outputs, taken = [], set()
    for i, name in enumerate(names):
        layer = graph.nodes[graph.outputs[i][0]].layer
        spec = layer.output_spec
        shape = (spec[graph.outputs[i][1]] if isinstance(spec, list) else spec).shape
        function = _loss(given_losses[i])
        _warn_of_misfit(function, layer)
        found = [tuple(_metric(m, function, shape) for m in ms) for ms in (plain[i], weighted[i])]
        for metric in (*found[0], *found[1]):
            base, number = metric.name, 1
            while (i, metric.name) in taken or metric.name == "loss":
                metric.name, number = f"{base}_{number}", number + 1
            taken.add((i, metric.name))
        weight = 1.0 if weights[i] is None else float(weights[i])
        outputs.append(
            Output(
                name=name,
                loss=function,
                weight=weight,
                metrics=found[0],
                weighted_metrics=found[1],
            )
        )
    return Objective(outputs=tuple(outputs))


def _by_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    if isinstance(given, Mapping) and "class_name" not in given:
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise ValueError(f"`{what}` has {unknown}; the outputs are called {list(names)}.")
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple):
        if len(given) != len(names):
            raise ValueError(
                f"`{what}` has {len(given)} entries; the model has {len(names)} outputs, "
                f"{list(names)}."
            )
        return list(given)
    return [given] * len(names)


def _metrics_by_output(given: Any, names: Sequence[str]) -> list[list[Any]]:
    if given is None:
        return [[] for _ in names]
    if isinstance(given, Mapping) and "class_name" not in given:
        found = _by_output(given, names, "metrics")
    elif isinstance(given, list | tuple):
        nested = (
            len(names) > 1
            and len(given) == len(names)
            and any(isinstance(one, list | tuple) for one in given)
        )
        found = list(given) if nested else [list(given)] * len(names)
    else:
        found = [given] * len(names)
    return [_as_list(one) for one in found]


def _as_list(one: Any) -> list[Any]:
    if one is None:
        return []
    return list(one) if isinstance(one, list | tuple) else [one]


def _loss(given: Any) -> Any:
    return None if given is None else LOSSES.get(given)


def _metric(given: Any, loss: Any, shape: Any) -> Metric:
    """Return a metric under the name that Keras's history gives it."""
    if isinstance(given, str) and given in ("accuracy", "acc"):
        if shape[-1] == 1:
            return metrics.BinaryAccuracy(given)
        if _is(loss, _SPARSE):
            return metrics.SparseCategoricalAccuracy(given)
        return MeanMetric(either_accuracy, given)
    found = METRICS.get(given)
    if isinstance(found, Metric):
        if isinstance(found, metrics.FBetaScore | metrics.R2Score):
            found.fit_outputs(shape[-1])
        if isinstance(given, str):
            found.name = given
        return found
    return MeanMetric(found, given if isinstance(given, str) else None)


def either_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return categorical accuracy, sparse where the labels are numbers of classes."""
    sparse = y_true.ndim < y_pred.ndim or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1)
    function = metrics.sparse_categorical_accuracy if sparse else metrics.categorical_accuracy
    return function(y_true, y_pred)


def _is_known_loss(loss: Any) -> bool:
    return (
        loss is None
        or any(loss is function for function in LOSSES.names.values())
        or type(loss) in LOSSES.classes.values()
    )


def _is_known_metric(metric: Metric) -> bool:
    if type(metric) is not MeanMetric:
        return type(metric) in METRICS.classes.values()
    known = (either_accuracy, *METRICS.names.values())
    return any(metric.function is function for function in known)


def _is(loss: Any, kind: tuple[Any, Any]) -> bool:
    return loss is kind[0] or isinstance(loss, kind[1])


def _warn_of_misfit(loss: Any, layer: Any) -> None:
    activation = getattr(layer, "activation", None)
    if activation is None or loss is None:
        return
    name, logits = ACTIVATIONS.name(activation), getattr(loss, "from_logits", False)
    crossentropy = _is(loss, _BINARY) or _is(loss, _CATEGORICAL) or _is(loss, _SPARSE)
    wanted = "sigmoid" if _is(loss, _BINARY) else "softmax"
    units = layer.output_spec.shape[-1]
    if crossentropy and logits and name in ("sigmoid", "softmax"):
        problem = f"ends with {name!r}, and the loss has from_logits=True. Drop one of the two."
    elif crossentropy and not logits and name in ("linear", "relu", "tanh", "selu", "elu"):
        problem = (
            f"ends with {name!r}, and the loss needs probabilities. Use activation={wanted!r}, or "
            "the loss's class with from_logits=True."
        )
    elif crossentropy and units == 1 and (name == "softmax" or not _is(loss, _BINARY)):
        problem = (
            "has 1 unit, whose softmax is always 1. Use activation='sigmoid' and "
            "'binary_crossentropy', or a unit for each class."
        )
    else:
        return
    warnings.warn(f"layer {layer.name!r} {problem}", UserWarning, stacklevel=4)


def _fitted(output: Output, label: npt.NDArray[Any], shape: Any) -> npt.NDArray[Any]:
    """Return labels as the loss takes them: shape is that of the output, None for any length."""
    if output.loss is None:
        return label
    if _is(output.loss, _SPARSE):
        return _class_numbers(output, label, shape)
    if label.ndim == len(shape) - 1 and shape[-1] == 1:
        label = label[..., None]
    fits = label.ndim == len(shape) and all(
        want is None or got == want for got, want in zip(label.shape[1:], shape[1:], strict=True)
    )
    if not fits and _is_known_loss(output.loss):
        hint = "Give labels of that shape."
        if label.ndim == len(shape) - 1 or label.shape[-1] == 1:
            hint = (
                "For numbers of classes use loss='sparse_categorical_crossentropy', or "
                "to_categorical(y)."
            )
        raise ValueError(
            f"output {output.name!r} has the shape {shape}, and its loss takes labels of the same "
            f"one; received {label.shape}. {hint}"
        )
    if _is(output.loss, _BINARY) or _is(output.loss, _CATEGORICAL):
        _check_shares(output, label)
    return label.astype(np.float32)


def _check_shares(output: Output, label: npt.NDArray[Any]) -> None:
    if label.size and (label.min() < 0 or label.max() > 1):
        where = np.argwhere((label < 0) | (label > 1))[0]
        raise ValueError(
            f"the labels of output {output.name!r} must be from 0 to 1 for this loss; example "
            f"{where[0]} has {label[tuple(where)]}. Use 0 and 1; for hinge, -1 and 1."
        )


def _class_numbers(output: Output, label: npt.NDArray[Any], shape: Any) -> npt.NDArray[Any]:
    if label.ndim == len(shape) and label.shape[-1] == 1:
        label = label[..., 0]
    if label.ndim != len(shape) - 1:
        raise ValueError(
            f"output {output.name!r} has the shape {shape}, and its loss takes one number of a "
            f"class for each; received labels of shape {label.shape}. For rows of zeros with a "
            "one use loss='categorical_crossentropy'."
        )
    numbers = label.astype(np.int32)
    wrong = (numbers != label) | (numbers < 0) | (numbers >= shape[-1])
    if wrong.any():
        where = tuple(np.argwhere(wrong)[0])
        raise ValueError(
            f"the labels of output {output.name!r} must be whole numbers from 0 to "
            f"{shape[-1] - 1}, one for each of its {shape[-1]} units; example {where[0]} has "
            f"{label[where]}. Give the last layer a unit for each class, and number them from 0."
        )
    return numbers


def _per_example(output: Output, y: Any, p: Any) -> tuple[Any, bool]:
    """Return the loss of each example or step, at least [B], and whether their mean counts."""
    if output.loss is None:
        return 0 * p.reshape(len(p), -1).sum(axis=-1), True
    is_object = isinstance(output.loss, losses.Loss)
    values = output.loss.call(y, p) if is_object else output.loss(y, p)
    if np.ndim(values) == 0:  # one value for the batch
        return values + namespace(p).zeros(len(p), p.dtype), True
    is_mean = not is_object or output.loss.reduction != "sum"
    return values.mean(axis=-1) if values.ndim == p.ndim and p.ndim > 1 else values, is_mean


def _nothing() -> dict[str, Any]:
    return {"total": np.zeros(()), "count": np.zeros(())}


def _plus(state: dict[str, Any], loss: Any, n: Any) -> dict[str, Any]:
    return {"total": state["total"] + loss * n, "count": state["count"] + n}


def _mean(state: Mapping[str, Any]) -> float:
    count = float(state["count"])
    return float(state["total"]) / count if count else 0.0
