"""Outputs of a model: batch by batch in NumPy and the core, on a GPU or TPU under JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from wordrow.nn import family, random
from wordrow.nn.callbacks.callback import BatchHooks
from wordrow.nn.data.batches import Batch, Batcher
from wordrow.nn.data.inputs import Column, Data, check_columns
from wordrow.nn.graph.graph import Graph
from wordrow.nn.ops.jax import load_jax, on_accelerator
from wordrow.nn.spec import Array, Mask
from wordrow.progress import counting
from wordrow.types import Ragged

__all__ = ["Watch", "batches_of", "forward_of", "predict"]

Watch: TypeAlias = Callable[[Any, Any], None]
Forward: TypeAlias = Callable[[Batch, Watch | None], tuple[list[Array], list[Mask]]]


def predict(
    model: Any,
    columns: list[Column],
    *,
    batch_size: int | None = None,
    verbose: Any = 0,
    training: bool = False,
    hooks: BatchHooks | None = None,
) -> list[npt.NDArray[Any]]:
    """Return the outputs for inputs, as NumPy. batch_size bounds the memory in use.

    hooks: told of each batch.

    Raises ValueError for an id that is not in the table, before anything runs.
    """
    if isinstance(columns[0], Ragged) and not training and hooks is None:
        layers = family.match(model.graph)
        if layers is not None and layers.has_mean:
            return [layers.predict(columns[0])]
    check_columns(model.graph, columns)
    data = Data(inputs=columns, labels=[], weights=[])
    forward = forward_of(model, training=training)
    found = []
    for batch in batches_of(model, data, batch_size or 128, verbose):
        if hooks is not None:
            hooks.begin()
        outputs, _ = forward(batch, None)
        found.append([output[: batch.n] for output in outputs])
        if hooks is not None:
            hooks.end({"outputs": found[-1][0] if len(outputs) == 1 else found[-1]})
    parts = list(zip(*found, strict=True))
    if any(len({output.shape[1:] for output in part}) > 1 for part in parts):
        parts = [tuple(_widened(part)) for part in parts]
    return [part[0] if len(part) == 1 else np.concatenate(part) for part in parts]


def batches_of(
    model: Any, data: Data, batch_size: int, verbose: Any, *, fills: bool = True
) -> Iterator[Batch]:
    """Yield the batches of some examples, in their order. fills: see `Batcher`."""
    fixed = model.input_shapes[0][0]
    size = fixed or batch_size
    exact = not on_accelerator()
    batcher = Batcher(model.graph, {}, batch_size=size, fills=fills, exact=exact)
    batcher.plan(data)
    with counting(len(data), wanted=verbose) as show:
        for start in range(0, max(1, len(data)), size):
            yield batcher.batch(data, slice(start, start + size))
            show(min(len(data), start + size))


def forward_of(model: Any, *, training: bool = False) -> Forward:
    """Return the function from a batch to (outputs, masks); the state of layers is kept."""
    weights, state = model.read_weights(), [model.read_state()]
    layers = {layer.name: layer for layer in model.all_layers}
    compiled = _compiled(model.graph) if on_accelerator() and not training else None
    rng = random.generator()

    def forward(batch: Batch, watch: Watch | None) -> tuple[list[Array], list[Mask]]:
        if compiled is not None and watch is None:
            outputs, masks, state[0] = compiled(weights, state[0], batch.inputs, batch.masks)
            outputs = [np.asarray(output) for output in outputs]
        else:
            outputs, masks, state[0] = model.graph.apply(
                weights,
                state[0],
                batch.inputs,
                batch.masks,
                training=training,
                rng=rng,
                watch=watch,
            )
        for name, new in state[0].items():
            if new:
                layers[name].write_state({k: np.asarray(v) for k, v in new.items()})
        return outputs, masks

    return forward


@functools.lru_cache(maxsize=16)
def _compiled(graph: Graph) -> Any:
    """Return what `Graph.apply` does when not training, compiled."""
    return load_jax("predicting on a GPU").jit(
        lambda weights, state, inputs, masks: graph.apply(
            weights, state, inputs, masks, training=False, rng=None
        )
    )


def _widened(parts: tuple[Array, ...]) -> Iterator[Array]:
    """Yield outputs with as many steps as the longest, zeros in front."""
    widest = max(part.shape[1] for part in parts)
    for part in parts:
        missing = [(0, 0), (widest - part.shape[1], 0)] + [(0, 0)] * (part.ndim - 2)
        yield np.pad(part, missing)
