"""Answers: one raw review, and 25,000, beside fastText; and models from padded ids, beside Keras.

`python benchmarks/predict.py bag` runs the first kind only; or the name of a model of models.py.
"""

import os
import statistics
import sys
import time

from models import KINDS, examples, ids_and_labels, model_of
from side_by_side import data_folder, labelled, race, report, save, serve

N_ONE = 2000  # single answers a turn


def texts_and_labels(split):
    return labelled(data_folder() / f"imdb_{split}.tsv")


def single_times(answer, texts):
    """(median of single answers, with the 99th percentile beside it)."""
    times = []
    for i in range(N_ONE):
        text = texts[i % 200]
        start = time.perf_counter()
        answer(text)
        times.append(time.perf_counter() - start)
    times.sort()
    return statistics.median(times), {"p99_ms": times[int(0.99 * N_ONE)] * 1e3}


def ours(how):
    from wordrow import TextClassifier

    classifier = TextClassifier(
        dim=8,
        ngrams=2,
        buckets=1 << 22,
        min_count=8,
        epochs=1,
        learning_rate=0.05,
        seed=1,
        verbose=False,
    ).fit(*texts_and_labels("train"))
    assert "jax" not in sys.modules
    texts, _ = texts_and_labels("test")
    if how == "one":
        return lambda: single_times(lambda text: classifier.predict_proba([text]), texts)
    return lambda: classifier.predict(texts) is None


def fast_text(how):
    import tempfile
    from pathlib import Path

    import fasttext

    from raw_text import write_fasttext_files

    fasttext.FastText.eprint = lambda *words: None
    with tempfile.TemporaryDirectory() as folder:
        write_fasttext_files(Path(folder))
        model = fasttext.train_supervised(
            f"{folder}/train.txt",
            wordNgrams=2,
            bucket=1_000_000,
            thread=2,
            verbose=0,
            dim=10,
            epoch=3,
            lr=1.0,
        )
    # The compiled model itself: its Python wrapper breaks on NumPy 2.
    texts = [text.replace("\n", " ") + "\n" for text in texts_and_labels("test")[0]]
    if how == "one":
        return lambda: single_times(lambda text: model.f.predict(text, 1, 0.0, "strict"), texts)
    return lambda: [model.f.predict(text, 1, 0.0, "strict") for text in texts] and None


def model_turn(library):
    kind = sys.argv[-1]
    _, test = ids_and_labels()
    x, _ = examples(test, 2000)
    model = model_of(kind, library)
    return lambda: model.predict(x, batch_size=128, verbose=0) is None


def our_model():
    import wordrow

    return model_turn(wordrow)


def keras_model():
    import keras

    return model_turn(keras)


BACKENDS = {"Keras/JAX": "jax", "Keras/TensorFlow": "tensorflow"}
CONTENDERS = {
    "one: wordrow": lambda: ours("one"),
    "one: fastText": lambda: fast_text("one"),
    "all: wordrow": lambda: ours("all"),
    "all: fastText": lambda: fast_text("all"),
    "wordrow": our_model,
} | dict.fromkeys(BACKENDS, keras_model)


def main():
    asked = [kind for kind in sys.argv[1:] if kind in (*KINDS, "bag")] or ["bag", *KINDS]
    for kind in asked:
        parts = []
        if kind == "bag":
            for how, title in (("one", "one raw review"), ("all", "25,000 raw reviews")):
                names = [name for name in CONTENDERS if name.startswith(how)]
                found = race(__file__, names, turns=7)
                found = {name.removeprefix(f"{how}: "): one for name, one in found.items()}
                parts.append(report(title, found))
        else:
            env = {
                name: {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
                for name, backend in BACKENDS.items()
            }
            found = race(__file__, ["wordrow", *BACKENDS], turns=7, options=[kind], env=env)
            parts.append(report(f"{KINDS[kind]}: predict 2,000 reviews", found))
        save(f"predict-{kind}", parts, "keras", "jax", "tensorflow-cpu", "fasttext-wheel")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    serve(CONTENDERS)
    main()
