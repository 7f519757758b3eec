import gc
import os
import pathlib
import signal
import tempfile

# Before any import of Keras: it is an oracle, and JAX is its engine here.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Every run compiles for itself, and no program twice: its processes share a folder.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    COMPILED = tempfile.TemporaryDirectory(prefix="wordrow-tests-", ignore_cleanup_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
# Most of the time goes into compiling programs that run once: compile them plainly.
# XLA_FLAGS= runs the tests with the programs that users have.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
)

# A shell that starts the tests in the background lets them ignore Ctrl-C, and what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import hypothesis
import numpy as np
import pytest

from wordrow import _core

# What JAX builds while it traces is many small objects that live on: look for garbage less often.
gc.set_threshold(100_000, 20, 100)

# No test has a time limit: machines are noisy.
hypothesis.settings.register_profile(
    "wordrow", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("wordrow")


# The longest ones begin first, so that no process is alone with one at the end.
LONG = (
    "test_scripts_run_unchanged",
    "test_without_keras_the_rest_passes",
    "test_a_users_types_are_checked",
    "test_it_is_an_estimator",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.name.startswith(LONG))


@pytest.fixture(scope="session")
def data() -> pathlib.Path:
    """The folder of real data sets, where WORDROW_DATA names one."""
    folder = os.environ.get("WORDROW_DATA")
    if not folder or not pathlib.Path(folder).is_dir():
        pytest.skip("WORDROW_DATA names no folder of data sets")
    return pathlib.Path(folder)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(params=[1, 2, 5])
def n_threads(request: pytest.FixtureRequest) -> int:
    """Runs a test with each number of threads."""
    before = _core.n_threads()
    _core.set_n_threads(request.param)
    yield request.param
    _core.set_n_threads(before)
