"""Write docs/keras.md: each of Keras 3's public names for text, and whether wordrow has it.

`python docs/keras_names.py` needs Keras installed, whose names it lists.
"""

import importlib
import inspect
import pathlib
import sys

from wordrow.keras._modules import MODULES
from wordrow.keras._unsupported import UNSUPPORTED

TARGET = pathlib.Path(__file__).with_name("keras.md")
# The modules for sequences and text. Names that contain a word of OTHER_AREAS are left out.
MODULE_PATHS = (
    "keras",
    "keras.activations",
    "keras.callbacks",
    "keras.constraints",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.models",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.regularizers",
    "keras.utils",
)
OTHER_AREAS = (
    *("2D", "3D", "Image", "Random", "Aug", "CenterCrop", "Resizing", "Rescaling", "Mel", "STFT"),
    *("Mix", "CutMix", "Solarization", "Equalization", "Quant", "BoundingBox", "Posterization"),
    *("MaxNumBoundingBoxes", "Grayscale", "HSV", "Sharpness", "Hue", "Saturation", "Brightness"),
    *("Contrast", "Erasing", "Flip", "Rotation", "Shear", "Zoom", "Translation", "Crop"),
    *("Hashing", "Discretization", "Integer", "Category", "FeatureSpace", "Spectral"),
    *("TorchModule", "Flax", "Jax", "TFSM"),
)
DIFFERING_MODULES = ("keras", "keras.layers", "keras.models", "keras.callbacks")
DIFFERS = {  # in these modules
    "Lambda": "cannot be saved",
    "Layer": "`call` gets arrays of NumPy or JAX",
    "Model": "`call` of a subclass runs once, on symbols",
    "MultiHeadAttention": "all calls of a layer must take the same arguments",
    "GlobalAveragePooling1D": "zeros, not NaN, for a text of padding alone",
    "Embedding": "an id outside the table is an error",
}


def names_of(path):
    """Return the public names of one of Keras's modules that have to do with text."""
    module = importlib.import_module(path)
    return sorted(
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(thing)
        and not any(word in name for word in OTHER_AREAS)
    )


def status_of(path, name):
    """Return (whether wordrow has a name, a remark)."""
    if why := UNSUPPORTED.get(f"{path}.{name}"):
        return "no", why
    if name in MODULES[path]:
        remark = DIFFERS.get(name) if path in DIFFERING_MODULES else None
        return ("yes, with a difference", remark) if remark else ("yes", "")
    return "no", "not yet"


def text():
    """Return the whole page."""
    lines = [
        "# Keras 3's names for text, in wordrow",
        "",
        "Written by `python docs/keras_names.py` from the tables in `src/wordrow/keras/`, which "
        "also have the names of Keras 1, Keras 2 and tf.keras. Names for images, audio and "
        "tabular data are left out.",
    ]
    for path in MODULE_PATHS:
        lines += ["", f"## {path}", "", "| name | in wordrow | remark |", "|---|---|---|"]
        for name in names_of(path):
            status, remark = status_of(path, name)
            lines.append(f"| `{name}` | {status} | {remark} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET}\n")
