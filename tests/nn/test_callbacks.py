"""Callbacks: what they are told, and what each of them does."""

import csv

import numpy as np
import pytest

import wordrow
from small_models import bag, examples, same
from wordrow import (
    load_model,
)
from wordrow.nn.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)


def test_callbacks_are_told_everything_in_order(rng):
    x, y = examples(rng, 20)
    calls = []

    class Spy(Callback):
        pass

    names = [name for name in dir(Callback) if name.startswith("on_")]
    for name in names:
        setattr(Spy, name, lambda self, *a, name=name: calls.append((name, *a)))
    spy = Spy()
    model = bag()
    model.fit(x, y, batch_size=10, epochs=2, validation_data=(x, y), callbacks=[spy], verbose=0)
    assert [call[0] for call in calls[:7]] == [
        "on_train_begin",
        "on_epoch_begin",
        "on_train_batch_begin",
        "on_batch_begin",
        "on_train_batch_end",
        "on_batch_end",
        "on_train_batch_begin",
    ]
    assert calls[-1][0] == "on_train_end"
    assert spy.model is model
    assert spy.params == {"epochs": 2, "steps": 2, "verbose": 0, "metrics": None}
    ends = [call for call in calls if call[0] == "on_epoch_end"]
    assert set(ends[0][2]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    batches = [call for call in calls if call[0] == "on_train_batch_end"]
    assert [call[1] for call in batches] == [0, 1, 0, 1]
    assert batches[1][2]["loss"] == pytest.approx(ends[0][2]["loss"], abs=1e-6)
    with pytest.raises(TypeError, match="`callbacks` must be Callback objects"):
        model.fit(x, y, callbacks=["early"], verbose=0)
    with pytest.raises(TypeError, match="a callback has no .'on_epoch_finish'"):
        LambdaCallback(on_epoch_finish=print)


def test_early_stopping_restores_the_best(rng):
    x, y = examples(rng, 30)
    values = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    kept = []

    class Values(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = next(values)
            kept.append(self.model.get_weights())

    model = bag()
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    model.fit(x, y, epochs=6, callbacks=[Values(), stop], verbose=0)
    assert (len(kept), stop.stopped_epoch, stop.best_epoch, stop.best) == (4, 3, 1, 1.0)
    assert same(model.get_weights(), kept[1])
    with pytest.warns(UserWarning, match="watches 'val_los', which is not there; there is"):
        bag().fit(x, y, callbacks=[EarlyStopping("val_los")], verbose=0)
    for mode, monitor, better in (("auto", "val_acc", 2), ("auto", "loss", 1), ("max", "loss", 2)):
        watcher = EarlyStopping(monitor, mode=mode)
        assert watcher.is_better(2.0, 1.0) == (better == 2)


def test_checkpoints(rng, tmp_path):
    x, y = examples(rng, 30)
    best, every, weights = (tmp_path / name for name in ("best.st", "{epoch:02d}-{loss:.3f}", "w"))
    model = bag()
    model.fit(
        x,
        y,
        epochs=3,
        batch_size=10,
        validation_split=0.3,
        verbose=0,
        callbacks=[
            ModelCheckpoint(best, save_best_only=True, monitor="val_accuracy"),
            ModelCheckpoint(every),
            ModelCheckpoint(weights, save_weights_only=True, save_freq=2),
        ],
    )
    assert load_model(best).step in (3, 6, 9)
    losses = model.history.history["loss"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["best.st", "w", *(f"{i:02d}-{loss:.3f}" for i, loss in enumerate(losses, 1))]
    )
    bag().load_weights(weights)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        model.fit(x, y, callbacks=[ModelCheckpoint(tmp_path / "file" / "m")], verbose=0)


def test_learning_rates(rng, tmp_path):
    x, y = examples(rng, 30)
    model = bag(optimizer="sgd")
    model.fit(
        x,
        y,
        epochs=3,
        verbose=0,
        callbacks=[LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))],
    )
    np.testing.assert_allclose(model.history.history["learning_rate"], [0.1, 0.05, 0.1 / 3])
    model.fit(
        x, y, epochs=2, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate: rate / 2)]
    )
    assert model.optimizer.learning_rate == pytest.approx(0.1 / 12)
    flat = bag(optimizer=wordrow.optimizers.SGD(1e-9))
    flat.fit(
        x, y, epochs=5, verbose=0, callbacks=[ReduceLROnPlateau("loss", factor=0.5, patience=2)]
    )
    np.testing.assert_allclose(
        flat.history.history["learning_rate"], np.array([1, 1, 1, 0.5, 0.5]) * 1e-9
    )
    frozen = bag(optimizer=wordrow.optimizers.SGD(0.0))
    before = frozen.get_weights()
    frozen.fit(x, y, verbose=0)
    assert same(before, frozen.get_weights())
    frozen.optimizer.lr = 0.5  # set between two fits, under Keras 2's name
    frozen.fit(x, y, verbose=0)
    assert not same(before, frozen.get_weights())
    scheduled = bag(optimizer=wordrow.optimizers.SGD(wordrow.schedules.CosineDecay(0.1, 10)))
    with pytest.raises(TypeError, match="the optimizer follows the schedule"):
        scheduled.fit(x, y, callbacks=[LearningRateScheduler(lambda e: 0.1)], verbose=0)


def test_csv_log(rng, tmp_path):
    x, y = examples(rng, 20)
    path = tmp_path / "log.csv"
    model = bag()
    model.fit(x, y, epochs=2, callbacks=[CSVLogger(path)], verbose=0)
    model.fit(x, y, epochs=3, initial_epoch=2, verbose=0, callbacks=[CSVLogger(path, append=True)])
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert float(rows[2]["loss"]) == model.history.history["loss"][-1]


def test_training_ends_where_it_is_told_to(rng):
    x, y = examples(rng, 40)

    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = bag()
    model.fit(x, y, batch_size=10, epochs=5, callbacks=[Stop()], verbose=0)
    assert model.step == 2
    assert model.history.epoch == [0]


def test_ctrl_c_keeps_the_weights(rng):
    x, y = examples(rng, 40)

    class Interrupt(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    model, like = bag(), bag()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=10, shuffle=False, callbacks=[Interrupt()], verbose=0)
    for start in range(0, 30, 10):
        like.train_on_batch(x[start : start + 10], y[start : start + 10])
    for have, want in zip(model.get_weights(), like.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, atol=1e-6)
    model.fit(x, y, verbose=0)  # and goes on
