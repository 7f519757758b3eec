"""The loss and the metrics of a model over examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from wordrow.nn import family
from wordrow.nn.callbacks.callback import BatchHooks
from wordrow.nn.data.batches import Batch
from wordrow.nn.data.inputs import Data
from wordrow.nn.inference.predict import batches_of, forward_of
from wordrow.nn.spec import Array, Mask
from wordrow.types import Ragged

__all__ = ["evaluate"]


def evaluate(
    model: Any,
    data: Data,
    totals: dict[str, Any],
    *,
    batch_size: int,
    verbose: Any = 0,
    hooks: BatchHooks | None = None,
) -> dict[str, Any]:
    """Return totals with the loss and metrics of examples counted. hooks: told of each batch."""
    objective, penalty = model.objective, _penalty(model)
    for batch, outputs, masks, extra in _answered(model, data, batch_size, verbose, hooks):
        loss, losses = objective.loss(batch.labels, outputs, masks, batch.weights, batch.valid)
        totals = objective.count(
            totals,
            loss + penalty + sum(extra),
            losses,
            batch.labels,
            outputs,
            masks,
            batch.weights,
            batch.valid,
        )
        if hooks is not None:
            hooks.end(objective.results(totals))
    return totals


def _answered(
    model: Any, data: Data, batch_size: int, verbose: Any, hooks: BatchHooks | None
) -> Iterator[tuple[Batch, list[Array], list[Mask], list[Array]]]:
    """Yield batches with their outputs, the masks of these, and activity penalties."""
    if isinstance(data.inputs[0], Ragged) and hooks is None:
        layers = family.match(model.graph)
        if layers is not None and layers.has_mean and not _has_penalties(model):
            outputs = layers.predict(data.inputs[0], checked=True)
            batch = Batch(
                n=len(data),
                inputs=data.inputs,
                masks=[None],
                labels=data.labels,
                weights=data.weights,
                valid=np.ones(len(data), np.float32),
                ids={},
                row_indices={},
            )
            yield batch, [outputs], [None], []
            return
    forward = forward_of(model)
    fills = not model.objective.is_custom
    for batch in batches_of(model, data, batch_size, verbose, fills=fills):
        extra: list[Array] = []

        def watch(layer: Any, outputs: Any, n: int = batch.n, extra: list[Any] = extra) -> None:
            extra.extend(layer.take_losses())
            if layer.activity_regularizer is not None:
                first = outputs[0] if isinstance(outputs, list) else outputs
                extra.append(layer.activity_regularizer(first[:n]) / n)

        if hooks is not None:
            hooks.begin()
        outputs, masks = forward(batch, watch)
        yield batch, outputs, masks, extra


def _has_penalties(model: Any) -> bool:
    return any(layer.activity_regularizer is not None for layer in model.all_layers)


def _penalty(model: Any) -> Any:
    """Return the sum of what the regularizers add to the loss."""
    return sum(
        regularizer(weight.read())
        for layer in model.all_layers
        if layer.trainable
        for name, weight in layer.named_weights().items()
        if (regularizer := layer.rule(name, "regularizer")) is not None
    )
