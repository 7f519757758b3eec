"""From a raw text file to a trained classifier, in a fresh process, beside fastText.

Everything counts: starting Python, importing, reading, counting, training. The
file is the IMDB training set, `label<TAB>text`; fastText gets its own form,
lower-cased and with punctuation set apart (not counted). Accuracy is that on the
test set. wordrow's settings were chosen on a fifth of the training set that was
held out; fastText's are a small grid.
"""

import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import data_folder, labelled, machine, save, spread

# On the held-out fifth, of dim 8 and 16, min_count 4, 6 and 8, learning_rate 0.03, 0.05 and 0.08:
# the best of one epoch (0.9064) and of two (0.9106).
SETTINGS = {
    "wordrow": {
        "dim": 8,
        "ngrams": 2,
        "buckets": 1 << 22,
        "min_count": 4,
        "epochs": 1,
        "learning_rate": 0.08,
    },
    "wordrow, 2 epochs": {
        "dim": 16,
        "ngrams": 2,
        "buckets": 1 << 22,
        "min_count": 6,
        "epochs": 2,
        "learning_rate": 0.03,
    },
}
_MORE = [(10, 10, 0.25), (10, 2, 1.0), (10, 1, 1.0)]
GRID = [
    {"dim": dim, "epoch": epoch, "lr": lr}
    for dim, epoch, lr in itertools.chain(itertools.product((10, 32), (3, 5), (0.5, 1.0)), _MORE)
]
RUNS = 3


def wordrow_run(settings):
    from wordrow import TextClassifier
    from wordrow.datasets import read_table

    train = read_table(data_folder() / "imdb_train.tsv")
    classifier = TextClassifier(seed=1, verbose=False, **settings).fit(train.texts, train.labels)
    print("trained", flush=True)
    test = read_table(data_folder() / "imdb_test.tsv")
    print(classifier.score(test.texts, test.labels), "jax" in sys.modules, flush=True)


def fasttext_run(settings):
    import fasttext

    fasttext.FastText.eprint = lambda *words: None
    folder = Path(os.environ["FASTTEXT_FILES"])
    model = fasttext.train_supervised(
        str(folder / "train.txt"), wordNgrams=2, bucket=1_000_000, thread=2, verbose=0, **settings
    )
    print("trained", flush=True)
    print(model.test(str(folder / "test.txt"))[1], False, flush=True)


def write_fasttext_files(folder):
    for split in ("train", "test"):
        texts, labels = labelled(data_folder() / f"imdb_{split}.tsv")
        with open(folder / f"{split}.txt", "w", encoding="utf-8") as file:
            for text, label in zip(texts, labels, strict=True):
                words = re.sub(r"([.!?,'/()])", r" \1 ", text.lower())
                file.write(f"__label__{label} {words}\n")


def timed(name, settings):
    """Seconds until a fresh process has trained, and the accuracy of what it trained."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, __file__, "--run", name, repr(settings)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "trained\n", f"{name} failed"
        seconds = time.perf_counter() - start
        accuracy, has_jax = process.stdout.readline().split()
    assert has_jax == "False"
    return seconds, float(accuracy)


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FASTTEXT_FILES"] = folder
        contenders = {name: ("wordrow", settings) for name, settings in SETTINGS.items()}
        try:
            import fasttext  # noqa: F401
        except ImportError as error:
            print(f"  fastText is left out: {error}", file=sys.stderr)
        else:
            write_fasttext_files(Path(folder))
            for settings in GRID:
                name = "fastText " + ", ".join(f"{k} {v}" for k, v in settings.items())
                contenders[name] = ("fastText", settings)
        found = {name: [] for name in contenders}
        for _ in range(RUNS):
            for name, (kind, settings) in contenders.items():
                found[name].append(timed(kind, settings))
    print(f"raw text to classifier, {machine()}")
    for name, runs in found.items():
        median, low, high = spread([seconds for seconds, _ in runs])
        accuracies = [accuracy for _, accuracy in runs]
        print(
            f"  {name:40}{median:7.2f} s ({low:.2f} to {high:.2f})   test accuracy "
            f"{min(accuracies):.4f} to {max(accuracies):.4f}"
        )
        accuracy = sorted(accuracies)[len(accuracies) // 2]
        rows.append(
            {
                "name": name,
                "median_seconds": median,
                "from": low,
                "to": high,
                "numbers": {"accuracy": accuracy},
            }
        )
    save("raw_text", [{"title": "raw text to classifier", "rows": rows}], "fasttext-wheel")


if __name__ == "__main__":
    if "--run" in sys.argv:
        kind, settings = sys.argv[sys.argv.index("--run") + 1 :]
        import ast

        {"wordrow": wordrow_run, "fastText": fasttext_run}[kind](ast.literal_eval(settings))
    else:
        main()
