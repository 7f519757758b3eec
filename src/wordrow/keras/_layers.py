"""Keras's layers under the names and arguments of Keras 1, 2 and 3.

Layers that drop the mask in Keras drop it here too, with one warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wordrow.keras._alias import Alias
from wordrow.keras._cells import OWN_LAYERS
from wordrow.keras._merge import Merge, merge
from wordrow.nn import layers as nn_layers
from wordrow.nn.registry import config_of

__all__ = ["LAYERS", "InputSpec", "drops_mask", "padding_counts"]

Renames = dict[str, str | None]

# Old argument -> ours, for all layers. None: it has no effect here (dtypes, implementation hints).
_COMMON: Renames = {
    "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint",
    "init": "kernel_initializer", "bias": "use_bias", "dtype": None, "dynamic": None,
    "batch_shape": "batch_input_shape",
}  # fmt: skip
_BASIC = _COMMON | {
    "p": "rate", "sigma": "stddev", "alpha": "negative_slope", "beta_init": "beta_initializer",
    "gamma_init": "gamma_initializer", "mode": None, "output_dim": "units",
}  # fmt: skip
_EMBEDDING = _COMMON | {
    "init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
    "W_constraint": "embeddings_constraint", "dropout": None, "sparse": None,
}  # fmt: skip
_RECURRENT = _COMMON | {
    "output_dim": "units", "nb_units": "units", "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation", "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout", "U_regularizer": "recurrent_regularizer",
    "U_constraint": "recurrent_constraint", "consume_less": None, "implementation": None,
    "forget_bias_init": None,
}  # fmt: skip
_CONVOLUTION = _COMMON | {
    "nb_filter": "filters", "filter_length": "kernel_size", "border_mode": "padding",
    "subsample_length": "strides", "subsample": "strides", "atrous_rate": "dilation_rate",
}  # fmt: skip
_POOLING = _COMMON | {
    "pool_length": "pool_size",
    "stride": "strides",
    "border_mode": "padding",
}


_PLANE = _CONVOLUTION | {"pool_length": "pool_size", "dim_ordering": "data_format"}


def _scalar(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


_SCALARS = {"pool_size": _scalar, "strides": _scalar}
_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}  # of Keras 1
_FORMATS = {"data_format": lambda value: _ORDERINGS.get(value, value)}
_DROPS_MASK = {"mask": "drop"}
_AS_KERAS = {"mask": "keras"}


def _finished(layer: Any, **shape_options: Any) -> Any:
    """Set a layer's input shape from Keras 1's and 2's arguments, and what it does with masks."""
    if (shape := shape_options.get("batch_input_shape")) is not None:
        layer.first_shape = tuple(shape)
    elif (n := shape_options.get("input_dim")) is not None:
        length = (shape_options["input_length"],) if "input_length" in shape_options else ()
        layer.first_shape = (None, *length, int(n))
    size = shape_options.get("batch_size")
    if size is not None and layer.first_shape is not None:
        layer.first_shape = (int(size), *layer.first_shape[1:])
    layer.first_weights = shape_options.get("weights")
    if layer.mask is None and _differs(layer):
        layer.mask = "keras"
    layer.warns_of_dropped_mask = layer.mask in ("drop", "keras")
    layer.operations = _operation
    return layer


def _operation(name: str) -> Any:
    return LAYERS[name]


def _differs(layer: Any) -> bool:
    """Return whether Keras's layer, with these settings, passes on another mask."""
    if isinstance(layer, nn_layers.TimeDistributed):
        return layer.layer.makes_mask
    backwards = getattr(layer, "go_backwards", False) and layer.return_sequences
    return backwards and isinstance(layer, nn_layers.LSTM | nn_layers.GRU | nn_layers.SimpleRNN)


def _layer(cls: Any, renames: Renames, **options: Any) -> Alias:
    withheld: tuple[str, ...] = ("batch_input_shape", "batch_size")
    if cls not in (nn_layers.Embedding, nn_layers.Bidirectional):  # which take them themselves
        withheld += ("weights",)
    if cls not in (
        nn_layers.Dense,
        nn_layers.Embedding,
        nn_layers.LSTM,
        nn_layers.GRU,
        nn_layers.SimpleRNN,
    ):
        withheld += ("input_dim", "input_length")
    return Alias(cls, renames=renames, withheld=withheld, finish=_finished, **options)


def _input(shape: Any = None, batch_size: int | None = None, **options: Any) -> Any:
    """Return an Input, which layers can be called on."""
    renames = {"batch_input_shape": "batch_shape", "input_shape": "shape"}
    ignored = ("tensor", "sparse", "ragged", "input_tensor", "optional")
    options = {renames.get(k, k): v for k, v in options.items() if k not in ignored}
    shape = options.pop("shape", shape) if shape is None else shape
    if isinstance(shape, int):
        shape = (shape,)
    return nn_layers.Input(shape, batch_size, **options)


class InputSpec:
    """A custom layer's requirements for its inputs; stored, but not checked."""

    def __init__(self, dtype: Any = None, shape: Any = None, ndim: Any = None, **axes: Any) -> None:
        self.dtype, self.shape, self.ndim, self.axes = dtype, shape, ndim, axes.get("axes")


def _identity(**options: Any) -> Any:
    return nn_layers.Activation("linear", **{k: v for k, v in options.items() if k != "dtype"})


def _time_distributed_dense(units: int, **options: Any) -> Any:
    shape = {k: options.pop(k) for k in ("input_shape",) if k in options}
    return LAYERS["TimeDistributed"](LAYERS["Dense"](units, **options), **shape)


def _functional(cls: Any) -> Callable[..., Any]:
    """Return a merging layer's lower-case form: concatenate([a, b]) is Concatenate()([a, b])."""

    def merged(inputs: Any, *args: Any, **options: Any) -> Any:
        return cls(*args, **options)(inputs)

    merged.__name__ = merged.__qualname__ = cls.__name__.lower()
    merged.__doc__ = f"The layer {cls.__name__}, called on a list of inputs."
    return merged


_BASIC_NAMES = (
    "Activation", "ActivityRegularization", "BatchNormalization", "GaussianNoise",
    "LayerNormalization", "ReLU", "LeakyReLU", "Softmax", "GlobalAveragePooling1D",
    "SpatialDropout1D", "GaussianDropout", "AdditiveAttention", "Attention", "MultiHeadAttention",
    "StringLookup", "TextVectorization",
)  # fmt: skip
# What Keras 3 and tf.keras do with masks: these layers drop it, and let padding count;
_MASK_DROPPING_NAMES = (
    "Flatten", "Reshape", "Permute", "RepeatVector", "Cropping1D", "ZeroPadding1D",
    "UpSampling1D", "GlobalMaxPooling1D", "Dot", "RMSNormalization",
)  # fmt: skip
# and these let padding count, and pass on a mask in a way of their own (`apply_as_keras`).
_MASK_CHANGING_NAMES = (
    "Add", "Average", "Concatenate", "Lambda", "Masking", "Maximum", "Minimum", "Multiply",
    "PReLU", "Subtract",
)  # fmt: skip
_WINDOWED = ("Conv1D", "SeparableConv1D", "MaxPooling1D", "AveragePooling1D")
_PLANES = (
    "Conv2D",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalMaxPooling2D",
    "GlobalAveragePooling2D",
)
_MERGING = (
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
)

LAYERS: dict[str, Any] = {name: _layer(nn_layers.LAYERS[name], _BASIC) for name in _BASIC_NAMES}
LAYERS |= {
    name: _layer(nn_layers.LAYERS[name], _COMMON, defaults=_DROPS_MASK)
    for name in _MASK_DROPPING_NAMES
}
LAYERS |= {
    name: _layer(nn_layers.LAYERS[name], _BASIC, defaults=_AS_KERAS)
    for name in _MASK_CHANGING_NAMES
}
LAYERS |= {
    name: _layer(nn_layers.LAYERS[name], _POOLING, defaults=_DROPS_MASK, converters=_SCALARS)
    for name in ("MaxPooling1D", "AveragePooling1D")
}
LAYERS |= {
    name: _layer(nn_layers.LAYERS[name], _PLANE, defaults=_DROPS_MASK, converters=_FORMATS)
    for name in _PLANES
}
LAYERS |= {
    "Conv1D": _layer(nn_layers.Conv1D, _CONVOLUTION, defaults=_DROPS_MASK),
    "SeparableConv1D": _layer(
        nn_layers.SeparableConv1D,
        _CONVOLUTION | {"depthwise_kernel_size": "kernel_size"},
        defaults=_DROPS_MASK,
    ),
    "Dense": _layer(nn_layers.Dense, _COMMON | {"output_dim": "units"}),
    "AlphaDropout": _layer(nn_layers.AlphaDropout, _COMMON | {"p": "rate"}),
    "Dropout": _layer(nn_layers.Dropout, _COMMON | {"p": "rate"}),
    "ELU": _layer(nn_layers.ELU, _BASIC | {"alpha": "alpha"}),
    "Embedding": _layer(nn_layers.Embedding, _EMBEDDING),
    "LSTM": _layer(nn_layers.LSTM, _RECURRENT),
    "GRU": _layer(nn_layers.GRU, _RECURRENT),
    "SimpleRNN": _layer(nn_layers.SimpleRNN, _RECURRENT),
    "Bidirectional": _layer(nn_layers.Bidirectional, _COMMON),
    "TimeDistributed": _layer(nn_layers.TimeDistributed, _COMMON),
    "Layer": nn_layers.Layer,
    "Input": _input,
    "InputLayer": _input,
    "TimeDistributedDense": _time_distributed_dense,
    "InputSpec": InputSpec,
    "Identity": _identity,
    "serialize": config_of,
    "merge": merge,
    "Merge": Merge,
}
LAYERS |= {
    name: Alias(
        cls,
        renames={"output_dim": "units", "inner_activation": "recurrent_activation"}
        if name.endswith("Cell")
        else {},
    )
    for name, cls in OWN_LAYERS.items()
}
_OLD_NAMES: Mapping[str, str] = {
    "SeparableConvolution1D": "SeparableConv1D", "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "Convolution1D": "Conv1D",
    "AtrousConvolution1D": "Conv1D", "MaxPool1D": "MaxPooling1D",
    "AvgPool1D": "AveragePooling1D", "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU",
}  # fmt: skip
LAYERS |= {old: LAYERS[new] for old, new in _OLD_NAMES.items()}
LAYERS |= {name.lower(): _functional(LAYERS[name]) for name in _MERGING}


def _convolution_2d(filters: int, *sizes: Any, **options: Any) -> Any:
    """Return a Conv2D; Keras 1 gave the rows and columns of its windows one by one."""
    rows, columns = options.pop("nb_row", None), options.pop("nb_col", None)
    if rows is None and len(sizes) > 1 and all(isinstance(n, int) for n in sizes[:2]):
        (rows, columns), sizes = sizes[:2], sizes[2:]
    if rows is not None:
        sizes = ((rows, columns), *sizes)
    return LAYERS["Conv2D"](filters, *sizes, **options)


LAYERS["Convolution2D"] = _convolution_2d


def drops_mask(layer: nn_layers.Layer) -> bool:
    """Return whether Keras's layer of this class drops the mask."""
    return type(layer).__name__ in (*_MASK_DROPPING_NAMES, *_WINDOWED, *_PLANES)


def padding_counts(layer: nn_layers.Layer) -> bool:
    """Return whether padding counts in Keras's layer of this class, under a mask too."""
    differs = type(layer).__name__ in ("Add", "Average", "Concatenate", "Subtract")
    return differs or drops_mask(layer)
