"""Training by rows: only the rows of a batch are touched, and the result is that of dense steps."""

import jax
import numpy as np
import pytest

import reference
import wordrow
from core_trainer import CoreTrainer
from wordrow import Dense, Embedding, GlobalAveragePooling1D, Input, Sequential
from wordrow.nn.data.batches import Batcher
from wordrow.nn.data.inputs import Data
from wordrow.nn.model.saving import model_to_bytes
from wordrow.nn.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop
from wordrow.nn.optimizers.run import OptimizerRun
from wordrow.nn.optimizers.schedules import CosineDecay, ExponentialDecay
from wordrow.nn.table.table import Table
from wordrow.nn.train.engine_jax import JaxEngine
from wordrow.types import Ragged

V, D = 400, 5

OPTIMIZERS = {
    "sgd": lambda **o: SGD(0.1, **o),
    "sgd momentum": lambda **o: SGD(0.1, momentum=0.9, **o),
    "sgd nesterov": lambda **o: SGD(ExponentialDecay(0.1, 100, 0.8), 0.95, nesterov=True, **o),
    "sgd decay": lambda **o: SGD(0.1, momentum=0.5, weight_decay=0.01, **o),
    "rmsprop": lambda **o: RMSprop(0.01, **o),
    "rmsprop all": lambda **o: RMSprop(
        0.001, momentum=0.8, epsilon=1e-4, centered=True, weight_decay=0.1, **o
    ),
    "adagrad": lambda **o: Adagrad(0.05, **o),
    "adagrad decay": lambda **o: Adagrad(0.05, weight_decay=0.01, **o),
    "adadelta": lambda **o: Adadelta(1.0, **o),
    "adam": lambda **o: Adam(0.01, **o),
    "adam 0 .999": lambda **o: Adam(0.01, beta_1=0.0, **o),
    "adam .5 .99": lambda **o: Adam(0.01, beta_1=0.5, beta_2=0.99, **o),
    "adam .95 .999": lambda **o: Adam(CosineDecay(0.01, 1000), beta_1=0.95, **o),
    "adam .8 .9999": lambda **o: Adam(0.01, beta_1=0.8, beta_2=0.9999, **o),
    "adam .9 .9": lambda **o: Adam(0.01, beta_2=0.9, **o),  # too many terms: dense
    "adam large epsilon": lambda **o: Adam(0.01, epsilon=1e-3, **o),
    "adam amsgrad": lambda **o: Adam(0.01, beta_2=0.9, amsgrad=True, **o),
    "adamw": lambda **o: AdamW(0.01, weight_decay=0.1, **o),
    "adamw schedule": lambda **o: AdamW(CosineDecay(0.01, 900), beta_1=0.5, **o),
}
CLIPS = {
    "": {},
    "value": {"clipvalue": 1e-4},
    "norm": {"clipnorm": 1e-3},
    "global": {"global_clipnorm": 1e-3},
}


def zipf(rng, *shape):
    return (rng.zipf(1.3, shape) - 1) % (V - 1) + 1


CASES = [(name, "") for name in OPTIMIZERS]
CLIPPED = ("sgd momentum", "rmsprop all", "adagrad", "adam", "adam .5 .99", "adamw")
CASES += [(name, clip) for name in CLIPPED for clip in ("value", "norm", "global")]


@pytest.mark.parametrize(("name", "clip"), CASES)
def test_a_thousand_steps_by_rows_are_a_thousand_dense_steps(name, clip, rng):
    """Gradients from 1e-8 to 1e-3, where the square root of v is as small as epsilon."""
    optimizer = OPTIMIZERS[name](**CLIPS[clip])
    if not optimizer.can_skip_rows:
        assert name == "adam .9 .9"
        return
    scale = np.exp(rng.uniform(np.log(1e-8), np.log(1e-3), (V, 1))).astype(np.float32)
    dense = rng.uniform(-0.05, 0.05, (V, D)).astype(np.float32)
    first, table = dense.copy(), Table(dense.copy())
    state, run = optimizer.init(dense), OptimizerRun(optimizer)
    table.resume(run, by_rows=True)
    table.to_host()
    for step in range(1000):
        ids, _ = table.unique(zipf(rng, 8).astype(np.int32))
        met = ids[ids < V]
        noise = rng.standard_normal((len(met), D)).astype(np.float32)
        gradient = np.zeros((V, D), np.float32)
        gradient[met] = scale[met] * (noise + 0.5)
        gradient[0] = 0  # the padding's row
        hyperparameters = optimizer.hyperparameters(step)
        clipped = optimizer.clip({"table": gradient})["table"]
        dense, state = optimizer.update(dense, clipped, state, hyperparameters)
        rows, row_state = table.gather(met)
        own = optimizer.clip({"table": gradient[met]})["table"]
        table.update(met, *optimizer.update(rows, own, row_state, hyperparameters))
        run.advance(hyperparameters)
        table.touch(met)
        if step == 499:  # the end of an epoch
            table.flush()
            run.missed.flush()
    assert len(table.stale_rows()) or not run.missed.moves_rows
    looked = table.read()
    table.flush()
    np.testing.assert_array_equal(looked, table.read())
    np.testing.assert_allclose(table.read(), dense, atol=1e-5)
    for k, array in table.state.items():
        np.testing.assert_allclose(array, state[k], atol=1e-5)
    assert np.abs(dense - first).max() > 1e-3


def model(optimizer, *, dense=False, mask_zero=True, loss="mse"):
    wordrow.set_random_seed(5)
    # A constraint moves every row at every step, even one that changes nothing.
    rule = (lambda w: w) if dense else None
    table = Embedding(V, D, mask_zero=mask_zero, embeddings_constraint=rule)
    made = Sequential([Input((12,)), table, GlobalAveragePooling1D(), Dense(1)])
    made.compile(optimizer, loss)
    return made


def examples(rng, n):
    x = zipf(rng, n, 12) * (np.arange(12) >= rng.integers(0, 13, n)[:, None])
    return x, rng.standard_normal(n)


ENGINE_CASES = ("sgd nesterov", "adagrad", "adam .5 .99", "adamw")


@pytest.mark.parametrize("name", ENGINE_CASES)
def test_the_engine_by_rows_is_the_engine_with_whole_tables(name, rng):
    """A thousand steps of a real model, in two epochs, with clipping in half of the cases."""
    clip = {"global_clipnorm": 0.05} if len(name) % 2 else {}
    x, y = examples(rng, 4000)
    found = []
    for dense in (False, True):
        one = model(OPTIMIZERS[name](**clip), dense=dense)
        one.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        assert one.step == 1000
        engine = JaxEngine(one.training)
        engine.begin()
        assert list(engine.tables) == ([] if dense else [("embedding", "embeddings")])
        found.append(one.get_weights())
    for sparse, whole in zip(*found, strict=True):
        np.testing.assert_allclose(sparse, whole, atol=1e-5)


def test_unique_ids(rng):
    table = Table(np.zeros((50, 2), np.float32))
    for _ in range(5):
        ids = rng.integers(0, 50, (4, 7)).astype(np.int32)
        found, where = table.unique(ids)
        n = len(np.unique(np.append(ids, 0)))
        assert found[0] == 0
        assert sorted(found[:n]) == sorted(np.unique(np.append(ids, 0)))
        assert (found[n:] >= 50).all()
        assert len(np.unique(found)) == 29
        np.testing.assert_array_equal(found[where], ids)


def test_no_step_makes_a_second_table(rng):
    """Read from the compiled program: tables are changed in place, and never copied."""
    n_rows, dim = 50_000, 8
    wordrow.set_random_seed(1)
    one = Sequential([Embedding(n_rows, dim, mask_zero=True), GlobalAveragePooling1D(), Dense(1)])
    one.compile("adam", "mse")
    engine = JaxEngine(one.training)
    engine.begin()
    batcher = Batcher(one.graph, engine.tables, batch_size=4)
    data = Data(
        inputs=[rng.integers(1, n_rows, (4, 6))],
        labels=[np.zeros((4, 1), np.float32)],
        weights=[None],
    )
    batcher.plan(data)
    batch = batcher.batch(data)
    arguments = engine.arguments(batch, one.optimizer.hyperparameters(0))
    program = engine.step_program.program.lower(engine.carry(), *arguments).compile()
    table_bytes = n_rows * dim * 4
    memory = program.memory_analysis()
    assert memory.alias_size_in_bytes >= 3 * table_bytes  # w, m, v: what comes in goes out
    assert memory.temp_size_in_bytes < table_bytes / 10
    shape = f"f32[{n_rows},{dim}]"
    made = [line for line in program.as_text().splitlines() if f"= {shape}" in line]
    assert made
    assert not any(" copy(" in line or " add(" in line or " broadcast(" in line for line in made)


def test_the_core_equals_jax_after_200_steps(rng):
    """The classifier's own training, and the same model under the engine."""
    n_steps, batch = 200, 8
    documents = [zipf(rng, k) for k in rng.integers(0, 12, n_steps * batch)]
    labels = rng.integers(0, 2, len(documents)).astype(np.int32)
    ragged = Ragged.from_lists([ids.tolist() for ids in documents])
    wordrow.set_random_seed(2)
    one = Sequential(
        [
            Input((None,)),
            Embedding(V, D, mask_zero=True),
            GlobalAveragePooling1D(),
            Dense(1, "sigmoid"),
        ]
    )
    one.compile(wordrow.optimizers.Adam(0.01), "binary_crossentropy", ["accuracy"])
    table, kernel, bias = first = one.get_weights()
    first = [w.copy() for w in first]
    trainer = CoreTrainer(table, kernel, bias)
    _, loss, accuracy = trainer.train(
        trainer.lay_out(ragged),
        labels,
        order=np.arange(len(documents)),
        batch_size=batch,
        learning_rates=np.full(n_steps, 0.01),
    )
    exact, rounded = (
        dense_steps(first, documents, labels, batch, dtype) for dtype in (np.float64, np.float32)
    )
    history = one.fit(ragged, labels, batch_size=batch, shuffle=False, verbose=0).history
    ours = zip(one.get_weights(), (table, kernel, bias), exact, rounded, strict=True)
    for mine, other, want, lossy in ours:
        # Adam turns the rounding of gradients that all but cancel into whole steps:
        # what float32 does to the dense loop is allowed here too.
        noise = 4 * np.abs(want - lossy).max()
        np.testing.assert_allclose(mine, other, atol=max(1e-5, noise))
    assert history["loss"][0] == pytest.approx(loss, abs=1e-5)
    assert history["accuracy"][0] == pytest.approx(accuracy, abs=1e-6)


def dense_steps(weights, documents, labels, batch, dtype):
    """The same training as a plain NumPy loop."""
    adam = reference.DenseAdam(weights, dtype=dtype)
    for start in range(0, len(documents), batch):
        part = slice(start, start + batch)
        adam.step(reference.bag_gradients(adam.weights, documents[part], labels[part])[1], 0.01)
    return adam.weights


def test_looking_changes_nothing(rng):
    """Weights read, predicted with and saved between steps: the same bits at the end."""
    x, y = examples(rng, 320)
    found = []
    for look in (False, True):
        one = model("adam")
        for start in range(0, 320, 8):
            one.train_on_batch(x[start : start + 8], y[start : start + 8])
            if look:
                weights = one.get_weights()
                one.predict(x[:3])
                model_to_bytes(one)
        if look:
            assert np.abs(weights[0] - one.get_weights()[0]).max() == 0
        one.training.sync()
        found.append([w.tobytes() for w in one.get_weights()])
    assert found[0] == found[1]


def test_a_table_shared_by_two_inputs_takes_the_union(rng):
    def build(rule):
        wordrow.set_random_seed(3)
        a, b = Input((5,)), Input((7,))
        shared = Embedding(V, D, mask_zero=True, embeddings_constraint=rule)
        own = Embedding(V, D)
        pool = GlobalAveragePooling1D()
        joined = wordrow.Concatenate()([pool(shared(a)), pool(shared(b)), pool(own(b))])
        made = wordrow.Model([a, b], Dense(1)(joined))
        made.compile("adam", "mse")
        return made

    x = [zipf(rng, 200, 5), zipf(rng, 200, 7)]
    y = rng.standard_normal(200)
    by_rows, dense = build(None), build(lambda w: w)
    for one in (by_rows, dense):
        one.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    assert len(by_rows.training.jax_engine.tables) == 2
    assert len(dense.training.jax_engine.tables) == 1
    for mine, other in zip(by_rows.get_weights(), dense.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_ids_that_change_their_shape_on_the_way(rng):
    """Flatten and Reshape keep ids as they are: their tables are trained by rows too."""

    def build(rule):
        wordrow.set_random_seed(3)
        table = Embedding(V, D, embeddings_constraint=rule)
        made = Sequential([Input((2, 3)), wordrow.Flatten(), table, wordrow.LSTM(3), Dense(1)])
        made.compile("adam", "mse")
        return made

    x, y = zipf(rng, 40, 2, 3), rng.standard_normal(40)
    by_rows, dense = build(None), build(lambda w: w)
    for one in (by_rows, dense):
        one.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    assert len(by_rows.training.jax_engine.tables) == 1
    for mine, other in zip(by_rows.get_weights(), dense.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_a_table_that_was_frozen_goes_on_as_a_whole_one_does(rng):
    x, y = examples(rng, 240)
    found = []
    for dense in (False, True):
        one = model("adam", dense=dense)
        for epoch, trainable in enumerate((True, False, True)):
            one.layers[0].trainable = trainable
            part = slice(80 * epoch, 80 * (epoch + 1))
            one.fit(x[part], y[part], batch_size=8, shuffle=False, verbose=0)
        found.append(one.get_weights())
    for sparse, whole in zip(*found, strict=True):
        np.testing.assert_allclose(sparse, whole, atol=1e-5)


def test_weights_set_between_steps_are_taken(rng):
    x, y = examples(rng, 64)
    one = model("adam")
    one.train_on_batch(x[:32], y[:32])
    new = [np.full_like(w, 0.25) for w in one.get_weights()]
    one.set_weights(new)
    for have, want in zip(one.get_weights(), new, strict=True):
        np.testing.assert_array_equal(have, want)
    one.train_on_batch(x[32:], y[32:])
    table = one.get_weights()[0]
    untouched = np.setdiff1d(np.arange(V), x)
    np.testing.assert_array_equal(table[untouched], 0.25)
    assert jax.devices()[0].platform in ("cpu", "gpu", "tpu")
    assert (table[np.unique(x[32:][x[32:] > 0])] != 0.25).any()
