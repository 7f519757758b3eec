"""The only place that imports JAX, when a model is first trained with it."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from wordrow import _core
from wordrow.errors import MissingExtraError

__all__ = ["load_jax", "on_accelerator"]


def load_jax(purpose: str) -> Any:
    """Return JAX, and import it on first use.

    purpose: what needs it, for the error. JAX's compilation cache is on: it keeps programs that
    took over a second to compile. JAX_COMPILATION_CACHE_DIR sets its folder, and
    JAX_ENABLE_COMPILATION_CACHE=0 turns it off.

    Raises MissingExtraError if JAX is not installed.
    """
    if "jax" not in sys.modules and (n := os.environ.get("WORDROW_THREADS")):
        os.environ.setdefault("NPROC", n)  # what XLA takes as the number of processors
    if "jax" not in sys.modules:
        _core.keep_memory()  # before XLA's threads allocate any
    try:
        import jax
    except ImportError as error:
        raise MissingExtraError(purpose, package="jax", extra="train") from error
    import jax.numpy

    if jax.config.jax_compilation_cache_dir is None:
        folder = _cache_folder()
        with contextlib.suppress(OSError):  # without it, programs are compiled in every process
            os.makedirs(folder, exist_ok=True)
            jax.config.update("jax_compilation_cache_dir", folder)
    return jax


def on_accelerator() -> bool:
    """Return whether JAX has been imported and runs on a GPU or TPU."""
    jax = sys.modules.get("jax")
    if jax is None or getattr(jax.__spec__, "_initializing", False):  # another thread imports it
        return False
    return bool(jax.default_backend() != "cpu")


def _cache_folder() -> str:
    """Return the folder for compiled programs, in the user's cache."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", os.path.join(home, "AppData", "Local"))
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "wordrow", "compiled")
