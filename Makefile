# `make demo`, `make test`, `make lint`: each makes its own .venv and installs what it needs.
# A machine needs python3 (3.11 or later, with its headers), a C++17 compiler and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NATIVE := CMakeLists.txt pyproject.toml $(wildcard core/* bind/*)

.PHONY: demo test lint format bench clean

demo: $(VENV)/.demo
	$(BIN)/wordrow demo

test: $(VENV)/.test
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.test
	$(BIN)/python benchmarks/tokenizer.py
	$(BIN)/python benchmarks/classifier.py
	$(BIN)/python benchmarks/imdb_models.py

clean:
	rm -rf $(VENV) build

$(VENV)/.pip:
	$(PYTHON) -c 'import sys; sys.exit("wordrow needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

# Built in place: Python files are used from src/, and the core is compiled again when it changes.
$(VENV)/.built: $(VENV)/.pip $(NATIVE)
	$(PIP) install --group build
	$(PIP) install --no-build-isolation --editable .
	touch $@

$(VENV)/.demo: $(VENV)/.built requirements-demo.txt
	$(PIP) install --no-deps --require-hashes --requirement requirements-demo.txt
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) install --group test
	touch $@

$(VENV)/.lint: $(VENV)/.built
	$(PIP) install --group lint
	touch $@
