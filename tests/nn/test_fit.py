"""`fit` as its users meet it: what it takes, and what it prints."""

import numpy as np
import pytest

import wordrow
from small_models import T, V, bag, examples, same
from wordrow import (
    LSTM,
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
)
from wordrow.nn.callbacks import (
    LambdaCallback,
)


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
