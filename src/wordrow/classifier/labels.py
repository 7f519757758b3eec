"""Labels as users give them, checked, and as class numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show

__all__ = ["as_labels", "class_numbers", "find_classes"]


def as_labels(y: Any, *, n_texts: int | None = None) -> npt.NDArray[Any]:
    """Return labels as a 1-D array of strings or numbers.

    Raises ValueError for None, NaN, a wrong number of labels or of axes.
    """
    labels = np.asarray(y) if hasattr(y, "__array__") else _as_objects(list(y))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"labels must be one per text, [B]; received the shape {labels.shape}.")
    if n_texts is not None and len(labels) != n_texts:
        raise ValueError(
            f"texts and labels must be equally many; received {n_texts:,} texts and "
            f"{len(labels):,} labels."
        )
    if labels.dtype == object:
        labels = _uniform(labels)
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        row = int(np.argmin(np.isfinite(labels)))
        shown = "NaN" if np.isnan(labels[row]) else str(labels[row])
        raise ValueError(f"label {row} is {shown}: every text needs a label. Remove such rows.")
    if labels.dtype.kind == "f" and (fractions := labels != np.trunc(labels)).any():
        row = int(fractions.argmax())
        raise ValueError(
            f"labels are classes: strings or whole numbers; label {row} is {labels[row]}. Name the "
            "classes, or fit a model of your own to such numbers."
        )
    if labels.dtype.kind == "u" and labels.size and labels.max() >= 2**63:
        raise ValueError(f"labels must be below 2**63; received {labels.max()}.")
    if labels.dtype.kind not in "iufbU":
        raise ValueError(f"labels must be strings or numbers; received {show(y)}.")
    return labels


def _as_objects(items: list[Any]) -> npt.NDArray[Any]:
    """Return a list of single values as an object array, which keeps each as it is."""
    if any(isinstance(item, list | tuple | np.ndarray) for item in items):
        return np.asarray(items)
    objects = np.empty(len(items), dtype=object)
    objects[:] = items
    return objects


def _uniform(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an object array as an array of strings or of numbers.

    Raises ValueError if it holds both, or a missing value.
    """
    for row, label in enumerate(labels):
        if _is_missing(label):
            shown = "NaN" if isinstance(label, float) else str(label)
            raise ValueError(f"label {row} is {shown}: every text needs a label. Remove such rows.")
    kinds = {isinstance(label, str) for label in labels}
    if len(kinds) > 1:
        row = next(
            i for i, x in enumerate(labels) if isinstance(x, str) != isinstance(labels[0], str)
        )
        raise ValueError(
            f"labels must be all strings or all numbers; label 0 is {show(labels[0])} and label "
            f"{row} is {show(labels[row])}."
        )
    return np.array(labels.tolist())


def _is_missing(label: Any) -> bool:
    """Return whether a label is None, NaN, or pandas' NA or NaT."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return bool(label != label)


def find_classes(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the distinct labels, sorted.

    Raises ValueError if there are fewer than two.
    """
    classes = np.unique(labels)
    for label in classes if classes.dtype.kind == "U" else ():
        try:
            label.encode()
        except UnicodeEncodeError:
            row = int(np.argmax(labels == label))
            raise ValueError(
                f"label {row}, {str(label)!a}, holds half of a surrogate pair, which no file "
                "can hold. Decode the labels with the encoding that they are in."
            ) from None
    if len(classes) < 2:
        found = f"only {classes[0]!s}" if len(classes) else "none"
        raise ValueError(
            f"a classifier needs texts of at least two classes; the labels hold {found}."
        )
    return classes


def class_numbers(labels: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Return each label's index in `classes` (sorted): int32 [B].

    Raises ValueError, naming the row, for a label that is not among them.
    """
    if not len(labels):
        return np.empty(0, np.int32)
    if (labels.dtype.kind == "U") != (classes.dtype.kind == "U"):
        indices = np.zeros(len(labels), np.int64)
        unknown = np.ones(len(labels), bool)
    else:
        indices = np.searchsorted(classes, labels)
        unknown = classes[np.minimum(indices, len(classes) - 1)] != labels
    if unknown.any():
        row = int(np.argmax(unknown))
        raise ValueError(
            f"label {row} is {show(labels[row].item())}, which is not one of the classes "
            f"{show(classes.tolist())}."
        )
    return indices.astype(np.int32)
