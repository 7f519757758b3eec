"""Sources of texts: lists, iterators and Arrow columns; and the errors of invalid rows."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from typing import Any

from wordrow.errors import TextTypeError, show

__all__ = ["bad_row_error", "portions"]

_CHUNK_TEXTS = 16384  # of an iterator that are held in memory at once


def portions(texts: Any) -> Iterator[tuple[int, Any]]:
    """Yield (row of the first text, a list, tuple or Arrow column) at least once, even if empty."""
    if isinstance(texts, list | tuple) or _is_arrow(texts):
        yield 0, texts
        return
    try:
        iterator = iter(texts)
    except TypeError:
        raise TextTypeError(
            "texts must be a list, an iterator or an Arrow column of strings; "
            f"received {show(texts)}."
        ) from None
    portion = list(islice(iterator, _CHUNK_TEXTS))
    row = 0
    while portion or row == 0:
        yield row, portion
        row += max(1, len(portion))
        portion = list(islice(iterator, _CHUNK_TEXTS))


def bad_row_error(texts: Any, first_row: int, row: int, kind: str, detail: str) -> Exception:
    """Return the error for a row that the core rejected (see bind/texts.h)."""
    where = f"text {first_row + row}"
    if kind == "null":
        return TextTypeError(
            f"{where} is null: expected a string. Remove such rows, or fill them with ''."
        )
    if kind == "utf-8":
        return ValueError(f"{where} is not UTF-8: byte {detail} of it is invalid. Decode it first.")
    if kind == "token":
        return TextTypeError(
            f"{where} is a list of tokens, and one of them is of type {detail}: expected strings. "
            "Tokens of other types need lower=False."
        )
    value = texts[row] if isinstance(texts, list | tuple) else None
    return TextTypeError(
        f"{where}: expected a string or a list of tokens, received {show(value)}. "
        "Remove it, or put '' in its place."
    )


def _is_arrow(texts: Any) -> bool:
    if not (hasattr(texts, "__arrow_c_stream__") or hasattr(texts, "__arrow_c_array__")):
        return False
    if type(texts).__module__.startswith("pandas.") and find_spec("pyarrow") is None:
        return False  # pandas offers the interface, and needs pyarrow for it
    # pandas also offers the interface for columns of Python objects, through
    # pyarrow, which rejects mixed types; these are read as a list.
    return str(getattr(texts, "dtype", "")) != "object"
