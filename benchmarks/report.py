"""The table of all that was measured (results/*.json), in Markdown; `--write` puts it in README.md.

A ratio is that of medians of contenders that took turns in one run. The accuracies of models
are accuracy.py's: medians over seeds after the last epoch, on the test set.
"""

import json
import statistics
import sys
from pathlib import Path

from side_by_side import RESULTS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- benchmarks/report.py -->\n", "<!-- end -->\n"
ORDER = (
    "tokenizer",
    "raw_text",
    "steps-mean",
    "steps-lstm-masked",
    "steps-lstm",
    "steps-conv",
    "steps-flatten",
    "table",
    "predict-bag",
    "predict-mean",
    "predict-lstm-masked",
    "predict-lstm",
    "predict-conv",
    "predict-flatten",
    "vectors-load",
    "vectors-batch",
    "vectors-single",
    "vectors-train-fasttext-s-settings",
    "vectors-train-gensim-s-settings",
    "start",
)
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def duration(seconds):
    """Seconds in a unit that fits."""
    size, unit = next((pair for pair in UNITS if seconds >= pair[0]), UNITS[-1])
    return f"{seconds / size:.3g} {unit}"


def times(row):
    """A row's median, with the middle half of its turns."""
    low, high = (duration(row[end]) for end in ("from", "to"))
    return f"{duration(row['median_seconds'])} ({low} to {high})"


def accuracies():
    """(kind, library) -> median test accuracy."""
    file = RESULTS / "accuracy.json"
    runs = json.loads(file.read_text(encoding="utf-8"))["runs"] if file.exists() else {}
    found = {}
    for key, run in runs.items():
        kind, _, library = key.split(", ")
        found.setdefault((kind, library), []).append(run["accuracy"][-1])
    return {key: statistics.median(last) for key, last in found.items()}


def lines_of(job, accuracy):
    """The table's lines for one job: one for each part and each way that wordrow does it."""
    kind = job["job"].removeprefix("steps-") if job["job"].startswith("steps-") else None
    for part in job["parts"]:
        ours = [row for row in part["rows"] if row["name"].startswith("wordrow")]
        peers = [row for row in part["rows"] if not row["name"].startswith("wordrow")]
        peers = [row for row in peers if row["name"] not in ("NumPy", "Python alone")]
        enough = [row for row in peers if row["numbers"].get("accuracy", 1) >= 0.895]
        best = min(enough or peers, key=lambda row: row["median_seconds"], default=None)
        for row in ours:
            name = part["title"] + row["name"].removeprefix("wordrow").replace(",", ":", 1)
            name = name.removesuffix(" --help")
            peer, ratio, quality = "", "", row["numbers"].get("accuracy", "")
            if best is not None:
                peer = f"{best['name']} {times(best)}"
                ratio = f"{best['median_seconds'] / row['median_seconds']:.1f}"
                if quality:
                    quality = f"{quality:.4f} / {best['numbers']['accuracy']:.4f}"
            if "wordsim" in row["numbers"]:
                quality = " / ".join(
                    "WordSim {wordsim:.3f}, SimLex {simlex:.3f}".format(**one["numbers"])
                    for one in (row, best)
                )
            if (kind, "wordrow") in accuracy:
                quality = f"{accuracy[kind, 'wordrow']:.4f}"
                if (kind, "Keras/JAX") in accuracy:
                    quality += f" / {accuracy[kind, 'Keras/JAX']:.4f}"
            yield f"| {name} | {times(row)} | {peer} | {ratio} | {quality} |"


def table():
    """The whole table, in Markdown."""
    jobs = [
        json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ORDER
        if (RESULTS / f"{name}.json").exists()
    ]
    if not jobs:
        sys.exit("nothing has been measured yet: make bench")
    accuracy = accuracies()
    machines = sorted({job["machine"] for job in jobs})
    versions = sorted({v for job in jobs for v in job["versions"].split(", ")})
    lines = [
        f"Measured on {'; '.join(machines)}; {', '.join(versions)}. Medians of turns, and the "
        "middle half of them; accuracy is wordrow's / the peer's.",
        "",
        "| job | wordrow | best peer | times faster | accuracy |",
        "|---|---|---|---|---|",
    ]
    for job in jobs:
        lines.extend(lines_of(job, accuracy))
    return "\n".join(lines) + "\n"


def main():
    found = table()
    print(found)
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        README.write_text(before + BEGIN + found + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
