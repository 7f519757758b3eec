"""Keras's modules: the names in each, and the other paths that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import wordrow
from wordrow.datasets import imdb, reuters
from wordrow.keras import _custom_objects, _families, _models, _serialization, _utils
from wordrow.keras._backend import FUNCTIONS
from wordrow.keras._data import text_dataset_from_directory
from wordrow.keras._layers import LAYERS, InputSpec
from wordrow.keras._ops import OPS
from wordrow.keras._scikit_learn import KerasClassifier, KerasRegressor
from wordrow.keras._tensorflow import TENSORFLOW, TENSORFLOW_VERSION
from wordrow.nn import metrics, optimizers
from wordrow.nn.functions import losses
from wordrow.nn.graph.symbol import Symbol
from wordrow.nn.model.plot import plot_model

__all__ = ["MODULES", "ROOTS"]

Names = dict[str, Any]


def _public(module: ModuleType) -> Names:
    return {name: getattr(module, name) for name in module.__all__}


def _from_wordrow(names: Sequence[str]) -> Names:
    return {name: getattr(wordrow, name) for name in names}


_LAYERS: Names = LAYERS | {"deserialize": _serialization.deserialize_layer}
_MODELS = _public(_models)
_ENGINE: Names = {
    "Input": LAYERS["Input"],
    "InputSpec": InputSpec,
    "Layer": LAYERS["Layer"],
    "Model": _models.Model,
}
_SAVING: Names = (
    _public(_custom_objects)
    | _public(_serialization)
    | {"load_model": _models.load_model, "save_model": _models.save_model}
)
for _internal in ("CUSTOM_OBJECTS", "deserialize_layer"):
    del _SAVING[_internal]
_UTILS: Names = (
    _public(_utils)
    | _SAVING
    | _from_wordrow(("to_categorical", "pad_sequences", "set_random_seed"))
    | {name: FUNCTIONS[name] for name in ("clear_session", "is_keras_tensor")}
    | {"plot_model": plot_model, "plot": plot_model}
    | {"text_dataset_from_directory": text_dataset_from_directory}
)

MODULES: dict[str, Names] = {
    "keras": _ENGINE
    | {
        "Sequential": _models.Sequential,
        "KerasTensor": Symbol,
        "Initializer": object,
        "Loss": losses.Loss,
        "Metric": metrics.Metric,
        "Optimizer": optimizers.Optimizer,
        "__version__": TENSORFLOW_VERSION,
        "version": lambda: TENSORFLOW_VERSION,
    },
    "keras.activations": _families.ACTIVATIONS,
    "keras.backend": FUNCTIONS,
    "keras.callbacks": _families.CALLBACKS,
    "keras.constraints": _families.CONSTRAINTS,
    "keras.datasets": {},
    "keras.datasets.imdb": {"load_data": imdb.load_data, "get_word_index": imdb.get_word_index},
    "keras.datasets.reuters": _public(reuters),
    "keras.engine": _ENGINE,
    "keras.engine.saving": _SAVING | {"model_from_json": _models.model_from_json},
    "keras.engine.training": _ENGINE
    | {"slice_X": _utils.slice_arrays, "slice_arrays": _utils.slice_arrays},
    "keras.initializers": _families.INITIALIZERS,
    "keras.layers": _LAYERS,
    "keras.losses": _families.LOSSES,
    "keras.metrics": _families.METRICS,
    "keras.models": _MODELS,
    "keras.optimizers": _families.OPTIMIZERS,
    "keras.optimizers.schedules": _families.SCHEDULES,
    "keras.preprocessing": {
        "set_keras_submodules": _utils.set_keras_submodules,
        "text_dataset_from_directory": text_dataset_from_directory,
    },
    "keras.preprocessing.sequence": _from_wordrow(
        ("pad_sequences", "skipgrams", "make_sampling_table")
    )
    | {
        "TimeseriesGenerator": _utils.TimeseriesGenerator,
        "timeseries_generator_from_json": _utils.timeseries_generator_from_json,
        "_remove_long_seq": _utils.remove_long_seq,
    },
    "keras.preprocessing.text": _from_wordrow(
        ("Tokenizer", "text_to_word_sequence", "one_hot", "hashing_trick", "tokenizer_from_json")
    )
    | {"base_filter": _utils.base_filter},
    "keras.ops": OPS,
    "keras.random": {
        "normal": FUNCTIONS["random_normal"],
        "uniform": FUNCTIONS["random_uniform"],
    },
    "keras.regularizers": _families.REGULARIZERS,
    "keras.saving": _SAVING,
    "keras.utils": _UTILS,
    "keras.utils.test_utils": {
        "get_test_data": _utils.get_test_data,
        "keras_test": _utils.keras_test,
    },
    "keras.wrappers": {},
    "keras.wrappers.scikit_learn": {
        "KerasClassifier": KerasClassifier,
        "KerasRegressor": KerasRegressor,
    },
    "tensorflow": TENSORFLOW,
}

# Older paths of the same modules.
_OLD_PATHS = {
    "keras.initializations": "keras.initializers",
    "keras.objectives": "keras.losses",
    "keras.engine.topology": "keras.engine",
    "keras.engine.base_layer": "keras.engine",
    "keras.optimizers.legacy": "keras.optimizers",
    "keras.utils.np_utils": "keras.utils",
    "keras.utils.data_utils": "keras.utils",
    "keras.utils.vis_utils": "keras.utils",
    "keras.utils.generic_utils": "keras.utils",
    "keras.utils.visualize_util": "keras.utils",
    "keras.utils.layer_utils": "keras.utils",
    "keras.backend.tensorflow_backend": "keras.backend",
}
_LAYER_MODULES = (
    "activation", "advanced_activations", "attention", "convolutional", "core", "embeddings",
    "experimental.preprocessing", "local", "merge", "merging", "noise", "normalization",
    "pooling", "preprocessing", "recurrent", "regularization", "reshaping", "rnn", "wrappers",
)  # fmt: skip
MODULES |= {old: MODULES[path] for old, path in _OLD_PATHS.items()}
MODULES |= {f"keras.layers.{name}": _LAYERS for name in _LAYER_MODULES}

# Other beginnings of the same paths.
ROOTS = {
    "tensorflow.keras": "keras",
    "tensorflow.python.keras": "keras",
    "tensorflow.contrib.keras": "keras",
    "tf_keras": "keras",
    "keras_core": "keras",
    "keras.api": "keras",
    "keras_preprocessing": "keras.preprocessing",
}
