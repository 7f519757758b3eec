"""Downloads by pooch, with checksums and a progress bar."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from wordrow.errors import DataError, MissingExtraError

__all__ = ["fetch", "home"]


def home() -> Path:
    """Return the folder of downloads and the demo's model: WORDROW_HOME, or ~/.wordrow."""
    return Path(os.environ.get("WORDROW_HOME") or Path.home() / ".wordrow")


def fetch(url: str, file_name: str, *, known_hash: str | None, by_hand: str) -> Path:
    """Return the path of a file in `home()`, downloaded and checked if it is missing.

    A file that Keras has downloaded, in KERAS_HOME (or ~/.keras), is used if it has the checksum.
    known_hash: "sha256:…", "md5:…" or None. by_hand: how to get the file without the network,
    for error messages. Raises MissingExtraError without pooch, DataError if the download fails
    or has another checksum.
    """
    target = home() / file_name
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    of_keras = keras_home / "datasets" / file_name
    if not target.exists() and of_keras.is_file() and _has_hash(of_keras, known_hash):
        return of_keras
    try:
        import pooch
    except ImportError:
        if target.exists():
            return target
        raise MissingExtraError(
            "downloading a data set", package="pooch", extra="download"
        ) from None
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=_Progress() if sys.stderr.isatty() else False)
    try:
        found = pooch.retrieve(
            url, known_hash=known_hash, fname=file_name, path=home(), downloader=downloader
        )
    except ValueError as error:
        raise DataError(f"{url}: the downloaded file is not the expected one: {error}") from error
    except OSError as error:  # requests' errors are OSErrors
        raise DataError(f"{url} could not be downloaded ({_reason(error)}). {by_hand}") from error
    return Path(found)


def _has_hash(path: Path, known: str | None) -> bool:
    """Return whether a file has a checksum "sha256:…" or "md5:…"; True for None."""
    if known is None:
        return True
    algorithm, _, expected = known.rpartition(":")
    return hashlib.new(algorithm or "sha256", path.read_bytes()).hexdigest() == expected


def _reason(error: BaseException) -> str:
    """Return the innermost cause of a network error, the most informative one."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}".strip()[:120]


class _Progress:
    """A progress bar by rich with the interface that pooch expects."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

        self.total = 0
        self._bar = Progress(
            *Progress.get_default_columns(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("download", total=None)

    def update(self, n: int) -> None:
        """Advance the bar by n bytes."""
        self._bar.start()
        self._bar.update(self._task, advance=n, total=self.total or None)

    def reset(self) -> None:
        """Start over."""
        self._bar.reset(self._task)

    def close(self) -> None:
        """Stop the bar."""
        self._bar.stop()
