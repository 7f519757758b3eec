"""Masks under Keras's names, beside Keras 3: layers behind masked layers, built and from files."""

import warnings

import keras
import numpy as np
import pytest

import wordrow
import wordrow.keras

V, T, D = 9, 6, 4

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*mask:UserWarning"),
]


def embedded(k, x, n=1):
    return [k.layers.Embedding(V, D, mask_zero=True)(x) for _ in range(n)]


# Name -> a function of (library, ids) that returns what has a mask, or had one: [B, T, ...].
MASKED = {
    "Embedding": lambda k, x: embedded(k, x)[0],
    "LSTM": lambda k, x: k.layers.LSTM(3, return_sequences=True)(*embedded(k, x)),
    "LSTM, zeros": lambda k, x: k.layers.LSTM(3, return_sequences=True, zero_output_for_mask=True)(
        *embedded(k, x)
    ),
    "GRU": lambda k, x: k.layers.GRU(3, return_sequences=True)(*embedded(k, x)),
    "GRU, backwards": lambda k, x: k.layers.GRU(3, return_sequences=True, go_backwards=True)(
        *embedded(k, x)
    ),
    "SimpleRNN, backwards": lambda k, x: k.layers.SimpleRNN(
        3, return_sequences=True, go_backwards=True
    )(*embedded(k, x)),
    **{
        f"Bidirectional, {mode}": lambda k, x, mode=mode: k.layers.Bidirectional(
            k.layers.LSTM(3, return_sequences=True), merge_mode=mode
        )(*embedded(k, x))
        for mode in ("concat", "sum", "mul", "ave")
    },
    **{
        name: lambda k, x, name=name: getattr(k.layers, name)()(embedded(k, x, 2))
        for name in ("Add", "Average", "Multiply", "Maximum", "Minimum", "Subtract")
    },
    "Add, one masked": lambda k, x: k.layers.Add()([*embedded(k, x), k.layers.Embedding(V, D)(x)]),
    "Concatenate": lambda k, x: k.layers.Concatenate()(embedded(k, x, 2)),
    "Concatenate, one masked": lambda k, x: k.layers.Concatenate()(
        [*embedded(k, x), k.layers.Embedding(V, D)(x)]
    ),
    "Concatenate, steps": lambda k, x: k.layers.Concatenate(axis=1)(embedded(k, x, 2)),
    "add": lambda k, x: k.layers.add(embedded(k, x, 2)),
    "TimeDistributed": lambda k, x: k.layers.TimeDistributed(k.layers.Dense(3))(*embedded(k, x)),
    "TimeDistributed(Embedding)": lambda k, x: k.layers.TimeDistributed(k.layers.Flatten())(
        k.layers.TimeDistributed(k.layers.Embedding(V, D, mask_zero=True))(
            k.layers.Reshape((3, 2))(x)
        )
    ),
    "Masking": lambda k, x: k.layers.Masking(0.5)(*embedded(k, x)),
    "Lambda": lambda k, x: k.layers.Lambda(lambda e: e * 2, output_shape=(T, D))(*embedded(k, x)),
    "e + 1.0": lambda k, x: embedded(k, x)[0] + 1.0,
    "-e": lambda k, x: -embedded(k, x)[0],
    "e + e": lambda k, x: (lambda a, b: a + b)(*embedded(k, x, 2)),
    "PReLU": lambda k, x: k.layers.PReLU()(*embedded(k, x)),
    **{
        name: lambda k, x, name=name, options=options: getattr(k.layers, name)(**options)(
            *embedded(k, x)
        )
        for name, options in {
            "Activation": {"activation": "tanh"},
            "BatchNormalization": {},
            "Conv1D": {"filters": 3, "kernel_size": 2},
            "Dense": {"units": 3},
            "Dropout": {"rate": 0.5},
            "ELU": {},
            "GaussianNoise": {"stddev": 0.5},
            "LayerNormalization": {},
            "LeakyReLU": {},
            "MaxPooling1D": {"pool_size": 2},
            "ReLU": {},
            "RMSNormalization": {},
            "SpatialDropout1D": {"rate": 0.5},
            "UpSampling1D": {},
            "ZeroPadding1D": {},
            "Cropping1D": {},
            "Permute": {"dims": (2, 1)},
            "Reshape": {"target_shape": (2 * T, D // 2)},
        }.items()
    },
}
BEHIND = {
    "Flatten": lambda k, e: k.layers.Flatten()(e),
    "Dense": lambda k, e: k.layers.Dense(2)(e),
    "Conv1D": lambda k, e: k.layers.Conv1D(2, 3, padding="same")(e),
    "GlobalMaxPooling1D": lambda k, e: k.layers.GlobalMaxPooling1D()(e),
    "GlobalAveragePooling1D": lambda k, e: k.layers.GlobalAveragePooling1D()(e),
    "LSTM": lambda k, e: k.layers.LSTM(2)(e),
    "LSTM, all steps": lambda k, e: k.layers.LSTM(2, return_sequences=True)(e),
    "Bidirectional": lambda k, e: k.layers.Bidirectional(k.layers.GRU(2))(e),
    "TimeDistributed": lambda k, e: k.layers.TimeDistributed(k.layers.Dense(2))(e),
    "MaxPooling1D": lambda k, e: k.layers.MaxPooling1D(2)(e),
    "LayerNormalization": lambda k, e: k.layers.LSTM(2)(k.layers.LayerNormalization()(e)),
    "Attention": lambda k, e: k.layers.Attention()([e, e]),
    "Lambda": lambda k, e: k.layers.LSTM(2)(k.layers.Lambda(lambda t: t + 1.0)(e)),
    "Add": lambda k, e: k.layers.LSTM(2)(k.layers.Add()([e, e])),
}


# What tells all masks and values apart, behind all masked layers; behind these, all that there is.
SOME = ("Flatten", "Conv1D", "GlobalMaxPooling1D", "GlobalAveragePooling1D", "LSTM", "Lambda")
BEFORE_ALL = ("Embedding", "LSTM", "Concatenate, one masked", "e + 1.0")


def names_behind(name):
    return BEHIND if name in BEFORE_ALL else SOME


def model(k, name, behind):
    x = k.Input((T,))
    source = MASKED[name](k, x)
    return k.Model(x, [BEHIND[one](k, source) for one in behind])


def ids():
    return np.array([[1, 2, 0, 0, 0, 0], [0, 0, 3, 4, 5, 6], [7, 0, 8, 0, 1, 0], [1] * 6])


@pytest.mark.parametrize("name", MASKED)
def test_every_layer_behind_every_masked_one(name, tmp_path):
    behind = names_behind(name)
    theirs, ours = (model(k, name, behind) for k in (keras, wordrow.keras))
    ours.set_weights(theirs.get_weights())
    expected = theirs(ids())  # not compiled: that takes longest
    compare(ours.predict(ids(), verbose=0), expected, name, behind)


def compare(found, expected, name, names):
    for behind, mine, other in zip(names, found, expected, strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-6, err_msg=f"{behind} behind {name}")


STORED_BEHIND = [name for name in SOME if name != "Lambda"]
STORED = (
    "Embedding", "LSTM, zeros", "GRU, backwards", "Bidirectional, concat", "Add", "Maximum",
    "Concatenate", "Concatenate, steps", "TimeDistributed(Embedding)", "Masking", "PReLU", "Conv1D",
)  # fmt: skip


@pytest.mark.parametrize("name", STORED)
def test_files_say_the_same(name, tmp_path):
    theirs, ours = (model(k, name, STORED_BEHIND) for k in (keras, wordrow.keras))
    ours.set_weights(theirs.get_weights())
    expected = theirs(ids())  # not compiled: that takes longest
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    ours.save(tmp_path / "ours.safetensors")
    for found in (
        wordrow.keras.models.load_model(tmp_path / "theirs.keras"),
        wordrow.keras.models.load_model(tmp_path / "ours.keras"),
        wordrow.keras.models.load_model(tmp_path / "ours.safetensors"),
        keras.models.load_model(tmp_path / "ours.keras"),
    ):
        compare(found(ids()), expected, name, STORED_BEHIND)


def test_what_differs_is_said_when_saving(tmp_path):
    """Layers of wordrow's own names, in a file that Keras reads."""
    x = wordrow.Input((T,))
    one, other = (wordrow.Embedding(V, D, mask_zero=True)(x) for _ in range(2))
    rows = wordrow.layers.Add(name="sum")([one, other])
    unmasked = wordrow.layers.Add(name="plain")([wordrow.Embedding(V, D)(x)] * 2)
    pooled = [wordrow.GlobalAveragePooling1D()(rows), wordrow.layers.Flatten()(unmasked)]
    with pytest.warns(UserWarning, match=r"the layers \['sum'\] honour the mask here"):
        wordrow.Model(x, pooled).save(tmp_path / "m.keras")
    dropped = wordrow.Dense(2, mask="drop", name="plainly")(one)
    with pytest.warns(UserWarning, match=r"the layers \['plainly'\] drop the mask here"):
        wordrow.Model(x, dropped).save(tmp_path / "m.keras")


def test_the_mask_is_dropped_with_one_warning():
    k = wordrow.keras
    x = k.Input((T,))
    made = k.Model(x, k.layers.Lambda(lambda e: e + 1.0)(*embedded(k, x)))
    with pytest.warns(UserWarning, match="Lambda .* drops the mask, as in Keras"):
        made.predict(ids(), verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.predict(ids(), verbose=0)
        quiet = k.Model(x, k.layers.PReLU()(*embedded(k, x)))
        quiet.predict(ids(), verbose=0)


def test_zeros_for_masked_steps_natively():
    table = wordrow.Embedding(V, D, mask_zero=True)
    layer = wordrow.LSTM(3, return_sequences=True, zero_output_for_mask=True)
    found = wordrow.Sequential([wordrow.Input((T,)), table, layer]).predict(ids())
    assert (found[ids() == 0] == 0).all()
    assert (found[ids() != 0] != 0).all()
    assert type(layer).from_config(layer.get_config()).zero_output_for_mask
