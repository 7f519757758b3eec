"""The fused engine: models of Embedding, mean or max, Dense, an epoch in one call of the core.

No JAX is loaded. What is trained, in which order, and what comes out are those of the compiled
step, to float32's own noise (dropout draws other numbers): one may go on from the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.nn import metrics
from wordrow.nn.data.inputs import Column, Data
from wordrow.nn.family import FusedLayers, match
from wordrow.nn.functions import losses
from wordrow.nn.functions.activations import ACTIVATIONS
from wordrow.nn.layers import GlobalMaxPooling1D, Layer
from wordrow.nn.optimizers.optimizer import CoreRule, Optimizer
from wordrow.nn.table.weight import Weight
from wordrow.nn.train.engine import ArraySource, EpochHooks
from wordrow.nn.train.objective import Objective, either_accuracy
from wordrow.nn.train.training import Training
from wordrow.types import Padded, Ragged

__all__ = ["FusedEngine", "fused_engine"]


def fused_engine(training: Training, data: Data) -> FusedEngine | None:
    """Return the engine for a fit, or None where the core cannot do just what the step does."""
    layers = match(training.graph)
    rule = _rule_of(training.optimizer)
    if layers is None or rule is None or not _is_plain(layers) or data.weights[0] is not None:
        return None
    labels = _labels_of(layers, training.objective, data.labels[0])
    return None if labels is None else FusedEngine(training, layers, rule, data, labels)


class FusedEngine:
    """Trains one model on one set of examples, which are laid out once for all epochs."""

    def __init__(
        self,
        training: Training,
        layers: FusedLayers,
        rule: CoreRule,
        data: Data,
        labels: npt.NDArray[Any],
    ) -> None:
        self.training, self.layers, self.rule, self.labels = training, layers, rule, labels
        self._column = data.inputs[0]
        self._documents: _core.BagDocuments | None = None

    def begin(self) -> None:
        """Take the weights as they are now."""
        run = self.training.run
        embedding, dense = self.layers.embedding, self.layers.dense
        if embedding.trainable:
            embedding.table.resume(run, by_rows=True)
        elif embedding.table.follows(run):
            embedding.table.pause()
        for weight in dense.weights:
            weight.resume(run)
            weight.to_host()
        if self._documents is None:
            ragged = _ragged_of(self._column)
            self._documents = _core.BagDocuments(
                np.ascontiguousarray(ragged.ids),
                np.ascontiguousarray(ragged.offsets),
                n_rows=embedding.input_dim,
                skips_zeros=embedding.mask_zero,
            )

    def run_epoch(
        self, source: ArraySource, rng: np.random.Generator, hooks: EpochHooks
    ) -> tuple[dict[str, float], int]:
        """Take an epoch's steps; return (its numbers by name, texts seen)."""
        self.begin()
        run, order = self.training.run, source.order(rng)
        n_steps = math.ceil(len(order) / source.batch_size)
        rates = [run.optimizer.rate(run.step + i) for i in range(n_steps)]
        n_each = self.labels.shape[1] if self.labels.ndim == 2 else 1

        def numbers(n: int, loss: float, n_correct: int) -> dict[str, float]:
            return self._numbers(loss / max(n, 1), n_correct / max(n * n_each, 1))

        def watch(n: int, loss: float, n_correct: int) -> None:
            hooks.on_progress(n, lambda: numbers(n, loss, n_correct))

        found = self._train(
            order, source.batch_size, np.array(rates), watch if hooks.wants_progress else None
        )
        n, loss, n_correct, not_finite, n_taken = found
        if not_finite:
            first = n_taken * source.batch_size
            batch = source.batch(order[first : first + source.batch_size])
            hooks.on_not_finite(n_taken, batch, math.nan)
        return numbers(n, loss, n_correct), len(order)

    def _train(
        self,
        order: npt.NDArray[np.int64],
        batch_size: int,
        rates: npt.NDArray[np.float64],
        watch: Callable[[int, float, int], object] | None,
    ) -> tuple[int, float, int, bool, int]:
        """Take the steps; return the core's result, and how many steps were taken."""
        run, rule = self.training.run, self.rule
        assert self._documents is not None
        optimizer = _core.RowOptimizer(
            kind=rule.name,
            beta_1=rule.beta_1,
            beta_2=rule.beta_2,
            epsilon=rule.epsilon,
            step=run.step,
            nesterov=rule.nesterov,
            lazy=rule.lazy,
        )
        rows, first = self._rows(), run.step
        has_targets = self.labels.ndim == 2
        try:
            found = _core.train_bag(
                optimizer,
                rows,
                None if has_targets else self.labels,
                self._documents,
                targets=self.labels if has_targets else None,
                order=order,
                batch_size=batch_size,
                learning_rates=rates,
                watch=watch,
                **self._dense_arrays(),
                sigmoid=self.layers.activation == "sigmoid",
                max_pool=isinstance(self.layers.pooling, GlobalMaxPooling1D),
                dropout=0.0 if self.layers.dropout is None else self.layers.dropout.rate,
                seed=self.training.seed,
            )
        finally:
            optimizer.flush(rows)
            for weight in (*self.layers.embedding.weights, *self.layers.dense.weights):
                weight.changed_in_place()
            run.jump(optimizer.step)
        return *found, optimizer.step - first

    def _rows(self) -> _core.RowTable:
        """Return the table as the core takes it."""
        table, rule = self.layers.embedding.table, self.rule
        if self.layers.embedding.trainable:
            rows = table.to_interleaved(rule.m, rule.v)
            table.mark_up_to_date()
            return _core.RowTable(rows, table.last, table.frozen)
        frozen = np.zeros((table.shape[0], 3, table.shape[1]), np.float32)
        frozen[:, 0] = table.read()
        n_rows = len(frozen)
        return _core.RowTable(frozen, np.zeros(n_rows, np.int32), np.ones(n_rows, bool))

    def _dense_arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return kernel and bias with their moments, flat, as the core changes them in place."""
        arrays: dict[str, npt.NDArray[np.float32]] = {}
        weights = self.layers.dense.named_weights()
        for name in ("kernel", "bias"):
            weight: Weight = weights[name]
            arrays[name] = weight.array.reshape(-1)
            for moment, own in (("m", self.rule.m), ("v", self.rule.v)):
                array = np.zeros(weight.size, np.float32) if own is None else weight.state[own]
                arrays[f"{name}_{moment}"] = array.reshape(-1)
        return arrays

    def _numbers(self, loss: float, accuracy: float) -> dict[str, float]:
        counted = self.training.objective.outputs[0].metrics
        return {"loss": loss} | {metric.name: accuracy for metric in counted}

    def sync(self) -> None:
        """Bring all weights up to date, which they are after each epoch."""


def _rule_of(optimizer: Optimizer) -> CoreRule | None:
    """Return the core's rule for an optimizer, where it has all of it."""
    clips = (optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm)
    if optimizer.weight_decay or any(clip is not None for clip in clips):
        return None
    return optimizer.core_rule


def _is_plain(layers: FusedLayers) -> bool:
    """Return whether the layers have nothing that the core does not know of."""
    dense, dropout = layers.dense, layers.dropout
    parts = (layers.embedding, layers.pooling, dense, *([dropout] if dropout else []))
    return (
        dense.trainable
        and dense.use_bias
        and (dropout is None or (dropout.noise_shape is None and dropout.rate < 1))
        and not any(layer.activity_regularizer for layer in parts)
        and not any(_rules(layers.embedding) + _rules(dense))
    )


def _rules(layer: Layer) -> list[Any]:
    roles: tuple[Literal["regularizer", "constraint"], ...] = ("regularizer", "constraint")
    return [layer.rule(name, role) for name in layer.named_weights() for role in roles]


def _labels_of(layers: FusedLayers, objective: Objective, labels: Any) -> Any:
    """Return labels as the core takes them; None where it lacks the loss or a metric.

    int32 [B], the class of each text, or float32 [B, units] for several sigmoids.
    """
    (output,) = objective.outputs
    if output.weight != 1 or output.weighted_metrics:
        return None
    units = layers.dense.units
    accuracy: type[metrics.Metric] = metrics.BinaryAccuracy
    name = ACTIVATIONS.name(layers.dense.activation)
    if name == "sigmoid" and labels.ndim == 2 and _is(output.loss, _BINARY):
        if not np.isin(labels, (0, 1)).all():
            return None
        found = labels[:, 0].astype(np.int32) if units == 1 else labels.astype(np.float32)
    elif name == "softmax" and units > 1 and labels.ndim == 1 and _is(output.loss, _SPARSE):
        found, accuracy = labels.astype(np.int32), metrics.SparseCategoricalAccuracy
    elif name == "softmax" and units > 1 and labels.ndim == 2 and _is(output.loss, _CATEGORICAL):
        found, accuracy = labels.argmax(axis=1).astype(np.int32), metrics.CategoricalAccuracy
        if not (np.eye(units, dtype=labels.dtype)[found] == labels).all():
            return None
    else:
        return None
    fits = all(_is_accuracy(metric, accuracy) for metric in output.metrics)
    return np.ascontiguousarray(found) if fits else None


def _is_accuracy(metric: Any, kind: type[metrics.Metric]) -> bool:
    """Return whether a metric is the accuracy that the core counts."""
    if type(metric) is metrics.MeanMetric:
        known = {
            metrics.CategoricalAccuracy: (metrics.categorical_accuracy, either_accuracy),
            metrics.BinaryAccuracy: (metrics.binary_accuracy,),
        }
        return metric.function in known.get(kind, ())
    return type(metric) is kind and getattr(metric, "threshold", 0.5) == 0.5


_BINARY = (
    losses.binary_crossentropy,
    losses.BinaryCrossentropy,
    {"from_logits": False, "label_smoothing": 0.0},
)
_CATEGORICAL = (
    losses.categorical_crossentropy,
    losses.CategoricalCrossentropy,
    {"from_logits": False, "label_smoothing": 0.0},
)
_SPARSE = (
    losses.sparse_categorical_crossentropy,
    losses.SparseCategoricalCrossentropy,
    {"from_logits": False},
)


def _is(loss: Any, kind: tuple[Any, type[losses.Loss], dict[str, Any]]) -> bool:
    function, cls, plain = kind
    return loss is function or (
        type(loss) is cls
        and isinstance(loss, losses.Loss)
        and loss.reduction != "sum"
        and all(getattr(loss, k) == v for k, v in plain.items())
    )


def _ragged_of(column: Column) -> Ragged:
    """Return a column's texts, concatenated, without the steps that its own mask leaves out."""
    if isinstance(column, Ragged):
        return column
    if isinstance(column, Padded):
        lengths = np.count_nonzero(column.mask, axis=1)
        ids = column.ids[column.mask]
    else:
        lengths = np.full(len(column), column.shape[1])
        ids = column.reshape(-1)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Ragged(ids=ids.astype(np.int32, copy=False), offsets=offsets)
