"""The thread pool: after a fork, from many threads, under Ctrl-C, and by setting."""

import os
import subprocess
import sys
import threading

import pytest

from wordrow import Tokenizer, _core

TEXTS = [f"w{i % 97} x{i % 13}" for i in range(5000)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_a_forked_child_can_go_on():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    expected = tokenizer.encode(TEXTS).ids.tobytes()
    child = os.fork()
    if child == 0:
        os._exit(0 if tokenizer.encode(TEXTS).ids.tobytes() == expected else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert tokenizer.encode(TEXTS).ids.tobytes() == expected


def test_many_threads_at_once():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    expected, results = tokenizer.encode(TEXTS).ids.tobytes(), []

    def work():
        results.extend(tokenizer.encode(TEXTS).ids.tobytes() == expected for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 120


def test_one_tokenizer_is_fitted_by_one_thread_at_a_time():
    tokenizer, refused = Tokenizer(), []

    def work(number):
        for i in range(30):
            try:
                tokenizer.fit_on_texts([f"t{number} w{i % 5} x{j}" for j in range(300)])
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokenizer.document_count == (120 - len(refused)) * 300
    assert all("is being fitted in another thread" in message for message in refused)


def test_the_setting_is_heard():
    code = "from wordrow import _core; print(_core.n_threads())"
    out = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"WORDROW_THREADS": "3"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert out.stdout.strip() == "3"


@pytest.mark.parametrize("wanted", ["baseline", "avx2", ""])
def test_every_instruction_set_trains_alike(wanted):
    code = (
        "from wordrow import TextClassifier, _core;"
        "c = TextClassifier(seed=1, epochs=3).fit(['a b', 'b c', 'c d'], [0, 1, 1]);"
        "print(_core.instruction_set(), *c.model_.get_weights()[0].ravel().round(4))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"WORDROW_ISA": wanted},
        check=True,
        capture_output=True,
        text=True,
    )
    name, *numbers = out.stdout.split()
    if wanted == "baseline":
        assert name == "baseline"
    from wordrow import TextClassifier

    here = TextClassifier(seed=1, epochs=3).fit(["a b", "b c", "c d"], [0, 1, 1])
    assert [float(n) for n in numbers] == pytest.approx(
        here.model_.get_weights()[0].ravel(), abs=2e-4
    )


def test_ctrl_c_stops_counting_and_encoding(tmp_path):
    code = (
        "import signal, threading, os, sys\n"
        "from wordrow import Tokenizer\n"
        "texts = ['a b c d e f g h ' * 200] * 2_000_000\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    Tokenizer().fit_on_texts(texts)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    one_thread = os.environ | {"WORDROW_THREADS": "1"}
    assert subprocess.run([sys.executable, "-c", code], env=one_thread).returncode == 7


def test_the_number_of_threads_can_be_set():
    before = _core.n_threads()
    _core.set_n_threads(4)
    assert _core.n_threads() == 4
    _core.set_n_threads(before)


ARENAS = """
import ctypes, platform, wordrow
if platform.libc_ver()[0] != "glibc":
    raise SystemExit
texts = [f"w{i % 997} x{i % 13}" for i in range(50_000)]
tokenizer = wordrow.Tokenizer()
tokenizer.fit_on_texts(texts)
tokenizer.texts_to_sequences(texts)
c = ctypes.CDLL(None)
c.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(c.fdopen(1, b"w"))
c.malloc_info(0, out)
c.fflush(out)
"""


def test_its_threads_allocate_in_the_main_arena():
    # JAX's threads are given the arenas that there are when they start, and only the main one
    # reuses a step's largest blocks.
    ran = subprocess.run(
        [sys.executable, "-c", ARENAS],
        env=os.environ | {"WORDROW_THREADS": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.count("<heap nr=") == (1 if ran.stdout else 0)
