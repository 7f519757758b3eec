"""Opening one of Keras's files, whichever container it is."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from collections.abc import Iterator

from wordrow.errors import FileFormatError
from wordrow.keras._files.archive import ArchiveReader
from wordrow.keras._files.h5 import H5Reader
from wordrow.keras._files.hdf5 import h5py_module
from wordrow.nn.model.loading import BROKEN

__all__ = ["open_file"]

_DAMAGE = (*BROKEN, OSError, zipfile.BadZipFile, zlib.error, RuntimeError)


@contextlib.contextmanager
def open_file(name: str) -> Iterator[ArchiveReader | H5Reader]:
    """Open a `.keras` or `.h5` file.

    Raises FileNotFoundError, and FileFormatError for what turns out to be damaged while reading.
    """
    h5py = h5py_module()
    if not os.path.isfile(name):
        raise FileNotFoundError(f"{name}: no such file.")
    try:
        if zipfile.is_zipfile(name):
            with (
                zipfile.ZipFile(name) as archive,
                contextlib.closing(ArchiveReader(archive, name)) as reader,
            ):
                yield reader
            return
        try:
            file = h5py.File(name, "r")
        except OSError as error:
            raise FileFormatError(
                f"{name}: expected a .keras file (a zip) or an .h5 file (HDF5), received a "
                f"damaged file or another format ({error})."
            ) from None
        with file:
            yield H5Reader(file, name)
    except FileFormatError:
        raise
    except _DAMAGE as error:
        raise FileFormatError(f"{name}: the file's parts do not match: {error!r}.") from error
