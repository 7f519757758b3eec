"""Models: `Sequential`, `Model`, and reading one from a file."""

from wordrow.nn.model.loading import load_model as load_model
from wordrow.nn.model.model import Model as Model
from wordrow.nn.model.sequential import Sequential as Sequential

__all__ = ["Model", "Sequential", "load_model"]
