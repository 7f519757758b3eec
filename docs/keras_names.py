"""Writes docs/keras.md: each of Keras 3's public names for text, and what wordrow has of it.

`python docs/keras_names.py` needs Keras itself, whose names it lists.
"""

import importlib
import inspect
import pathlib
import sys

from wordrow.keras._modules import MODULES, NOT_HERE

TARGET = pathlib.Path(__file__).with_name("keras.md")
# The area of sequences and text. Of `keras.layers`, what images, audio and tables need is left out.
AREA = ("keras", "keras.activations", "keras.callbacks", "keras.constraints", "keras.initializers",
        "keras.layers", "keras.losses", "keras.metrics", "keras.models", "keras.optimizers",
        "keras.optimizers.schedules", "keras.regularizers", "keras.utils")  # fmt: skip
ELSEWHERE = ("2D", "3D", "Image", "Random", "Aug", "CenterCrop", "Resizing", "Rescaling", "Mel",
             "STFT", "Mix", "CutMix", "Solarization", "Equalization", "Quant", "BoundingBox",
             "Posterization", "MaxNumBoundingBoxes", "Grayscale", "HSV", "Sharpness", "Hue",
             "Saturation", "Brightness", "Contrast", "Erasing", "Flip", "Rotation", "Shear",
             "Zoom", "Translation", "Crop", "Hashing", "Discretization", "Integer", "Category",
             "FeatureSpace", "Spectral", "TorchModule", "Flax", "Jax", "TFSM")  # fmt: skip
DIFFERS = {
    "Lambda": "cannot be saved", "Layer": "`call` on arrays of "
    "NumPy and JAX", "Model": "a class with `call` is called once, on symbols",
    "MultiHeadAttention": "`attention_mask` and what is called with holds for all calls",
    "GlobalAveragePooling1D": "zeros, not NaN, for a text of padding alone",
    "Embedding": "an id outside the table is an error",
}  # fmt: skip


def names_of(path):
    """The public names of a module of Keras's, in the area of text."""
    module = importlib.import_module(path)
    return sorted(
        name for name, thing in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(thing)
        and not any(word in name for word in ELSEWHERE)
    )  # fmt: skip


def state_of(path, name):
    """What wordrow has of a name, and why."""
    if why := NOT_HERE.get(f"{path}.{name}"):
        return "not there", why
    if name in MODULES[path]:
        why = DIFFERS.get(name, "") if path in ("keras", "keras.layers", "keras.models",
                                                "keras.callbacks") else ""  # fmt: skip
        return ("there, with a difference", why) if why else ("there", "")
    return "not there", "not yet"


def text():
    """The whole page."""
    lines = [
        "# Keras 3's names for text, in wordrow",
        "",
        "Written by `python docs/keras_names.py` from the tables in `src/wordrow/keras/`. Names "
        "for images, audio and tables of features are left out. The names of Keras 1, Keras 2 "
        "and tf.keras stand in the same tables.",
    ]  # fmt: skip
    for path in AREA:
        lines += ["", f"## {path}", "", "| name | in wordrow | |", "|---|---|---|"]
        for name in names_of(path):
            state, why = state_of(path, name)
            lines.append(f"| `{name}` | {state} | {why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{TARGET} is written\n")
