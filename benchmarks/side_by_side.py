"""Interleaved runs of jobs that do the same thing, so that a drifting machine drifts for all."""

import gc
import os
import pathlib
import platform
import statistics
import sys
import time


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

    return f"{platform.machine()}, {os.cpu_count()} processors, {_core.instruction_set()} kernels"


def measure(jobs, *, runs):
    """Run each job in turn, `runs` times after one warm-up; return name -> seconds."""
    seconds = {name: [] for name in jobs}
    for run in range(runs + 1):
        for name, job in jobs.items():
            gc.collect()
            start = time.perf_counter()
            job()
            if run:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def report(title, seconds, *, megabytes):
    """Print medians, spread, and how many times faster the first job is than each other one."""
    first = next(iter(seconds))
    print(f"\n{title}")
    for name, times in seconds.items():
        median = statistics.median(times)
        ratio = f"{median / statistics.median(seconds[first]):6.1f} x" if name != first else ""
        print(
            f"  {name:34} {megabytes / median:8.1f} MB/s   median {median:7.3f} s "
            f"({min(times):.3f} to {max(times):.3f}) {ratio}"
        )
