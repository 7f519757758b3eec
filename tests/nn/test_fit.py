"""`fit` as its users meet it: what it takes, what it tells, what it refuses."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import wordrow
from wordrow import (
    LSTM,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    Model,
    Padded,
    Ragged,
    Sequential,
    load_model,
)
from wordrow.errors import FileFormatError
from wordrow.nn.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)

V, T = 30, 7


def examples(rng, n=60):
    """Texts whose label is whether word 1 is in them: something to learn."""
    lengths = rng.integers(1, T + 1, n)
    ragged = Ragged.from_lists([rng.integers(1, V, k).tolist() for k in lengths])
    return ragged, np.array([int((ids <= 10).mean() > 0.4) for ids in ragged])


def bag(units=1, *, seed=1, optimizer="adam", metrics=("accuracy",), **options):
    wordrow.set_random_seed(seed)
    activation, loss = (
        ("sigmoid", "binary_crossentropy")
        if units == 1
        else ("softmax", "sparse_categorical_crossentropy")
    )
    model = Sequential(
        [
            Embedding(V, 4, mask_zero=True, **options),
            GlobalAveragePooling1D(),
            Dense(units, activation),
        ]
    )
    model.compile(optimizer, loss, list(metrics))
    return model


def same(a, b):
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def test_it_learns(rng):
    x, y = examples(rng, 200)
    model = bag(optimizer=wordrow.optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=20, batch_size=16, verbose=0)
    assert history.epoch == list(range(20))
    assert history.history["accuracy"][-1] > 0.9 > history.history["accuracy"][0]
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert model.evaluate(x, y, verbose=0)[1] > 0.9
    assert model.history is history


def test_inputs_of_every_kind_train_alike(rng):
    """Padding at either end, masks, lists: the same weights to 1e-6."""
    x, y = examples(rng)
    post = x.pad(T + 3, padding="post")
    kinds = {
        "ragged": x,
        "padded": x.pad(),
        "array": x.pad(T).ids,
        "post": post.ids,
        "list": x.pad(T).ids.tolist(),
        "floats": x.pad(T).ids.astype(float),
        "one in a list": [x.pad(T).ids],
        "padded, post": post,
    }
    found = {}
    for kind, one in kinds.items():
        model = bag()
        labels = y.tolist() if kind == "list" else y[:, None] if kind == "post" else y
        model.fit(one, labels, batch_size=16, epochs=2, verbose=0)
        found[kind] = model.get_weights()
    for weights in found.values():
        for have, want in zip(weights, found["ragged"], strict=True):
            np.testing.assert_allclose(have, want, atol=1e-6)


def test_dicts_and_lists_for_several_inputs(rng):
    def build():
        wordrow.set_random_seed(4)
        a, b = Input((T,), name="a"), Input((3,), name="b")
        x = GlobalAveragePooling1D()(Embedding(V, 4, mask_zero=True)(a))
        joined = wordrow.Concatenate()([x, b])
        model = Model({"a": a, "b": b}, {"y": Dense(1, "sigmoid")(joined)})
        model.compile("sgd", "binary_crossentropy")
        return model

    x = {"a": rng.integers(0, V, (20, T)), "b": rng.standard_normal((20, 3))}
    y = rng.integers(0, 2, 20)
    found = []
    for inputs, labels in ((x, {"y": y}), ([x["a"], x["b"]], [y]), ((x["a"], x["b"]), y)):
        model = build()
        model.fit(inputs, labels, epochs=2, verbose=0)
        found.append(model.get_weights())
    assert same(found[0], found[1])
    assert same(found[0], found[2])


@pytest.mark.parametrize("mask_zero", [True, False])
def test_texts_of_any_length_beside_features(rng, mask_zero):
    """Features keep their width, whatever length the texts of a batch are brought to."""

    def build():
        wordrow.set_random_seed(4)
        a, b = Input((None,)), Input((2,))
        x = GlobalAveragePooling1D()(Embedding(V, 4, mask_zero=mask_zero)(a))
        model = Model([a, b], Dense(1)(wordrow.Concatenate()([x, b])))
        model.compile("sgd", "mse")
        return model

    x, y = examples(rng, 20)
    features = rng.standard_normal((20, 2))
    found = []
    for texts in (x, x.pad()):
        model = build()
        model.fit([texts, features], y, batch_size=8, shuffle=False, verbose=0)
        np.testing.assert_allclose(
            model.predict([x, features]), model.predict([x.pad(), features]), atol=1e-6
        )
        found.append(model.get_weights())
    for have, want in zip(*found, strict=True):
        np.testing.assert_allclose(have, want, atol=1e-6)


def test_generators_and_sequences(rng):
    x, y = examples(rng, 40)
    ids = x.pad(T).ids
    parts = [(ids[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8)]

    class Batches:
        ended = 0

        def __len__(self):
            return len(parts)

        def __getitem__(self, i):
            return parts[i]

        def on_epoch_end(self):
            self.ended += 1

    def forever():
        while True:
            yield from parts

    plain = bag()
    plain.fit(ids, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    sequence, generator, lazy = bag(), bag(), bag()
    batches = Batches()
    sequence.fit(batches, epochs=2, verbose=0)
    assert batches.ended == 2
    generator.fit(forever(), epochs=2, steps_per_epoch=5, verbose=0)
    lazy.fit((part for part in parts * 2), epochs=1, verbose=0)
    for model in (sequence, generator, lazy):
        for have, want in zip(model.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(have, want, atol=1e-6)
        assert model.step == 10
    np.testing.assert_allclose(
        sequence.evaluate(Batches(), verbose=0), plain.evaluate(ids, y, verbose=0), atol=1e-5
    )
    np.testing.assert_allclose(
        sequence.predict(part[0] for part in parts), plain.predict(ids), atol=1e-5
    )
    weighted = bag()
    weighted.fit([(*part, np.zeros(8)) for part in parts].__iter__(), verbose=0)
    assert weighted.step == 5
    short = bag()
    with pytest.raises(ValueError, match="epoch 2 has no batches: the generator is exhausted"):
        short.fit((part for part in parts), epochs=2, verbose=0)
    with pytest.raises(ValueError, match="`validation_split` needs arrays"):
        bag().fit(forever(), validation_split=0.5, steps_per_epoch=1)


def test_what_a_generator_raises_is_raised(rng):
    def broken():
        yield np.ones((4, T), int), np.ones(4)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        bag().fit(broken(), verbose=0)


def test_validation_split_takes_the_last_part(rng):
    x, y = examples(rng, 50)
    seen = []
    split, data = bag(), bag()
    split.fit(
        x,
        y,
        validation_split=0.2,
        epochs=2,
        verbose=0,
        callbacks=LambdaCallback(on_test_end=seen.append),
    )
    data.fit(x[:40], y[:40], validation_data=(x[40:], y[40:]), epochs=2, verbose=0)
    assert split.history.history == data.history.history
    assert len(seen) == 2
    assert seen[-1]["loss"] == split.history.history["val_loss"][-1]
    some = bag()
    some.fit(x, y, validation_split=0.2, validation_freq=2, epochs=5, verbose=0)
    assert len(some.history.history["val_loss"]) == 2
    for share in (0.99, 1.5):
        with pytest.raises(ValueError, match="both must be at least one"):
            bag().fit(x, y, validation_split=share, verbose=0)


def test_weights_of_zero_and_of_classes(rng):
    x, y = examples(rng, 40)
    few, weighted = bag(), bag()
    few.fit(x[:24], y[:24], batch_size=40, shuffle=False, verbose=0)
    share = np.repeat([40 / 24, 0.0], [24, 16])
    weighted.fit(x, y, sample_weight=share, batch_size=40, shuffle=False, verbose=0)
    by_class, by_hand = bag(), bag()
    by_class.fit(x, y, class_weight={1: 3.0}, verbose=0)
    by_hand.fit(x, y, sample_weight=np.where(y == 1, 3.0, 1.0), verbose=0)
    for pair in ((few, weighted), (by_class, by_hand)):
        for have, want in zip(*(model.get_weights() for model in pair), strict=True):
            np.testing.assert_allclose(have, want, atol=1e-5)


def test_the_same_seed_gives_the_same_bits(rng):
    x, y = examples(rng, 70)

    def trained(seed):
        wordrow.set_random_seed(seed)
        model = Sequential(
            [
                Embedding(V, 4, mask_zero=True),
                Dropout(0.3),
                LSTM(3, dropout=0.2),
                Dense(1, "sigmoid"),
            ]
        )
        model.compile("adam", "binary_crossentropy")
        model.fit(x, y, batch_size=16, epochs=2, verbose=0)
        return model.get_weights()

    assert same(trained(1), trained(1))
    assert not same(trained(1), trained(2))


def test_lengths_are_few_and_change_nothing(rng):
    """At most four programs, whatever the lengths; without a mask there is one."""
    lists = [rng.integers(1, V, k).tolist() for k in rng.integers(1, 41, 96)]
    x, y = Ragged.from_lists(lists), rng.integers(0, 2, 96)
    order = np.argsort(x.lengths)
    x, y = x.take(order), y[order]  # batches of like lengths
    trimmed, full = bag(), bag()
    for model in (trimmed, full):
        model.compile("adamw", "binary_crossentropy", ["accuracy"])  # others are the core's
    trimmed.fit(x.pad(64).ids, y, batch_size=8, shuffle=False, epochs=2, verbose=0)
    steps = trimmed.training.jax_engine.step_program.compiled.count("step")
    assert 2 <= steps <= 4
    longest = np.zeros((len(y), 64), int)
    longest[:, 0] = longest[:, -1] = 29  # no batch can be trimmed
    full.fit(longest, y, batch_size=8, verbose=0)
    assert full.training.jax_engine.step_program.compiled.count("step") == 1
    plain = bag()
    plain.compile("adamw", "binary_crossentropy", ["accuracy"])
    for start in range(0, 96, 8):
        plain.train_on_batch(x[start : start + 8].pad(64), y[start : start + 8])
    plain.training.sync()
    for start in range(0, 96, 8):
        plain.train_on_batch(x[start : start + 8].pad(64), y[start : start + 8])
    for have, want in zip(trimmed.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, atol=1e-5)
    refusing = Sequential([Embedding(V, 2, input_length=64), Flatten(), Dense(1, "sigmoid")])
    refusing.compile("sgd", "binary_crossentropy")
    refusing.fit(x.pad(64).ids, y, batch_size=7, epochs=2, verbose=0)
    assert refusing.training.jax_engine.step_program.compiled == ["step"]


# ---- going on ---------------------------------------------------------------


def test_a_loaded_model_goes_on_as_if_never_stopped(rng, tmp_path):
    x, y = examples(rng, 60)
    path = tmp_path / "model.safetensors"

    def model():
        wordrow.set_random_seed(9)
        made = Sequential(
            [
                Embedding(V, 4, mask_zero=True),
                Dropout(0.4),
                GlobalAveragePooling1D(),
                Dense(1, "sigmoid"),
            ]
        )
        made.compile("adamw", "binary_crossentropy", ["accuracy"])
        return made

    whole, first = model(), model()
    whole.fit(x, y, batch_size=16, epochs=4, verbose=0)
    first.fit(x, y, batch_size=16, epochs=2, verbose=0)
    first.save(path)
    again = load_model(path)
    assert again.step == first.step == 8
    again.fit(x, y, batch_size=16, epochs=4, initial_epoch=2, verbose=0)
    assert same(whole.get_weights(), again.get_weights())
    assert again.history.epoch == [2, 3]
    # In the middle of an epoch too, where rows rest.
    one, two = model(), model()
    for start in range(0, 60, 6):
        batch = x[start : start + 6], y[start : start + 6]
        one.train_on_batch(*batch)
        two.train_on_batch(*batch)
        if start == 18:
            two.save(path)
            loaded = load_model(path)
            for have, want in zip(loaded.get_weights(), one.get_weights(), strict=True):
                np.testing.assert_array_equal(have, want)
            np.testing.assert_array_equal(loaded.predict(x), one.predict(x))
            two = loaded
    assert same(one.get_weights(), two.get_weights())
    two.save(path)
    changed = load_model(path)
    changed.set_weights([w + 1 for w in changed.get_weights()])
    changed.train_on_batch(x[:6], y[:6])
    assert (np.abs(changed.get_weights()[0] - 1) < 0.2).all()


def test_saving_is_golden_and_pickles(rng, tmp_path):
    import copy

    x, y = examples(rng, 20)
    model = bag()
    model.fit(x, y, verbose=0)
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(first)
    load_model(first).save(second)
    assert first.read_bytes() == second.read_bytes()
    clone = copy.deepcopy(model)
    clone.fit(x, y, verbose=0)
    model.fit(x, y, verbose=0)
    assert same(clone.get_weights(), model.get_weights())
    plain = tmp_path / "plain.safetensors"
    model.save(plain, include_optimizer=False)
    assert load_model(plain).step == 0
    assert load_model(first, compile=False).optimizer is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"seed": ', '"seed": 9999999999'),
        ('"step": 2', '"step": 5'),
        ('"slots": [[', '"slots": [["x", "y"], ['),
        ('"class_name": "Adam"', '"class_name": "Atom"'),
        ('"inputs": [[0, 0]]', '"inputs": [[9, 0]]'),
        ('"outputs": [[', '"outputs": [[7, 7], ['),
    ],
)
def test_files_of_graphs_that_do_not_fit_together(rng, tmp_path, before, after):
    ids = Input((T,))
    model = Model(ids, Dense(1)(GlobalAveragePooling1D()(Embedding(V, 2, mask_zero=True)(ids))))
    model.compile("adam", "mse")
    for _ in range(2):
        model.train_on_batch(rng.integers(1, V, (4, T)), np.ones(4))
    path = tmp_path / "model.safetensors"
    model.save(path)
    good = path.read_bytes()
    end = 8 + int.from_bytes(good[:8], "little")
    old, new = (text.replace('"', '\\"').encode() for text in (before, after))
    assert old in good[:end]
    header = good[8:end].replace(old, new, 1)
    path.write_bytes(len(header).to_bytes(8, "little") + header + good[end:])
    with pytest.raises(FileFormatError, match="does not fit together"):
        load_model(path)


def test_weights_alone(rng, tmp_path):
    x, y = examples(rng, 20)
    model, other, third = bag(), bag(seed=2), bag(3)
    model.fit(x, y, verbose=0)
    path = tmp_path / "w.safetensors"
    model.save_weights(path)
    other.load_weights(path)
    assert same(other.get_weights(), model.get_weights())
    model.save(path)
    other.load_weights(path)
    with pytest.raises(FileFormatError, match="weights in it are of another model"):
        third.load_weights(path)
    model.save_weights(path)
    with pytest.raises(FileFormatError, match="holds weights alone: use model.load_weights"):
        load_model(path)


def test_own_functions_train_and_are_not_saved(rng, tmp_path):
    x, y = examples(rng, 30)

    def far(y_true, y_pred):
        return abs(y_true - y_pred)

    model = bag(metrics=[])
    model.compile("adam", lambda y_true, y_pred: ((y_true - y_pred) ** 2).mean(axis=-1), [far])
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "far"}
    like = bag(metrics=[])
    like.compile("adam", "mse", ["mae"])
    found = like.fit(x, y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], found["loss"], atol=1e-6)
    np.testing.assert_allclose(history["far"], found["mae"], atol=1e-6)
    with pytest.warns(UserWarning, match="saved without what `compile` said"):
        model.save(tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").optimizer is None
    own = Sequential([Embedding(V, 2, embeddings_regularizer=lambda w: 0.0 * w.sum())])
    with pytest.raises(ValueError, match="a user-defined regularizer"):
        own.save(tmp_path / "own.safetensors")


def test_own_functions_that_cannot_be_compiled(rng):
    x, y = examples(rng, 8)
    model = bag()
    before = model.get_weights()
    for loss, metric in (
        (lambda y_true, y_pred: np.log(y_pred), None),
        ("mse", lambda y_true, y_pred: float(y_pred.sum())),
    ):
        model.compile("sgd", loss, metric and [metric])
        with pytest.raises(
            TypeError,
            match="a custom loss, metric, activation or regularizer cannot be compiled: write",
        ):
            model.fit(x, y, verbose=0)
        assert same(before, model.get_weights())


def test_floats_stay_float32(rng):
    model = Sequential([Dense(2, input_dim=3)])
    for x in (np.ones((2, 3)), np.ones((2, 3), int), [[True, False, True]]):
        assert model.predict(x).dtype == np.float32


def test_freezing_and_unfreezing_after_compile(rng):
    x, y = examples(rng, 30)
    model = bag()
    table = model.layers[0].get_weights()[0]
    model.layers[0].trainable = False
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], table)
    kernel = model.layers[2].get_weights()[0]
    model.layers[0].trainable, model.layers[2].trainable = True, False
    model.fit(x, y, verbose=0)
    assert (model.layers[0].get_weights()[0] != table).any()
    np.testing.assert_array_equal(model.layers[2].get_weights()[0], kernel)
    model.trainable = True
    model.fit(x, y, verbose=0)
    assert (model.layers[2].get_weights()[0] != kernel).any()
    assert model.step == 3
    model.trainable = False
    with pytest.raises(ValueError, match="nothing to train: every layer is frozen"):
        model.fit(x, y, verbose=0)


def test_two_models_share_layers(rng):
    x, y = examples(rng, 30)
    ids = Input((T,))
    rows = Embedding(V, 3, mask_zero=True)
    hidden = GlobalAveragePooling1D()(rows(ids))
    first, second = Model(ids, Dense(1, "sigmoid")(hidden)), Model(ids, Dense(1)(hidden))
    looking = Model(ids, hidden)
    first.compile("adam", "binary_crossentropy")
    second.compile("adam", "mse")
    padded = x.pad(T).ids
    for model in (first, second, first):
        before = rows.get_weights()[0]
        model.fit(padded, y, verbose=0)
        after = rows.get_weights()[0]
        assert (after != before).any()
        np.testing.assert_allclose(
            looking.predict(padded)[0], after[padded[0][padded[0] > 0]].mean(axis=0), atol=1e-6
        )
    nested = Model(ids, Activation("tanh")(first(ids)))
    np.testing.assert_allclose(nested.predict(padded), np.tanh(first.predict(padded)), atol=1e-6)


def test_a_stateful_model_goes_on_from_batch_to_batch(rng):
    x = rng.standard_normal((2, 6, 3)).astype(np.float32)
    wordrow.set_random_seed(1)
    model = Sequential([Input(batch_shape=(2, None, 3)), LSTM(4, stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    whole = model.predict(x)
    model.reset_states()
    model.predict(x[:, :2])
    np.testing.assert_allclose(model.predict(x[:, 2:]), whole, atol=1e-6)
    model.reset_states()
    y = np.zeros(2)
    losses = [model.train_on_batch(x, y) for _ in range(2)]
    model.reset_states()
    assert losses[0] != losses[1]
    np.testing.assert_array_equal(model.layers[0]._state["h"], 0)
    with pytest.raises(ValueError, match=r"Use Input\(batch_shape=\(B, T\)\)"):
        Sequential([LSTM(4, stateful=True, input_shape=(None, 3))])


# ---- callbacks --------------------------------------------------------------


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


# ---- what cannot be trained -------------------------------------------------


def test_a_loss_that_is_not_finite_ends_training(rng):
    x, y = examples(rng, 40)
    values = rng.standard_normal(40)
    values[25] = 1e30  # squared, more than a float32 holds

    def model():
        made = bag()
        made.compile("sgd", "mse")
        return made

    broken, like = model(), model()
    message = (
        r"the loss became inf in epoch 1, batch 3 \(step 3\).*weights are those from before it; "
        r"the outputs {'dense': \(None, 1\)} themselves are finite. Use a smaller learning rate "
        "than 0.01"
    )
    with pytest.raises(ValueError, match=message):
        broken.fit(x, values, batch_size=10, shuffle=False, verbose=0)
    assert broken.step == 2
    for start in (0, 10):
        like.train_on_batch(x[start : start + 10], values[start : start + 10])
    for have, want in zip(broken.get_weights(), like.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, atol=1e-6)
    quiet = model()
    quiet.fit(x, values, batch_size=10, shuffle=False, callbacks=[TerminateOnNaN()], verbose=0)
    assert quiet.step == 2
    assert np.isfinite(quiet.predict(x)).all()
    wide = Sequential([Dense(4, input_dim=3), Dense(1)])
    wide.compile(wordrow.optimizers.SGD(1e20), "mse")
    with pytest.raises(ValueError, match=r"those of Dense \('dense_1'\), of the"):
        wide.fit(rng.normal(size=(40, 3)), rng.normal(size=40), epochs=5, verbose=0)
    diverging = Sequential([Embedding(V, 4, mask_zero=True), GlobalAveragePooling1D(), Dense(1)])
    diverging.compile(wordrow.optimizers.SGD(1e15), "mse")
    with pytest.raises(ValueError, match="became|not finite"):
        diverging.fit(x, y, epochs=50, verbose=0)
    assert all(np.isfinite(w).all() for w in diverging.get_weights())
    with pytest.raises(ValueError, match="labels must be finite numbers; example 1 has"):
        bag().fit(x[:2], [0, np.nan])


@pytest.mark.parametrize(
    ("make", "x", "y", "message"),
    [
        (bag, np.ones((4, T), int), None, "there are no labels"),
        (bag, np.ones((4, T), int), np.ones(3), "there are 4 inputs and 3 labels"),
        (
            bag,
            np.ones((4, T), int),
            np.ones((4, 2)),
            r"output 'dense' has the shape \(None, 1\).*"
            r"received \(4, 2\)",
        ),
        (bag, np.ones((4, T), int), [0, 1, 2, 1], "from 0 to 1 for this loss; example 2 has 2"),
        (
            lambda: bag(3),
            np.ones((4, T), int),
            [0, 1, 2, 3],
            "whole numbers from 0 to 2, one for each of its 3 units; example 3 has 3",
        ),
        (lambda: bag(3), np.ones((4, T), int), [0, -1, 2, 0], "example 1 has -1"),
        (
            lambda: bag(3),
            np.ones((4, T), int),
            np.eye(4)[:, :3],
            r"one number of a class for each; received labels of shape \(4, 3\)",
        ),
        (bag, np.full((4, T), V), np.ones(4), f"text 0 has id {V} at position 0"),
        (bag, np.ones((0, T), int), np.ones(0), "nothing to learn from"),
        (bag, [np.ones((4, T), int)] * 2, np.ones(4), r"takes inputs of shape|there are 1 inputs"),
        (bag, np.ones((4, T, 2), int), np.ones(4), "takes inputs of shape"),
        (bag, {"ids": np.ones((4, T), int)}, np.ones(4), "inputs are called .'input'.; received"),
        (bag, [[1], [2, 3]], np.ones(2), "sequences of different lengths. Use pad_sequences"),
        (bag, np.ones((4, T), int), ["a"] * 4, "the labels must be numbers"),
    ],
)
def test_wrong_data(make, x, y, message):
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(x, y, verbose=0)
    assert same(before, model.get_weights())


def test_wrong_numbers_of_inputs_and_outputs():
    a, b = Input((3,), name="a"), Input((4,), name="b")
    model = Model([a, b], [Dense(1, name="one")(a), Dense(1, name="two")(b)])
    model.compile("sgd", "mse")
    x = [np.ones((5, 3)), np.ones((5, 4))]
    for inputs, labels, message in (
        (x[0], [np.ones(5)] * 2, r"there are 2 inputs, {'a': .*\), 'b': .*\)}; received 1"),
        (x, np.ones(5), r"there are 2 labels, \['one', 'two'\]; received 1"),
        ([x[0], x[0]], [np.ones(5)] * 2, r"input 'b' of 'model' takes inputs of shape \(None, 4\)"),
        ([x[0], x[1][:2]], [np.ones(5)] * 2, r"as many examples; received \{'a': 5, 'b': 2\}"),
        ({"a": x[0], "c": x[1]}, [np.ones(5)] * 2, r"called \['a', 'b'\]; received \['a', 'c'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(inputs, labels, verbose=0)
    with pytest.raises(ValueError, match="needs the input 'b' of shape .*Add it: Model"):
        Model(a, wordrow.Concatenate()([a, b]))
    with pytest.raises(ValueError, match="`loss` has .'three'.; the outputs are called"):
        model.compile("sgd", {"three": "mse"})
    with pytest.raises(ValueError, match="`loss` has 3 entries; the model has 2 outputs"):
        model.compile("sgd", ["mse"] * 3)
    with pytest.raises(TypeError, match="`inputs` must be an Input"):
        Model(np.ones(3), Dense(1)(a))


def test_a_mask_that_is_refused_says_where():
    model = Sequential([Embedding(V, 3, mask_zero=True, input_length=T), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(
        ValueError, match=r"Flatten \('flatten'\) cannot honour a mask.*\(None, 7, 3\)"
    ):
        model.fit(np.ones((4, T), int), np.ones(4), verbose=0)


@pytest.mark.parametrize(
    ("activation", "units", "loss", "message"),
    [
        (None, 1, "binary_crossentropy", "ends with 'linear', and the loss needs probabilities"),
        ("relu", 3, "categorical_crossentropy", "Use activation='softmax'"),
        ("softmax", 1, "categorical_crossentropy", "has 1 unit, whose softmax is always 1"),
        ("softmax", 1, "binary_crossentropy", "has 1 unit, whose softmax is always 1"),
        ("sigmoid", 1, wordrow.losses.BinaryCrossentropy(from_logits=True), "Drop one of the two"),
    ],
)
def test_a_loss_that_does_not_fit_is_said_once(activation, units, loss, message, rng):
    model = Sequential([Dense(units, activation, input_dim=3)])
    with pytest.warns(UserWarning, match=message) as told:
        model.compile("sgd", loss)
    assert len(told) == 1
    if activation != "relu":  # whose outputs may all be 0
        x, y = rng.standard_normal((4, 3)), np.ones((4, units)) / units
        model.fit(x, y, verbose=0)  # where another warning would be an error


def test_wrong_settings(rng):
    model = bag()
    x, y = examples(rng, 8)
    for options, message in (
        ({"batch_size": 0}, "`batch_size` must be a whole number above 0; received 0"),
        ({"epochs": 1.5}, "`epochs` must be a whole number"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(x, y, **options)
    with pytest.raises(ValueError, match="is not compiled yet"):
        Sequential([Embedding(V, 3)]).fit(x, y)
    silent = Sequential([Embedding(V, 3)])
    silent.compile("adam")
    with pytest.raises(ValueError, match="has no loss"):
        silent.fit(x, y)
    for arguments, message in (
        (("adamm", "mse"), "`optimizer` must be .*'adam'"),
        (("adam", "msee"), "`loss` must be a function or one of .*'mse'"),
        (("adam", "mse", ["acurracy"]), "a metric must be a function or one of"),
    ):
        with pytest.raises(ValueError, match=message):
            model.compile(*arguments)
    for make, message in (
        (lambda: wordrow.optimizers.Adam(-1), "`learning_rate` must be a number from 0 on"),
        (lambda: wordrow.optimizers.Adam(beta_1=1.0), "`beta_1` must be from 0 to below 1"),
        (lambda: wordrow.optimizers.SGD(clipnorm=1, clipvalue=1), "only one of"),
        (lambda: wordrow.optimizers.SGD(clipnorm=0), "`clipnorm` must be above 0"),
        (lambda: LSTM(3, stateful=True)(Input((T, 2))), "the batch size must be fixed"),
        (lambda: LSTM(3)(Input((T,))), r"takes \[batch, steps, features\]"),
        (lambda: LSTM(3, dropout=1.0), "`dropout` must be from 0 to below 1"),
        (lambda: wordrow.Conv1D(3, 9)(Input((T, 2))), "looks at 9 steps at once; received texts"),
        (lambda: wordrow.Conv1D(3, 2, strides=2, dilation_rate=2), "cannot both be above 1"),
        (lambda: wordrow.Reshape((4, 4))(Input((T, 2))), "which holds 14 numbers a text"),
        (lambda: wordrow.Add()([Input((3,)), Input((4,))]), "inputs of one shape"),
        (lambda: wordrow.Concatenate()([Input((3,)), Input((4, 2))]), "agree in all other axes"),
        (lambda: wordrow.Bidirectional(LSTM(3), merge_mode="mean"), "`merge_mode` must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="Bidirectional takes a recurrent layer"):
        wordrow.Bidirectional(Dense(3))
    with pytest.raises(TypeError, match="Dense has no argument .'kernel_regulariser'"):
        Dense(3, kernel_regulariser="l2")


def test_arithmetic_of_symbols(rng):
    first, second = Input((T, 2)), Input((T, 2))
    sums = (first + second) * 2.0 - first / 4 + 1 - (1 - second) ** 2
    model = Model([first, second], [sums, (first * second)[:, -1], -first, 1 / (first - 9)])
    x, y = (rng.normal(size=(3, T, 2)).astype(np.float32) for _ in range(2))
    wanted = (x + y) * 2 - x / 4 + 1 - (1 - y) ** 2, (x * y)[:, -1], -x, 1 / (x - 9)
    for found, want in zip(model.predict([x, y]), wanted, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-5)
    assert [output.shape for output in model.outputs][1] == (None, 2)
    with pytest.raises(TypeError, match="not iterable"):
        list(sums)
    np.testing.assert_allclose(Model(first, np.full(2, 3.0) * first).predict(x), 3 * x, rtol=1e-6)


def test_a_model_inside_a_sequential_shares_its_weights(rng):
    inner = Sequential([Embedding(V, 3, input_length=T), Dense(4, "tanh")], name="inner")
    outer = Sequential([inner, GlobalAveragePooling1D(), Dense(1)])
    assert outer.layers[0] is inner
    assert len({layer.name for layer in (*inner.layers, *outer.layers[1:])}) == 4
    ids = rng.integers(0, V, (6, T))
    outer.compile("sgd", "mse")
    before = inner.predict(ids)
    outer.fit(ids, np.ones((6, 1)), verbose=0)
    assert not np.array_equal(inner.predict(ids), before)
    table, kernel, bias = inner.get_weights()
    np.testing.assert_allclose(inner.predict(ids), np.tanh(table[ids] @ kernel + bias), atol=1e-6)


# ---- what is said ------------------------------------------------------------


def test_what_is_printed(rng, capsys):
    x, y = examples(rng, 20)
    bag().fit(x, y, epochs=2, verbose=2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss 0.")
    assert "accuracy 0." in lines[0]
    bag().fit(x, y, epochs=2, verbose=1)
    assert "epoch 2/2" in capsys.readouterr().err
    bag().fit(x, y, verbose=0)
    printed = capsys.readouterr()
    assert printed.err == printed.out == ""


# ---- without JAX --------------------------------------------------------------

WITHOUT_JAX = """
import sys
sys.modules["jax"] = None
import numpy as np
import wordrow
from wordrow import *
ids = Input((5,))
x = Embedding(9, 3, mask_zero=True)(ids)
a = Bidirectional(LSTM(2, return_sequences=True))(x)
b = Conv1D(4, 2, padding="same")(a)
c = Concatenate()([GlobalMaxPooling1D()(b), GRU(2)(x), SimpleRNN(2)(MaxPooling1D()(x))])
model = Model(ids, Dense(1, "sigmoid")(c))
model.compile("adam", "binary_crossentropy", ["accuracy", "AUC"])
data, y = np.arange(20).reshape(4, 5) % 9, np.array([0, 1, 1, 0])
model.predict(data)
model.save(sys.argv[1])
again = load_model(sys.argv[2])
found = again.evaluate(data, y, verbose=0)
print(*again.predict(data).ravel(), *found)
for call in (lambda: model.fit(data, y), lambda: model.train_on_batch(data, y)):
    try:
        call()
    except ImportError as error:
        assert "training this model needs the package jax" in str(error), error
        assert "pip install 'wordrow[train]'" in str(error), error
    else:
        raise SystemExit("it trained")
TextClassifier().fit(["a b", "c d"], [0, 1]).predict(["a"])
"""


def test_without_jax_all_but_fit_works(tmp_path):
    """A model trained with JAX answers the same where JAX is not installed."""
    wordrow.set_random_seed(1)
    ids = Input((5,))
    x = wordrow.LSTM(4, return_sequences=True)(Embedding(9, 3, mask_zero=True)(ids))
    model = Model(ids, Dense(1, "sigmoid")(wordrow.GRU(3)(x)))
    model.compile("adam", "binary_crossentropy", ["accuracy", "AUC"])
    data, y = np.arange(20).reshape(4, 5) % 9, np.array([0, 1, 1, 0])
    model.fit(data, y, epochs=3, verbose=0)
    paths = [str(tmp_path / "a.st"), str(tmp_path / "b.st")]
    model.save(paths[1])
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_JAX, *paths], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    numbers = [float(word) for word in answer.stdout.split()]
    expected = [*model.predict(data).ravel(), *model.evaluate(data, y, verbose=0)]
    np.testing.assert_allclose(numbers, expected, atol=1e-6)


THREADS = """
import json, sys
import numpy as np, wordrow
wordrow.set_random_seed(3)
m = wordrow.Sequential([wordrow.Embedding(50, 8, mask_zero=True), wordrow.LSTM(8),
                        wordrow.Dense(1, "sigmoid")])
m.compile("adam", "binary_crossentropy")
rng = np.random.default_rng(1)
m.fit(rng.integers(0, 50, (64, 9)), rng.integers(0, 2, 64), batch_size=16, epochs=2, verbose=0)
print(json.dumps([w.tobytes().hex() for w in m.get_weights()]))
"""


@pytest.mark.parametrize("n_threads", ["1", "2"])
def test_the_same_bits_in_another_process(n_threads):
    environment = os.environ | {"WORDROW_THREADS": n_threads, "JAX_PLATFORMS": "cpu"}
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", THREADS], env=environment, capture_output=True, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert found[0] == found[1]


def test_padded_masks_reach_the_loss(rng):
    """A Padded says itself what is real, even where the Embedding does not."""
    x, y = examples(rng, 20)
    found = []
    for mask_zero in (True, False):
        model = bag()
        model.layers[0].mask_zero = mask_zero
        padded = x.pad(T)
        model.fit(Padded(ids=padded.ids, mask=padded.mask), y, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for have, want in zip(*found, strict=True):
        np.testing.assert_allclose(have, want, atol=1e-6)


def test_validation_steps_of_arrays(rng):
    x, y = examples(rng, 40)
    model = bag()
    history = model.fit(x, y, batch_size=8, validation_data=(x, y), validation_steps=2, verbose=0)
    found = history.history["val_loss"][0]
    np.testing.assert_allclose(found, model.evaluate(x[:16], y[:16], verbose=0)[0], rtol=1e-5)
    np.testing.assert_allclose(found, model.evaluate(x, y, 8, 0, steps=2)[0], rtol=1e-6)
