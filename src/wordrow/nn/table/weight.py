"""A weight: its array, wherever that is, and what optimizers know of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from wordrow.nn.ops import is_jax, select
from wordrow.nn.optimizers.optimizer import Hyperparameters, Optimizer
from wordrow.nn.optimizers.run import OptimizerRun
from wordrow.nn.spec import Array, Arrays
from wordrow.nn.table import sparse_update

__all__ = ["Path", "TracedWeight", "Weight"]

Path: TypeAlias = tuple[str, str]  # the names of a layer and of its weight


class Weight:
    """A weight of a layer. Layers and models that share it hold this one object.

    Its array is NumPy's, or JAX's while it is trained there: whoever trains the weight takes the
    array from here and puts the new one back here. `read` returns it as NumPy's and up to date;
    `assign` replaces it. Nobody else keeps a copy.
    """

    def __init__(self, array: Array, name: str = "weight") -> None:
        self.name = name
        self._array = array
        self._readable: npt.NDArray[Any] | None = None if is_jax(array) else np.asarray(array)
        self._run: OptimizerRun | None = None  # the one at work on this weight, now or last
        self._is_paused = True  # whether that run goes on without this weight
        self._state: Arrays = {}
        self._states: WeakKeyDictionary[OptimizerRun, Any] = WeakKeyDictionary()  # of other runs

    # ---- reading and writing ----------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self._array.shape)

    @property
    def dtype(self) -> Any:
        """The type of the numbers."""
        return np.dtype(self._array.dtype)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    def read(self) -> npt.NDArray[Any]:
        """Return the weight as it is now. The array is not to be changed."""
        if self._readable is None:
            self._readable = self._read()
        return self._readable

    def _read(self) -> npt.NDArray[Any]:
        return np.array(self._array)

    def numpy(self) -> npt.NDArray[Any]:
        """Return a copy of the weight as it is now."""
        return np.array(self.read())

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def assign(self, value: Any) -> None:
        """Take another value of the same shape. What optimizers know of the weight stays.

        Raises ValueError for another shape.
        """
        array = np.array(value, self.dtype)
        if array.shape != self.shape:
            raise ValueError(f"expected the shape {self.shape}, received {array.shape}.")
        self.replace(array)

    def replace(self, array: npt.NDArray[Any]) -> None:
        """Take an array as it is, without a copy."""
        self.flush()
        self._array = self._readable = array

    def __reduce__(self) -> Any:  # a copy has the value; optimizers go on with this one
        return type(self), (self.numpy(), self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, shape {self.shape}>"

    # ---- training ---------------------------------------------------------

    @property
    def array(self) -> Array:
        """The array itself, perhaps JAX's."""
        return self._array

    @property
    def state(self) -> Arrays:
        """The optimizer state, in the same memory as the array."""
        return self._state

    def resume(self, run: OptimizerRun, *, by_rows: bool = False) -> None:
        """Let a run train this weight from now on.

        What another run knows of the weight is kept for when that one goes on. by_rows: see Table.
        """
        if self._run is not run:
            self.pause()
            if self._run is not None:
                self._states[self._run] = self._pack()
            self._run = run
            self._unpack(self._states.pop(run, None))
        self._is_paused = False

    def pause(self) -> None:
        """Bring the weight up to date, and let its run go on without it."""
        self.flush()
        self._is_paused = True

    def flush(self) -> None:
        """Bring the weight up to date. A weight that every step updates always is."""

    def put(self, array: Array, state: Arrays) -> None:
        """Take the array and the optimizer state after a step."""
        self._array, self._state, self._readable = array, state, None

    def to_device(self) -> None:
        """Move array and optimizer state to JAX, as copies that a step may use up."""
        jnp = sys.modules["jax.numpy"]
        if not is_jax(self._array):
            self._array = jnp.array(self._array)
        self._state = {k: x if is_jax(x) else jnp.array(x) for k, x in self._state.items()}

    def to_host(self) -> None:
        """Move array and optimizer state to NumPy, as contiguous arrays that can be changed."""

        def host(x: Array) -> Array:
            own = not is_jax(x) and x.flags.c_contiguous and x.flags.writeable
            return x if own else np.array(x, order="C")

        self._array, self._state = host(self._array), {k: host(x) for k, x in self._state.items()}
        self._readable = None

    def traced(
        self,
        optimizer: Optimizer,
        array: Array,
        state: Arrays,
        rows: Any = None,
        constraint: Any = None,
    ) -> TracedWeight:
        """Return this weight within a compiled step, where its arrays are JAX's tracers."""
        return TracedWeight(optimizer, array, state, constraint)

    def changed_in_place(self) -> None:
        """Forget what was read before: the arrays were changed where they are."""
        self._readable = None

    # ---- what one run knows of it -------------------------------------------

    def follows(self, run: OptimizerRun) -> bool:
        """Return whether a run trains this weight now."""
        return self._run is run and not self._is_paused

    def state_of(self, run: OptimizerRun) -> Arrays | None:
        """Return the optimizer state of a run as it is; None where it has none."""
        if self._run is run:
            return self._state
        kept = self._states.get(run)
        return None if kept is None else kept["state"]

    def restore(self, run: OptimizerRun, state: Arrays) -> None:
        """Take the optimizer state of a run that goes on."""
        self.pause()
        self._run, self._state = run, dict(state)

    def _pack(self) -> dict[str, Any]:
        return {"state": self._state}

    def _unpack(self, kept: dict[str, Any] | None) -> None:
        assert self._run is not None
        self._state = self._run.optimizer.init(self._array) if kept is None else kept["state"]


@dataclass(frozen=True)
class TracedWeight:
    """A weight that every step updates whole, within a compiled step.

    constraint: what the layer brings it back to after a step. frozen: bool [V], the rows that
    stay as they are.
    """

    optimizer: Optimizer
    array: Array
    state: Arrays
    constraint: Callable[[Array], Array] | None = None
    frozen: npt.NDArray[np.bool_] | None = None

    def gather(self) -> Array:
        """Return what the loss is differentiated with respect to."""
        return self.array

    def mask_gradient(self, gradient: Array) -> Array:
        """Return the gradient, with zeros where nothing is trained."""
        if self.frozen is None:
            return gradient
        return sys.modules["jax.numpy"].where(self.frozen[:, None], 0, gradient)

    def update(
        self, gradient: Array, apply_update: Array, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (array, state) after a step, or as they are where apply_update is false."""
        array, state = sparse_update.update_whole(
            self.optimizer, self.array, self.state, gradient, apply_update, hyperparameters
        )
        if self.constraint is not None:
            array = select(apply_update, self.constraint(array), self.array)
        if self.frozen is not None:
            array = sys.modules["jax.numpy"].where(self.frozen[:, None], self.array, array)
        return array, state
