"""However the same weights are reached, there is one of each: what is seen is what is trained."""

import copy
import pickle

import numpy as np
import pytest

import wordrow
from wordrow import (
    LSTM,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    Model,
    Sequential,
    TextClassifier,
    TimeDistributed,
)
from wordrow.vectors import Vectors

TEXTS = ["a fine film", "a dull film", "fine acting", "dull acting", "a fine plot", "dull plot"]
LABELS = np.array([1, 0, 1, 0, 1, 0])


class Ways:
    """A classifier, its model, and three other models that hold the same table."""

    def __init__(self):
        wordrow.set_random_seed(3)
        self.classifier = TextClassifier(dim=4, seed=1, batch_size=6, epochs=2, verbose=False)
        self.classifier.fit(TEXTS, LABELS)
        self.model = self.classifier.model_
        self.model.compile("adam", "binary_crossentropy", ["accuracy"])
        self.table, _, self.dense = self.model.layers
        self.ids = self.classifier.tokenizer.encode(TEXTS).pad(4).ids
        self.share()

    def share(self):
        """Make other models of the layers that are there."""
        ids, sentences = Input((4,)), Input((2, 4))
        hidden = LSTM(2)(self.table(ids))
        self.other = Model(ids, Dense(1, "sigmoid")(hidden))
        self.other.compile("rmsprop", "binary_crossentropy")
        outer = Sequential([Input((4,)), self.model])
        outer.compile("sgd", "binary_crossentropy")
        self.outer = outer
        pooled = GlobalAveragePooling1D()(TimeDistributed(self.model)(sentences))
        self.sentences = Model(sentences, pooled)
        self.sentences.compile("sgd", "binary_crossentropy")

    # ---- ways to train: each returns (loss that was reported, loss of what was seen before) ----

    def partial_fit(self):
        seen = self.loss(self.model, self.ids)
        self.classifier.partial_fit(TEXTS, LABELS)
        return self.classifier.history_["loss"][0], seen

    def fit(self):
        seen = self.loss(self.model, self.ids)
        history = self.model.fit(self.ids, LABELS, batch_size=6, verbose=0).history
        return history["loss"][0], seen

    def train_on_batch(self):
        seen = self.loss(self.model, self.ids)
        return self.model.train_on_batch(self.ids, LABELS)[0], seen

    def train_other(self):
        seen = self.loss(self.other, self.ids)
        return self.other.train_on_batch(self.ids, LABELS), seen

    def train_outer(self):
        seen = self.loss(self.outer, self.ids)
        return self.outer.fit(self.ids, LABELS, batch_size=6, verbose=0).history["loss"][0], seen

    def train_sentences(self):
        x = np.stack([self.ids, self.ids[::-1]], axis=1)
        seen = self.loss(self.sentences, x)
        return self.sentences.train_on_batch(x, LABELS), seen

    def loss(self, model, x):
        """The loss of the weights that `get_weights` shows, by another model's evaluation."""
        found = model.evaluate(x, LABELS, batch_size=6, verbose=0)
        return found[0] if isinstance(found, list) else found

    # ---- ways to change ---------------------------------------------------------

    def set_weights(self):
        rng = np.random.default_rng(len(self.model.get_weights()[0]))
        self.model.set_weights([rng.normal(size=w.shape) for w in self.model.get_weights()])

    def set_layer(self):
        self.table.set_weights([self.table.get_weights()[0] * 0.5])

    def load(self, folder):
        self.classifier.save(folder / "c.safetensors")
        self.classifier = TextClassifier.load(folder / "c.safetensors")
        self.model = self.classifier.model_
        self.model.compile("adam", "binary_crossentropy", ["accuracy"])
        self.table, _, self.dense = self.model.layers
        self.share()

    def grow(self):
        tokenizer = self.classifier.tokenizer
        tokenizer.grow([f"word{tokenizer.n_ids}"])
        self.model.grow_vocabulary(tokenizer)

    # ---- what must hold ----------------------------------------------------------

    def check(self):
        """Every way to look shows the same, and predictions are made of it."""
        table, kernel, bias = self.model.get_weights()
        for seen in (
            self.table.get_weights()[0],
            self.table.weights[0].numpy(),
            self.other.get_weights()[0],
            self.outer.get_weights()[0],
            self.sentences.get_weights()[0],
        ):
            np.testing.assert_array_equal(seen, table)
        vectors = self.classifier.vectors
        assert isinstance(vectors, Vectors)
        index = self.classifier.tokenizer.word_index
        np.testing.assert_array_equal(vectors["fine"], table[index["fine"]])
        mean = np.stack([table[ids[ids > 0]].mean(axis=0) for ids in self.ids])
        expected = 1 / (1 + np.exp(-(mean @ kernel + bias)))
        np.testing.assert_allclose(self.model.predict(self.ids), expected, atol=1e-5)
        np.testing.assert_allclose(self.outer.predict(self.ids), expected, atol=1e-5)
        found = self.classifier.predict_proba(TEXTS)[:, 1:]
        np.testing.assert_allclose(found, expected, atol=1e-5)


TRAIN = ("partial_fit", "fit", "train_on_batch", "train_other", "train_outer", "train_sentences")
CHANGE = ("set_weights", "set_layer", "load", "grow")


@pytest.mark.parametrize("seed", range(3))
def test_every_way_reaches_the_same_weights(seed, tmp_path):
    """Each way to train goes on from the weights that are seen, whatever came before."""
    rng, ways = np.random.default_rng(seed), Ways()
    ways.check()
    todo = [*rng.permutation(2 * TRAIN + CHANGE), "train_other", "partial_fit"]
    for name in todo:
        before = ways.table.get_weights()[0]
        if name == "load":
            ways.load(tmp_path)
        elif name in CHANGE:
            getattr(ways, name)()
        else:
            reported, seen = getattr(ways, name)()
            assert reported == pytest.approx(seen, abs=1e-4), (name, todo)
            assert (ways.table.get_weights()[0] != before).any(), (name, todo)
        ways.check()


def test_partial_fit_trains_the_weights_that_are_there():
    classifier = TextClassifier(seed=1, verbose=False).fit(TEXTS, LABELS)
    classifier.model_.set_weights([np.zeros_like(w) for w in classifier.model_.get_weights()])
    for _ in range(2):
        before = classifier.model_.get_weights()
        classifier.partial_fit(TEXTS, LABELS)
        assert classifier.history_["loss"][0] <= np.log(2) + 1e-5
        assert (classifier.model_.get_weights()[2] != before[2]).any()
    before = classifier.model_.get_weights()
    classifier.model_.fit(classifier.tokenizer.encode(TEXTS), LABELS, verbose=0)
    after = classifier.model_.get_weights()
    classifier.partial_fit(TEXTS, LABELS)
    assert (after[0] != before[0]).any()
    assert (classifier.model_.get_weights()[0] != after[0]).any()


def test_rows_of_from_vectors_are_trained_where_they_are():
    tokenizer = wordrow.Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    vectors = Vectors(["fine", "dull"], [[1.0, 0.0], [0.0, 1.0]])
    layer = Embedding.from_vectors(vectors, tokenizer, trainable="missing", mask_zero=True)
    model = Sequential([layer, GlobalAveragePooling1D(), Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    ids = tokenizer.encode(TEXTS)
    fine = tokenizer.word_index["fine"]
    for train in (model.fit, model.train_on_batch, model.fit):
        before = layer.get_weights()[0]
        train(ids, LABELS)
        after = model.vectors(tokenizer)
        np.testing.assert_array_equal(after["fine"], [1.0, 0.0])
        assert (after["film"] != before[tokenizer.word_index["film"]]).any()
        np.testing.assert_array_equal(after["fine"], layer.weights[0].numpy()[fine])


def test_a_copy_of_a_layer_has_weights_of_its_own():
    ways = Ways()
    for make in (copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))):
        copied = make(ways.table)
        before = copied.get_weights()[0]
        np.testing.assert_array_equal(before, ways.table.get_weights()[0])
        ways.train_on_batch()
        np.testing.assert_array_equal(copied.get_weights()[0], before)
        assert (ways.table.get_weights()[0] != before).any()
