"""Test accuracy after each epoch of the models of models.py, beside Keras's.

`python benchmarks/accuracy.py mean conv` runs these kinds only. Each run is kept in
results/accuracy.json as soon as it is done, and not done again.
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "jax")

from models import BATCH, KINDS, ids_and_labels, model_of
from side_by_side import RESULTS, machine, version

SEEDS = {"mean": (1, 2, 3), "flatten": (1, 2, 3), "conv": (1, 2, 3)}  # the others take long
EPOCHS = {"mean": 5}  # the others 3
FILE = RESULTS / "accuracy.json"


def run(kind, seed, library, train, test):
    """(test accuracy after each epoch, seconds)."""
    seeded = getattr(library, "set_random_seed", None) or library.utils.set_random_seed
    seeded(seed)
    start = time.perf_counter()
    history = model_of(kind, library).fit(
        *train, batch_size=BATCH[kind], epochs=EPOCHS.get(kind, 3), validation_data=test, verbose=0
    )
    return history.history["val_accuracy"], time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--without-keras", action="store_true")
    options = parser.parse_args()
    import wordrow

    libraries = {"wordrow": wordrow}
    if not options.without_keras:
        import keras

        libraries["Keras/JAX"] = keras
    done = json.loads(FILE.read_text(encoding="utf-8"))["runs"] if FILE.exists() else {}
    data = None
    for kind in options.kinds or KINDS:
        for seed in SEEDS.get(kind, (1,)):
            for name, library in libraries.items():
                key = f"{kind}, seed {seed}, {name}"
                if key not in done:
                    data = data or ids_and_labels()
                    accuracies, seconds = run(kind, seed, library, *data)
                    done[key] = {"accuracy": accuracies, "seconds": seconds}
                    keep(done)
                each = ", ".join(f"{accuracy:.4f}" for accuracy in done[key]["accuracy"])
                print(f"{key}: {each} ({done[key]['seconds']:.0f} s)", flush=True)
    for kind in KINDS:
        for name in libraries:
            last = [
                found["accuracy"][-1]
                for key, found in done.items()
                if key.startswith(f"{kind},") and key.endswith(f" {name}")
            ]
            if last:
                print(f"{kind}, {name}: median of the last epoch {statistics.median(last):.4f}")


def keep(done):
    RESULTS.mkdir(exist_ok=True)
    found = {"machine": machine(), "versions": version("wordrow", "keras", "jax"), "runs": done}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
