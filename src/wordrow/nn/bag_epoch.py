"""Epochs of `fit` by the core alone, for models of its family: rows -> mean or max -> dense.

No JAX is loaded. What is trained, in which order, and what comes out are those
of the compiled step, to float32's own noise: fits may go on from one to the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wordrow.nn import losses, metrics
from wordrow.nn.activations import ACTIVATIONS
from wordrow.nn.bag import BagTrainer, Progress
from wordrow.nn.columns import Column, Data
from wordrow.nn.compiled import either_accuracy
from wordrow.nn.layers import (
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Layer,
)  # fmt: skip
from wordrow.nn.optimizers import (
    SGD,
    Adagrad,
    Adam,
    LazyAdam,
    LazyRMSprop,
    LazySGD,
    RMSprop,
)  # fmt: skip
from wordrow.nn.trainer import Trainer
from wordrow.types import Padded, Ragged

__all__ = ["BagEpochs"]

Show = Callable[[int, dict[str, float]], object]


class BagEpochs:
    """Trains a model's weights, epoch by epoch, on examples laid out once."""

    def __init__(self, form: Form, trainer: Trainer, data: Data, labels: Any) -> None:
        self.form, self.trainer, self.labels = form, trainer, labels
        self.column = data.inputs[0]
        self.documents: Any = None

    @classmethod
    def of(cls, trainer: Trainer, data: Data) -> BagEpochs | None:
        """Return the epochs of a fit, or None where the core cannot do just what the step does."""
        form = _form_of(trainer) if data.weights[0] is None else None
        labels = None if form is None else _labels_of(form, trainer, data.labels[0])
        return None if form is None or labels is None else cls(form, trainer, data, labels)

    def run(
        self, order: npt.NDArray[np.int64], batch_size: int, show: Show | None
    ) -> tuple[dict[str, float], bool]:
        """Take an epoch's steps; return (its numbers, whether the loss stayed finite)."""
        trainer = self.trainer
        core = self._take_weights()
        n_steps = math.ceil(len(order) / batch_size)
        rates = [trainer.optimizer.rate(trainer.step + i) for i in range(n_steps)]
        n_each = self.labels.shape[1] if self.labels.ndim == 2 else 1
        watch = None
        if show is not None:

            def watch(n: int, loss: float, n_correct: int) -> None:
                show(n, self._numbers(loss / max(n, 1), n_correct / max(n * n_each, 1)))

        done = core.step
        try:
            progress: Progress = core.train(
                self.documents, self.labels, order=order, batch_size=batch_size,
                learning_rates=np.array(rates), watch=watch,
            )  # fmt: skip
        finally:
            self._give_back(core, core.step - done)
        return self._numbers(progress.loss, progress.accuracy), progress.is_finite

    def _numbers(self, loss: float, accuracy: float) -> dict[str, float]:
        counted = self.trainer.objective.outputs[0].metrics
        return {"loss": loss} | {metric.name: accuracy for metric in counted}

    def _take_weights(self) -> BagTrainer:
        """Return the core's trainer of the model's weights, as they are now."""
        trainer, (table, kernel, bias) = self.trainer, self._weights()
        trainer.lengthen()
        core: BagTrainer | None = trainer.core
        if core is None or not (
            table is core.table and kernel is core.kernel and bias is core.bias
            and core.step == trainer.step and self._has_own_moments(core)
            and _are_same(core.fixed, self.form.embedding.rows_that_stay())
        ):  # fmt: skip
            core = trainer.core = self._new_core(table, kernel, bias)
        if self.documents is None:
            self.documents = core.lay_out(
                _ragged_of(self.column), skips_zeros=self.form.embedding.mask_zero
            )
        return core

    def _has_own_moments(self, core: BagTrainer) -> bool:
        return all(
            (self.trainer.slots.get(path) or {}).get(name) is own
            for path, moments in zip(self._paths, core.moments, strict=True)
            for name, own in zip(self.form.slots, moments, strict=True)
            if name
        )

    def _new_core(self, table: Any, kernel: Any, bias: Any) -> BagTrainer:
        trainer, form = self.trainer, self.form
        weights = [np.array(w, np.float32, order="C") for w in (table, kernel, bias)]
        moments = None
        if any(trainer.slots.get(path) for path in self._paths) or form.starts_with_numbers:
            moments = [
                form.moments(trainer.slots.get(path) or trainer.optimizer.init(w), w)
                for path, w in zip(self._paths, weights, strict=True)
            ]
        return BagTrainer(
            *weights, step=trainer.step, moments=moments, last=trainer.last_of(self._paths[0]),
            seed=trainer.seed, fixed=form.embedding.rows_that_stay(), **form.options,
        )  # fmt: skip

    def _give_back(self, core: BagTrainer, n_steps: int) -> None:
        embedding, dense = self.form.embedding, self.form.dense
        embedding._weights = {"embeddings": core.table}
        dense._weights = {"kernel": core.kernel, "bias": core.bias}
        slots = {
            path: {name: x for name, x in zip(self.form.slots, own, strict=True) if name}
            for path, own in zip(self._paths, core.moments, strict=True)
        }
        self.trainer.take_over_steps(n_steps, slots, {self._paths[0]: core.last})

    def _weights(self) -> tuple[Any, Any, Any]:
        dense = self.form.dense._weights or {}
        return (self.form.embedding._weights or {})["embeddings"], dense["kernel"], dense["bias"]

    @property
    def _paths(self) -> list[tuple[str, str]]:
        embedding, dense = self.form.embedding.name, self.form.dense.name
        return [(embedding, "embeddings"), (dense, "kernel"), (dense, "bias")]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A model that the core trains, and how."""

    embedding: Embedding
    dense: Dense
    slots: tuple[str | None, str | None]  # the optimizer's names for what stands in m and v
    options: dict[str, Any]  # of BagTrainer
    starts_with_numbers: bool  # whether slots are not zeros at first

    def moments(self, slots: dict[str, Any], w: Any) -> tuple[Any, Any]:
        """Return copies of a weight's m and v."""
        m, v = (
            np.array(slots[name], np.float32) if name else np.zeros_like(w) for name in self.slots
        )
        return m, v


def _form_of(trainer: Trainer) -> Form | None:
    """Return the form of a model, or None where the core has not all of it."""
    layers: list[Any] = [node.layer for node in trainer.graph.nodes]
    if not trainer.graph.is_chain or not 4 <= len(layers) <= 5:
        return None
    embedding, pooling, *between, dense = layers[1:]
    rule = _rule_of(trainer.optimizer)
    if not (
        rule
        and type(embedding) is Embedding
        and type(pooling) in (GlobalAveragePooling1D, GlobalMaxPooling1D)
        and all(type(x) is Dropout and x.noise_shape is None and x.rate < 1 for x in between)
        and type(dense) is Dense
        and not pooling.keepdims
        and not any(layer.mask or layer.activity_regularizer for layer in layers)
        and dense.trainable
        and not any(_rules(embedding) + _rules(dense))
        and dense.use_bias
        and not trainer.has_resting_rows
    ):
        return None
    slots, options = rule
    sigmoid = ACTIVATIONS.name(dense.activation) == "sigmoid"
    dropout = between[0].rate if between else 0.0
    return Form(
        embedding=embedding, dense=dense, slots=slots,
        starts_with_numbers=options["rule"] == "adagrad",
        options=options | {"sigmoid": sigmoid, "dropout": dropout,
                           "max_pool": type(pooling) is GlobalMaxPooling1D},
    )  # fmt: skip


def _rules(layer: Layer) -> list[Any]:
    roles: tuple[Literal["regularizer", "constraint"], ...] = ("regularizer", "constraint")
    return [layer.rule(name, role) for name in layer._held or {} for role in roles]


def _rule_of(optimizer: Any) -> tuple[tuple[str | None, str | None], dict[str, Any]] | None:
    """Return (its names for m and v, BagTrainer's options) of an optimizer that the core has."""
    if optimizer.weight_decay or not optimizer.can_rest:
        return None
    if not optimizer.clipnorm is optimizer.clipvalue is optimizer.global_clipnorm is None:
        return None
    lazy = type(optimizer) in (LazyAdam, LazySGD, LazyRMSprop)
    if type(optimizer) in (Adam, LazyAdam) and not optimizer.amsgrad:
        return ("m", "v"), {"rule": "adam", "beta_1": optimizer.beta_1, "lazy": lazy,
                            "beta_2": optimizer.beta_2, "epsilon": optimizer.epsilon}  # fmt: skip
    if type(optimizer) in (SGD, LazySGD) and optimizer.momentum <= 0.9999:
        return ("momentum" if optimizer.momentum else None, None), {
            "rule": "sgd", "beta_1": optimizer.momentum, "nesterov": optimizer.nesterov,
            "lazy": lazy,
        }  # fmt: skip
    if type(optimizer) is Adagrad:
        return (None, "accumulator"), {"rule": "adagrad", "epsilon": optimizer.epsilon}
    plain = type(optimizer) in (RMSprop, LazyRMSprop) and optimizer.rho > 0
    if plain and not (optimizer.centered or optimizer.momentum):
        return (None, "velocity"), {"rule": "rmsprop", "beta_2": optimizer.rho, "lazy": lazy,
                                    "epsilon": optimizer.epsilon}  # fmt: skip
    return None


def _labels_of(form: Form, trainer: Trainer, labels: Any) -> Any:
    """Return labels as the core takes them; None where it has not the loss or a metric.

    int32 [B], the class of each text, or float32 [B, units] for several sigmoids.
    """
    (output,) = trainer.objective.outputs
    if output.weight != 1 or output.weighted_metrics:
        return None
    units = form.dense.units
    accuracy: type[metrics.Metric] = metrics.BinaryAccuracy
    name = ACTIVATIONS.name(form.dense.activation)
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
        known = {metrics.CategoricalAccuracy: (metrics.categorical_accuracy, either_accuracy),
                 metrics.BinaryAccuracy: (metrics.binary_accuracy,)}  # fmt: skip
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


def _is(loss: Any, kind: tuple[Any, type, dict[str, Any]]) -> bool:
    function, cls, plain = kind
    return loss is function or (
        type(loss) is cls and all(getattr(loss, k) == v for k, v in plain.items())
    )


def _are_same(fixed: Any, rows: Any) -> bool:
    return fixed is rows is None or np.array_equal(fixed, rows)


def _ragged_of(column: Column) -> Ragged:
    """Return a column's texts one behind the other, without what its own mask leaves out."""
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
