"""The family that the core runs and trains alone: rows -> mean -> dense.

Predicting is one pass over the ids, without padding. Training is sparse Adam,
equal to the dense one (Kingma & Ba 2015, with Keras's epsilon); see core/bag.h.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow import _core
from wordrow.nn import ops
from wordrow.nn.activations import ACTIVATIONS
from wordrow.nn.graph import Graph
from wordrow.nn.layers import Dense, Embedding, GlobalAveragePooling1D
from wordrow.nn.layers.embedding import check_ids
from wordrow.types import Ragged

__all__ = ["BagLayers", "BagTrainer", "Progress", "match"]

Float = npt.NDArray[np.float32]
Watch = Callable[[int, float, int], object]


@dataclass(frozen=True, kw_only=True)
class BagLayers:
    """The two layers with weights of a model of this family."""

    embedding: Embedding
    dense: Dense

    @functools.cached_property
    def activation(self) -> str | None:
        """The name of the last layer's activation; None for one of your own."""
        return ACTIVATIONS.name(self.dense.activation)

    def pool(self, ragged: Ragged) -> Any:
        """Return the mean row of each text: [B, D]. Ids are checked first."""
        (table,) = (self.embedding._weights or {}).values()
        check_ids(ragged, self.embedding.input_dim, self.embedding.name)
        return ops.bag_mean(table, ragged)

    def predict(self, ragged: Ragged, *, checked: bool = False) -> Any:
        """Return the outputs for texts of any length: [B, units].

        checked: the ids are known to be rows of the table.
        """
        weights = self.dense._weights or {}
        name = self.activation
        if name in ("sigmoid", "softmax") and "bias" in weights:
            (table,) = (self.embedding._weights or {}).values()
            if not checked:
                check_ids(ragged, self.embedding.input_dim, self.embedding.name)
            return ops.bag_answers(
                table, ragged, weights["kernel"], weights["bias"], sigmoid=name == "sigmoid"
            )
        hidden = self.pool(ragged)
        return self.dense.apply(weights, {}, hidden, None, training=False, rng=None)[0]


def match(graph: Graph) -> BagLayers | None:
    """Return the layers of a graph Input -> Embedding -> mean -> Dense, or None for another one."""
    layers = [node.layer for node in graph.nodes]
    if len(layers) != 4 or not graph.is_chain:
        return None
    _, embedding, pooling, dense = layers
    if (
        type(embedding) is Embedding
        and type(pooling) is GlobalAveragePooling1D
        and type(dense) is Dense
        and not pooling.keepdims
        and not any(layer.mask for layer in layers)
    ):
        return BagLayers(embedding=embedding, dense=dense)
    return None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What an epoch came to: texts seen, mean loss, and accuracy before each step.

    is_finite: whether all losses were; if not, training stopped before the first
    that was not, with the weights from before it.
    """

    n_texts: int
    loss: float
    accuracy: float
    is_finite: bool = True


class BagTrainer:
    """Trains the weights of one model in place, keeping the optimizer's moments between calls.

    table: [V, D]; kernel: [D, units]; bias: [units]; all float32, and not to be
    changed from outside but by `restore`. One unit means
    a sigmoid and binary cross-entropy, more a softmax and cross-entropy. step,
    moments, last: where training goes on from: the steps taken, m and v of each
    weight (in the order table, kernel, bias), and the step that last updated each row.
    rule: "adam"; "sgd", whose momentum is beta_1 and stands in m; "rmsprop", whose rho
    is beta_2, and "adagrad", whose means and sums stand in v. lazy: rows that a step
    does not use stay as they are. max_pool: the largest of the rows, not their mean.
    fixed: bool [V], rows that are not trained.
    dropout: the share of what is pooled that each step leaves out, drawn from `seed`.
    """

    def __init__(
        self,
        table: Float,
        kernel: Float,
        bias: Float,
        *,
        rule: str = "adam",
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        nesterov: bool = False,
        lazy: bool = False,
        sigmoid: bool | None = None,
        max_pool: bool = False,
        dropout: float = 0.0,
        seed: int = 0,
        step: int = 0,
        moments: Sequence[tuple[Float, Float]] | None = None,
        last: npt.NDArray[np.int32] | None = None,
        fixed: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.table, self.kernel, self.bias = table, kernel, bias
        self.last = np.zeros(len(table), np.int32) if last is None else last
        # Each row with its moments behind it: one place in memory to fetch, not three.
        rows = np.zeros((len(table), 3, table.shape[1]), np.float32)
        self.fixed = fixed
        self._rows = _core.RowTable(rows, self.last, fixed)
        self._rows.take(table)
        if moments is None:
            dense = [(np.zeros_like(w), np.zeros_like(w)) for w in (kernel, bias)]
        else:
            dense = list(moments[1:])
            for part, given in enumerate(moments[0], 1):
                self._rows.take(np.ascontiguousarray(given), part=part)
        self.moments = [(rows[:, 1], rows[:, 2]), *dense]
        self._dense: dict[str, Any] = {}
        for name, weight, own in (
            ("kernel", kernel, self.moments[1]), ("bias", bias, self.moments[2])
        ):  # fmt: skip
            flat = weight.reshape(-1)
            if not np.shares_memory(flat, weight):
                raise ValueError(f"{name} must be contiguous: it is trained in place.")
            m, v = (moment.reshape(-1) for moment in own)
            self._dense |= {name: flat, f"{name}_m": m, f"{name}_v": v}
        self._clock = _core.RowOptimizer(
            rule=rule, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, step=step,
            nesterov=nesterov, lazy=lazy,
        )  # fmt: skip
        self._form: dict[str, Any] = {
            "sigmoid": len(bias) == 1 if sigmoid is None else sigmoid, "max_pool": max_pool,
            "dropout": dropout, "seed": seed,
        }  # fmt: skip

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return self._clock.step

    def weights(self) -> list[Float]:
        """Return the table, the kernel and the bias."""
        return [self.table, self.kernel, self.bias]

    def restore(self, weights: Sequence[Float]) -> None:
        """Take weights from before, keeping the moments."""
        for own, kept in zip(self.weights(), weights, strict=True):
            own[...] = kept
        self._rows.take(self.table)

    def lay_out(self, ragged: Ragged, *, skips_zeros: bool = False) -> _core.BagDocuments:
        """Return texts in the layout that training reads; made once for all epochs.

        skips_zeros: an id of 0 is padding.
        """
        ids, offsets = np.ascontiguousarray(ragged.ids), np.ascontiguousarray(ragged.offsets)
        return _core.BagDocuments(ids, offsets, n_rows=len(self.table), skips_zeros=skips_zeros)

    def train(
        self,
        documents: _core.BagDocuments,
        labels: npt.NDArray[Any],
        *,
        order: npt.NDArray[np.int64],
        batch_size: int,
        learning_rates: npt.NDArray[np.float64],
        watch: Watch | None = None,
    ) -> Progress:
        """Take one step a batch over documents[order], and bring every row up to date.

        labels: int32 [B], 0 and 1 for a sigmoid, else [0, units); or float32
        [B, units], 0 and 1 for each sigmoid. learning_rates: one a batch.
        `watch` is told texts, summed loss and correct answers, now and then;
        what it raises ends the epoch between two steps.
        """
        has_targets = labels.ndim == 2
        try:
            n, loss, n_correct, not_finite = _core.train_bag(
                self._clock,
                self._rows,
                None if has_targets else labels,
                documents,
                targets=labels if has_targets else None,
                order=order,
                batch_size=batch_size,
                learning_rates=learning_rates,
                watch=watch,
                **self._form,
                **self._dense,
            )
        finally:
            self._clock.settle(self._rows)
            self._rows.give(self.table)
        share = 1 / max(n, 1)
        accuracy = n_correct * share / (labels.shape[1] if has_targets else 1)
        return Progress(n_texts=n, loss=loss * share, accuracy=accuracy, is_finite=not not_finite)
