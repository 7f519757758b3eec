# `make demo`, `make test`, `make lint`, `make sanitize`, `make bench`: each installs what it needs,
# into an environment of its own.
# A machine needs python3 (3.11 or later, with its headers), a C++17 compiler and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NATIVE := CMakeLists.txt pyproject.toml $(wildcard core/* bind/*)

# Tests and benchmarks start many processes: what these import is compiled once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test lint format sanitize bench bench-accuracy clean

demo: $(VENV)/.demo
	$(BIN)/wordrow demo

test: $(VENV)/.test
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers auto

format: $(VENV)/.lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The tests with a core that checks every read and write of its own; then the usual core again.
CHECKED := LD_PRELOAD="$(shell $(CXX) -print-file-name=libasan.so) \
$(shell $(CXX) -print-file-name=libubsan.so)" UBSAN_OPTIONS=print_stacktrace=1 \
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
sanitize: $(VENV)/.test
	$(PIP) install --no-build-isolation --editable . --config-settings=build-dir=build/sanitize \
	  --config-settings=cmake.define.WORDROW_SANITIZE=ON --config-settings=install.strip=false
	$(CHECKED) $(BIN)/python -m pytest --numprocesses auto --dist worksteal; status=$$?; \
	$(PIP) install --no-build-isolation --editable . && exit $$status

# Speed beside the peers. bench-accuracy trains to the end; what it has done, it does not do again.
BENCH := .venv-bench
bench: $(BENCH)/.built
	for job in start tokenizer steps table predict raw_text vectors classifier; do \
	  $(BENCH)/bin/python benchmarks/$$job.py || exit 1; done
	$(BENCH)/bin/python benchmarks/report.py

bench-accuracy: $(BENCH)/.built
	$(BENCH)/bin/python benchmarks/accuracy.py

$(BENCH)/.built: $(NATIVE)
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip --disable-pip-version-check --quiet install --upgrade 'pip>=25.1'
	$(BENCH)/bin/pip --disable-pip-version-check --quiet install --group build --group bench
	$(BENCH)/bin/pip --disable-pip-version-check --quiet install --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) $(BENCH) build

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

# JAX first: beside it the core is built with its training kernels. What `demo` and `lint` ask for
# is there too, then.
$(VENV)/.test: $(VENV)/.pip $(NATIVE) requirements-demo.txt
	$(PIP) install --no-deps --require-hashes --requirement requirements-demo.txt
	$(PIP) install --no-compile --group build --group test
	$(PIP) install --no-build-isolation --editable .
	touch $(VENV)/.built $(VENV)/.demo $(VENV)/.lint $@

$(VENV)/.lint: $(VENV)/.built
	$(PIP) install --no-compile --group lint
	touch $@
