"""Checks and converts what users pass to `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn.data.sparse import SparseColumn
from wordrow.nn.graph.graph import Graph
from wordrow.nn.ids import check_ids
from wordrow.nn.spec import Shape
from wordrow.types import Padded, Ragged

__all__ = [
    "Column",
    "Data",
    "Rows",
    "as_array",
    "as_floats",
    "check_batches",
    "input_columns",
    "is_batches",
    "label_columns",
    "split_item",
    "weight_columns",
]

Column: TypeAlias = Any  # an array [B, ...], a Padded, a Ragged or a SparseColumn
Rows: TypeAlias = slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]  # some of the examples


@dataclass(frozen=True, kw_only=True)
class Data:
    """Inputs, labels and weights of the same examples; labels and weights may be empty."""

    inputs: list[Column]
    labels: list[npt.NDArray[Any]]
    weights: list[npt.NDArray[Any] | None]

    def __len__(self) -> int:
        return len(self.inputs[0])

    def take(self, rows: Rows) -> Data:
        """Return some of the examples, in the given order."""
        return Data(
            inputs=[_take(column, rows) for column in self.inputs],
            labels=[label[rows] for label in self.labels],
            weights=[None if w is None else w[rows] for w in self.weights],
        )


def _take(column: Column, rows: Rows) -> Column:
    if isinstance(column, Ragged):
        return column.take(np.arange(len(column))[rows])
    if isinstance(column, Padded):
        return Padded(ids=column.ids[rows], mask=column.mask[rows])
    return column[rows]


def input_columns(
    x: Any,
    names: Sequence[str],
    shapes: Sequence[Shape],
    model: str,
    readers: Mapping[int, Any] | None = None,
) -> list[Column]:
    """Return one column for each input of a model.

    x: for one input, the array itself; for several, a list in their order or a dict by name.
    readers: index of an input -> the layer that turns its texts into ids.

    Raises ValueError if the number of inputs, their names or their shapes do not fit.
    """
    readers = readers or {}
    columns = []
    for i, (part, name, shape) in enumerate(
        zip(_parts(x, names, "inputs", shapes), names, shapes, strict=True)
    ):
        if i in readers:
            columns.append(readers[i].column(part))
            continue
        columns.append(_one_each(_column(part, shape), shape))
        _check_shape(columns[-1], name, shape, model)
    if len({len(column) for column in columns}) > 1:
        sizes = {name: len(column) for name, column in zip(names, columns, strict=True)}
        raise ValueError(f"all inputs must have as many examples; received {sizes}.")
    return columns


def _one_each(column: Column, shape: Shape) -> Column:
    """Return a column [B] as [B, 1] if the input takes one value per text."""
    one = isinstance(column, np.ndarray) and column.ndim == 1 and tuple(shape[1:]) == (1,)
    return column[:, None] if one else column


def _parts(
    x: Any, names: Sequence[str], what: str, shapes: Sequence[Shape] | None = None
) -> list[Any]:
    """Return what was given for each name; shapes: for the message."""
    if isinstance(x, Mapping):
        if set(x) != set(names):
            raise ValueError(
                f"the {what} are called {list(names)}; received {sorted(map(str, x))}."
            )
        return [x[name] for name in names]
    if len(names) == 1:
        one = isinstance(x, list | tuple) and len(x) == 1 and np.ndim(_first(x[0])) > 1
        return [x[0] if one else x]
    if not isinstance(x, list | tuple) or len(x) != len(names):
        n = len(x) if isinstance(x, list | tuple) else 1
        wanted = list(names) if shapes is None else dict(zip(names, shapes, strict=True))
        given = f" of shape {x.shape}" if hasattr(x, "shape") else ""
        raise ValueError(
            f"there are {len(names)} {what}, {wanted}; received {n}{given}. Give a list of "
            f"{len(names)} arrays in this order, or a dict by name."
        )
    return list(x)


def _first(x: Any) -> Any:
    """Return x, or a scalar if it is not an array, so that its axes can be counted."""
    return x if hasattr(x, "shape") or isinstance(x, Ragged | Padded) else np.zeros(())


def _column(x: Any, shape: Shape) -> Column:
    if isinstance(x, Ragged | Padded):
        return x
    if SparseColumn.fits(x):
        return SparseColumn(x)
    if len(shape) == 2 and shape[1] is None and (texts := _texts_of_ids(x)) is not None:
        return texts
    return as_array(x)


def _texts_of_ids(x: Any) -> Ragged | None:
    """Return lists of ids, of different lengths, as a Ragged; None for anything else."""
    if not isinstance(x, list | tuple) and str(getattr(x, "dtype", "")) != "object":
        return None
    rows = list(x) if np.ndim(_first(x)) < 2 else []
    if not all(isinstance(row, list | tuple) or np.ndim(_first(row)) == 1 for row in rows):
        return None
    if len({len(row) for row in rows}) < 2:
        return None
    try:
        ids = np.array(list(itertools.chain.from_iterable(rows)))
    except ValueError:  # rows of different lengths inside
        return None
    return Ragged.from_lists(rows) if ids.ndim == 1 and ids.dtype.kind in "iuf" else None


def _check_shape(column: Column, name: str, want: Shape, model: str) -> None:
    shape = (len(column), None) if isinstance(column, Ragged) else _shape(column)
    fits = len(want) == len(shape) and all(
        w is None or g is None or w == g for w, g in zip(want[1:], shape[1:], strict=True)
    )
    if not fits:
        fix = "Bring texts to one length with pad_sequences(sequences, maxlen)."
        if len(shape) == len(want) + 1:
            fix = f"A list of {shape[0]} arrays is one more axis: this input takes one array."
        raise ValueError(
            f"input {name!r} of {model!r} takes inputs of shape {want}; received {shape}. {fix}"
        )


def _shape(column: Column) -> tuple[int, ...]:
    return column.ids.shape if isinstance(column, Padded) else column.shape


def as_floats(column: Column, dtype: str) -> Column:
    """Return a column as float32 if its Input has a float dtype."""
    if isinstance(column, Ragged | Padded) or not dtype.startswith("float"):
        return column
    return column.astype(np.float32, copy=False)


def as_array(x: Any, what: str = "inputs") -> npt.NDArray[Any]:
    """Return a numeric array with a batch axis.

    Raises ValueError for anything else.
    """
    if SparseColumn.fits(x):
        x = x.toarray()
    if inspect.isroutine(x):
        raise TypeError(
            f"the {what} must be arrays, or batches; received a function, {show(x)}. Call it: a "
            "generator's batches are what it returns."
        )
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.asarray(x, dtype=object)
    if array.dtype == object and array.ndim and len(array):
        with contextlib.suppress(ValueError, TypeError):  # an object array of equal rows
            array = np.stack([np.asarray(row) for row in array])
    if array.dtype == object and x is not None and _has_sequences(x):
        raise ValueError(
            f"the {what} must be one array, and these are sequences of different lengths. "
            "Use pad_sequences(sequences, maxlen), or tokenizer.encode(texts)."
        )
    if array.dtype.kind not in "iufb":
        raise ValueError(
            f"the {what} must be numbers; received {show(x)}. Turn texts into ids with a Tokenizer."
        )
    if array.ndim == 0:
        raise ValueError(f"the {what} must have a batch axis; received {show(x)}.")
    return array


def _has_sequences(x: Any) -> bool:
    return (
        hasattr(x, "__iter__")
        and np.ndim(_first(x)) < 2
        and any(hasattr(row, "__len__") for row in x)
    )


def label_columns(
    y: Any, names: Sequence[str], n: int, what: str = "labels"
) -> list[npt.NDArray[Any]]:
    """Return one array of labels for each output of a model.

    Raises ValueError if the number of outputs or of examples does not fit.
    """
    if len(names) == 1 and isinstance(y, list | tuple) and len(y) == 1 and np.ndim(y[0]) > 0:
        y = y[0] if len(y[0]) == n else y  # one output's labels, in a list
    columns = [as_array(part, what) for part in _parts(y, names, what)]
    for name, column in zip(names, columns, strict=True):
        if len(column) != n:
            raise ValueError(
                f"there are {n} inputs and {len(column)} {what} for {name!r}; they must be as many."
            )
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            bad = int(np.argwhere(~np.isfinite(column))[0][0])
            raise ValueError(f"the {what} must be finite numbers; example {bad} has {column[bad]}.")
    return columns


def weight_columns(w: Any, names: Sequence[str], n: int) -> list[npt.NDArray[Any] | None]:
    """Return sample weights for each output, [B] or [B, T]; None if not given."""
    if w is None:
        return [None] * len(names)
    if len(names) > 1 and not isinstance(w, list | tuple | Mapping):
        w = [w] * len(names)
    if isinstance(w, Mapping):
        w = [w.get(name) for name in names]
    parts = list(w) if len(names) > 1 else [w]
    found: list[npt.NDArray[Any] | None] = []
    for name, part in zip(names, parts, strict=True):
        if part is None:
            found.append(None)
            continue
        (weights,) = label_columns(part, [name], n, "sample weights")
        if weights.ndim > 1 and weights.shape[-1] == 1:  # [B, 1] or [B, T, 1]
            weights = weights[..., 0]
        if weights.ndim > 2:
            raise ValueError(
                f"sample weights must be of shape (B,) or (B, T); those for {name!r} are of shape "
                f"{np.shape(part)}."
            )
        found.append(weights.astype(np.float32))
    return found


def is_batches(x: Any) -> bool:
    """Return whether x yields batches: a generator, or a sequence that is not an array."""
    if isinstance(x, list | tuple | Mapping | Ragged | Padded | str) or hasattr(x, "__array__"):
        return False
    if SparseColumn.fits(x):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or hasattr(x, "__getitem__")


def check_batches(y: Any, sample_weight: Any) -> None:
    """Raise ValueError for labels or weights given beside batches, which hold their own."""
    if y is not None or sample_weight is not None:
        what = "`y`" if y is not None else "`sample_weight`"
        raise ValueError(f"{what} is part of the batches that x gives: (x, y, sample_weight).")


def split_item(item: Any) -> tuple[Any, Any, Any]:
    """Return (x, y, sample weights) of a batch that is x, (x, y) or (x, y, sample_weight)."""
    if not isinstance(item, tuple):
        return item, None, None
    if not 1 <= len(item) <= 3:
        raise ValueError(
            f"a batch must be x, (x, y) or (x, y, sample_weight); received a tuple of {len(item)}."
        )
    x, y, w = (*item, None, None)[:3]
    return x, y, w


def check_columns(graph: Graph, columns: Sequence[Any]) -> None:
    """Raise ValueError for an id that is out of range for an Embedding of the graph.

    columns: for each input an array, a Padded or a Ragged.
    """
    for node, index in graph.lookups.items():
        layer, column = graph.nodes[node].layer, columns[index]
        if isinstance(column, Padded):
            column = column.ids
        if isinstance(column, SparseColumn):
            column = column[:]
        check_ids(column, layer.n_rows or 0, layer.name)
