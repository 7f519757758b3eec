"""Windows over the steps of a text, for convolution and pooling."""

from __future__ import annotations

from typing import Any

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Mask, Shape, Spec

__all__ = ["Windows", "check_data_format", "check_steps"]


class Windows:
    """Windows of `size` steps that are `dilation` apart; windows start `strides` steps apart.

    padding: "valid" stays inside the text; "same" makes ceil(T / strides) windows;
    "causal" makes as many, each ending at its own step.
    """

    def __init__(
        self, size: int, strides: int, dilation: int, padding: str, known: tuple[str, ...]
    ) -> None:
        if padding not in known:
            raise ValueError(f"`padding` must be one of {known}; received {show(padding)}.")
        if strides > 1 and dilation > 1:
            raise ValueError(
                f"`strides` and `dilation_rate` cannot both be above 1; received {strides} and "
                f"{dilation}."
            )
        self.size, self.strides, self.dilation, self.padding = size, strides, dilation, padding
        self.reach = (size - 1) * dilation + 1  # steps from a window's first to its last

    def count(self, layer: Layer, n_steps: int | None) -> int | None:
        """Return the number of windows over some steps.

        Raises ValueError if there is none.
        """
        if n_steps is None:
            return None
        if self.padding == "valid" and n_steps < self.reach:
            raise ValueError(
                f"{type(layer).__name__} ({layer.name!r}) looks at {self.reach} steps at once; "
                f"received texts of {n_steps}. Use a smaller window, or padding='same'."
            )
        count: int = self._windows(n_steps, max)
        return count

    def align(self, inputs: Array, mask: Mask) -> tuple[Array, Mask, Mask]:
        """Return (inputs, mask, mask of the windows), padded so that every window is inside.

        Masked steps are set to zero. With strides above 1, windows start at each text's first
        real step; padding would shift them otherwise.
        """
        if mask is not None and self.strides > 1:
            return self._align_strided(inputs, mask)
        xp = ops.namespace(inputs)
        n_steps = inputs.shape[1]
        real = xp.ones((1, n_steps), bool) if mask is None else mask
        inputs = ops.fill_masked(inputs, mask)
        before, after = self._edges(n_steps)
        inputs = xp.pad(inputs, [(0, 0), (before, after), (0, 0)])
        padded = xp.pad(real, [(0, 0), (before, after)])
        if mask is not None and self.padding == "valid":
            taps = self.taps(padded)
            mask = taps[0]
            for tap in taps[1:]:
                mask = mask & tap
        return inputs, padded, mask

    def _align_strided(self, inputs: Array, mask: Mask) -> tuple[Array, Mask, Mask]:
        """Align every text to its own first real step, padded for its own length."""
        xp = ops.namespace(inputs)
        n_steps = inputs.shape[1]
        first = mask.argmax(axis=1)
        length = xp.where(mask.any(axis=1), n_steps - mask[:, ::-1].argmax(axis=1) - first, 0)
        n_windows = max(1, self._windows(n_steps, max))
        at = (
            xp.arange((n_windows - 1) * self.strides + self.reach) - self._edges(length)[0][:, None]
        )
        inside = (at >= 0) & (at < length[:, None])
        at = xp.where(inside, at + first[:, None], 0)
        inputs = xp.take_along_axis(inputs, at[..., None], axis=1)
        mask = xp.take_along_axis(mask, at, axis=1) & inside
        out = xp.arange(n_windows) < self._windows(length, xp.maximum)[:, None]
        return ops.fill_masked(inputs, mask), mask, out

    def indices_of(self, row_indices: Array, mask: Mask) -> tuple[Array, Mask]:
        """Return (row indices of each window's steps, mask of the windows).

        row_indices: [B, T], from 0 -> [B, windows, size], -1 for steps that are missing or
        masked.
        """
        xp = ops.namespace(row_indices)
        if mask is None:
            inside = xp.pad(
                row_indices, [(0, 0), self._edges(row_indices.shape[1])], constant_values=-1
            )
        else:
            inside, _, mask = self.align(row_indices[..., None] + 1, mask)
            inside = inside[..., 0] - 1
        return xp.stack(self.taps(inside), axis=-1), mask

    def taps(self, x: Array) -> list[Array]:
        """Return the first, second, ... step of every window: each [B, windows, ...]."""
        n = (x.shape[1] - self.reach) // self.strides + 1
        span = (n - 1) * self.strides + 1
        starts = range(0, self.reach, self.dilation)
        return [x[:, start : start + span : self.strides] for start in starts]

    def _windows(self, n_steps: Any, maximum: Any) -> Any:
        if self.padding != "valid":
            return -(-n_steps // self.strides)
        return maximum((n_steps - self.reach) // self.strides + 1, 0)

    def _edges(self, n_steps: Any) -> tuple[Any, Any]:
        """Return the numbers of steps to add before and after, for one length or an array."""
        if self.padding == "causal":
            return self.reach - 1 + 0 * n_steps, 0 * n_steps
        if self.padding == "valid":
            # A batch of shorter texts still has one window, which no text fills.
            return 0 * n_steps, (self.reach - n_steps) * (n_steps < self.reach)
        free = (self._windows(n_steps, None) - 1) * self.strides + self.reach - n_steps
        free = free * (free > 0)
        return free // 2, free - free // 2


def check_data_format(data_format: str | None) -> None:
    """Raise ValueError for channels first."""
    if data_format not in (None, "channels_last"):
        raise ValueError(
            f"`data_format` must be 'channels_last', [batch, steps, features]; "
            f"received {data_format!r}."
        )


def check_steps(layer: Layer, spec: Spec) -> Shape:
    """Return the shape of inputs [B, T, D].

    Raises ValueError for any other number of axes.
    """
    if len(spec.shape) != 3:
        raise ValueError(
            f"{type(layer).__name__} ({layer.name!r}) takes [batch, steps, features]; "
            f"received the shape {spec.shape}."
        )
    return spec.shape
