"""wordrow: raw text to trained word vectors. Every word gets a row.

`__init__.pyi` lists the public names, which are imported on first use, so that `import wordrow`
costs next to nothing.
"""

from wordrow.lazy import attach
from wordrow.plugins import add_model_format

__version__ = "0.1.0"
__getattr__, __dir__ = attach(__name__, __file__)
add_model_format((".keras", ".h5", ".hdf5"), "wordrow.keras._files")
