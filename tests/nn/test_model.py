import numpy as np
import pytest

import wordrow
from wordrow import (
    LSTM,
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
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
    TimeDistributed,
    load_model,
)
from wordrow.errors import FileFormatError

X = np.array([[0, 0, 1, 2, 3, 4], [0, 1, 2, 5, 3, 4]])


def bag_model(**options):
    wordrow.set_random_seed(1)
    return Sequential(
        [Embedding(10, 3, mask_zero=True, **options), GlobalAveragePooling1D(), Dense(2, "softmax")]
    )


def test_the_questions_model():
    model = Sequential()
    model.add(Embedding(10, 3, input_length=6, mask_zero=True))
    model.compile("rmsprop", "mse")
    output = model.predict(X)
    table = model.layers[0].get_weights()[0]
    assert output.shape == (2, 6, 3)
    np.testing.assert_array_equal(output, table[X])
    assert np.abs(table).max() <= 0.05
    assert (type(model.optimizer), model.loss) == (wordrow.optimizers.RMSprop, "mse")


def test_when_it_is_built():
    assert Sequential([Embedding(10, 3)]).built
    late = Sequential([Embedding(10, 3), Flatten(), Dense(1)])
    assert not late.built
    assert late.get_weights()[:0] == []
    assert late.predict(X).shape == (2, 1)
    assert late.input_shape == (None, 6)
    assert late.count_params() == 30 + 18 + 1
    from_input = Sequential([Input((6,)), Embedding(10, 3), Flatten(), Dense(1)])
    assert from_input.built
    assert from_input.output_shape == (None, 1)
    by_hand = Sequential([Dense(2)])
    with pytest.raises(ValueError, match="not built yet"):
        by_hand.count_params()
    by_hand.build((None, 4))
    assert by_hand.count_params() == 10
    assert Sequential([Dense(2, input_shape=(4,))]).built
    assert Sequential([Dense(2, input_dim=4)]).built


def test_adding_keeps_the_weights_there_are():
    model = Sequential([Embedding(10, 3)])
    table = model.get_weights()[0]
    model.add(GlobalAveragePooling1D())
    model.add(Dense(1))
    np.testing.assert_array_equal(model.get_weights()[0], table)
    assert model.pop().name == "dense"
    np.testing.assert_array_equal(model.get_weights()[0], table)
    assert model.output_shape == (None, 3)
    assert model.pop().name == "global_average_pooling1d"
    model.pop()
    with pytest.raises(TypeError, match="no layer to remove"):
        model.pop()


def test_a_layer_that_does_not_fit_is_not_added():
    model = Sequential([Input((4,)), Dense(3)])
    with pytest.raises(ValueError, match="batch, steps, features"):
        model.add(GlobalAveragePooling1D())
    assert [layer.name for layer in model.layers] == ["dense"]
    assert model.predict(np.ones((1, 4))).shape == (1, 3)


def test_names_and_layers():
    model = Sequential([Dense(2, input_dim=3), Dense(2), Dense(1, name="last")])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "last"]
    assert model.get_layer("last") is model.get_layer(index=-1) is model.layers[2]
    with pytest.raises(ValueError, match="no layer 'first'; the model has"):
        model.get_layer("first")
    with pytest.raises(ValueError, match="no layer 9"):
        model.get_layer(index=9)
    with pytest.raises(ValueError, match="either a name or an index"):
        model.get_layer()
    with pytest.raises(ValueError, match="names must be unique"):
        model.add(Dense(1, name="last"))
    with pytest.raises(TypeError, match="`add` takes a layer"):
        model.add("dense")
    with pytest.raises(ValueError, match="an Input comes first"):
        model.add(Input((3,)))


def test_set_weights_takes_all_or_none():
    model = bag_model()
    before = model.get_weights()
    new = [w + 1 for w in before]
    model.set_weights(new)
    for have, want in zip(model.get_weights(), new, strict=True):
        np.testing.assert_array_equal(have, want)
    for wrong, message in (
        (new[:2], "has 3 weights; received 2"),
        ([before[0], before[1], np.zeros(5)], r"'bias' of layer 'dense' has the shape \(2,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            model.set_weights(wrong)
        np.testing.assert_array_equal(model.get_weights()[0], new[0])
    with pytest.raises(ValueError, match="has 0 weights .*not built yet"):
        Dense(1).set_weights([np.zeros((1, 1))])
    model.get_weights()[0][:] = 7  # a copy
    assert not (model.get_weights()[0] == 7).any()


def test_inputs_of_every_kind_agree(rng):
    model = bag_model()
    lists = [[1, 2, 3], [4], [], [9, 9, 1, 2, 5]]
    ragged = Ragged.from_lists(lists)
    expected = model.predict(ragged)
    padded = ragged.pad()
    assert isinstance(padded, Padded)
    for x in (
        padded,
        padded.ids,
        padded.ids.tolist(),
        ragged.pad(9, padding="post").ids,
        padded.ids.astype(float),
    ):
        np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)
    many = Ragged.from_lists([lists[i] for i in rng.integers(0, 4, 1000)])
    np.testing.assert_allclose(
        model.predict(many.pad(), batch_size=7), model.predict(many), atol=1e-6
    )
    for i in range(len(lists)):
        np.testing.assert_allclose(model.predict(ragged[i : i + 1])[0], expected[i], atol=1e-6)
    assert model.predict(ragged[:0]).shape == model.predict(padded.ids[:0]).shape == (0, 2)


def test_the_mask_of_padded_counts_where_zero_is_a_word():
    model = Sequential([Embedding(10, 3), GlobalAveragePooling1D()])
    padded = Ragged.from_lists([[0, 1], [2]]).pad()
    table = model.get_weights()[0]
    np.testing.assert_allclose(model.predict(padded)[0], table[[0, 1]].mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(model.predict(padded)[1], table[2], atol=1e-7)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            X + 6,
            "`input_dim` must be greater than every id: text 0 has id 10 at position 5.*10 rows"
            r".*Use input_dim=len\(tokenizer.word_index\) \+ 1",
        ),
        (-X, "ids must not be negative: text 0 has id -1 at position 2"),
        ([[[1]], [[2], [3]]], "sequences of different lengths. Use pad_sequences"),
        (["a text"], "the inputs must be numbers.*Tokenizer"),
        (5, "must have a batch axis"),
        (np.ones((2, 3, 4)), r"takes inputs of shape \(None, None\); received \(2, 3, 4\)"),
        (Ragged.from_lists([[1], [2, 99]]), "text 1 has id 99 at position 1"),
        (Ragged.from_lists([[], [1, -1]]), "not be negative: text 1 has id -1 at position 1"),
    ],
)
def test_bad_inputs(x, message):
    with pytest.raises(ValueError, match=message):
        bag_model().predict(x)


def test_ids_are_followed_through_layers_that_keep_them():
    model = Sequential([Input((2, 3)), Flatten(), Embedding(5, 2)])
    with pytest.raises(ValueError, match="text 0 has id 5"):
        model.predict(np.full((1, 2, 3), 5))


def test_compile_refuses_unknown_options():
    model = bag_model()
    model.compile(optimizer="adam", loss="mse", metrics=["acc"], run_eagerly=False)
    assert model.metrics == ["acc"]
    with pytest.raises(TypeError, match="no option .'metric'"):
        model.compile(metric="acc")


def test_summary(capsys):
    model = bag_model()
    model.layers[0].trainable = False
    model.summary()
    printed = capsys.readouterr().out
    for part in (
        "embedding (Embedding)",
        "(None, None, 3)",
        "Total params: 38",
        "Non-trainable params: 30",
    ):
        assert part in printed
    lines = []
    Sequential([Embedding(5, 2), Flatten(), Dense(1)]).summary(print_fn=lines.append)
    assert "0 (unbuilt)" in lines[0]


def test_models_inside_models(tmp_path, capsys, rng):
    """A model that was called is one layer of the other, with one set of weights."""

    def encoder():
        return Sequential([Embedding(10, 4, mask_zero=True), LSTM(3), Dense(2)])

    both, other = encoder(), encoder()
    firsts = Input((6,)), Input((6,))
    joined = Concatenate()([both(firsts[0]), both(firsts[1]), other(firsts[1])])
    model = Model(firsts, Dense(1)(joined))
    assert [layer.name for layer in model.layers] == [
        "input",
        "input_1",
        "sequential",
        "sequential_1",
        "concatenate",
        "dense",
    ]
    assert model.get_layer("sequential") is both
    assert [w.shape for w in model.get_weights()[:6]] == [w.shape for w in both.get_weights()]
    model.summary(expand_nested=True)
    printed = capsys.readouterr().out
    assert "sequential[0], sequential[0]" in printed
    assert printed.count("(LSTM)") == 2
    x, y = [X, X[::-1]], rng.normal(size=(2, 1))
    before = both.predict(X)
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, verbose=0)
    assert not np.array_equal(both.predict(X), before)

    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    np.testing.assert_array_equal(loaded.layers[3].predict(X), other.predict(X))
    assert isinstance(loaded.layers[2], Sequential)
    for one in (model, loaded):
        one.fit(x, y, verbose=0)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_a_model_that_branches_inside_a_chain(tmp_path):
    ids = Input((6,))
    rows = Embedding(10, 4)(ids)
    branch = Model(ids, Add()([rows, rows]), name="branch")
    model = Sequential([branch, Flatten(), Dense(3)])
    kernel, bias = model.layers[-1].get_weights()
    expected = (2 * branch.layers[1].get_weights()[0][X]).reshape(2, -1) @ kernel + bias
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-6)
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert [layer.name for layer in loaded.layers] == ["branch", "flatten", "dense"]
    assert model.pop() is not branch
    assert len(model.layers) == 2
    with pytest.raises(TypeError, match="of one input"):
        Sequential([Model([Input((2,)), (last := Input((2,)))], last)])


# ---- files ----------------------------------------------------------------


def test_a_loaded_model_is_the_same(tmp_path):
    model = Sequential(
        [
            Embedding(10, 3, mask_zero=True, trainable=False),
            Dropout(0.5),
            Activation("tanh"),
            GlobalAveragePooling1D(),
            Dense(4, "relu", kernel_initializer="he_normal"),
            Dense(1, "sigmoid"),
        ],
        name="mine",
    )
    model.compile("adam", "binary_crossentropy", ["acc"])
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(first)
    loaded = load_model(first)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.get_config() == model.get_config()
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert (loaded.name, loaded.loss, loaded.metrics) == ("mine", "binary_crossentropy", ["acc"])
    loaded.save(second)
    assert first.read_bytes() == second.read_bytes()
    loaded.save(first)  # over the file that it is mapped from
    np.testing.assert_array_equal(load_model(first).predict(X), model.predict(X))
    loaded.set_weights([w + 1 for w in loaded.get_weights()])
    with pytest.raises(FileExistsError, match="overwrite=False"):
        model.save(first, overwrite=False)


def test_an_own_activation_cannot_be_saved(tmp_path):
    model = Sequential([Dense(1, lambda x: x, input_dim=2)])
    with pytest.raises(ValueError, match="user-defined activation"):
        model.save(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_models(tmp_path):
    path = tmp_path / "model.safetensors"
    model = bag_model()
    model.save(path)
    good = path.read_bytes()

    def swapped(before, after):  # the metadata is JSON inside JSON
        before, after = (text.replace('"', '\\"').encode() for text in (before, after))
        assert before in good
        end = 8 + int.from_bytes(good[:8], "little")
        header = good[8:end].replace(before, after)
        return len(header).to_bytes(8, "little") + header + good[end:]

    cases = {
        b"": "an empty file",
        b"abc": "received 3 bytes",
        b"PK\x03\x04" + b"x" * 100: "It is damaged, or of another format",
        good[:-4]: "cut short or damaged",
        good[:200]: "is damaged|another format",
        swapped('"GlobalAveragePooling1D"', '"GlobalAveragePooling9D"'): "'GlobalAveragePooling9D'",
        swapped('"version": 1', '"version": 9'): "version 9 of the format",
        swapped('"kind": "model"', '"kind": "muddl"'): "expected a file of kind 'model'",
        swapped('"units": 2', '"units": 3'): "does not fit together",
        swapped('"input_dim": 10', '"input_dim": 2147483648'): "does not fit together",
        swapped('"units": 2', '"units": Infinity'): "Infinity is not a JSON number",
        swapped('"name": "dense"', '"name": [7]'): "does not fit together",
        swapped('"model": {', '"mudel": {'): "does not fit together",
        good.replace(b'"shape":[2]', b'"shape":[2,9]'): "damaged|cut short",
        good.replace(b'"wordrow"', b'"sawdust"'): "not one that wordrow wrote",
    }
    for content, message in cases.items():
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=message):
            load_model(path)
    with pytest.raises(FileFormatError, match="received a folder"):
        load_model(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.safetensors")


def test_to_categorical_as_keras():
    import keras

    for x, n in (
        ([0, 2, 1], None),
        ([[1], [0]], 3),
        (1, 4),
        ([[0, 1], [2, 1]], None),
        ([1.9, 0], None),
    ):
        expected = keras.utils.to_categorical(x, n)
        result = wordrow.to_categorical(x, n)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
    assert wordrow.to_categorical(y=[1], dtype="float32").dtype == np.float32
    with pytest.raises(IndexError, match=r"class 3 is out of bounds.*num_classes=4"):
        wordrow.to_categorical([3], 2)
    with pytest.raises(ValueError, match="at least one label"):
        wordrow.to_categorical([])


def test_a_model_for_every_sentence(tmp_path, rng):
    words = Input((6,))
    rows = Embedding(10, 3, mask_zero=True)(words)
    sentence = Model(words, BatchNormalization()(LSTM(4)(rows)))
    sentences = Input((2, 6))
    steps = TimeDistributed(sentence)(sentences)
    model = Model(sentences, Dense(1)(GlobalAveragePooling1D()(steps)))
    x = rng.integers(1, 10, (6, 2, 6))
    each = np.stack([sentence.predict(x[:, i]) for i in range(2)], axis=1)
    np.testing.assert_allclose(Model(sentences, steps).predict(x), each, atol=1e-6)
    before = model.layers[1].get_weights()
    model.compile("sgd", "mse")
    model.fit(x, rng.normal(size=(6, 1)), epochs=2, verbose=0)
    for old, new in zip(before, model.layers[1].get_weights(), strict=True):
        assert not np.array_equal(old, new)  # the moving mean and variance too
    model.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    with pytest.raises(ValueError, match="greater than every id"):
        model.predict(x + 10)
    with pytest.raises(ValueError, match="must have one input and one output"):
        TimeDistributed(Model([words, (a := Input((6,)))], a))(sentences)
