"""Accuracy with default settings beside TF-IDF and logistic regression, on the same splits."""

import time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from side_by_side import data_folder, labelled, machine
from wordrow import TextClassifier


def split_files(folder, name):
    return (*labelled(folder / f"{name}_train.tsv"), *labelled(folder / f"{name}_test.tsv"))


def held_out_fifth(folder, name):
    texts, labels = labelled(folder / f"{name}_all.tsv")
    order = np.random.default_rng(0).permutation(len(texts))
    held, kept = order[: len(texts) // 5], order[len(texts) // 5 :]
    return (
        [texts[i] for i in kept],
        [labels[i] for i in kept],
        [texts[i] for i in held],
        [labels[i] for i in held],
    )


JOBS = {
    "IMDB, official test set": (split_files, "imdb"),
    "TREC-6, test set": (split_files, "trec6"),
    "SST-2, test set": (split_files, "sst2"),
    "SMS spam, held-out fifth": (held_out_fifth, "sms_spam"),
}


def models():
    yield TextClassifier(seed=1, verbose=False)
    yield TextClassifier(seed=1, ngrams=2, verbose=False)
    yield make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))


def main():
    folder = data_folder()
    print(machine())
    print("| data | wordrow | `--ngrams 2` | TF-IDF + logistic regression |")
    print("|---|---|---|---|")
    for title, (load, name) in JOBS.items():
        texts, labels, test_texts, test_labels = load(folder, name)
        cells = []
        for model in models():
            start = time.perf_counter()
            model.fit(texts, labels)
            seconds = time.perf_counter() - start
            cells.append(f"{model.score(test_texts, test_labels):.4f} ({seconds:.1f} s)")
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
