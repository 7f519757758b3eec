"""Models answering: batch by batch, in NumPy and the core; on a GPU or TPU under JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from wordrow.nn import random
from wordrow.nn.columns import Column, Data
from wordrow.nn.feed import Batch, Feed
from wordrow.nn.layers.layer import Layer
from wordrow.nn.train import answering, on_accelerator
from wordrow.progress import counting

if TYPE_CHECKING:
    from wordrow.nn.model import Model

__all__ = ["answer", "count"]

Forward = Callable[[Batch, Callable[[Layer, Any], None] | None], tuple[list[Any], list[Any]]]


def answer(
    model: Model, columns: list[Column], *, batch_size: int | None = None, verbose: Any = 0,
    training: bool = False,
) -> list[Any]:  # fmt: skip
    """Return the outputs for inputs, as NumPy. batch_size bounds the memory in use.

    Raises ValueError for an id that is not in the table, before anything runs.
    """
    model.check_ids(columns)
    data = Data(inputs=columns, labels=[], weights=[])
    forward = _forward(model, training=training)
    found = []
    for batch in _batches(model, data, batch_size or 128, verbose):
        outputs, _ = forward(batch, None)
        found.append([output[: batch.n] for output in outputs])
    parts = list(zip(*found, strict=True))
    if any(len({output.shape[1:] for output in part}) > 1 for part in parts):
        parts = [tuple(_widened(part)) for part in parts]
    return [part[0] if len(part) == 1 else np.concatenate(part) for part in parts]


def count(
    model: Model, data: Data, totals: dict[str, Any], *, batch_size: int, verbose: Any = 0
) -> dict[str, Any]:
    """Return totals with the loss and metrics of examples counted."""
    forward, objective = _forward(model), model.objective
    weights = model._weights()
    penalty = sum(
        regularizer(weights[layer.name][name])
        for layer in model._layers if layer.trainable
        for name in weights[layer.name]
        if (regularizer := layer.rule(name, "regularizer")) is not None
    )  # fmt: skip
    for batch in _batches(model, data, batch_size, verbose):
        extra = [penalty]

        def watch(layer: Layer, outputs: Any, n: int = batch.n, extra: list[Any] = extra) -> None:
            if layer.activity_regularizer is not None:
                first = outputs[0] if isinstance(outputs, list) else outputs
                extra.append(layer.activity_regularizer(first[:n]) / n)

        outputs, masks = forward(batch, watch)
        loss, parts = objective.loss(batch.labels, outputs, masks, batch.weights, batch.valid)
        totals = objective.count(
            totals, loss + sum(extra), parts, batch.labels, outputs, masks, batch.weights,
            batch.valid,
        )  # fmt: skip
    return totals


def _batches(model: Model, data: Data, batch_size: int, verbose: Any) -> Iterator[Batch]:
    fixed = model.input_shapes[0][0]
    size = fixed or batch_size
    exact = not on_accelerator()
    feed = Feed(model.graph, {}, batch_size=size, exact=exact)
    feed.plan(data)
    starts = range(0, max(1, len(data)), size)
    with counting(len(data), wanted=verbose) as show:
        for start in starts:
            yield feed.batch(data, slice(start, start + size))
            show(min(len(data), start + size))


def _forward(model: Model, *, training: bool = False) -> Forward:
    """Return the function of a batch; the state of stateful layers is kept."""
    weights, state = model._weights(), [model._state()]
    layers = {layer.name: layer for layer in model._layers}
    apply = answering(model.graph) if on_accelerator() and not training else None
    rng = random.generator()

    def forward(
        batch: Batch, watch: Callable[[Layer, Any], None] | None
    ) -> tuple[list[Any], list[Any]]:
        if apply is not None and watch is None:
            outputs, masks, state[0] = apply(weights, state[0], batch.inputs, batch.masks)
            outputs = [np.asarray(output) for output in outputs]
        else:
            outputs, masks, state[0] = model.graph.apply(
                weights, state[0], batch.inputs, batch.masks, training=training, rng=rng,
                watch=watch,
            )  # fmt: skip
        for name, new in state[0].items():
            if new:
                layers[name]._state = {k: np.asarray(v) for k, v in new.items()}
        return outputs, masks

    return forward


def _widened(parts: tuple[Any, ...]) -> Iterator[Any]:
    """Yield outputs that have a step for each step of the longest, zeros in front."""
    widest = max(part.shape[1] for part in parts)
    for part in parts:
        missing = [(0, 0), (widest - part.shape[1], 0)] + [(0, 0)] * (part.ndim - 2)
        yield np.pad(part, missing)
