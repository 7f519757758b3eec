"""What a bug report needs to say of the machine it was seen on."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from wordrow import _core

__all__ = ["show_versions", "versions"]

_PACKAGES = ("numpy", "safetensors", "jax", "jaxlib", "h5py", "keras")


def versions() -> dict[str, str]:
    """Return name -> version, for what wordrow runs on; "-" for what is not installed."""
    import wordrow

    found = {
        "wordrow": wordrow.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "-"
    found["instruction set"] = _core.instruction_set()
    found["threads"] = str(_core.n_threads())
    return found


def show_versions() -> None:
    """Print the versions that a bug report should hold.

    >>> show_versions()  # doctest: +ELLIPSIS
    wordrow ...
    """
    rows = versions()
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}", file=sys.stdout)
