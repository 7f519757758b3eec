"""Names of Keras that wordrow does not have, each with what to use instead or why not."""

from __future__ import annotations

__all__ = ["UNSUPPORTED"]

# Module -> reason -> names.
_BY_MODULE = {
    "keras": {
        "they are for images": "applications",
        "weights are float32 arrays of NumPy or JAX": (
            "DTypePolicy FloatDTypePolicy StatelessScope SymbolicScope Variable device name_scope"
        ),
        "use a functional Model, or a Layer with `call`": "Function Operation RematScope remat",
        "pass the layer a function of the weight": "Regularizer",
    },
    "keras.activations": {
        "pass the layer a function": (
            "celu glu hard_shrink soft_shrink sparse_plus sparse_sigmoid sparsemax squareplus "
            "threshold"
        ),
    },
    "keras.backend": {
        "use `import tensorflow as tf`, of which `wordrow run` has a part": "tf",
    },
    "keras.callbacks": {
        "fit averages metrics itself": "BaseLogger",
        "use ModelCheckpoint, load_model and initial_epoch": "BackupAndRestore",
        "use ModelCheckpoint": "OrbaxCheckpoint SwapEMAWeights",
        "pass fit a list of callbacks": "CallbackList",
    },
    "keras.constraints": {
        "pass the layer a function of the weight": "Constraint",
    },
    "keras.datasets": {
        "it is for images": "mnist",
    },
    "keras.initializers": {
        "it is for audio": "stft",
        "use VarianceScaling": "variance_scaling",
    },
    "keras.layers": {
        "use Conv1D before an LSTM": "ConvLSTM1D",
        "use Conv1D": ("Convolution1DTranspose DepthwiseConv1D LocallyConnected1D"),
        "use UpSampling1D and Conv1D": "Conv1DTranspose",
        "use LayerNormalization": "GroupNormalization",
        "use Lambda": "UnitNormalization",
        "use MaxPooling1D or AveragePooling1D": "AdaptiveAveragePooling1D AdaptiveMaxPooling1D",
        "use Dense, or a Layer with `call`": "EinsumDense Wrapper",
        "use MultiHeadAttention": "GroupQueryAttention",
        "it is for tabular data": "HashedCrossing Normalization",
        "use Sequential": "Pipeline",
        "use Embedding and Dense": "ReversibleEmbedding",
    },
    "keras.losses": {
        "pass `compile` a function of (y_true, y_pred)": (
            "BinaryFocalCrossentropy CategoricalFocalCrossentropy "
            "CategoricalGeneralizedCrossEntropy Dice Tversky binary_focal_crossentropy "
            "categorical_focal_crossentropy categorical_generalized_cross_entropy dice "
            "tversky"
        ),
        "it is for speech or images": "CTC Circle circle ctc",
    },
    "keras.metrics": {
        "it is for images": "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU",
        "use AUC, Precision and Recall": (
            "PrecisionAtRecall RecallAtPrecision SensitivityAtSpecificity SpecificityAtSensitivity"
        ),
        "use R2Score": (
            "ConcordanceCorrelation PearsonCorrelation concordance_correlation pearson_correlation"
        ),
        "use Mean": "Sum",
        "pass `compile` a function of (y_true, y_pred)": (
            "binary_focal_crossentropy categorical_focal_crossentropy"
        ),
    },
    "keras.models": {
        "use to_json and model_from_json": "model_from_yaml",
    },
    "keras.optimizers": {
        "use Adagrad": "Ftrl",
        "use Adam or AdamW": (
            "Adafactor Lamb Lion MultiOptimizer Muon OptimizerMap ScheduleFreeAdamW"
        ),
        "weights are float32": "LossScaleOptimizer",
    },
    "keras.optimizers.schedules": {
        "pass the optimizer a function of the step": "LearningRateSchedule",
        "use get_config and from_config": "deserialize serialize",
    },
    "keras.preprocessing": {
        "it is for images": "image",
    },
    "keras.regularizers": {
        "pass the layer a function of the weight": (
            "OrthogonalRegularizer Regularizer orthogonal_regularizer"
        ),
    },
    "keras.utils": {
        "use plot_model(model, to_file='model.svg')": "model_to_dot",
        "it is for images or audio": (
            "array_to_img audio_dataset_from_directory image_dataset_from_directory "
            "img_to_array load_img save_img"
        ),
        "use verbose=": (
            "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled"
        ),
        "use TimeseriesGenerator": "timeseries_dataset_from_array",
        "slice the arrays, or use validation_split": "split_dataset",
        "batches are tuples (x, y) or (x, y, sample_weight)": (
            "pack_x_y_sample_weight unpack_x_y_sample_weight"
        ),
        "use Model.inputs": "get_source_inputs",
        "weights are float32": "Config standardize_dtype",
    },
    "tensorflow": {
        "sessions are not needed": "Session",
        "use compile and fit": "GradientTape",
        "use Layer.add_weight": "Variable",
    },
}
UNSUPPORTED: dict[str, str] = {
    f"{module}.{name}": reason
    for module, reasons in _BY_MODULE.items()
    for reason, names in reasons.items()
    for name in names.split()
}
