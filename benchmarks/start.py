"""How long a program waits before its first line: importing, and asking the command for help."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from side_by_side import race, report, save, serve

COMMAND = shutil.which("wordrow", path=str(Path(sys.executable).parent)) or "wordrow"
PROGRAMS = {
    "wordrow": [sys.executable, "-c", "import wordrow; wordrow.Tokenizer, wordrow.Sequential"],
    "wordrow, the name alone": [sys.executable, "-c", "import wordrow"],
    "wordrow --help": [COMMAND, "--help"],
    "Keras/JAX": [sys.executable, "-c", "import keras"],
    "NumPy": [sys.executable, "-c", "import numpy"],
    "Python alone": [sys.executable, "-c", ""],
}


def contender(program):
    def turn():
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return lambda: turn


CONTENDERS = {name: contender(program) for name, program in PROGRAMS.items()}


def main():
    imports = [name for name in PROGRAMS if "--help" not in name]
    parts = [
        report("a process that imports", race(__file__, imports, turns=20)),
        report(
            "the command's help",
            race(__file__, ["wordrow --help", "Python alone"], turns=20),
            ours="wordrow --help",
        ),
    ]
    save("start", parts, "keras", "jax")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    serve(CONTENDERS)
    main()
