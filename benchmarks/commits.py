"""This commit beside another one, job by job, in turns: whether a change has cost speed.

`python benchmarks/commits.py OTHER_PYTHON [JOB ...]`: OTHER_PYTHON is that of an environment in
which the other commit is installed. Both run this commit's benchmark files. A job's ratio is the
other's median over this one's: above 1, this commit is faster.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from side_by_side import RESULTS, Contender, machine

HERE = pathlib.Path(__file__).parent
TURNS = 9
PAIRS = 7  # of processes that share the turns: where a process's memory lies is part of its speed
KINDS = ("mean", "lstm-masked", "lstm", "conv", "flatten")
_TABLE = ("wordrow", "wordrow, train_on_batch")
# job -> (file, contender, options, turns)
JOBS = {
    "import": ("start.py", "wordrow", (), 21),
    "import: the name alone": ("start.py", "wordrow, the name alone", (), 21),
    "fit a tokenizer": ("tokenizer.py", "fit: wordrow", (), 11),
    "fit: Arrow": ("tokenizer.py", "fit: wordrow, Arrow column", (), 11),
    "encode": ("tokenizer.py", "encode: wordrow", (), 11),
    "encode: Arrow": ("tokenizer.py", "encode: wordrow, Arrow column", (), 11),
    **{f"step: {kind}": ("steps.py", "wordrow", (kind,), TURNS) for kind in KINDS},
    **{
        f"table of {n:,}: {name}": ("table.py", name, (str(n),), TURNS)
        for n in (10_000, 100_000, 1_000_000)
        for name in _TABLE
    },
    "one review": ("predict.py", "one: wordrow", (), 11),
    "25,000 reviews": ("predict.py", "all: wordrow", (), 11),
    **{f"predict: {kind}": ("predict.py", "wordrow", (kind,), 11) for kind in KINDS},
    "load vectors": ("vectors.py", "load: wordrow", (), 11),
    "load some": ("vectors.py", "load: wordrow, words=tokenizer", (), 11),
    "neighbours of 1,000": ("vectors.py", "batch: wordrow", (), 11),
    "neighbours of one": ("vectors.py", "single: wordrow", (), 11),
    "word2vec": ("vectors.py", "train, fastText's settings: wordrow", (), 7),
}
RAW_TEXT = {
    "raw text to classifier": "wordrow",
    "raw text to classifier: 2 epochs": "wordrow, 2 epochs",
}


def in_turns(job, pythons):
    """Seconds of each turn, by python."""
    file, name, options, turns = JOBS[job]
    found = [[], []]
    for pair in range(min(PAIRS, turns)):
        both = [Contender(HERE / file, name, options, {}, python) for python in pythons]
        try:
            for one in both:
                first = one.answer()
                if first is None or "missing" in first:
                    raise RuntimeError(f"{job}: {first}")
            for turn in range(-(-turns // min(PAIRS, turns)) + 1):
                for one in both if (pair + turn) % 2 else both[::-1]:
                    seconds = one.turn()
                    if turn:  # the first one warms up
                        found[both.index(one)].append(seconds)
        finally:
            for one in both:
                one.close()
    return found


def raw_text(job, pythons):
    """The same, each turn in a fresh process."""
    from raw_text import SETTINGS

    settings = SETTINGS[RAW_TEXT[job]]
    found = [[], []]
    for turn in range(TURNS):
        for i in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            command = [pythons[i], HERE / "raw_text.py", "--run", "wordrow", repr(settings)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout.readline() == "trained\n"
                found[i].append(time.perf_counter() - start)
                process.kill()
    return found


def main():
    other, *asked = sys.argv[1:]
    pythons = [sys.executable, other]
    rows = []
    print(f"this commit beside the other, {machine()}", flush=True)
    for job in asked or [*JOBS, *RAW_TEXT]:
        ours, theirs = (raw_text if job in RAW_TEXT else in_turns)(job, pythons)
        medians = statistics.median(ours), statistics.median(theirs)
        pairs = sorted(b / a for a, b in zip(ours, theirs, strict=True))
        paired = statistics.median(pairs)
        quarter = len(pairs) // 4
        rows.append({"job": job, "seconds": medians, "ratio": medians[1] / medians[0]})
        print(
            f"  {job:46}{medians[0]:11.6f} s {medians[1]:11.6f} s   ratio "
            f"{medians[1] / medians[0]:.3f}   of pairs {paired:.3f} "
            f"({pairs[quarter]:.3f} to {pairs[-1 - quarter]:.3f})",
            flush=True,
        )
    if not asked:
        (RESULTS / "commits.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    main()
