"""Models: the Keras-shaped shell over graphs, training and files.

Whoever imports a part of this package can also load models: loading.py adds itself to formats.py.
"""

from wordrow.nn.model import loading as loading
