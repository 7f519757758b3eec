"""Epochs of `fit` by the core alone, for models of its family: rows -> mean -> dense.

No JAX is loaded. What is trained, in which order, and what comes out are those
of the compiled step, to float32's own noise: fits may go on from one to the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn import losses, metrics
from wordrow.nn.bag import BagLayers, BagTrainer, Progress, match
from wordrow.nn.columns import Column, Data
from wordrow.nn.optimizers import Adam
from wordrow.nn.trainer import Trainer
from wordrow.types import Padded, Ragged

__all__ = ["BagEpochs"]

Show = Callable[[int, dict[str, float]], object]
_ACCURACIES = (
    metrics.BinaryAccuracy, metrics.CategoricalAccuracy, metrics.SparseCategoricalAccuracy,
)  # fmt: skip


class BagEpochs:
    """Trains a model's weights, epoch by epoch, on examples laid out once."""

    def __init__(
        self, layers: BagLayers, trainer: Trainer, data: Data, labels: npt.NDArray[np.int32]
    ) -> None:
        self.layers, self.trainer, self.labels = layers, trainer, labels
        self.ragged = _real_ids(data.inputs[0], masked=layers.embedding.mask_zero)
        self.documents: Any = None

    @classmethod
    def of(cls, trainer: Trainer, data: Data) -> BagEpochs | None:
        """Return the epochs of a fit, or None where the core cannot do just what the step does."""
        layers = match(trainer.graph)
        if layers is None or not _is_plain(layers, trainer) or data.weights[0] is not None:
            return None
        labels = _class_numbers(layers, trainer, data.labels[0])
        return None if labels is None else cls(layers, trainer, data, labels)

    def run(
        self, order: npt.NDArray[np.int64], batch_size: int, show: Show | None
    ) -> tuple[dict[str, float], bool]:
        """Take an epoch's steps; return (its numbers, whether the loss stayed finite)."""
        trainer = self.trainer
        core = self._take_weights()
        n_steps = math.ceil(len(order) / batch_size)
        rates = [trainer.optimizer.rate(trainer.step + i) for i in range(n_steps)]
        watch = None
        if show is not None:

            def watch(n: int, loss: float, n_correct: int) -> None:
                show(n, self._numbers(loss / max(n, 1), n_correct / max(n, 1)))

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
        core: BagTrainer | None = trainer.core
        if core is None or not (
            table is core.table and kernel is core.kernel and bias is core.bias
            and core.step == trainer.step and self._has_own_moments(core)
        ):  # fmt: skip
            core = trainer.core = self._new_core(table, kernel, bias)
        if self.documents is None:
            self.documents = core.lay_out(self.ragged)
        return core

    def _has_own_moments(self, core: BagTrainer) -> bool:
        slots = [self.trainer.slots.get(path) or {} for path in self._paths]
        return all(
            own.get("m") is m and own.get("v") is v
            for own, (m, v) in zip(slots, core.moments, strict=True)
        )

    def _new_core(self, table: Any, kernel: Any, bias: Any) -> BagTrainer:
        trainer = self.trainer
        weights = [np.array(w, np.float32, order="C") for w in (table, kernel, bias)]
        moments = None
        if all(trainer.slots.get(path) for path in self._paths):
            moments = [
                tuple(np.array(trainer.slots[path][k], np.float32) for k in ("m", "v"))
                for path in self._paths
            ]
        adam = trainer.optimizer
        assert isinstance(adam, Adam)
        return BagTrainer(
            *weights, beta_1=adam.beta_1, beta_2=adam.beta_2, epsilon=adam.epsilon,
            step=trainer.step, moments=moments,  # type: ignore[arg-type]
            last=trainer.last_of(self._paths[0]),
        )  # fmt: skip

    def _give_back(self, core: BagTrainer, n_steps: int) -> None:
        embedding, dense = self.layers.embedding, self.layers.dense
        embedding._weights = {"embeddings": core.table}
        dense._weights = {"kernel": core.kernel, "bias": core.bias}
        slots = {
            path: dict(zip(("m", "v"), own, strict=True))
            for path, own in zip(self._paths, core.moments, strict=True)
        }
        self.trainer.take_over_steps(n_steps, slots, {self._paths[0]: core.last})

    def _weights(self) -> tuple[Any, Any, Any]:
        dense = self.layers.dense._weights or {}
        return (self.layers.embedding._weights or {})["embeddings"], dense["kernel"], dense["bias"]

    @property
    def _paths(self) -> list[tuple[str, str]]:
        embedding, dense = self.layers.embedding.name, self.layers.dense.name
        return [(embedding, "embeddings"), (dense, "kernel"), (dense, "bias")]


def _is_plain(layers: BagLayers, trainer: Trainer) -> bool:
    """Return whether layers, optimizer and metrics are all of what the core has."""
    adam = trainer.optimizer
    both = (layers.embedding, layers.dense)
    rules = [
        layer.rule(name, role)
        for layer in both for name in layer._held or {} for role in ("regularizer", "constraint")
    ]  # fmt: skip
    (output,) = trainer.objective.outputs
    return (
        type(adam) is Adam
        and not (adam.amsgrad or adam.weight_decay)
        and adam.clipnorm is adam.clipvalue is adam.global_clipnorm is None
        and adam.can_rest
        and all(layer.trainable and layer.activity_regularizer is None for layer in both)
        and not any(rules)
        and layers.dense.use_bias
        and output.weight == 1
        and not output.weighted_metrics
        and all(_is_accuracy(metric) for metric in output.metrics)
        and not trainer.has_resting_rows
    )


def _is_accuracy(metric: Any) -> bool:
    return type(metric) in _ACCURACIES and getattr(metric, "threshold", 0.5) == 0.5


def _class_numbers(layers: BagLayers, trainer: Trainer, labels: Any) -> Any:
    """Return labels as the core takes them, int32 [B]; None for a loss that it does not have."""
    (output,) = trainer.objective.outputs
    loss, units = output.loss, layers.dense.units
    name = layers.activation
    if labels.ndim == 2 and units == 1 and name == "sigmoid" and _is(loss, _BINARY):
        labels = labels[:, 0]
        return labels.astype(np.int32) if np.isin(labels, (0, 1)).all() else None
    if name == "softmax" and units > 1 and labels.ndim == 1 and _is(loss, _SPARSE):
        return labels.astype(np.int32)
    return None


_BINARY = (
    losses.binary_crossentropy,
    losses.BinaryCrossentropy,
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


def _real_ids(column: Column, *, masked: bool) -> Ragged:
    """Return the ids that count, without padding."""
    if isinstance(column, Ragged):
        if not masked or (column.ids != 0).all():
            return column
        real = column.ids != 0
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(real)])
        return Ragged(ids=column.ids[real], offsets=ends[column.offsets])
    ids = column.ids if isinstance(column, Padded) else column
    real = column.mask if isinstance(column, Padded) else np.ones(ids.shape, np.bool_)
    if masked:
        real = real & (ids != 0)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(real.sum(axis=1))])
    return Ragged(ids=ids[real].astype(np.int32), offsets=offsets)
