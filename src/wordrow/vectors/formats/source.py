"""A file to read, plain or packed: its first bytes, and then all of them, piece by piece."""

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

from wordrow.errors import FileFormatError, MissingExtraError
from wordrow.progress import counting
from wordrow.store import writing

__all__ = ["HEAD_BYTES", "MOST_PACKED", "PACKED", "STOP", "Source", "packing"]

PACKED = (".gz", ".zst", ".zip")
STOP = -1  # what a reader of pieces returns when it wants no more
HEAD_BYTES = 1 << 16
_PIECE_BYTES = 4 << 20
_LONGEST_LINE = 16 << 20
_MARK = b"\xef\xbb\xbf"
MOST_PACKED = 1032  # how many times smaller zip makes anything
_SHOWN_BYTES = 100 << 20  # files above this show progress
# What the libraries that unpack raise of files that are damaged.
_BROKEN = (
    OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError,
    ValueError, LookupError, struct.error,
)  # fmt: skip


class Source:
    """A file of vectors, unpacked while it is read.

    head: its first 64 KB, unpacked, without the mark that some editors put before UTF-8.
    """

    def __init__(self, path: str | os.PathLike[str], *, verbose: bool | str = False) -> None:
        self.path, self.name, self.verbose = Path(path), os.fspath(path), verbose
        if self.path.is_dir():
            raise FileFormatError(f"{self.name}: expected a file of vectors, received a folder.")
        if self.path.exists() and not self.path.is_file():
            raise FileFormatError(
                f"{self.name}: expected a file of vectors, which is read more than once; received "
                "a pipe or device. Write what it gives to a file first."
            )
        with open(self.path, "rb") as file:
            first = file.read(4)
            self.n_bytes = os.fstat(file.fileno()).st_size  # as it lies there
        if not first:
            raise FileFormatError(
                f"{self.name}: expected a file of vectors, received an empty one."
            )
        self.is_zip = first == b"PK\x03\x04"
        self.members = self._members() if self.is_zip else []
        self.packing = (
            "gz" if first[:2] == b"\x1f\x8b" else "zst" if first == b"\x28\xb5\x2f\xfd"
            else "zip" if self.is_zip and not self.is_npz else ""
        )  # fmt: skip
        with self.open() as file, self.telling_damage():
            head = file.read(HEAD_BYTES)
        self.n_mark = len(_MARK) if head.startswith(_MARK) else 0
        self.head = head[self.n_mark :]
        if not self.head:
            raise FileFormatError(f"{self.name}: expected vectors, but nothing is packed in it.")

    @property
    def is_npz(self) -> bool:
        """Whether it is NumPy's: a zip of arrays."""
        return bool(self.members) and all(name.endswith(".npy") for name in self.members)

    def first_line(self) -> bytes:
        """Return the first line, without a mark before it.

        Raises FileFormatError where it is longer than 16 MB.
        """
        with self.open() as file:
            lines = io.BufferedReader(file)
            with self.telling_damage():
                line = lines.readline(_LONGEST_LINE)
            lines.detach()
        if len(line) == _LONGEST_LINE:
            raise FileFormatError(
                f"{self.name}, line 1: it does not end within 16 MB. This is no file of vectors."
            )
        return line[self.n_mark :]

    @contextlib.contextmanager
    def open(self) -> Iterator[Any]:
        """Open the file to be read from its begin, unpacked."""
        with contextlib.ExitStack() as stack:
            file: Any = stack.enter_context(open(self.path, "rb", buffering=0))
            if self.packing == "gz":
                file = stack.enter_context(gzip.GzipFile(fileobj=io.BufferedReader(file)))
            elif self.packing == "zst":
                file = stack.enter_context(io.BufferedReader(_Zstandard(file)))
            elif self.packing == "zip":
                with self.telling_damage():
                    archive = stack.enter_context(zipfile.ZipFile(file))
                    file = stack.enter_context(archive.open(self.members[0]))
            yield file

    @contextlib.contextmanager
    def telling_damage(self) -> Iterator[None]:
        """Turn what unpackers raise of damaged files into a FileFormatError."""
        if not self.packing and not self.is_zip:
            yield
            return
        broken: tuple[type[Exception], ...] = _BROKEN
        if self.packing == "zst":
            broken = (*broken, _zstandard().ZstdError)
        try:
            yield
        except FileFormatError:
            raise
        except broken as error:
            kind = self.packing or "zip"
            raise FileFormatError(
                f"{self.name}: expected a whole {kind} file; unpacking it fails: {error}. It is "
                "damaged or cut short; fetch it again."
            ) from None

    def pieces(self, read: Callable[[Any, int, bool], int], *, skip: int, padding: int) -> None:
        """Call read(buffer, n, is_last) for piece after piece behind the first `skip` bytes.

        It returns how many of the n bytes it has used; the rest comes again with
        more behind it. There is room for `padding` bytes behind the n.
        """
        size = _PIECE_BYTES
        buffer = np.empty(size + padding, np.uint8)
        n = done = 0
        large = self.n_bytes > _SHOWN_BYTES
        with (
            self.open() as file,
            counting(
                None if self.packing else self.n_bytes,
                in_bytes=True,
                wanted=self.verbose if large else False,
            ) as show,
        ):
            with self.telling_damage():
                _skip(file, self.n_mark + skip)
            is_last = False
            while not is_last:
                while n < size and not is_last:
                    with self.telling_damage():
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

    def whole(self) -> Any:
        """Return all bytes: mapped where they are not packed."""
        if not self.packing:
            return np.memmap(self.path, np.uint8, mode="r")
        with self.open() as file, self.telling_damage():
            return np.frombuffer(file.read(), np.uint8)

    def _members(self) -> list[str]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = [i for i in archive.infolist() if not i.is_dir()]
                names = [i.filename for i in members]
                # The library allocates what these say.
                if any(i.compress_size > self.n_bytes or i.file_size > MOST_PACKED * self.n_bytes
                       for i in members):  # fmt: skip
                    raise zipfile.BadZipFile("the sizes of its files are not those of a zip")
        except _BROKEN as error:
            raise FileFormatError(
                f"{self.name}: expected a whole zip file; its list of files cannot be read: "
                f"{error}. It is damaged or cut short; fetch it again."
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


def _skip(file: Any, n: int) -> None:
    while n:
        got = len(file.read(min(n, HEAD_BYTES)))
        if not got:
            return
        n -= got


class _Zstandard(io.RawIOBase):
    """A zst file, unpacked; unlike the library's own reader it says where one is cut short."""

    def __init__(self, file: Any) -> None:
        self._file, self._rest, self._at = file, b"", 0
        self._unpacker = _zstandard().ZstdDecompressor().decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._at == len(self._rest):
            packed = self._unpacker.unused_data if self._unpacker.eof else b""
            packed = packed or self._file.read(HEAD_BYTES)
            if self._unpacker.eof and packed:  # another frame
                self._unpacker = _zstandard().ZstdDecompressor().decompressobj()
            if not packed:
                if not self._unpacker.eof:
                    raise EOFError("the last frame has no end")
                return 0
            self._rest, self._at = self._unpacker.decompress(packed), 0
        n = min(len(buffer), len(self._rest) - self._at)
        buffer[:n] = self._rest[self._at : self._at + n]
        self._at += n
        return n


@contextlib.contextmanager
def packing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file to write, packed as its name says; it appears whole or not at all."""
    name = os.fspath(path)
    with contextlib.ExitStack() as stack:
        file: Any = stack.enter_context(writing(path))
        if name.endswith(".gz"):
            # The same bytes whenever it is written: no time and no name in it.
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
