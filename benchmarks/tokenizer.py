"""Counting the words of the IMDB training reviews, and encoding them, beside Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import pyarrow
from keras.src.legacy.preprocessing.text import Tokenizer as KerasTokenizer

from side_by_side import data_folder, labelled, machine, measure, report
from wordrow import Tokenizer, _core

RUNS = 5


def main():
    texts, _ = labelled(data_folder() / "imdb_train.tsv")
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    column = pyarrow.array(texts)
    print(f"{len(texts):,} reviews, {megabytes:.1f} MB; {machine()}; {_core.n_threads()} threads")

    def fit(cls, given):
        tokenizer = cls()
        tokenizer.fit_on_texts(given)
        return tokenizer

    ours, theirs = fit(Tokenizer, texts), fit(KerasTokenizer, texts)
    assert ours.word_index == theirs.word_index
    assert ours.texts_to_sequences(texts) == theirs.texts_to_sequences(texts)
    print("same word index, same sequences")

    jobs = {
        "wordrow, list": lambda: fit(Tokenizer, texts),
        "wordrow, Arrow column": lambda: fit(Tokenizer, column),
        "Keras": lambda: fit(KerasTokenizer, texts),
    }
    report("fit_on_texts", measure(jobs, runs=RUNS), megabytes=megabytes)
    jobs = {
        "wordrow, list to Ragged": lambda: ours.encode(texts),
        "wordrow, Arrow column to Ragged": lambda: ours.encode(column),
        "wordrow, list to lists": lambda: ours.texts_to_sequences(texts),
        "Keras, list to lists": lambda: theirs.texts_to_sequences(texts),
    }
    report("encode", measure(jobs, runs=RUNS), megabytes=megabytes)


if __name__ == "__main__":
    main()
