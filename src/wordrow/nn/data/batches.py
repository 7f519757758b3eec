"""Batches of examples, prepared ahead of the step: trimmed, padded, with their unique ids."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn.data.inputs import Column, Data, Rows
from wordrow.nn.data.sparse import SparseColumn
from wordrow.nn.graph.graph import Graph
from wordrow.nn.graph.padding import honours_padding
from wordrow.nn.ops import as_ids
from wordrow.nn.spec import Array, Mask
from wordrow.nn.table.table import Table
from wordrow.nn.table.weight import Path
from wordrow.types import Padded, Ragged

__all__ = ["Batch", "Batcher", "prefetch"]

Ids = npt.NDArray[np.int32]
_N_BUCKETS = 4  # each length compiles a step, which takes over a second for a recurrent layer


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a step takes, as NumPy arrays. The first `n` examples are real, the rest are filler."""

    n: int
    inputs: list[npt.NDArray[Any]]
    masks: list[npt.NDArray[np.bool_] | None]
    labels: list[npt.NDArray[Any]]
    weights: list[npt.NDArray[np.float32] | None]
    valid: npt.NDArray[np.float32]  # [B], 1 for the real examples
    ids: dict[Path, Ids]  # the unique ids for each table that is trained by rows
    row_indices: dict[int, Ids]  # node -> the indices of its ids among the unique ones


class Batcher:
    """Makes batches of one size for one graph.

    tables: those that are trained by rows. If every layer honours the mask, padding is trimmed.
    fills: whether a last batch is filled up to the batch size, so that the step is not compiled
    for its size too; what looks over a whole batch would see the filler. exact: batches are as
    long as their longest text and are not filled up, since nothing is compiled for their shape.
    """

    def __init__(
        self,
        graph: Graph,
        tables: Mapping[Path, Table],
        *,
        batch_size: int,
        fills: bool = True,
        exact: bool = False,
    ) -> None:
        self.graph, self.tables, self.batch_size, self.exact = graph, tables, batch_size, exact
        self._fills = fills and not exact and not graph.mixes_texts
        self._sources = graph.lookups
        self._longest = 0
        self._trims = False
        self._lengths: tuple[int, ...] = ()  # the bucket lengths

    def batch(self, data: Data, rows: Rows | None = None) -> Batch:
        """Return a batch of all or some of the examples, filled up to the batch size.

        The filler is copies of the first example with weight 0. If a layer mixes the texts of a
        batch, it is not filled up.
        """
        part = data if rows is None else data.take(rows)
        n = len(part)
        inputs, masks = self._inputs(part.inputs)
        valid = np.zeros(self.batch_size if self._fills else n, np.float32)
        valid[:n] = 1
        inputs = [self._filled(x) for x in inputs]
        ids, row_indices = {}, {}
        for path, table in self.tables.items():
            nodes = [i for i in self._sources if self.graph.nodes[i].layer.name == path[0]]
            taken = [as_ids(inputs[self._sources[node]]) for node in nodes]
            if len(nodes) == 1:
                ids[path], row_indices[nodes[0]] = table.unique(taken[0])
                continue
            flat = np.concatenate([x.reshape(-1) for x in taken])
            ids[path], where = table.unique(flat)
            parts = np.split(where, np.cumsum([x.size for x in taken])[:-1])
            for node, x, own in zip(nodes, taken, parts, strict=True):
                row_indices[node] = own.reshape(x.shape)
        return Batch(
            n=n,
            inputs=inputs,
            masks=[None if m is None else self._filled(m) for m in masks],
            labels=[self._filled(y) for y in part.labels],
            weights=[None if w is None else self._filled(w) for w in part.weights],
            valid=valid,
            ids=ids,
            row_indices=row_indices,
        )

    def plan(self, data: Data, *, more_to_come: bool = False) -> None:
        """Choose the lengths that batches of this data are trimmed or padded to: at most four.

        more_to_come: longer texts may follow, so the longest length is rounded to a power of two.
        """
        longest = max((n for n in map(_n_steps, data.inputs) if n is not None), default=0)
        masked = [isinstance(column, Ragged | Padded) for column in data.inputs]
        self._trims = honours_padding(self.graph, masked)
        if not self._trims and not any(isinstance(column, Ragged) for column in data.inputs):
            self._lengths = ()
            return
        if more_to_come:
            longest = max(self._longest, 1 << max(0, longest - 1).bit_length())
        if longest != self._longest or not self._lengths:
            self._longest = longest
            quarters = {-(-longest * k // _N_BUCKETS) for k in range(1, _N_BUCKETS + 1)}
            self._lengths = tuple(sorted(quarters - {0})) or (1,)

    def _inputs(self, columns: Sequence[Column]) -> tuple[list[Array], list[Mask]]:
        """Return (inputs, masks), trimmed or padded to one of the planned lengths."""
        if not self._lengths:
            return [_ids(c) for c in columns], [_mask(c) for c in columns]
        spans = [_span(column, trims=self._trims) for column in columns]
        need = max((stop - start for start, stop in spans if stop is not None), default=0)
        width = next((n for n in self._lengths if n >= need), self._lengths[-1])
        if self.exact and self._trims:
            width = max(1, need)
        cut = [_cut(c, span, width) for c, span in zip(columns, spans, strict=True)]
        return [x for x, _ in cut], [mask for _, mask in cut]

    def _filled(self, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        n = self.batch_size - len(x) if self._fills else 0
        return x if n == 0 else np.concatenate([x, np.repeat(x[:1], n, axis=0)])


def _ids(column: Column) -> Array:
    if isinstance(column, SparseColumn):
        return column[:]
    return column.ids if isinstance(column, Padded) else column


def _mask(column: Column) -> Mask:
    return column.mask if isinstance(column, Padded) else None


def _n_steps(column: Column) -> int | None:
    """Return the length of texts; None for inputs without steps."""
    if isinstance(column, Ragged):
        return int(column.lengths.max(initial=0))
    x = _ids(column)
    return x.shape[1] if x.ndim == 2 else None


def _span(column: Column, *, trims: bool) -> tuple[int, int | None]:
    """Return the range of steps (start, stop) in which any text has a real token."""
    if isinstance(column, Ragged):
        return 0, int(column.lengths.max(initial=0))
    x = _ids(column)
    if x.ndim != 2 or not trims:  # features keep their length
        return 0, None
    real = np.flatnonzero((column.mask if isinstance(column, Padded) else x != 0).any(axis=0))
    return (int(real[0]), int(real[-1]) + 1) if real.size else (0, 1)


def _cut(column: Column, span: tuple[int, int | None], width: int) -> tuple[Array, Mask]:
    """Return (ids, mask) trimmed or padded to `width` steps, with all real ones."""
    if isinstance(column, Ragged):
        padded = column.pad(width)
        return padded.ids, padded.mask
    x, mask = _ids(column), _mask(column)
    start, stop = span
    if stop is None:
        return x, mask
    if (missing := width - x.shape[1]) > 0:
        wider = [(0, 0), (missing, 0)]
        return np.pad(x, wider), None if mask is None else np.pad(mask, wider)
    first = max(0, min(start, x.shape[1] - width))
    part = slice(first, first + width)
    return x[:, part], None if mask is None else mask[:, part]


def prefetch(batches: Iterable[Callable[[], Batch] | Batch], *, depth: int = 2) -> Generator[Batch]:
    """Yield batches that a background thread prepares, up to `depth` of them ahead.

    Its exceptions are raised here; leaving the loop ends the thread.
    """
    ready: queue.Queue[Any] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for batch in batches:
                if not put(batch() if callable(batch) else batch):
                    return
        except BaseException as error:
            put(error)
        else:
            put(None)

    thread = threading.Thread(target=work, name="wordrow-batches", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join(timeout=5)  # the user's generator may be blocked
