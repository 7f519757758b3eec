"""Reads lists of integers from a NumPy object array, without running its pickle.

`np.save` stores arrays of Python objects as a pickle, and loading a pickle can run any
code. The arrays of `imdb.npz` are just lists of integers, so the pickle is parsed here
as data: integers and lists are read, NumPy's own names and calls are skipped and never
looked up, and any other instruction is an error.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from wordrow.errors import FileFormatError

__all__ = ["read_lists"]

# A run of small integers between "mark" and "append all": K has one byte, M two
# bytes, J four bytes, signed.
_RUN = re.compile(rb"(?:K.|M..|J....)+", re.DOTALL)
_INTEGER = re.compile(rb"K(.)|M(..)|J(....)", re.DOTALL)

_NUMPY_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
_MARK = object()


class _Name:
    """A placeholder for a NumPy function in the stream; it is never called."""


def read_lists(data: bytes, *, name: str) -> list[list[int]]:
    """Return the lists in the pickle of an object array of lists of integers.

    Raises FileFormatError for a stream with anything else in it.
    """
    try:
        lists = _Reader(data, name).run()
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{name}: the array is truncated or damaged ({error!r}).") from error
    if not isinstance(lists, list) or not all(isinstance(item, list) for item in lists):
        raise FileFormatError(f"{name}: expected an array of lists of integers.")
    if any(set(map(type, item)) - {int} for item in lists):
        raise FileFormatError(f"{name}: expected an array of lists of integers.")
    return lists


class _Reader:
    """Interprets the few pickle instructions that make lists and integers."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name, self.position = data, name, 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the list at the end of the array's state."""
        while True:
            code = self.data[self.position : self.position + 1]
            if code in b"KMJ" and code:
                self._integers()
                continue
            self.position += 1
            if code == b".":
                return self.stack[-1]
            step = _STEPS.get(code)
            if step is None:
                raise FileFormatError(
                    f"{self.name}: byte {self.position - 1} is the pickle instruction {code!r}, "
                    "which a list of integers does not need. Nothing was run."
                )
            step(self)

    def take(self, n: int) -> bytes:
        """Return the next n bytes."""
        part = self.data[self.position : self.position + n]
        if len(part) != n:
            raise IndexError(f"byte {self.position}")
        self.position += n
        return part

    def number(self, layout: str) -> int:
        """Return the next number of a struct layout."""
        return int(struct.unpack(layout, self.take(struct.calcsize(layout)))[0])

    def line(self) -> str:
        """Return the text up to the next line feed."""
        end = self.data.index(b"\n", self.position)
        text = self.data[self.position : end].decode("ascii")
        self.position = end + 1
        return text

    def since_mark(self) -> list[Any]:
        """Pop everything above the last mark."""
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
        taken = self.stack[at + 1 :]
        del self.stack[at:]
        return taken

    def _integers(self) -> None:
        match = _RUN.match(self.data, self.position)
        if match is None:
            raise IndexError(f"byte {self.position}")
        for one, two, four in _INTEGER.findall(match.group()):
            if one:
                self.stack.append(one[0])
            elif two:
                self.stack.append(two[0] | two[1] << 8)
            else:
                self.stack.append(int.from_bytes(four, "little", signed=True))
        self.position = match.end()

    def name_of(self, module: Any, attribute: Any) -> None:
        """Push a placeholder for a NumPy function."""
        if (module, attribute) not in _NUMPY_NAMES:
            raise FileFormatError(
                f"{self.name}: the array calls {module}.{attribute}, so it is not a list of "
                "integers. Nothing was run."
            )
        self.stack.append(_Name())

    def global_name(self) -> None:
        """Read a name given as two lines."""
        module = self.line()
        self.name_of(module, self.line())

    def stack_name(self) -> None:
        """Read a name given as two strings on the stack."""
        attribute, module = self.stack.pop(), self.stack.pop()
        self.name_of(module, attribute)

    def reduce(self) -> None:
        """Push a placeholder for the result of a call."""
        self.stack.pop()
        if not isinstance(self.stack.pop(), _Name):
            raise FileFormatError(f"{self.name}: the array is damaged at byte {self.position}.")
        self.stack.append(_Name())

    def state(self) -> None:
        """Pop the state of an array, (version, shape, dtype, order, list), or of a dtype."""
        state = self.stack.pop()
        if isinstance(state, tuple) and len(state) == 5 and isinstance(state[4], list):
            self.stack[-1] = state[4]

    def append_all(self) -> None:
        """Append the items above the mark to the list below it."""
        items = self.since_mark()
        self.stack[-1].extend(items)

    def append_one(self) -> None:
        """Append the top of the stack to the list below it."""
        item = self.stack.pop()
        self.stack[-1].append(item)

    def tuple_of(self, n: int) -> None:
        """Replace the last n values by a tuple."""
        taken = tuple(self.stack[len(self.stack) - n :]) if n else ()
        del self.stack[len(self.stack) - n :]
        self.stack.append(taken)

    def string(self, layout: str) -> None:
        """Read a length-prefixed string."""
        self.stack.append(self.take(self.number(layout)).decode("utf-8", "surrogatepass"))

    def long(self) -> None:
        """Read a length-prefixed integer."""
        self.stack.append(int.from_bytes(self.take(self.number("<B")), "little", signed=True))

    def remember(self, number: int) -> None:
        """Store the top of the stack in the memo."""
        self.memo[number] = self.stack[-1]

    def recall(self, number: int) -> None:
        """Push an entry of the memo."""
        self.stack.append(self.memo[number])


_STEPS: dict[bytes, Any] = {
    b"\x80": lambda r: r.take(1),  # PROTO
    b"\x95": lambda r: r.take(8),  # FRAME
    b"c": _Reader.global_name,
    b"\x93": _Reader.stack_name,
    b"R": _Reader.reduce,
    b"b": _Reader.state,
    b"(": lambda r: r.stack.append(_MARK),
    b"]": lambda r: r.stack.append([]),
    b")": lambda r: r.stack.append(()),
    b"t": lambda r: r.stack.append(tuple(r.since_mark())),
    b"\x85": lambda r: r.tuple_of(1),
    b"\x86": lambda r: r.tuple_of(2),
    b"\x87": lambda r: r.tuple_of(3),
    b"a": _Reader.append_one,
    b"e": _Reader.append_all,
    b"N": lambda r: r.stack.append(None),
    b"\x88": lambda r: r.stack.append(True),
    b"\x89": lambda r: r.stack.append(False),
    b"\x8a": _Reader.long,
    b"C": lambda r: r.string("<B"),  # SHORT_BINBYTES, of NumPy's dtype
    b"U": lambda r: r.string("<B"),
    b"X": lambda r: r.string("<I"),
    b"\x8c": lambda r: r.string("<B"),
    b"q": lambda r: r.remember(r.number("<B")),
    b"r": lambda r: r.remember(r.number("<I")),
    b"\x94": lambda r: r.remember(len(r.memo)),
    b"h": lambda r: r.recall(r.number("<B")),
    b"j": lambda r: r.recall(r.number("<I")),
}
