"""The `run` command: a script for Keras, unchanged."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from typing import Annotated

import typer

__all__ = ["script"]


def script(
    path: Annotated[str, typer.Argument(metavar="SCRIPT", help="The Python script to run.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENTS]...", help="What the script takes.")
    ] = None,
) -> None:
    """Run a script written for Keras 1, 2, 3 or tf.keras on wordrow.

    The script is not changed, and neither Keras nor TensorFlow needs to be installed. Its
    output, errors and exit status are those of `python SCRIPT`.

    Example: wordrow run imdb_lstm.py --epochs 2
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(2, "there is no such script", path)
    from wordrow import keras

    keras.install()
    sys.argv = [path, *(arguments or [])]
    sys.path[0:0] = [os.path.dirname(os.path.abspath(path))]
    try:
        runpy.run_path(path, run_name="__main__")
    except Exception as error:  # the script's own error, shown as Python does
        if isinstance(error, NameError) and (hint := keras.hint_for(error.name or "")):
            error.add_note(hint)  # after `from keras.layers import *`
        traceback.print_exception(_in_the_script(error, path))
        raise typer.Exit(1) from None


def _in_the_script(error: Exception, path: str) -> Exception:
    """Return an error without the frames that lead to the script."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != path:
        frames = frames.tb_next
    return error.with_traceback(frames or error.__traceback__)
