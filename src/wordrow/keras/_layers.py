"""Keras's layers under the names and arguments of Keras 1, 2 and 3.

Where Keras drops the mask, these do, and say so once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wordrow
from wordrow.keras._names import Name
from wordrow.nn import layers as real
from wordrow.nn.named import config_of

__all__ = ["LAYERS", "NOT_HERE", "drops_the_mask"]

# Old argument -> ours, in all layers. The types of numbers, and ways to compute, change nothing.
_ALL: dict[str, str | None] = {
    "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint",
    "init": "kernel_initializer", "bias": "use_bias", "dtype": None, "dynamic": None,
    "batch_shape": "batch_input_shape",
}  # fmt: skip
_RECURRENT: dict[str, str | None] = _ALL | {
    "output_dim": "units", "nb_units": "units", "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation", "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout", "U_regularizer": "recurrent_regularizer",
    "U_constraint": "recurrent_constraint", "consume_less": None, "implementation": None,
    "forget_bias_init": None,
}  # fmt: skip
_CONVOLUTION: dict[str, str | None] = _ALL | {
    "nb_filter": "filters", "filter_length": "kernel_size", "border_mode": "padding",
    "subsample_length": "strides", "subsample": "strides", "atrous_rate": "dilation_rate",
}  # fmt: skip
_POOLING: dict[str, str | None] = _ALL | {
    "pool_length": "pool_size", "stride": "strides", "border_mode": "padding",
}  # fmt: skip
_EMBEDDING: dict[str, str | None] = _ALL | {
    "init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
    "W_constraint": "embeddings_constraint",
}  # fmt: skip
_DROPS = {"mask": "drop"}


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


_ONES = {"pool_size": _one, "strides": _one}


def _shaped(layer: Any, **taken: Any) -> Any:
    """Give a layer the input shape that old arguments say."""
    if (shape := taken.get("batch_input_shape")) is not None:
        layer.first_shape = tuple(shape)
    elif (n := taken.get("input_dim")) is not None:
        layer.first_shape = (None, int(n)) if "input_length" not in taken else (
            None, taken["input_length"], int(n))  # fmt: skip
    if layer.mask == "drop":
        layer.says_that_it_drops = True
    return layer


def _layer(cls: Any, arguments: dict[str, str | None], **options: Any) -> Name:
    taken: tuple[str, ...] = ("batch_input_shape",)
    if cls not in (real.Dense, real.Embedding, real.LSTM, real.GRU, real.SimpleRNN):
        taken += ("input_dim", "input_length")
    return Name(cls, arguments=arguments, taken=taken, finish=_shaped, **options)


def _input(shape: Any = None, batch_size: Any = None, **options: Any) -> Any:
    """Return an Input; its symbol is what layers are called on."""
    options = {
        {"batch_input_shape": "batch_shape", "input_shape": "shape"}.get(k, k): v
        for k, v in options.items()
        if k not in ("tensor", "sparse", "ragged", "input_tensor", "optional")
    }
    shape = options.pop("shape", shape) if shape is None else shape
    if isinstance(shape, int):
        shape = (shape,)
    return wordrow.Input(shape, batch_size, **options)


class Merge:
    """Keras 1's way to join models (or layers) as the first layer of a Sequential."""

    def __init__(
        self, layers: Any = None, mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1,
        output_shape: Any = None, name: Any = None, **options: Any,
    ) -> None:  # fmt: skip
        self.models = list(layers or ())
        self.layer = _merging(mode, concat_axis, dot_axes, output_shape, name)

    def __call__(self, inputs: Any) -> Any:
        """Return the symbols merged."""
        return self.layer(inputs)


class InputSpec:
    """What a layer of one's own says of its inputs; taken, and not looked at."""

    def __init__(self, dtype: Any = None, shape: Any = None, ndim: Any = None, **axes: Any) -> None:
        self.dtype, self.shape, self.ndim, self.axes = dtype, shape, ndim, axes.get("axes")


def _identity(**options: Any) -> Any:
    return real.Activation("linear", **{k: v for k, v in options.items() if k != "dtype"})


def _deserialized(config: Any, custom_objects: Any = None) -> Any:
    """Return the layer of its class name and arguments."""
    from wordrow.keras._custom import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects)


def _time_distributed_dense(units: int, **options: Any) -> Any:
    shape = {k: options.pop(k) for k in ("input_shape",) if k in options}
    dense = LAYERS["Dense"](units, **options)
    return LAYERS["TimeDistributed"](dense, **shape)


def merge(inputs: Any, mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1,
          output_shape: Any = None, **options: Any) -> Any:  # fmt: skip
    """Keras 1's merge of symbols: mode "sum", "mul", "concat", "ave", "max", "dot", "cos"."""
    return _merging(mode, concat_axis, dot_axes, output_shape, options.get("name"))(inputs)


def _merging(mode: Any, concat_axis: int, dot_axes: Any, output_shape: Any, name: Any) -> Any:
    """Return the layer of a `mode` of Keras 1."""
    if callable(mode):
        return real.Lambda(mode, output_shape, name=name)
    axes = {"axes": _one(dot_axes)}
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "sum": (real.Add, {}), "mul": (real.Multiply, {}), "ave": (real.Average, {}),
        "max": (real.Maximum, {}), "concat": (real.Concatenate, {"axis": concat_axis}),
        "dot": (real.Dot, axes), "cos": (real.Dot, axes | {"normalize": True}),
    }  # fmt: skip
    if mode not in kinds:
        raise ValueError(f"`mode` must be one of {sorted(kinds)}; received {mode!r}.")
    cls, options = kinds[mode]
    return cls(**options, name=name)


def _functional(cls: Any) -> Callable[..., Any]:
    """Return a merging layer's lower-case form: concatenate([a, b]) is Concatenate()([a, b])."""

    def merged(inputs: Any, *arguments: Any, **options: Any) -> Any:
        return cls(*arguments, **options)(inputs)

    merged.__name__ = merged.__qualname__ = cls.__name__.lower()
    merged.__doc__ = f"The layer {cls.__name__}, called on a list of inputs."
    return merged


_BASIC = ("Activation", "ActivityRegularization", "BatchNormalization", "GaussianNoise",
          "LayerNormalization", "Masking", "ReLU", "LeakyReLU", "ELU", "Softmax",
          "GlobalAveragePooling1D", "SpatialDropout1D", "GaussianDropout", "Lambda",
          "Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract",
          "AdditiveAttention", "Attention", "MultiHeadAttention", "StringLookup",
          "TextVectorization")  # fmt: skip
_DROPPING = ("Flatten", "Reshape", "Permute", "RepeatVector", "Cropping1D", "ZeroPadding1D",
             "UpSampling1D", "PReLU", "GlobalMaxPooling1D", "Dot", "RMSNormalization")  # fmt: skip

LAYERS: dict[str, Any] = {
    name: _layer(real.LAYERS[name], _ALL | {
        "p": "rate", "sigma": "stddev", "alpha": "alpha" if name == "ELU" else "negative_slope",
        "beta_init": "beta_initializer", "gamma_init": "gamma_initializer", "mode": None,
        "output_dim": "units",
    })
    for name in _BASIC
}  # fmt: skip
LAYERS |= {name: _layer(real.LAYERS[name], _ALL, extra=_DROPS) for name in _DROPPING}
LAYERS |= {
    "Dense": _layer(real.Dense, _ALL | {"output_dim": "units"}),
    "Dropout": _layer(real.Dropout, _ALL | {"p": "rate"}),
    "Embedding": _layer(real.Embedding, _EMBEDDING | {"dropout": None, "sparse": None}),
    "LSTM": _layer(real.LSTM, _RECURRENT),
    "GRU": _layer(real.GRU, _RECURRENT),
    "SimpleRNN": _layer(real.SimpleRNN, _RECURRENT),
    "Conv1D": _layer(real.Conv1D, _CONVOLUTION, extra=_DROPS),
    "MaxPooling1D": _layer(real.MaxPooling1D, _POOLING, extra=_DROPS, convert=_ONES),
    "AveragePooling1D": _layer(real.AveragePooling1D, _POOLING, extra=_DROPS, convert=_ONES),
    "Bidirectional": _layer(real.Bidirectional, _ALL),
    "TimeDistributed": _layer(real.TimeDistributed, _ALL),
    "Layer": real.OwnLayer,
    "Input": _input,
    "InputLayer": _input,
    "TimeDistributedDense": _time_distributed_dense,
    "InputSpec": InputSpec,
    "Identity": _identity,
    "serialize": config_of,
    "deserialize": _deserialized,
    "merge": merge,
    "Merge": Merge,
}
LAYERS |= {
    old: LAYERS[new]
    for old, new in {
        "Convolution1D": "Conv1D", "AtrousConvolution1D": "Conv1D", "MaxPool1D": "MaxPooling1D",
        "AvgPool1D": "AveragePooling1D", "GlobalAvgPool1D": "GlobalAveragePooling1D",
        "GlobalMaxPool1D": "GlobalMaxPooling1D", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU",
    }.items()
}  # fmt: skip
LAYERS |= {
    name.lower(): _functional(real.LAYERS[name])
    for name in (
        "Add",
        "Average",
        "Concatenate",
        "Dot",
        "Maximum",
        "Minimum",
        "Multiply",
        "Subtract",
    )
}


def drops_the_mask(layer: Any) -> bool:
    """Return whether Keras's layer of this class lets padding count."""
    name = type(layer).__name__
    return name in _DROPPING or name in ("Conv1D", "MaxPooling1D", "AveragePooling1D")


# What Keras has for texts, or beside them, and we do not.
NOT_HERE: dict[str, str] = {
    "ConvLSTM1D": "use Conv1D before an LSTM",
    "SeparableConv1D": "use Conv1D",
    "DepthwiseConv1D": "use Conv1D",
    "Conv1DTranspose": "use UpSampling1D and Conv1D",
    "RNN": "use LSTM, GRU or SimpleRNN",
    "LSTMCell": "use LSTM",
    "GRUCell": "use GRU",
    "SimpleRNNCell": "use SimpleRNN",
    "StackedRNNCells": "stack LSTM layers with return_sequences=True",
    "Conv2D": "it is for images",
    "Convolution2D": "it is for images",
    "MaxPooling2D": "it is for images",
    "GlobalMaxPooling2D": "it is for images",
    "GlobalAveragePooling2D": "it is for images",
    "LocallyConnected1D": "use Conv1D",
    "AlphaDropout": "use Dropout",
    "GroupNormalization": "use LayerNormalization",
    "UnitNormalization": "use Lambda",
}
