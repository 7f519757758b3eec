"""Files of vectors with damage: `python tests/vectors/mutation.py 100000` tries so many a format.

Each is loaded with no more memory than twice its size and 64 MB; what comes of it must be
vectors, or an error that names the file.
"""

import contextlib
import pathlib
import random
import signal
import struct
import sys
import tempfile
import time
import warnings

import numpy as np

from wordrow.errors import FileFormatError
from wordrow.vectors import FastText, Subwords, Vectors
from wordrow.vectors.formats.projector import metadata_path

NUMBERS = [b"0", b"-1", b"1", b"nan", b"1e99", b"99999999999", b"2147483648", b"4294967295"]
PACKED = [struct.pack(form, n) for form in ("<i", "<q") for n in (-1, 0, 1, 2, 255, 2**31 - 1)]
PACKED += [struct.pack("<q", 2**62), struct.pack("<f", np.nan)]
INSERTED = [*NUMBERS, *PACKED, b"\xe2\x82", b"\r\n"]
INSERTED += [bytes([byte]) for byte in b" \n\t\0\xff{]"]


def fasttext_file(kind, *, quantized=False, version=12):
    """A small model of fastText's, written here: so that no other package is needed."""
    rng = np.random.default_rng(0)
    words = [b"</s>", b"the", b"film", "schön".encode(), b"dull"]
    labels = [b"__label__good", b"__label__bad", b"__label__fair"] if kind == 3 else []
    dim, buckets = 4, 6
    has_version = version > 0  # the first models had none
    head = struct.pack("<ii", 793712314, version) if has_version else b""
    head += struct.pack(
        "<12id", dim, 5, 5, 1, 5, 2, 1 if labels else 2, kind, buckets, 2, 3, 100, 1e-4
    )
    head += struct.pack("<iiiq", len(words) + len(labels), len(words), len(labels), 100)
    head += struct.pack("<q", -1) if has_version else b""
    for i, word in enumerate(words + labels):
        head += word + b"\0" + struct.pack("<qb", 50 - i, i >= len(words))
    n_rows, n_out = len(words) + buckets, len(labels) or len(words)

    def dense(n):
        return struct.pack("<qq", n, dim) + rng.standard_normal((n, dim)).astype("<f4").tobytes()

    if not quantized:
        is_quantized = b"\0" if has_version else b""
        return head + is_quantized + dense(n_rows) + is_quantized + dense(n_out)
    codes = rng.integers(0, 256, n_rows * 2).astype(np.uint8).tobytes()
    parts = struct.pack("<4i", dim, 2, 2, 2) + rng.random(dim * 256).astype("<f4").tobytes()
    matrix = struct.pack("<?qqi", False, n_rows, dim, n_rows * 2) + codes + parts
    return head + b"\1" + matrix + b"\0" + dense(n_out)


def seeds(folder):
    """name -> a whole file of each format."""
    rng = np.random.default_rng(1)
    words = [f"w{i}" if i % 4 else f"wörd {i}" for i in range(12)]
    table = rng.standard_normal((12, 5))
    spaced = Vectors(words, table)
    vectors = Vectors([word.replace(" ", "_") for word in words], table)
    grams = Subwords(min_n=2, max_n=3, table=rng.random((8, 5), np.float32))
    files = {}
    for name in (
        "v.safetensors",
        "v.txt",
        "v.vec",
        "v.bin",
        "v.npz",
        "v.tsv",
        "v.vec.gz",
        "v.bin.zip",
    ):
        path = folder / name
        one = spaced if name in ("v.txt", "v.tsv") else vectors
        if name == "v.safetensors":
            one = Vectors(list(one), one.table, subwords=grams)
        one.save(path)
        files[name] = path.read_bytes()
    with contextlib.suppress(ImportError):
        vectors.save(folder / "v.txt.zst")
        files["v.txt.zst"] = (folder / "v.txt.zst").read_bytes()
    files["supervised.bin"] = fasttext_file(3)
    files["skipgram.bin"] = fasttext_file(2)
    files["before-versions.bin"] = fasttext_file(2, version=0)
    files["supervised.ftz"] = fasttext_file(3, quantized=True)
    return files


def mutated(data, choose):
    """The bytes with some damage: changed, cut, repeated, or put in."""
    data = bytearray(data)
    for _ in range(choose.choice((1, 1, 1, 2, 3, 8))):
        at = choose.randrange(len(data) + 1)
        what = choose.randrange(7)
        if what == 0 and at < len(data):
            data[at] ^= 1 << choose.randrange(8)
        elif what == 1 and at < len(data):
            data[at] = choose.randrange(256)
        elif what == 2:
            del data[at:]
        elif what == 3:
            del data[at : at + choose.choice((1, 2, 4, 40))]
        elif what == 4:
            data[at:at] = choose.choice(INSERTED)
        elif what == 5:
            put = choose.choice(INSERTED)
            data[at : at + len(put)] = put
        else:
            other = choose.randrange(len(data) + 1)
            data[at:at] = data[other : other + choose.choice((1, 8, 200))]
        if not data:
            break
    return bytes(data)


def attempt(path, choose):
    """Load a file; return whether there was an answer. Any other error than ours goes through."""
    options = {
        "encoding_errors": choose.choice(("strict", "replace")),
        "bad_rows": choose.choice(("error", "skip")),
        "limit": choose.choice((None, None, 3)),
        "words": choose.choice((None, None, ["w1", "the", "nowhere"])),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            vectors = Vectors.load(path, **options)
    except FileFormatError as error:
        if path.name not in str(error):
            raise AssertionError(f"{error} does not name the file") from error
        return False
    assert vectors.table.shape == (len(vectors), vectors.dim)
    if len(vectors):
        word = vectors.vocabulary[0]
        if np.isfinite(vectors[word]).all():  # our own files are mapped, and not looked through
            vectors.batch_most_similar([word], 2)
        if vectors.subwords is not None:
            assert vectors["unseen word"].shape == (vectors.dim,)
    if path.suffix in (".bin", ".ftz"):
        with contextlib.suppress(FileFormatError):
            model = FastText.load(path)
            if model.kind == "supervised":
                model.predict(["the film", ""], 2)
    return True


@contextlib.contextmanager
def little_memory(n_bytes):
    """Let no more be allocated than twice so many bytes and 64 MB, where the system can say so."""
    try:
        import resource

        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2 * n_bytes + (64 << 20), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def try_all(name, data, folder, n, seed):
    """Try n damaged files of a kind; return how many gave vectors."""
    choose = random.Random(seed)
    path = folder / name
    n_right = 0
    for i in range(n):
        damaged = mutated(data, choose)
        path.write_bytes(damaged)
        try:
            with little_memory(len(damaged)):
                n_right += attempt(path, choose)
        except BaseException:
            kept = pathlib.Path(tempfile.gettempdir()) / f"damaged-{name}"
            kept.write_bytes(damaged)
            print(f"{name}: number {i} of seed {seed}, kept as {kept}", file=sys.stderr)
            raise
    return n_right


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    names = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        files = seeds(pathlib.Path(folder))
        for name, data in files.items():
            if names and name not in names:
                continue
            try_all(name, data, pathlib.Path(folder), 20, 0)  # threads and pools start
            signal.signal(signal.SIGALRM, lambda *_, name=name: sys.exit(f"{name}: it hangs"))
            begin, right = time.perf_counter(), 0
            for part in range(0, n, 500):
                signal.alarm(120)
                right += try_all(name, data, pathlib.Path(folder), min(500, n - part), part + 1)
            signal.alarm(0)
            seconds = time.perf_counter() - begin
            print(
                f"{name}: {n:,} files, {right:,} loaded, {n - right:,} refused, {seconds:.0f} s",
                flush=True,
            )
    assert metadata_path("v.tsv").name == "v_metadata.tsv"


if __name__ == "__main__":
    main()
