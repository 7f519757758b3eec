"""Windows over two axes: convolution and pooling of [B, H, W, C]."""

from __future__ import annotations

import sys
from typing import Any, Literal

import numpy as np

from wordrow.nn.ops.arrays import is_jax
from wordrow.nn.spec import Array

__all__ = ["convolve_plane", "pool_plane"]

Pair = tuple[int, int]
Padding = Literal["valid", "same"]


def convolve_plane(
    x: Array, kernel: Array, strides: Pair, padding: Padding, dilation: Pair
) -> Array:
    """Return the windows of x times the kernel: [B, H, W, C], [h, w, C, F] -> [B, H', W', F]."""
    if is_jax(kernel) or is_jax(x):
        jax = sys.modules["jax"]
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            strides,
            padding.upper(),
            rhs_dilation=dilation,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
    windows = _windows(x, kernel.shape[:2], strides, padding, dilation, 0.0)
    found: Array = np.tensordot(windows, kernel, axes=([3, 4, 5], [2, 0, 1]))
    return found


def pool_plane(
    x: Array, size: Pair, strides: Pair, padding: Padding, kind: Literal["max", "mean"]
) -> Array:
    """Return the maximum or mean of the windows of x, padding not counted: [B, H', W', C]."""
    if kind == "mean":
        sums = _reduced(x, size, strides, padding, "sum")
        ones = np.ones((1, *x.shape[1:3], 1), np.float32)
        return sums / _reduced(ones, size, strides, padding, "sum")
    return _reduced(x, size, strides, padding, "max")


def _reduced(
    x: Array, size: Pair, strides: Pair, padding: Padding, kind: Literal["max", "sum"]
) -> Array:
    fill = -np.inf if kind == "max" else 0.0
    if is_jax(x):
        lax = sys.modules["jax"].lax
        combine = lax.max if kind == "max" else lax.add
        window, steps = (1, *size, 1), (1, *strides, 1)
        return lax.reduce_window(x, fill, combine, window, steps, padding.upper())
    windows = _windows(x, size, strides, padding, (1, 1), fill)
    found: Array = getattr(windows, kind)(axis=(4, 5))
    return found


def _windows(
    x: Any, size: Pair, strides: Pair, padding: Padding, dilation: Pair, fill: float
) -> Array:
    """Return the windows of x: [B, H', W', C, h, w]."""
    x = np.asarray(x)
    reach = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]
    if padding == "same":
        edges = []
        for n, wide, step in zip(x.shape[1:3], reach, strides, strict=True):
            missing = max((-(-n // step) - 1) * step + wide - n, 0)
            edges.append((missing // 2, missing - missing // 2))
        x = np.pad(x, [(0, 0), *edges, (0, 0)], constant_values=fill)
    views = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    return views[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
