"""A small `tf.data.Dataset`: eager, of NumPy arrays, as scripts over texts use it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wordrow.errors import DataError, show
from wordrow.nn import random as nn_random

__all__ = ["STRINGS", "Dataset", "text_dataset_from_directory"]

Element = Any  # an array, or a tuple or dict of such


class EagerArray(np.ndarray):
    """An array with the method `numpy` that TensorFlow's tensors have."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return found if isinstance(found, EagerArray) else _eager(found)

    def numpy(self) -> Any:
        """Return the plain array, or the scalar; strings as bytes, as in TensorFlow."""
        plain = np.asarray(self)
        if plain.dtype.kind in "UO":
            plain = np.array([str(one).encode() for one in plain.ravel()], object)
            plain = plain.reshape(self.shape)
        return plain[()] if plain.ndim == 0 else plain


def _each(function: Callable[..., Any], *elements: Element) -> Element:
    """Apply a function to the arrays of elements of one structure."""
    first = elements[0]
    if isinstance(first, tuple):
        return tuple(_each(function, *parts) for parts in zip(*elements, strict=True))
    if isinstance(first, Mapping):
        return {key: _each(function, *(one[key] for one in elements)) for key in first}
    return function(*elements)


def _leaves(element: Element) -> list[Any]:
    found: list[Any] = []
    _each(found.append, element)
    return found


def _eager(x: Any) -> Any:
    array = np.asarray(x)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    return array.view(EagerArray)


def _stacked(*parts: Any) -> Any:
    try:
        return _eager(np.stack([np.asarray(one) for one in parts]))
    except ValueError:
        shapes = sorted({np.shape(one) for one in parts})
        raise ValueError(
            f"a batch needs examples of one shape; received {shapes}. Use padded_batch."
        ) from None


class Dataset:
    """Elements that can be gone through again and again, each time by a new iterator."""

    class_names: list[str]

    def __init__(self, make: Callable[[], Iterator[Element]], n: int | None = None) -> None:
        self._make, self._n = make, n

    # ---- where they come from ---------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """Return the examples of arrays, or of a tuple or dict of arrays."""
        tensors = tuple(tensors) if isinstance(tensors, tuple) else tensors
        arrays = _each(_eager, tensors)
        sizes = {len(one) for one in _leaves(arrays)}
        if len(sizes) != 1:
            raise ValueError(f"all arrays must have as many examples; received {sorted(sizes)}.")
        (n,) = sizes
        return cls(lambda: (_each(lambda x, i=i: _eager(x[i]), arrays) for i in range(n)), n)

    @classmethod
    def from_tensors(cls, tensors: Any) -> Dataset:
        """Return one element."""
        return cls(lambda: iter([_each(_eager, tensors)]), 1)

    @classmethod
    def from_generator(
        cls, generator: Callable[..., Iterable[Any]], *args: Any, **kw: Any
    ) -> Dataset:
        """Return what a function's generator yields; the types are the values' own."""
        given = kw.get("args") or ()
        return cls(lambda: (_each(_eager, one) for one in generator(*given)))

    @classmethod
    def range(cls, *bounds: int, **options: Any) -> Dataset:
        """Return whole numbers."""
        numbers = range(*bounds)
        return cls(lambda: map(_eager, numbers), len(numbers))

    @classmethod
    def zip(cls, *datasets: Any) -> Dataset:
        """Return tuples of the elements of several data sets."""
        parts = datasets[0] if len(datasets) == 1 else datasets
        sizes = [one._n for one in parts]
        n = None if None in sizes else min(sizes)
        return cls(lambda: zip(*parts, strict=False), n)

    # ---- what is done with them -------------------------------------

    def __iter__(self) -> Iterator[Element]:
        return self._make()

    def __len__(self) -> int:
        if self._n is None:
            raise TypeError("the length of this data set is unknown.")
        return self._n

    def cardinality(self) -> Any:
        """Return the number of elements; -2 if it is unknown."""
        return _eager(-2 if self._n is None else self._n)

    def map(self, function: Callable[..., Any], *args: Any, **options: Any) -> Dataset:
        """Return the data set of function(element); a tuple's parts are given one by one."""

        def called(element: Element) -> Element:
            parts = element if isinstance(element, tuple) else (element,)
            return _each(lambda x: x if hasattr(x, "offsets") else _eager(x), function(*parts))

        return Dataset(lambda: map(called, self), self._n)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """Return the elements for which the predicate holds."""

        def holds(element: Element) -> bool:
            return bool(predicate(*(element if isinstance(element, tuple) else (element,))))

        return Dataset(lambda: filter(holds, self))

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> Dataset:
        """Return the elements in random order, drawn from a buffer; another one each time."""
        seeds = itertools.count(
            int(nn_random.generator().integers(2**31)) if seed is None else seed
        )
        first = next(seeds)

        def shuffled() -> Iterator[Element]:
            rng = np.random.default_rng(next(seeds) if reshuffle_each_iteration else first)
            buffer: list[Element] = []
            for element in self:
                buffer.append(element)
                if len(buffer) >= buffer_size:
                    at = int(rng.integers(len(buffer)))
                    buffer[at], buffer[-1] = buffer[-1], buffer[at]
                    yield buffer.pop()
            for at in rng.permutation(len(buffer)):
                yield buffer[at]

        return Dataset(shuffled, self._n)

    def _batches(self, size: int, drop: bool, join: Callable[[list[Element]], Element]) -> Dataset:
        size = int(size)

        def batches() -> Iterator[Element]:
            elements = iter(self)
            while part := list(itertools.islice(elements, size)):
                if len(part) == size or not drop:
                    yield join(part)

        n = None if self._n is None else (self._n // size if drop else math.ceil(self._n / size))
        return Dataset(batches, n)

    def batch(self, batch_size: int, drop_remainder: bool = False, **options: Any) -> Dataset:
        """Return batches of so many elements."""
        return self._batches(batch_size, drop_remainder, lambda part: _each(_stacked, *part))

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
    ) -> Dataset:
        """Return batches whose texts are padded behind, with zeros, to the longest of them."""

        def padded(*parts: Any) -> Any:
            arrays = [np.asarray(one) for one in parts]
            sizes = np.max([one.shape for one in arrays], axis=0) if arrays[0].ndim else ()
            return _stacked(
                *(
                    np.pad(one, [(0, n - m) for n, m in zip(sizes, one.shape, strict=True)])
                    for one in arrays
                )
            )

        return self._batches(batch_size, drop_remainder, lambda part: _each(padded, *part))

    def unbatch(self) -> Dataset:
        """Return the examples of batches."""

        def examples() -> Iterator[Element]:
            for element in self:
                for i in range(len(_leaves(element)[0])):
                    yield _each(lambda x, i=i: _eager(x[i]), element)

        return Dataset(examples)

    def take(self, count: int) -> Dataset:
        """Return the first elements."""
        n = None if self._n is None else (self._n if count < 0 else min(self._n, count))
        return Dataset(lambda: itertools.islice(self, None if count < 0 else count), n)

    def skip(self, count: int) -> Dataset:
        """Return the elements but the first ones."""
        n = None if self._n is None else max(0, self._n - count)
        return Dataset(lambda: itertools.islice(self, count, None), n)

    def repeat(self, count: int | None = None) -> Dataset:
        """Return the elements so many times, or without end."""
        endless = count is None or count < 0
        turns = itertools.count if endless else lambda: range(count or 0)
        n = None if endless or self._n is None else self._n * (count or 0)
        return Dataset(lambda: (element for _ in turns() for element in self), n)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """Return these elements, then those of another data set."""
        n = None if self._n is None or dataset._n is None else self._n + dataset._n
        return Dataset(lambda: itertools.chain(self, dataset), n)

    def enumerate(self, start: int = 0) -> Dataset:
        """Return (number, element)."""
        return Dataset(lambda: enumerate(self, start), self._n)

    def cache(self, *args: Any) -> Dataset:
        """Return the data set, whose elements are kept once they have all been made."""
        kept: list[Element] = []

        def elements() -> Iterator[Element]:
            if kept:
                yield from kept
                return
            found = []
            for element in self:
                found.append(element)
                yield element
            kept[:] = found

        return Dataset(elements, self._n)

    def prefetch(self, *args: Any, **options: Any) -> Dataset:
        """Return the data set: `fit` prepares batches ahead anyway."""
        return self

    with_options = prefetch

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Yield the elements as NumPy's arrays and scalars."""
        return (_each(lambda x: _eager(x).numpy(), element) for element in self)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: Literal["int", "binary", "categorical"] | None = "int",
    class_names: list[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: Literal["training", "validation"] | None = None,
    follow_links: bool = False,
    **options: Any,
) -> Dataset:
    """Return batches of (texts, labels) from a folder with one folder of .txt files per class.

    Raises DataError for a folder without such files, ValueError for half a split.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise DataError(f"{directory}: expected a folder with one folder per class.")
    if (validation_split is None) != (subset is None):
        raise ValueError("`validation_split` and `subset` go together; received only one of them.")
    if subset not in (None, "training", "validation"):
        raise ValueError(f"`subset` must be 'training' or 'validation'; received {show(subset)}.")
    if validation_split is not None and shuffle and seed is None:
        raise ValueError("give a `seed`, so that the two parts do not share texts.")
    inferred = isinstance(labels, str) and labels == "inferred"
    names = class_names or sorted(one.name for one in folder.iterdir() if one.is_dir())
    files, classes = [], []
    for number, name in enumerate(names if inferred else [""]):
        found = sorted((folder / name).rglob("*.txt"))
        files += found
        classes += [number] * len(found)
    if not files:
        raise DataError(f"{directory}: there are no .txt files in its folders {names}.")
    if not inferred and labels is not None:
        classes = list(labels)
        if len(classes) != len(files):
            raise ValueError(f"there are {len(files)} files and {len(classes)} labels.")
    order = np.arange(len(files))
    if shuffle:
        np.random.default_rng(seed).shuffle(order)
    if validation_split is not None:
        n_held = int(validation_split * len(files))
        held = len(files) - n_held
        order = order[held:] if subset == "validation" else order[:held]
    texts = [files[i].read_text(encoding="utf-8", errors="replace")[:max_length] for i in order]
    numbers = np.array([classes[i] for i in order], np.int32)
    data: Any = np.array(texts, object)
    if labels is not None and label_mode is not None:
        if label_mode == "binary" and len(names) != 2:
            raise ValueError(f"label_mode='binary' needs two classes; there are {names}.")
        known: dict[str, Any] = {
            "int": numbers,
            "binary": numbers.astype(np.float32)[:, None],
            "categorical": np.eye(len(names), dtype=np.float32)[numbers],
        }
        if label_mode not in known:
            raise ValueError(
                f"`label_mode` must be one of {sorted(known)}; received {show(label_mode)}."
            )
        data = data, known[label_mode]
    dataset = Dataset.from_tensor_slices(data)
    if shuffle:
        dataset = dataset.shuffle(max(1, len(texts)), seed=seed)
    dataset = dataset if batch_size is None else dataset.batch(batch_size)
    dataset.class_names = list(names)
    return dataset


# ---- tf.strings -----------------------------------------------------------------------------


def _on_strings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of one string as one of arrays of strings."""

    def mapped(input: Any, *args: Any, **options: Any) -> Any:  # noqa: A002 TensorFlow's name
        options.pop("name", None)
        options.pop("encoding", None)
        texts = np.asarray(_eager(input))
        found = [function(str(one), *args, **options) for one in texts.ravel()]
        kind = object if not found or isinstance(found[0], str) else None
        return _eager(np.array(found, kind).reshape(texts.shape))

    mapped.__doc__ = function.__doc__
    return mapped


def _replaced(text: str, pattern: str, rewrite: str, replace_global: bool = True) -> str:
    by = re.sub(r"\\(\d)", r"\\g<\1>", rewrite)
    return re.sub(_of_re2(pattern), by, text, count=0 if replace_global else 1)


def _part(text: str, pos: int, n: int, unit: str = "BYTE") -> str:
    if unit != "BYTE":
        return text[pos : pos + n]
    return text.encode()[pos : pos + n].decode(errors="replace")


def _of_re2(pattern: str) -> str:
    """Return one of RE2's patterns in Python's terms."""
    pattern = pattern.replace("[:punct:]", re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"))
    for name, members in (("[:alpha:]", "A-Za-z"), ("[:digit:]", "0-9"), ("[:space:]", r"\s")):
        pattern = pattern.replace(name, members)
    return pattern.replace(r"\p{P}", r"[^\w\s]").replace("[:alnum:]", "A-Za-z0-9")


def _join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    parts = [np.asarray(_eager(one)) for one in inputs]
    rows = np.broadcast_arrays(*parts)
    found = [
        separator.join(map(str, row)) for row in zip(*(one.ravel() for one in rows), strict=True)
    ]
    return _eager(np.array(found, object).reshape(rows[0].shape))


STRINGS: dict[str, Callable[..., Any]] = {
    "as_string": _on_strings(str),
    "join": _join,
    "length": _on_strings(lambda text, unit="BYTE": len(text if unit != "BYTE" else text.encode())),
    "lower": _on_strings(str.lower),
    "regex_full_match": _on_strings(
        lambda text, pattern: bool(re.fullmatch(_of_re2(pattern), text))
    ),
    "regex_replace": _on_strings(_replaced),
    "strip": _on_strings(str.strip),
    "substr": _on_strings(_part),
    "upper": _on_strings(str.upper),
}
