"""tf.data.Dataset, tf.strings and text folders, in NumPy; and K.function and its kin."""

import numpy as np
import pytest
from wordrow.keras.models import Model, Sequential, load_model

import wordrow
from wordrow.errors import DataError
from wordrow.keras import backend, layers
from wordrow.keras._data import Dataset, text_dataset_from_directory
from wordrow.keras._tensorflow import TENSORFLOW

STRINGS = TENSORFLOW["strings"]


def listed(dataset):
    return [np.asarray(one).tolist() for one in dataset]


def test_elements_and_batches():
    numbers = Dataset.range(5)
    assert listed(numbers.batch(2)) == [[0, 1], [2, 3], [4]]
    assert listed(numbers.batch(2, drop_remainder=True)) == [[0, 1], [2, 3]]
    assert (len(numbers.batch(2)), len(numbers.batch(2, drop_remainder=True))) == (3, 2)
    assert listed(numbers.batch(2).unbatch()) == [0, 1, 2, 3, 4]
    assert listed(numbers.map(lambda x: x * 2).filter(lambda x: x > 3)) == [4, 6, 8]
    assert listed(numbers.skip(1).take(2).repeat(2)) == [1, 2, 1, 2]
    assert listed(numbers.take(1).concatenate(numbers.skip(4))) == [0, 4]
    assert listed(numbers.repeat().take(7)) == [0, 1, 2, 3, 4, 0, 1]
    assert int(numbers.cardinality().numpy()) == 5
    pairs = Dataset.from_tensor_slices((["a", "b"], {"n": [1, 2]}))
    assert [(str(x), int(d["n"])) for x, d in pairs] == [("a", 1), ("b", 2)]
    assert next(iter(pairs))[0].numpy() == b"a"
    assert [x for x, _ in Dataset.zip((numbers, pairs)).as_numpy_iterator()] == [0, 1]
    ragged = Dataset.from_generator(lambda: iter([[1], [2, 3]]))
    assert listed(ragged.padded_batch(2)) == [[[1, 0], [2, 3]]]
    with pytest.raises(ValueError, match="examples of one shape.*padded_batch"):
        list(ragged.batch(2))
    with pytest.raises(ValueError, match="as many examples"):
        Dataset.from_tensor_slices(([1, 2], [1]))
    with pytest.raises(TypeError, match="length of this data set is unknown"):
        len(ragged)


def test_shuffling_is_another_order_each_time():
    wordrow.set_random_seed(1)
    numbers = Dataset.range(50)
    shuffled = numbers.shuffle(20, seed=3)
    one, two = listed(shuffled), listed(shuffled)
    assert sorted(one) == sorted(two) == list(range(50))
    assert one != two
    fixed = numbers.shuffle(50, seed=3, reshuffle_each_iteration=False)
    assert listed(fixed) == listed(fixed)
    assert max(a - i for i, a in enumerate(one)) < 20  # no element comes before it is in the buffer
    kept = shuffled.cache()
    assert listed(kept) == listed(kept)


def test_strings():
    texts = np.array(["A <br />B!", "é"], object)
    assert STRINGS.lower(texts).tolist() == ["a <br />b!", "é"]
    assert STRINGS.regex_replace(texts, "<br />", " ").tolist() == ["A  B!", "é"]
    assert STRINGS.regex_replace(texts, r"[[:punct:]]", "").tolist() == ["A br B", "é"]
    assert STRINGS.regex_replace(["aa"], "a", r"<\0>", replace_global=False).tolist() == ["<a>a"]
    assert STRINGS.length(texts).tolist() == [10, 2]
    assert STRINGS.length(texts, unit="UTF8_CHAR").tolist() == [10, 1]
    assert STRINGS.substr(texts, 0, 3).tolist() == ["A <", "é"]
    assert STRINGS.join([["a", "b"], "x"], separator="-").tolist() == ["a-x", "b-x"]
    assert STRINGS.strip([" a "]).tolist() == ["a"]


def test_a_folder_of_texts(tmp_path):
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for i in range(10):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} {i}", encoding="utf-8")
    options = {"validation_split": 0.2, "seed": 1, "batch_size": 4}
    parts = [
        text_dataset_from_directory(tmp_path, subset=subset, **options)
        for subset in ("training", "validation")
    ]
    texts = [{str(text) for batch, _ in part for text in batch} for part in parts]
    assert [len(part) for part in texts] == [16, 4]
    assert not texts[0] & texts[1]
    assert parts[0].class_names == ["neg", "pos"]
    for batch, labels in parts[0]:
        assert [parts[0].class_names[n] for n in labels] == [str(t).split()[0] for t in batch]
    one_hot = text_dataset_from_directory(tmp_path, label_mode="categorical", shuffle=False)
    assert next(iter(one_hot))[1][0].tolist() == [1, 0]
    alone = text_dataset_from_directory(tmp_path, label_mode=None, batch_size=None, shuffle=False)
    assert str(next(iter(alone))) == "neg 0"
    with pytest.raises(DataError, match="folder with one folder per class"):
        text_dataset_from_directory(tmp_path / "none")
    with pytest.raises(DataError, match=r"no .txt files"):
        text_dataset_from_directory(tmp_path / "neg")
    with pytest.raises(ValueError, match="give a `seed`"):
        text_dataset_from_directory(tmp_path, validation_split=0.2, subset="training")
    with pytest.raises(ValueError, match="go together"):
        text_dataset_from_directory(tmp_path, validation_split=0.2)


def test_a_model_is_built_by_its_first_batch(rng):
    x, y = rng.random((8, 3)).astype(np.float32), np.arange(8) % 2

    def batches():
        while True:
            yield x, y

    for source in (Dataset.from_tensor_slices((x, y)).batch(4), batches()):
        model = Sequential([layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        model.fit(source, steps_per_epoch=2, epochs=2, verbose=0)
        assert model.predict(x, verbose=0).shape == (8, 1)
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="there are no batches"):
        model.fit(iter([]), verbose=0)


def test_functions_of_the_backend(rng):
    x = layers.Input((3,))
    dropped = layers.Dropout(0.5)(x)
    values = np.ones((400, 3), np.float32)
    call = backend.function([x, backend.learning_phase()], [dropped, x * 2])
    calm, twice = call([values, 0])
    np.testing.assert_array_equal(calm, values)
    np.testing.assert_array_equal(twice, 2 * values)
    assert 0.3 < (call([values, 1])[0] == 0).mean() < 0.7
    with pytest.raises(ValueError, match="takes 2 inputs; received 1"):
        call([values])
    given = backend.placeholder((None, 3))
    np.testing.assert_array_equal(backend.function([given], [given + 1])([values])[0], values + 1)

    def step(now, states):
        total = states[0] + now * states[1]
        return total, [total]

    steps, real = rng.random((2, 4, 3)), np.array([[1, 1, 0, 1], [0, 1, 1, 1]], bool)
    start = np.zeros((2, 3))
    last, outputs, (state,) = backend.rnn(step, steps, [start], mask=real, constants=[2.0])
    expected = 2 * np.cumsum(steps * real[..., None], axis=1)
    np.testing.assert_allclose(outputs, expected)
    np.testing.assert_allclose(last, expected[:, -1])
    np.testing.assert_allclose(state, expected[:, -1])
    with pytest.raises(AttributeError, match="import tensorflow as tf"):
        _ = backend.tf


class Variables(layers.Layer):
    def build(self, input_shape):
        self.w = backend.variable(np.ones((input_shape[-1], 2)))
        self.shift = backend.variable(np.ones(2))
        self.trainable_weights = [self.w]
        super().build(input_shape)

    def call(self, x):
        return backend.bias_add(backend.dot(x, self.w), self.shift)


def test_weights_by_an_assignment_as_in_keras_1():
    model = Sequential([layers.Input((3,)), Variables()])
    model.compile("sgd", "mse")
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model.predict(x, verbose=0), [[4, 4]] * 2)
    model.fit(x, np.zeros((2, 2)), verbose=0)
    (weight,) = model.get_weights()
    assert (weight < 1).all()
    np.testing.assert_allclose(model.predict(x, verbose=0), x @ weight + 1, rtol=1e-6)
    with pytest.raises(ValueError, match="set trainable_weights in `build`"):
        model.layers[-1].trainable_weights = [np.ones(3)]


class Scored(layers.Layer):
    def call(self, features, hidden, scale=1.0):
        return features * hidden[:, None] * scale


def test_further_arguments_are_further_inputs(tmp_path):
    x, h = layers.Input((4, 3)), layers.Input((3,))
    layer = Scored()
    model = Model([x, h], layer(x, h, scale=2.0))
    values = np.ones((2, 4, 3), np.float32), np.arange(6.0).reshape(2, 3).astype(np.float32)
    expected = np.broadcast_to(2 * values[1][:, None], (2, 4, 3))
    np.testing.assert_array_equal(model.predict(list(values), verbose=0), expected)
    model.save(tmp_path / "m.st")
    again = load_model(tmp_path / "m.st", custom_objects={"Scored": Scored})
    np.testing.assert_array_equal(again.predict(list(values), verbose=0), expected)
    with pytest.raises(ValueError, match="cannot hold how layer 'scored.*' is called"):
        model.save(tmp_path / "m.keras")
    with pytest.raises(TypeError, match="called with the arguments .'hidden', 'scale'. before"):
        layer(x, hidden=h)
