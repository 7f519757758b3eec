"""Examples to batches: cut, padded, their ids found, ahead of the step that takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.nn.away import Rows
from wordrow.nn.columns import Column, Data
from wordrow.nn.graph import Graph
from wordrow.nn.ops import as_ids
from wordrow.nn.train import Path
from wordrow.types import Padded, Ragged

__all__ = ["Batch", "Feed", "ahead"]

_N_BUCKETS = 4  # a length is compiled once, and a recurrent step takes over a second to compile


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a step takes, as NumPy arrays; `n` of its examples are real."""

    n: int
    inputs: list[Any]
    masks: list[Any]
    labels: list[Any]
    weights: list[Any]
    valid: npt.NDArray[np.float32]
    ids: dict[Path, Any]  # of each table by rows: the unique ids
    places: dict[int, Any]  # node -> where its ids stand among them


class Feed:
    """Makes batches of one size for one graph.

    rows: the tables that are trained by rows. Where every layer honours the mask,
    padding is cut away. exact: batches are as long as their longest text, and not
    filled up: nothing is compiled for their shape.
    """

    def __init__(
        self, graph: Graph, rows: dict[Path, Rows], *, batch_size: int, exact: bool = False
    ) -> None:
        self.graph, self.rows, self.batch_size, self.exact = graph, rows, batch_size, exact
        self._fills = not exact and not any(layer.mixes_texts for layer in graph.layers)
        self._sources = graph.lookups()
        self._longest = 0
        self._trims = False
        self._steps: tuple[int, ...] = ()  # the lengths that batches are brought to

    def batch(self, data: Data, rows: Any = None) -> Batch:
        """Return a batch of the examples, or of some of them, filled up to the batch size.

        What fills it up are copies of the first example, with weight 0. A batch
        whose texts have a say in each other's answers is not filled up.
        """
        part = data if rows is None else data.take(rows)
        n = len(part)
        inputs, masks = self._inputs(part.inputs)
        valid = np.zeros(self.batch_size if self._fills else n, np.float32)
        valid[:n] = 1
        inputs = [self._filled(x) for x in inputs]
        ids, places = {}, {}
        for path, found in self.rows.items():
            nodes = [i for i in self._sources if self.graph.nodes[i].layer.name == path[0]]
            taken = [as_ids(inputs[self._sources[node]]) for node in nodes]
            flat = np.concatenate([x.reshape(-1) for x in taken])
            capacity = min(len(found.last), len(flat) + 1)
            ids[path], where = found.unique(flat, capacity)
            parts = np.split(where, np.cumsum([x.size for x in taken])[:-1])
            for node, x, own in zip(nodes, taken, parts, strict=True):
                places[node] = own.reshape(x.shape)
        return Batch(
            n=n, inputs=inputs, masks=[None if m is None else self._filled(m) for m in masks],
            labels=[self._filled(y) for y in part.labels],
            weights=[None if w is None else self._filled(w) for w in part.weights],
            valid=valid, ids=ids, places=places,
        )  # fmt: skip

    def plan(self, data: Data, *, more_to_come: bool = False) -> None:
        """Choose the lengths that batches of this data are brought to: at most four.

        more_to_come: longer texts may follow, so the longest length is a power of two.
        """
        longest = max((n for n in map(_n_steps, data.inputs) if n is not None), default=0)
        masked = [isinstance(column, Ragged | Padded) for column in data.inputs]
        self._trims = self.graph.honours_padding(masked)
        if not self._trims and not any(isinstance(column, Ragged) for column in data.inputs):
            self._steps = ()
            return
        if more_to_come:
            longest = max(self._longest, 1 << max(0, longest - 1).bit_length())
        if longest != self._longest or not self._steps:
            self._longest = longest
            quarters = {-(-longest * k // _N_BUCKETS) for k in range(1, _N_BUCKETS + 1)}
            self._steps = tuple(sorted(quarters - {0})) or (1,)

    def _inputs(self, columns: Sequence[Column]) -> tuple[list[Any], list[Any]]:
        """Return (inputs, masks), all texts brought to one of the planned lengths."""
        if not self._steps:
            return [_ids(c) for c in columns], [_mask(c) for c in columns]
        spans = [_span(column, trims=self._trims) for column in columns]
        need = max((stop - start for start, stop in spans if stop is not None), default=0)
        width = next((n for n in self._steps if n >= need), self._steps[-1])
        if self.exact and self._trims:
            width = max(1, need)
        cut = [_cut(c, span, width) for c, span in zip(columns, spans, strict=True)]
        return [x for x, _ in cut], [mask for _, mask in cut]

    def _filled(self, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        n = self.batch_size - len(x) if self._fills else 0
        return x if n == 0 else np.concatenate([x, np.repeat(x[:1], n, axis=0)])


def _ids(column: Column) -> Any:
    return column.ids if isinstance(column, Padded) else column


def _mask(column: Column) -> Any:
    return column.mask if isinstance(column, Padded) else None


def _n_steps(column: Column) -> int | None:
    """Return the length of texts; None for what has no steps."""
    if isinstance(column, Ragged):
        return int(column.lengths.max(initial=0))
    x = _ids(column)
    return x.shape[1] if x.ndim == 2 else None


def _span(column: Column, *, trims: bool) -> tuple[int, int | None]:
    """Return the first and last column in which any text has a real token."""
    if isinstance(column, Ragged):
        return 0, int(column.lengths.max(initial=0))
    x = _ids(column)
    if x.ndim != 2 or not trims:  # it keeps its length, as features must
        return 0, None
    real = np.flatnonzero((column.mask if isinstance(column, Padded) else x != 0).any(axis=0))
    return (int(real[0]), int(real[-1]) + 1) if real.size else (0, 1)


def _cut(column: Column, span: tuple[int, int | None], width: int) -> tuple[Any, Any]:
    """Return (ids, mask) of `width` columns with all that is real."""
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


def ahead(batches: Iterable[Callable[[], Batch] | Batch], *, depth: int = 2) -> Generator[Batch]:
    """Yield batches that a background thread makes, `depth` of them ahead.

    What making one raises is raised here; leaving the loop ends the thread.
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

    thread = threading.Thread(target=work, name="wordrow-feed", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join(timeout=5)  # a generator of the user's may be waiting for something
