"""ModelCheckpoint's arguments of all versions, and what its file's name may hold."""

import numpy as np
import pytest

import wordrow
import wordrow.keras as keras

X, Y = np.array([[0.0, 1.0], [1.0, 0.0]] * 4), np.array([0, 1] * 4)


def fitted(k, *callbacks, metrics=("accuracy",), **options):
    model = k.Sequential([k.Input((2,)), k.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=list(metrics))
    return model.fit(X, Y, epochs=5, batch_size=4, verbose=0, callbacks=[*callbacks], **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_period(tmp_path):
    path = str(tmp_path / "c{epoch:02d}.safetensors")
    fitted(keras, keras.callbacks.ModelCheckpoint(path, period=2))
    assert names(tmp_path) == ["c02.safetensors", "c04.safetensors"]
    with pytest.raises(ValueError, match="`period` must be a whole number"):
        keras.callbacks.ModelCheckpoint(path, period=0)


@pytest.mark.parametrize("monitor", ["val_acc", "val_accuracy"])
def test_old_and_new_names_of_metrics(monitor, tmp_path):
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((logs["acc"], logs["val_acc"]))
    )
    path = str(tmp_path / ("w-{epoch}-{%s:.2f}.safetensors" % monitor))  # noqa: UP031
    checkpoint = keras.callbacks.ModelCheckpoint(path, monitor=monitor)
    history = fitted(keras, checkpoint, watch, validation_data=(X, Y)).history
    assert seen == list(zip(history["acc"], history["val_acc"], strict=True))
    assert names(tmp_path) == [
        f"w-{epoch}-{value:.2f}.safetensors" for epoch, value in enumerate(history["val_acc"], 1)
    ]


def test_what_one_callback_adds_the_next_ones_see():
    adds = wordrow.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(mine=epoch)
    )
    assert fitted(wordrow, adds).history["mine"] == [0, 1, 2, 3, 4]


def test_a_folder_that_is_not_there_is_made(tmp_path):
    path = tmp_path / "new" / "er" / "m.safetensors"
    fitted(wordrow, wordrow.callbacks.ModelCheckpoint(path))
    assert names(path.parent) == ["m.safetensors"]


def test_batches(tmp_path):
    path = tmp_path / "m-{epoch}-{batch}.safetensors"
    fitted(wordrow, wordrow.callbacks.ModelCheckpoint(path, save_freq=3))
    assert names(tmp_path) == [f"m-{at}.safetensors" for at in ("2-1", "3-2", "5-1")]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("val_loss", {}),
        ("val_acc", {"metrics": [], "validation_data": (X, Y)}),
        ("f1", {}),
        ("batch", {}),
    ],
)
def test_names_that_no_metric_has_are_an_error_before_training(name, options, tmp_path):
    path = tmp_path / f"m-{{{name}}}.safetensors"
    for k in (keras, wordrow):
        log = tmp_path / "log.csv"
        with pytest.raises(ValueError, match=f"`filepath` names '{name}', which there will not be"):
            fitted(k, k.callbacks.ModelCheckpoint(path), k.callbacks.CSVLogger(log), **options)
        assert not log.exists()
        log.unlink(missing_ok=True)


def test_names_that_other_callbacks_add(tmp_path):
    checkpoint = wordrow.callbacks.ModelCheckpoint(tmp_path / "m-{mine}.safetensors")
    adds = wordrow.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(mine=epoch)
    )
    fitted(wordrow, adds, checkpoint)
    assert names(tmp_path) == [f"m-{epoch}.safetensors" for epoch in range(5)]
    with pytest.raises(ValueError, match="`filepath` names 'mine', which there is not"):
        fitted(wordrow, checkpoint, adds)
    rated = wordrow.callbacks.ModelCheckpoint(tmp_path / "r-{learning_rate:.1f}.safetensors")
    fitted(wordrow, wordrow.callbacks.LearningRateScheduler(lambda epoch: 0.5), rated)
    assert "r-0.5.safetensors" in names(tmp_path)
