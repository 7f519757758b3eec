"""The models of models.py on a GPU (or TPU) that JAX sees: a training step, and an epoch's answers.

Absolute times: there is no peer here. Where WORDROW_DATA names no folder, ids are drawn at
random with the lengths and word frequencies of reviews; times do not depend on more.
"""

import os
import statistics
import sys
import time

import numpy as np

from models import BATCH, KINDS, N_STEPS, N_WORDS, examples, ids_and_labels, model_of
from side_by_side import save, spread, version

N_BATCHES, TURNS = 20, 5


def data():
    """Ids [n, N_STEPS] and labels [n]."""
    if os.environ.get("WORDROW_DATA"):
        train, _ = ids_and_labels()
        return train
    rng = np.random.default_rng(0)
    n = max(BATCH.values()) * N_BATCHES
    ids = np.minimum(rng.zipf(1.2, (n, N_STEPS)), N_WORDS - 1).astype(np.int32)
    lengths = np.minimum(rng.lognormal(5.2, 0.6, (n, 1)), N_STEPS)
    ids[np.arange(N_STEPS) < N_STEPS - lengths] = 0
    return ids, rng.integers(0, 2, n)


def main():
    import jax

    import wordrow

    device = jax.devices()[0]
    if device.platform == "cpu":
        sys.exit("JAX sees no GPU or TPU here; benchmarks/steps.py is for CPUs")
    print(f"{device.device_kind}, {version('wordrow', 'jax')}")
    found, parts = data(), []
    for kind, title in KINDS.items():
        batch = BATCH[kind]
        x, y = examples(found, batch * N_BATCHES)
        model = model_of(kind, wordrow)
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)  # compiles
        model.predict(x, batch_size=batch, verbose=0)
        times = {"step": [], "answer": []}
        for _ in range(TURNS):
            start = time.perf_counter()
            model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
            times["step"].append((time.perf_counter() - start) / N_BATCHES)
            start = time.perf_counter()
            model.predict(x, batch_size=batch, verbose=0)
            times["answer"].append((time.perf_counter() - start) / len(x))
        median, low, high = spread(times["step"])
        answer = statistics.median(times["answer"])
        print(
            f"  {title:52}{median * 1e3:9.2f} ms a step ({low * 1e3:.2f} to {high * 1e3:.2f})"
            f"{answer * 1e6:9.1f} us a text"
        )
        parts.append({"kind": kind, "step_seconds": times["step"], "answer_seconds": answer})
    save("gpu", [{"device": device.device_kind, "parts": parts}], "jax")


if __name__ == "__main__":
    main()
