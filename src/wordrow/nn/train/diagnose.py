"""Why training stopped being finite: the error says where it began."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wordrow.nn import ops
from wordrow.nn.data.batches import Batch
from wordrow.nn.train.training import Training

__all__ = ["not_finite_error"]


def not_finite_error(
    model: Any, training: Training, loss: float, epoch: int, number: int, batch: Batch
) -> ValueError:
    """Return the error for a batch whose loss, or a gradient, was not finite."""
    what = f"the loss became {loss}" if not math.isfinite(loss) else "a gradient was not finite"
    return ValueError(
        f"{what} in epoch {epoch + 1}, batch {number + 1} (step {training.step + 1}): training has "
        f"stopped, and the weights are those from before it; {_first_not_finite(model, batch)}. "
        f"Use a smaller learning rate than {training.optimizer.rate(training.step):g}, bound the "
        "gradients with clipnorm=1.0, and look at that batch's inputs and labels."
    )


def _first_not_finite(model: Any, batch: Batch) -> str:
    """Return which layer is the first whose outputs are not finite, for a batch."""
    found: list[str] = []

    def watch(layer: Any, outputs: Any) -> None:
        first = ops.materialize(outputs[0] if isinstance(outputs, list) else outputs)
        if not found and not np.isfinite(first).all():
            kind, shape = type(layer).__name__, (None, *np.shape(first)[1:])
            found.append(
                f"the first outputs that are not finite are those of {kind} ({layer.name!r}), of "
                f"the shape {shape}"
            )

    with np.errstate(all="ignore"):
        model.graph.apply(
            model.read_weights(),
            model.read_state(),
            batch.inputs,
            batch.masks,
            training=False,
            rng=None,
            watch=watch,
        )
    shapes = dict(zip(model.output_names, model.output_shapes, strict=True))
    return found[0] if found else f"the outputs {shapes} themselves are finite"
