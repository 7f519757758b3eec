"""`fit` by the core alone, beside the compiled step on the same model and data."""

import subprocess
import sys

import numpy as np
import pytest

import wordrow
from wordrow import (
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Padded,
    Sequential,
    _core,
)
from wordrow.nn.train import loop
from wordrow.nn.train.engine_fused import FusedEngine
from wordrow.types import Ragged

N_WORDS, N_STEPS = 40, 9


def examples(n=150, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, N_WORDS, (n, N_STEPS)).astype(np.int32)
    ids[np.arange(N_STEPS) < rng.integers(0, N_STEPS, (n, 1))] = 0
    ids[3] = 0
    return ids, rng.integers(0, n_classes, n)


def make_model(n_classes=2, *, mask_zero=True, optimizer="adam", **compiled):
    wordrow.set_random_seed(1)
    last = Dense(1, "sigmoid") if n_classes == 2 else Dense(n_classes, "softmax")
    model = Sequential(
        [Embedding(N_WORDS, 5, mask_zero=mask_zero), GlobalAveragePooling1D(), last],
    )
    loss = "binary_crossentropy" if n_classes == 2 else "sparse_categorical_crossentropy"
    model.compile(optimizer, compiled.pop("loss", loss), **({"metrics": ["accuracy"]} | compiled))
    return model


@pytest.fixture
def compiled_only(monkeypatch):
    """Within it, a block whose fits take the compiled step."""

    class Block:
        def __enter__(self):
            self.patch = pytest.MonkeyPatch()
            self.patch.setattr(loop, "fused_engine", lambda *arguments: None)

        def __exit__(self, *error):
            self.patch.undo()

    return Block()


@pytest.fixture
def uses_core(monkeypatch):
    """How many epochs the core has run."""
    runs, run_epoch = [], FusedEngine.run_epoch

    def counted(self, *arguments):
        runs.append(1)
        return run_epoch(self, *arguments)

    monkeypatch.setattr(FusedEngine, "run_epoch", counted)
    return runs


def assert_same_weights(one, other, atol=1e-5):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("given", ["array", "not masked", "Padded", "Ragged"])
def test_the_core_and_the_compiled_step_agree(n_classes, given, compiled_only, uses_core):
    ids, y = examples(n_classes=n_classes)
    mask_zero = given != "not masked"
    x = {
        "array": ids,
        "not masked": ids,
        "Padded": Padded(ids=ids, mask=ids != 0),
        "Ragged": Ragged.from_lists([row[row != 0].tolist() for row in ids]),
    }[given]
    options = {"batch_size": 16, "epochs": 6, "verbose": 0, "validation_split": 0.1}
    if given == "Ragged":
        del options["validation_split"]
    rates = wordrow.schedules.ExponentialDecay(0.02, 10, 0.9)
    core = make_model(n_classes, mask_zero=mask_zero, optimizer=wordrow.optimizers.Adam(rates))
    history = core.fit(x, y, **options).history
    assert len(uses_core) == 6
    with compiled_only:
        step = make_model(n_classes, mask_zero=mask_zero, optimizer=wordrow.optimizers.Adam(rates))
        expected = step.fit(x, y, **options).history
    assert_same_weights(core, step)
    assert list(history) == list(expected)
    for name in history:
        np.testing.assert_allclose(history[name], expected[name], atol=1e-5)
    assert core.step == step.step


def test_one_goes_on_from_the_other(compiled_only, uses_core, tmp_path):
    ids, y = examples()
    options = {"batch_size": 16, "verbose": 0}

    def fit(model, *, by_core, epochs=3):
        if by_core:
            return model.fit(ids, y, epochs=epochs, **options)
        with compiled_only:
            return model.fit(ids, y, epochs=epochs, **options)

    whole = make_model()
    for _ in range(4):
        fit(whole, by_core=False)
    mixed = make_model()
    fit(mixed, by_core=True)
    fit(mixed, by_core=False)
    fit(mixed, by_core=True)
    mixed.save(tmp_path / "model.safetensors")
    again = wordrow.load_model(tmp_path / "model.safetensors")
    fit(mixed, by_core=False)
    assert_same_weights(mixed, whole)
    fit(again, by_core=False)
    assert_same_weights(again, whole)
    assert len(uses_core) == 6


def test_rows_that_were_frozen_or_set_meanwhile(compiled_only):
    ids, y = examples()

    def train(model):
        model.fit(ids, y, epochs=2, verbose=0)
        model.layers[0].trainable = False
        model.fit(ids, y, epochs=1, verbose=0)
        model.layers[0].trainable = True
        model.layers[2].set_weights([w * 0.5 for w in model.layers[2].get_weights()])
        model.train_on_batch(ids[:8], y[:8])
        model.fit(ids, y, epochs=2, verbose=0)
        return model

    core = train(make_model())
    with compiled_only:
        step = train(make_model())
    assert_same_weights(core, step)


OPTIMIZERS = {
    "sgd": lambda: wordrow.optimizers.SGD(0.5),
    "momentum": lambda: wordrow.optimizers.SGD(0.2, momentum=0.8),
    "nesterov": lambda: wordrow.optimizers.SGD(0.2, momentum=0.8, nesterov=True),
    "adagrad": lambda: wordrow.optimizers.Adagrad(0.1),
    "rmsprop": lambda: wordrow.optimizers.RMSprop(0.01, rho=0.8),
    "lazy adam": lambda: wordrow.optimizers.LazyAdam(0.02),
    "lazy momentum": lambda: wordrow.optimizers.LazySGD(0.2, momentum=0.8),
    "lazy rmsprop": lambda: wordrow.optimizers.LazyRMSprop(0.01, rho=0.8),
}
FORMS = {
    "two classes": ([Dense(1, "sigmoid")], "binary_crossentropy"),
    "classes": ([Dense(3, "softmax")], "sparse_categorical_crossentropy"),
    "one-hot classes": ([Dense(3, "softmax")], "categorical_crossentropy"),
    "labels": ([Dense(3, "sigmoid")], "binary_crossentropy"),
}


CASES = [
    *(
        (pool, form, "momentum")
        for pool in (GlobalAveragePooling1D, GlobalMaxPooling1D)
        for form in FORMS
    ),
    *((GlobalAveragePooling1D, "two classes", optimizer) for optimizer in OPTIMIZERS),
]


@pytest.mark.parametrize(("pool", "form", "optimizer"), CASES)
def test_every_form_that_the_core_has(pool, form, optimizer, compiled_only, uses_core, tmp_path):
    """Two fits by the core, the second from a file, are four epochs of the compiled step."""
    rng = np.random.default_rng(0)
    ids, y = examples(n=60, n_classes=2 if form == "two classes" else 3)
    if form == "one-hot classes":
        y = np.eye(3, dtype=np.float32)[y]
    elif form == "labels":
        y = rng.integers(0, 2, (60, 3))
    layers, loss = FORMS[form]

    def model():
        wordrow.set_random_seed(1)
        last = [type(layer)(**layer.get_config()) for layer in layers]
        made = Sequential([Embedding(N_WORDS, 5, mask_zero=True), pool(), *last])
        accuracy = "binary_accuracy" if form == "labels" else "accuracy"
        made.compile(OPTIMIZERS[optimizer](), loss, metrics=[accuracy])
        return made

    options = {"batch_size": 16, "verbose": 0}
    one = model()
    one.fit(ids, y, epochs=2, **options)
    one.save(tmp_path / "model.safetensors")
    one = wordrow.load_model(tmp_path / "model.safetensors")
    history = one.fit(ids, y, epochs=2, **options).history
    assert len(uses_core) == 4
    with compiled_only:
        other = model()
        expected = other.fit(ids, y, epochs=4, **options).history
    assert_same_weights(one, other, atol=2e-5)
    for name in history:
        np.testing.assert_allclose(history[name], expected[name][2:], atol=2e-5)


@pytest.mark.parametrize("pool", [GlobalAveragePooling1D, GlobalMaxPooling1D])
def test_dropout_between_the_mean_and_the_last_layer(pool, uses_core, n_threads):
    """Its draws are the core's own: how many there are, and their scale, is what can be said."""
    n, dim = 400, 50
    ids = np.ones((n, 3), np.int32)

    def change_of_kernel(rate, threads):
        wordrow.set_random_seed(1)
        model = Sequential([Embedding(2, dim), pool(), Dropout(rate), Dense(1, "sigmoid")])
        model.compile(wordrow.optimizers.SGD(1.0), "binary_crossentropy")
        model.build((None, 3))
        model.set_weights([np.ones((2, dim)), np.zeros((dim, 1)), np.zeros(1)])
        before = _core.n_threads()
        _core.set_n_threads(threads)
        try:
            model.fit(ids, np.ones(n), batch_size=n, epochs=1, verbose=0)
        finally:
            _core.set_n_threads(before)
        return model.get_weights()[1][:, 0]

    # Each text adds half of what is pooled, one: left out, or twice as much.
    np.testing.assert_allclose(change_of_kernel(0.0, 1), 0.5, atol=1e-6)
    change = change_of_kernel(0.5, 1)
    kept = change / (0.5 * 2) * n
    np.testing.assert_allclose(kept, kept.round(), atol=1e-3)
    assert 140 < kept.min() < kept.max() < 260  # six deviations of 200 draws in two
    assert abs(kept.mean() - 200) < 6 * 10 / np.sqrt(dim)
    assert len(set(kept.round())) > 10
    assert len(uses_core) == 2
    np.testing.assert_array_equal(change, change_of_kernel(0.5, n_threads))


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adamw"},
        {"optimizer": wordrow.optimizers.RMSprop(centered=True)},
        {"optimizer": wordrow.optimizers.RMSprop(momentum=0.5)},
        {"optimizer": wordrow.optimizers.Adam(amsgrad=True)},
        {"optimizer": wordrow.optimizers.Adam(clipnorm=1.0)},
        {"loss": "mse"},
        {"metrics": ["auc"]},
        {"metrics": [wordrow.metrics.BinaryAccuracy(threshold=0.4)]},
        {"loss": wordrow.losses.BinaryCrossentropy(label_smoothing=0.1)},
    ],
)
def test_what_the_core_does_not_have_takes_the_compiled_step(options, uses_core):
    ids, y = examples()
    make_model(**options).fit(ids, y, epochs=1, verbose=0)
    assert not uses_core


def test_weights_callbacks_and_shares_take_the_compiled_step(uses_core):
    ids, y = examples()
    model = make_model()
    model.fit(ids, y, sample_weight=np.ones(len(y)), verbose=0)
    model.fit(ids, y, class_weight={0: 1.0, 1: 2.0}, verbose=0)
    model.fit(ids, y * 0.5, verbose=0)
    each_batch = wordrow.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: None)
    model.fit(ids, y, callbacks=[each_batch], verbose=0)
    assert not uses_core
    seen = []
    each_epoch = wordrow.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(logs)
    )
    model.fit(ids, y, callbacks=[each_epoch], epochs=2, verbose=0)
    assert len(uses_core) == len(seen) == 2


def test_a_loss_that_is_not_finite_leaves_the_weights_from_before():
    ids, y = examples()
    model = make_model()
    model.fit(ids, y, verbose=0)
    steps = model.step
    weights = model.get_weights()
    weights[0][7] = np.nan
    model.set_weights(weights)
    with pytest.raises(ValueError, match=r"the loss became nan in epoch 1, batch \d"):
        model.fit(ids, y, batch_size=4, verbose=0)
    after = model.get_weights()[0]
    assert np.isnan(after[7]).all()
    assert np.isfinite(np.delete(after, 7, axis=0)).all()
    assert model.step > steps
    model.set_weights([np.nan_to_num(w) for w in model.get_weights()])
    assert np.isfinite(model.fit(ids, y, verbose=0).history["loss"][0])


def test_stopping_in_the_middle_keeps_what_was_learned():
    ids, y = examples(4000)
    model = make_model()
    before = model.get_weights()

    class Stop(wordrow.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(ids, y, callbacks=[Stop()], epochs=5, verbose=0)
    assert model.step == 125
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_no_jax_is_needed():
    program = """
import sys
sys.modules["jax"] = None
import numpy as np
import wordrow
from wordrow import *
model = Sequential([Embedding(9, 4, mask_zero=True), GlobalAveragePooling1D(), Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
x, y = np.array([[1, 2], [3, 4]] * 50), np.array([0, 1] * 50)
history = model.fit(x, y, epochs=60, verbose=0).history
print(history["accuracy"][-1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1.0"
