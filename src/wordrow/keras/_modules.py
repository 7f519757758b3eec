"""Module path -> what stands in it: the names of `keras`, and those that go by other roots."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

import wordrow
from wordrow.datasets import imdb, reuters
from wordrow.keras import _backend, _custom, _layers, _models, _utils
from wordrow.keras._names import Name
from wordrow.keras._scikit import KerasClassifier, KerasRegressor
from wordrow.nn import (
    activations,
    callbacks,
    constraints,
    initializers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
)
from wordrow.nn.layers.symbol import Symbol
from wordrow.nn.plot import plot_model

__all__ = ["MODULES", "NOT_HERE", "ROOTS"]

# ---- one family after the other ----------------------------------------------

_SEEDLESS = {"seed": None, "dtype": None}


def _both_ways(family: Any) -> dict[str, Any]:
    """Return a family's functions from names and configs to things, and back."""
    return {
        "get": family.get, "serialize": family.config,
        "deserialize": lambda config, custom_objects=None: (
            (custom_objects or {}).get(config if isinstance(config, str) else "")
            or family.get(config)
        ),
    }  # fmt: skip


def _initializers() -> dict[str, Any]:
    known = initializers.INITIALIZERS
    found: dict[str, Any] = {
        name: Name(cls, arguments=_SEEDLESS) for name, cls in known.classes.items()
    }
    scaled = {name: one for name, one in known.names.items()
              if isinstance(one, initializers.VarianceScaling)}  # fmt: skip

    def maker(one: Any) -> Callable[..., Any]:
        return lambda *seed, **options: one

    for name, one in scaled.items():
        camel = "".join(part.capitalize() for part in name.split("_"))
        found[name] = found[camel] = maker(one)
    plain = {"Zeros": "zeros", "Ones": "ones"}
    found |= {name: maker(known.names[own]) for name, own in plain.items()}
    old = {"zeros": "Zeros", "ones": "Ones", "constant": "Constant", "orthogonal": "Orthogonal",
           "identity": "Identity", "uniform": "RandomUniform", "normal": "RandomNormal",
           "random_uniform": "RandomUniform", "random_normal": "RandomNormal",
           "truncated_normal": "TruncatedNormal"}  # fmt: skip
    found |= {name: found[own] for name, own in old.items()}
    found |= {"IdentityInitializer": found["Identity"], "Initializer": object,
              "OrthogonalInitializer": found["Orthogonal"]}  # fmt: skip
    return found | _both_ways(known)


def _regularizers() -> dict[str, Any]:
    def l1(l1: float = 0.01, l: float | None = None) -> Any:  # noqa: E741
        """Return the penalty l1 * sum |w|."""
        return regularizers.L1(l1 if l is None else l)

    def l2(l2: float = 0.01, l: float | None = None) -> Any:  # noqa: E741
        """Return the penalty l2 * sum w ** 2."""
        return regularizers.L2(l2 if l is None else l)

    def l1_l2(l1: float = 0.01, l2: float = 0.01) -> Any:
        """Return both penalties together."""
        return regularizers.L1L2(l1, l2)

    known = regularizers.REGULARIZERS
    return dict(known.classes) | {"l1": l1, "l2": l2, "l1_l2": l1_l2, "l1l2": l1_l2,
                                  } | _both_ways(known)  # fmt: skip


def _constraints() -> dict[str, Any]:
    known = constraints.CONSTRAINTS
    old = {"max_norm": "MaxNorm", "maxnorm": "MaxNorm", "non_neg": "NonNeg", "nonneg": "NonNeg",
           "unit_norm": "UnitNorm", "unitnorm": "UnitNorm",
           "min_max_norm": "MinMaxNorm"}  # fmt: skip
    arguments = {"m": "max_value"}
    found: dict[str, Any] = {n: Name(cls, arguments=arguments) for n, cls in known.classes.items()}
    return found | {name: found[own] for name, own in old.items()} | _both_ways(known)


def _optimizers() -> dict[str, Any]:
    arguments = {"lr": "learning_rate", "schedule_decay": None, "use_ema": None,
                 "ema_momentum": None, "jit_compile": None}  # fmt: skip
    convert = {"epsilon": lambda value: 1e-7 if value is None else value}
    found: dict[str, Any] = {
        name: Name(cls, arguments=arguments, convert=convert)
        for name, cls in optimizers.OPTIMIZERS.classes.items()
        if name[0].isupper()
    }
    old = {"rmsprop": found["RMSprop"], "adam": found["Adam"], "sgd": found["SGD"]}
    return found | old | {"Optimizer": optimizers.Optimizer} | _both_ways(optimizers.OPTIMIZERS)


def _of(family: Any) -> dict[str, Any]:
    classes = {k: v for k, v in family.classes.items() if k[0].isupper()}
    return dict(family.names) | classes | _both_ways(family)


def _callbacks() -> dict[str, Any]:
    found: dict[str, Any] = {
        name: getattr(callbacks, name)
        for name in callbacks.__all__ if name not in ("Callbacks",)
    }  # fmt: skip
    found["ModelCheckpoint"] = Name(
        callbacks.ModelCheckpoint, arguments={"period": None, "save_best": "save_best_only"}
    )
    old = ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")
    found["TensorBoard"] = Name(callbacks.TensorBoard, arguments=dict.fromkeys(old))
    found["ReduceLROnPlateau"] = Name(
        callbacks.ReduceLROnPlateau, arguments={"epsilon": "min_delta"}
    )
    return found


def _names_of(module: Any) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}


_TEXT = {
    name: getattr(wordrow, name)
    for name in ("Tokenizer", "text_to_word_sequence", "one_hot", "hashing_trick",
                 "tokenizer_from_json")
}  # fmt: skip
_SEQUENCE = {
    name: getattr(wordrow, name) for name in ("pad_sequences", "skipgrams", "make_sampling_table")
} | {"TimeseriesGenerator": _utils.TimeseriesGenerator}
_LAYERS = _layers.LAYERS
_MODELS = {
    "Model": _models.Model, "Sequential": _models.Sequential, "load_model": _models.load_model,
    "save_model": _models.save_model, "model_from_json": _models.model_from_json,
    "clone_model": _models.clone_model,
}  # fmt: skip
_FUNCTIONS = activations.ACTIVATIONS.names | _both_ways(activations.ACTIVATIONS) | {
    "get": activations.get_activation}  # fmt: skip
_SAVING = _names_of(_custom) | {"load_model": _models.load_model, "save_model": _models.save_model}
del _SAVING["CUSTOM"]
_UTILS = _names_of(_utils) | _SAVING | {
    "to_categorical": wordrow.to_categorical, "pad_sequences": wordrow.pad_sequences,
    "set_random_seed": wordrow.set_random_seed, "plot_model": plot_model, "plot": plot_model,
    "clear_session": _backend.FUNCTIONS["clear_session"],
    "is_keras_tensor": _backend.FUNCTIONS["is_keras_tensor"],
}  # fmt: skip
_METRICS = _of(metrics.METRICS) | {
    "Mean": metrics.MeanMetric, "Metric": metrics.Metric, "MeanMetricWrapper": metrics.MeanMetric,
}  # fmt: skip
_SCHEDULES = {name: cls for name, cls in schedules.SCHEDULES.classes.items() if name[0].isupper()}

MODULES: dict[str, dict[str, Any]] = {
    "keras": {
        "Model": _models.Model, "Sequential": _models.Sequential, "Input": _LAYERS["Input"],
        "Layer": _LAYERS["Layer"], "KerasTensor": Symbol, "__version__": "2.15.0",
        "Initializer": object, "Metric": metrics.Metric, "Optimizer": optimizers.Optimizer,
        "InputSpec": _layers.InputSpec, "version": lambda: "2.15.0",
    },
    "keras.activations": _FUNCTIONS,
    "keras.backend": _backend.FUNCTIONS,
    "keras.callbacks": _callbacks(),
    "keras.constraints": _constraints(),
    "keras.datasets": {},
    "keras.datasets.imdb": {"load_data": imdb.load_data, "get_word_index": imdb.get_word_index},
    "keras.datasets.reuters": {name: getattr(reuters, name) for name in reuters.__all__},
    "keras.engine": {"Input": _LAYERS["Input"], "InputSpec": _layers.InputSpec,
                     "Layer": _LAYERS["Layer"], "Model": _models.Model},
    "keras.initializers": _initializers(),
    "keras.layers": _LAYERS,
    "keras.losses": _of(losses.LOSSES),
    "keras.metrics": _METRICS,
    "keras.models": _MODELS,
    "keras.optimizers": _optimizers() | _SCHEDULES,
    "keras.optimizers.schedules": _SCHEDULES,
    "keras.preprocessing": {},
    "keras.preprocessing.sequence": _SEQUENCE,
    "keras.preprocessing.text": _TEXT,
    "keras.random": {"normal": _backend.FUNCTIONS["random_normal"],
                     "uniform": _backend.FUNCTIONS["random_uniform"]},
    "keras.regularizers": _regularizers(),
    "keras.saving": _SAVING,
    "keras.utils": _UTILS,
    "keras.wrappers": {},
    "keras.wrappers.scikit_learn": {"KerasClassifier": KerasClassifier,
                                    "KerasRegressor": KerasRegressor},
}  # fmt: skip
# Old places of the same names.
MODULES |= {
    old: MODULES[new]
    for old, new in {
        "keras.initializations": "keras.initializers",
        "keras.objectives": "keras.losses",
        "keras.engine.topology": "keras.engine",
        "keras.engine.training": "keras.engine",
        "keras.engine.base_layer": "keras.engine",
        "keras.optimizers.legacy": "keras.optimizers",
        "keras.utils.np_utils": "keras.utils",
        "keras.utils.data_utils": "keras.utils",
        "keras.utils.vis_utils": "keras.utils",
        "keras.utils.generic_utils": "keras.utils",
        "keras.utils.visualize_util": "keras.utils",
        "keras.utils.layer_utils": "keras.utils",
        "keras.ops": "keras.backend",
        "keras.backend.tensorflow_backend": "keras.backend",
        **{f"keras.layers.{part}": "keras.layers" for part in (
            "core", "embeddings", "recurrent", "convolutional", "pooling", "wrappers", "merge",
            "normalization", "noise", "advanced_activations", "attention", "local", "merging",
            "activation", "reshaping", "rnn", "regularization", "preprocessing",
            "experimental.preprocessing")},
    }.items()
}  # fmt: skip

_Names = types.SimpleNamespace
_TENSORFLOW = {
    "abs": "abs", "argmax": "argmax", "cast": "cast", "clip_by_value": "clip", "concat":
    "concatenate", "exp": "exp", "expand_dims": "expand_dims", "matmul": "dot",
    "range": "arange", "maximum": "maximum", "minimum": "minimum", "ones": "ones",
    "ones_like": "ones_like", "one_hot": "one_hot", "reduce_max": "max",
    "reduce_mean": "mean", "reduce_min": "min",
    "reduce_sum": "sum", "reshape": "reshape", "reverse": "reverse", "shape": "shape",
    "sigmoid": "sigmoid", "sqrt": "sqrt", "square": "square", "squeeze": "squeeze", "stack":
    "stack", "tanh": "tanh", "tile": "tile", "transpose": "permute_dimensions", "where": "switch",
    "zeros": "zeros", "zeros_like": "zeros_like",
}  # fmt: skip
MODULES["tensorflow"] = {
    name: _backend.FUNCTIONS[own] for name, own in _TENSORFLOW.items()
} | {
    "__version__": "2.15.0", "constant": np.array, "convert_to_tensor": np.asarray,
    "float32": "float32", "int32": "int32", "int64": "int64", "string": "str", "bool": "bool",
    "set_random_seed": wordrow.set_random_seed,
    "test": _Names(is_gpu_available=lambda *_, **__: False),
    "random": _Names(set_seed=wordrow.set_random_seed),
    "compat": _Names(v1=_Names(
        set_random_seed=wordrow.set_random_seed, disable_eager_execution=lambda: None,
        disable_v2_behavior=lambda: None,
        logging=_Names(set_verbosity=lambda *_: None, ERROR=40))),
    "logging": _Names(set_verbosity=lambda *_: None, ERROR=40),
    "config": _Names(
        list_physical_devices=lambda *_: [],
        experimental=_Names(list_physical_devices=lambda *_: [],
                                  set_memory_growth=lambda *_: None)),
    "nn": _Names(**{name: _backend.FUNCTIONS[name] for name in (
        "relu", "sigmoid", "softmax", "tanh", "elu", "softplus")}),
    "math": _Names(**{name: _backend.FUNCTIONS[own] for name, own in {
        "exp": "exp", "log": "log", "sqrt": "sqrt", "square": "square", "reduce_mean": "mean",
        "reduce_sum": "sum", "reduce_max": "max", "argmax": "argmax", "tanh": "tanh"}.items()}),
}  # fmt: skip

# Other beginnings of the same paths.
ROOTS = {
    "tensorflow.keras": "keras", "tensorflow.python.keras": "keras", "tf_keras": "keras",
    "keras_preprocessing": "keras.preprocessing", "keras_core": "keras",
    "tensorflow.contrib.keras": "keras", "keras.api": "keras",
}  # fmt: skip


def _because(why: str, path: str, *names: str) -> dict[str, str]:
    """Return what to say of names of a module that are not here."""
    return {f"{path}.{name}": why for name in names}


NOT_HERE: dict[str, str] = {f"keras.layers.{name}": why for name, why in _layers.NOT_HERE.items()}
NOT_HERE |= {
    "keras.callbacks.BaseLogger": "fit averages its numbers by itself",
    "keras.callbacks.BackupAndRestore": "use ModelCheckpoint, load_model and initial_epoch",
    "keras.callbacks.SwapEMAWeights": "use ModelCheckpoint",
    "keras.callbacks.OrbaxCheckpoint": "use ModelCheckpoint",
    "keras.callbacks.CallbackList": "give fit a list of callbacks",
    "keras.models.model_from_yaml": "use to_json and model_from_json",
    "keras.utils.model_to_dot": "use plot_model(model, to_file='model.svg')",
    "keras.datasets.mnist": "it is for images",
    "keras.preprocessing.image": "it is for images",
    "keras.applications": "they are for images",
    "keras.optimizers.Ftrl": "use Adagrad",
    **_because("numbers are float32 here, on arrays of NumPy and JAX", "keras", "DTypePolicy",
               "FloatDTypePolicy", "Variable", "device", "name_scope", "StatelessScope",
               "SymbolicScope"),
    **_because("draw a Model, or write a Layer with `call`", "keras", "Function", "Operation",
               "remat", "RematScope"),
    **_because("give `compile` a function of (y_true, y_pred)", "keras", "Loss"),
    **_because("a function of (y_true, y_pred) is a loss, and a metric", "keras.losses", "Loss",
               "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy",
               "CategoricalGeneralizedCrossEntropy", "Dice", "Tversky", "binary_focal_crossentropy",
               "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "dice",
               "tversky"),
    **_because("it is for speech, or for images", "keras.losses", "CTC", "ctc", "Circle", "circle"),
    **_because("give the layer a function of the weight", "keras", "Regularizer"),
    **_because("give the layer a function of the weight", "keras.regularizers", "Regularizer",
               "OrthogonalRegularizer", "orthogonal_regularizer"),
    **_because("give the layer a function of the weight", "keras.constraints", "Constraint"),
    **_because("give the layer a function", "keras.activations", "celu", "glu", "hard_shrink",
               "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
               "threshold"),
    **_because("it is for sound", "keras.initializers", "stft"),
    **_because("use VarianceScaling", "keras.initializers", "variance_scaling"),
    **_because("use MaxPooling1D or AveragePooling1D", "keras.layers", "AdaptiveAveragePooling1D",
               "AdaptiveMaxPooling1D"),
    **_because("use Conv1D", "keras.layers", "Convolution1DTranspose", "SeparableConvolution1D"),
    **_because("use Dense, or a Layer with `call`", "keras.layers", "EinsumDense", "Wrapper"),
    **_because("use MultiHeadAttention", "keras.layers", "GroupQueryAttention"),
    **_because("it is for tables of features", "keras.layers", "HashedCrossing", "Normalization"),
    **_because("use Sequential", "keras.layers", "Pipeline"),
    **_because("use Embedding and Dense", "keras.layers", "ReversibleEmbedding"),
    **_because("it is for images", "keras.metrics", "BinaryIoU", "IoU", "MeanIoU", "OneHotIoU",
               "OneHotMeanIoU"),
    **_because("use AUC, Precision and Recall", "keras.metrics", "PrecisionAtRecall",
               "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"),
    **_because("use R2Score", "keras.metrics", "ConcordanceCorrelation", "PearsonCorrelation",
               "concordance_correlation", "pearson_correlation"),
    **_because("use Mean", "keras.metrics", "Sum"),
    **_because("give `compile` a function of (y_true, y_pred)", "keras.metrics",
               "binary_focal_crossentropy", "categorical_focal_crossentropy"),
    **_because("use Adam or AdamW", "keras.optimizers", "Adafactor", "Lamb", "Lion", "Muon",
               "ScheduleFreeAdamW", "MultiOptimizer", "OptimizerMap"),
    **_because("weights are float32", "keras.optimizers", "LossScaleOptimizer"),
    **_because("give the optimizer a function of the step", "keras.optimizers.schedules",
               "LearningRateSchedule"),
    **_because("use get_config and from_config", "keras.optimizers.schedules", "serialize",
               "deserialize"),
    **_because("it is for images or sound", "keras.utils", "array_to_img", "img_to_array",
               "load_img", "save_img", "image_dataset_from_directory",
               "audio_dataset_from_directory"),
    **_because("use verbose=", "keras.utils", "disable_interactive_logging",
               "enable_interactive_logging", "is_interactive_logging_enabled"),
    **_because("use wordrow.datasets.read_table", "keras.utils", "text_dataset_from_directory"),
    **_because("use TimeseriesGenerator", "keras.utils", "timeseries_dataset_from_array"),
    **_because("use slices of arrays, or validation_split", "keras.utils", "split_dataset"),
    **_because("batches are tuples (x, y) or (x, y, sample_weight)", "keras.utils",
               "pack_x_y_sample_weight", "unpack_x_y_sample_weight"),
    **_because("use Model.inputs", "keras.utils", "get_source_inputs"),
    **_because("numbers are float32 here", "keras.utils", "standardize_dtype", "Config"),
    "tensorflow.data": "give arrays, or a generator of batches, to fit",
    "tensorflow.Session": "sessions are not needed",
    "tensorflow.GradientTape": "use compile and fit",
    "tensorflow.Variable": "use Layer.add_weight",
    "tensorflow.function": "JAX compiles the training step by itself",
}  # fmt: skip
