"""The context of a custom layer's call, for the layers that it calls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from wordrow.nn import ops
from wordrow.nn.spec import Rng

__all__ = ["CallContext", "calling", "current_call"]

_calls: list[CallContext] = []  # the innermost last


class CallContext:
    """Whether the outer call is in training, and its random numbers."""

    def __init__(self, training: bool, rng: Rng) -> None:
        self.training, self._rng, self._n = training, rng, 0

    def next_rng(self) -> Rng:
        """Return a different rng at each call."""
        self._n += 1
        return ops.fold_in(self._rng, self._n)


@contextlib.contextmanager
def calling(context: CallContext) -> Iterator[None]:
    """Use a context for the layers called in this block."""
    _calls.append(context)
    try:
        yield
    finally:
        _calls.pop()


def current_call() -> CallContext | None:
    """Return the context of the innermost running call of a custom layer."""
    return _calls[-1] if _calls else None
