"""What cannot be trained is refused with a reason."""

import numpy as np
import pytest

import wordrow
from small_models import T, V, bag, examples, same
from wordrow import (
    LSTM,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    Model,
    Sequential,
)
from wordrow.nn.callbacks import (
    TerminateOnNaN,
)


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
        (bag, [[[1]], [[2], [3]]], np.ones(2), "sequences of different lengths. Use pad_sequences"),
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
