"""Contenders that do the same job, each in a process of its own, taking turns.

A machine's speed drifts within minutes, so only ratios of medians over turns
mean something. A benchmark file is called by itself, once for each contender,
to serve it (`python FILE --serve NAME`): it sets itself up, says so, and does
one turn whenever it is asked to.
"""

import contextlib
import datetime
import gc
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata

RESULTS = pathlib.Path(__file__).parent / "results"


# ---- data and machine -------------------------------------------------------


def data_folder():
    """The folder of real data sets, or the end of the benchmark."""
    folder = os.environ.get("WORDROW_DATA", "")
    if not folder or not pathlib.Path(folder).is_dir():
        sys.exit("set WORDROW_DATA to the folder with imdb_train.tsv and the other data sets")
    return pathlib.Path(folder)


def labelled(path):
    """The texts and labels of a `label<TAB>text` file."""
    pairs = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [text for _, text in pairs], [label for label, _ in pairs]


def machine():
    """What the figures were taken on."""
    from wordrow import _core

    model = platform.machine()
    with contextlib.suppress(OSError):
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return f"{model}, {_core.n_threads()} threads, {_core.instruction_set()} kernels"


def version(*packages):
    """The versions of packages that are installed, as text."""
    found = []
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{package} {metadata.version(package)}")
    return ", ".join(found)


# ---- in a contender's process -------------------------------------------------


def serve(set_ups):
    """Serve the contender that the command line names, where it names one, and exit.

    set_ups: name -> a function that prepares and returns the turn: a function
    whose time is taken, or that returns the seconds itself, or (seconds, numbers).
    """
    if "--serve" not in sys.argv:
        return
    name = sys.argv[sys.argv.index("--serve") + 1]
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    try:
        turn = set_ups[name]()
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers, flush=True)
        sys.exit()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for _ in sys.stdin:
        gc.collect()
        start = time.perf_counter()
        found = turn()
        seconds = time.perf_counter() - start
        numbers = {}
        if isinstance(found, tuple):
            found, numbers = found
        if isinstance(found, float):
            seconds = found
        print(json.dumps({"seconds": seconds, "numbers": numbers}), file=answers, flush=True)
    sys.exit()


# ---- in the benchmark's process -----------------------------------------------


class Contender:
    """A process that does a job when it is asked to."""

    def __init__(self, file, name, options, env, python=sys.executable):
        self.name, self.seconds, self.numbers = name, [], {}
        self.process = subprocess.Popen(
            [python, str(file), "--serve", name, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | env,
        )

    def answer(self):
        """Its next line, or None where it has ended."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def turn(self):
        """Let it do its job once."""
        print("go", file=self.process.stdin, flush=True)
        found = self.answer()
        if found is None:
            raise RuntimeError(f"{self.name} has ended; run it alone with --serve to see why")
        self.numbers = found["numbers"] or self.numbers
        return found["seconds"]

    def close(self):
        """End it."""
        self.process.stdin.close()
        self.process.wait(timeout=60)


def race(file, names, *, turns, warm_up=1, options=(), env=None):
    """Let contenders take turns; return name -> Contender, without those that are missing."""
    contenders = []
    try:
        for name in names:  # one after the other, so that none is slowed by the next one's start
            one = Contender(file, name, options, (env or {}).get(name, {}))
            first = one.answer()
            if first is None or "missing" in first:
                why = "it ended while setting up" if first is None else first["missing"]
                print(f"  {name} is left out: {why}", file=sys.stderr)
                continue
            contenders.append(one)
        for turn in range(turns + warm_up):
            for one in contenders:
                seconds = one.turn()
                if turn >= warm_up:
                    one.seconds.append(seconds)
            if sys.stderr.isatty():
                print(f"\r  turn {turn + 1} of {turns + warm_up}", end="", file=sys.stderr)
        if sys.stderr.isatty():
            print("\r" + " " * 30 + "\r", end="", file=sys.stderr)
    finally:
        for one in contenders:
            one.close()
    return {one.name: one for one in contenders}


def spread(seconds):
    """The median of times, and the middle half of them: (median, from, to)."""
    ordered = sorted(seconds)
    quarter = len(ordered) // 4
    return statistics.median(ordered), ordered[quarter], ordered[-1 - quarter]


def report(title, contenders, *, ours="wordrow", scale=1e3, unit="ms", per=1.0, rate=None):
    """Print contenders beside each other, and how many times ours is faster; return it as data.

    per: how many steps, texts or calls a turn is; rate: (amount a turn, its unit)
    to print as a speed.
    """
    print(f"\n{title}")
    rows = []
    for name, one in contenders.items():
        median, low, high = (x / per for x in spread(one.seconds))
        times = ""
        if name != ours and ours in contenders:
            ratio = median / (spread(contenders[ours].seconds)[0] / per)
            times = f"{ratio:8.1f} x"
        speed = f"{rate[0] / median / per:9.1f} {rate[1]}" if rate else ""
        print(
            f"  {name:34}{median * scale:10.3f} {unit} ({low * scale:.3f} to {high * scale:.3f})"
            f"{speed}{times}"
        )
        rows.append(
            {
                "name": name,
                "median_seconds": median,
                "from": low,
                "to": high,
                "turns": len(one.seconds),
                "numbers": one.numbers,
            }
        )
    return {"title": title, "rows": rows}


def save(job, parts, *packages):
    """Write what was measured to results/JOB.json."""
    RESULTS.mkdir(exist_ok=True)
    found = {
        "job": job,
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
        "versions": version("wordrow", "numpy", *packages),
        "parts": parts,
    }
    (RESULTS / f"{job}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
