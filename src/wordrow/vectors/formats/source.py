"""Files to read and write, plain or compressed: the first bytes, and then all of them in chunks."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import FileFormatError, MissingExtraError
from wordrow.progress import counting
from wordrow.store import writing

__all__ = [
    "COMPRESSED_SUFFIXES",
    "HEAD_BYTES",
    "MAX_COMPRESSION",
    "STOP",
    "ReadChunk",
    "Source",
    "open_target",
]

Stream = io.RawIOBase | io.BufferedIOBase
ReadChunk = Callable[[npt.NDArray[np.uint8], int, bool], int]

COMPRESSED_SUFFIXES = (".gz", ".zst", ".zip")
STOP = -1  # what a ReadChunk returns when it needs no more
HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 4 << 20
_MAX_LINE_BYTES = 16 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_COMPRESSION = 1032  # the largest factor that zip reaches
_PROGRESS_BYTES = 100 << 20  # files above this show progress
# What the decompression libraries raise for damaged files.
_DAMAGE_ERRORS = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    struct.error,
)


class Source:
    """A file of vectors, decompressed while it is read.

    head: its first 64 KB, decompressed, without a byte order mark.
    """

    def __init__(self, path: str | os.PathLike[str], *, verbose: bool | str = False) -> None:
        self.path, self.name, self.verbose = Path(path), os.fspath(path), verbose
        if self.path.is_dir():
            raise FileFormatError(f"{self.name}: expected a file of vectors, received a folder.")
        if self.path.exists() and not self.path.is_file():
            raise FileFormatError(
                f"{self.name}: expected a file of vectors, which is read more than once; received "
                "a pipe or device. Write its content to a file first."
            )
        with open(self.path, "rb") as file:
            first = file.read(4)
            self.n_bytes = os.fstat(file.fileno()).st_size  # as stored
        if not first:
            raise FileFormatError(
                f"{self.name}: expected a file of vectors, received an empty one."
            )
        self.is_zip = first == b"PK\x03\x04"
        self.members = self._members() if self.is_zip else []
        self.compression = ""
        if first[:2] == b"\x1f\x8b":
            self.compression = "gz"
        elif first == b"\x28\xb5\x2f\xfd":
            self.compression = "zst"
        elif self.is_zip and not self.is_npz:
            self.compression = "zip"
        with self.open() as file, self.reporting_damage():
            head = file.read(HEAD_BYTES)
        self.n_bom = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
        self.head = head[self.n_bom :]
        if not self.head:
            raise FileFormatError(f"{self.name}: expected vectors, but its content is empty.")

    @property
    def is_npz(self) -> bool:
        """Whether it is NumPy's .npz, a zip of arrays."""
        return bool(self.members) and all(name.endswith(".npy") for name in self.members)

    def first_line(self) -> bytes:
        """Return the first line, without a byte order mark.

        Raises FileFormatError if it is longer than 16 MB.
        """
        with self.open() as file:
            lines = io.BufferedReader(file)
            with self.reporting_damage():
                line = lines.readline(_MAX_LINE_BYTES)
            lines.detach()
        if len(line) == _MAX_LINE_BYTES:
            raise FileFormatError(
                f"{self.name}, line 1: it does not end within 16 MB. This is not a file of vectors."
            )
        return line[self.n_bom :]

    @contextlib.contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the file for reading, decompressed."""
        with contextlib.ExitStack() as stack:
            file: Stream = stack.enter_context(open(self.path, "rb", buffering=0))
            if self.compression == "gz":
                file = stack.enter_context(gzip.GzipFile(fileobj=io.BufferedReader(file)))
            elif self.compression == "zst":
                file = stack.enter_context(io.BufferedReader(_Zstandard(file)))
            elif self.compression == "zip":
                with self.reporting_damage():
                    archive = stack.enter_context(zipfile.ZipFile(file))
                    member: Any = archive.open(self.members[0])  # typeshed says IO[bytes]
                    file = stack.enter_context(member)
            yield file

    @contextlib.contextmanager
    def reporting_damage(self) -> Iterator[None]:
        """Turn what decompression raises for damaged files into a FileFormatError."""
        if not self.compression and not self.is_zip:
            yield
            return
        broken: tuple[type[Exception], ...] = _DAMAGE_ERRORS
        if self.compression == "zst":
            broken = (*broken, _zstandard().ZstdError)
        try:
            yield
        except FileFormatError:
            raise
        except broken as error:
            kind = self.compression or "zip"
            raise FileFormatError(
                f"{self.name}: expected a complete {kind} file; decompressing it fails: {error}. "
                "It is damaged or truncated; download it again."
            ) from None

    def read_chunks(self, read: ReadChunk, *, skip: int, padding: int) -> None:
        """Call read(buffer, n, is_last) for each chunk after the first `skip` bytes.

        It returns how many of the n bytes it used; the rest is passed again, with
        more data after it. The buffer has room for `padding` bytes after the n.
        """
        size = _CHUNK_BYTES
        buffer = np.empty(size + padding, np.uint8)
        n = done = 0
        large = self.n_bytes > _PROGRESS_BYTES
        with (
            self.open() as file,
            counting(
                None if self.compression else self.n_bytes,
                in_bytes=True,
                wanted=self.verbose if large else False,
            ) as show,
        ):
            with self.reporting_damage():
                _skip(file, self.n_bom + skip)
            is_last = False
            while not is_last:
                while n < size and not is_last:
                    with self.reporting_damage():
                        got = file.readinto(memoryview(buffer)[n:size])  # type: ignore[arg-type]
                    is_last = not got
                    n += got
                used = read(buffer, n, is_last)
                if used == STOP:
                    return
                done += used
                show(done)
                rest = buffer[used:n].copy()
                if not used and not is_last:  # a line longer than the buffer
                    size *= 2
                    buffer = np.empty(size + padding, np.uint8)
                n = len(rest)
                buffer[:n] = rest

    def read_all(self) -> npt.NDArray[np.uint8]:
        """Return all bytes, mapped if the file is not compressed."""
        if not self.compression:
            return np.memmap(self.path, np.uint8, mode="r")
        with self.open() as file, self.reporting_damage():
            return np.frombuffer(file.read(), np.uint8)

    def _members(self) -> list[str]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = [i for i in archive.infolist() if not i.is_dir()]
                names = [i.filename for i in members]
                # The library allocates memory for these sizes.
                largest = MAX_COMPRESSION * self.n_bytes
                if any(i.compress_size > self.n_bytes or i.file_size > largest for i in members):
                    raise zipfile.BadZipFile("it states impossible sizes of its files")
        except _DAMAGE_ERRORS as error:
            raise FileFormatError(
                f"{self.name}: expected a complete zip file; its list of files cannot be read: "
                f"{error}. It is damaged or truncated; download it again."
            ) from None
        names = [name for name in names if not name.startswith("__MACOSX/")]
        if len(names) > 1 and not all(name.endswith(".npy") for name in names):
            raise FileFormatError(
                f"{self.name}: expected a zip with one file of vectors in it; received "
                f"{len(names)}: {', '.join(names[:5])}. Unpack it and load one of them."
            )
        if not names:
            raise FileFormatError(f"{self.name}: expected vectors, but the zip file is empty.")
        return names


def _skip(file: Stream, n: int) -> None:
    while n:
        got = len(file.read(min(n, HEAD_BYTES)))
        if not got:
            return
        n -= got


class _Zstandard(io.RawIOBase):
    """A zst file, decompressed; unlike the library's own reader it detects truncation."""

    def __init__(self, file: Stream) -> None:
        self._file, self._rest, self._at = file, b"", 0
        self._decompressor = _zstandard().ZstdDecompressor().decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._at == len(self._rest):
            data = self._decompressor.unused_data if self._decompressor.eof else b""
            data = data or self._file.read(HEAD_BYTES)
            if self._decompressor.eof and data:  # another frame
                self._decompressor = _zstandard().ZstdDecompressor().decompressobj()
            if not data:
                if not self._decompressor.eof:
                    raise EOFError("the last frame has no end")
                return 0
            self._rest, self._at = self._decompressor.decompress(data), 0
        n = min(len(buffer), len(self._rest) - self._at)
        buffer[:n] = self._rest[self._at : self._at + n]
        self._at += n
        return n


@contextlib.contextmanager
def open_target(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing, compressed as its name says; it appears complete or not at all."""
    name = os.fspath(path)
    with contextlib.ExitStack() as stack:
        file: Any = stack.enter_context(writing(path))
        if name.endswith(".gz"):
            # Without time and name, so that the same content gives the same bytes.
            file = stack.enter_context(gzip.GzipFile("", "wb", 6, file, mtime=0))
        elif name.endswith(".zst"):
            file = stack.enter_context(
                _zstandard().ZstdCompressor(level=3).stream_writer(file, closefd=False)
            )
        elif name.endswith(".zip"):
            archive = stack.enter_context(zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED))
            member = zipfile.ZipInfo(Path(name).stem)
            member.compress_type = zipfile.ZIP_DEFLATED
            file = stack.enter_context(archive.open(member, "w", force_zip64=True))
        yield file


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError(".zst files", package="zstandard", extra="zst") from error
    return zstandard
