"""Callbacks that report metrics to a file, TensorBoard, a server or the terminal."""

from __future__ import annotations

import csv
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import IO, Any, Literal

from wordrow.errors import MissingExtraError, show
from wordrow.nn.callbacks.callback import Callback, Logs
from wordrow.progress import numbers_text
from wordrow.store import read_lines

__all__ = ["CSVLogger", "ProgbarLogger", "RemoteMonitor", "TensorBoard"]

Frequency = int | Literal["epoch", "batch"]


class CSVLogger(Callback):
    """Writes each epoch's metrics to a CSV file.

    >>> CSVLogger("log.csv").separator
    ','
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename, self.separator, self.append = os.fspath(filename), separator, bool(append)
        self._names: list[str] = []
        self._file: IO[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self._names = []
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._names = next(csv.reader(file, delimiter=self.separator), [])
        self._file = open(  # noqa: SIM115 closed at the end of training
            self.filename, "a" if self.append else "w", newline="", encoding="utf-8"
        )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a row; before the first, the header."""
        assert self._file is not None
        row = {"epoch": epoch} | (logs or {})
        writer = csv.writer(self._file, delimiter=self.separator)
        if not self._names:
            self._names = ["epoch", *sorted(logs or {})]
            writer.writerow(self._names)
        writer.writerow([row.get(name, "NA") for name in self._names])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


class TensorBoard(Callback):
    """Writes logs for TensorBoard: metrics, histograms of weights, and embeddings.

    log_dir/train and log_dir/validation get the metrics of each epoch. update_freq: "batch" or a
    number of batches, to write metrics during an epoch too. histogram_freq, embeddings_freq: the
    number of epochs between histograms of weights, and between tables of Embedding layers (for
    the projector); 0 is never. embeddings_metadata: the words of the rows, as a list or a file
    with one word per line, or a dict of these by layer name. write_graph, write_images,
    write_steps_per_second and profile_batch have no effect. Needs the extra `tensorboard`.

    >>> TensorBoard("runs/first").update_freq
    'epoch'
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Frequency = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        if update_freq not in ("epoch", "batch") and not (
            isinstance(update_freq, int) and update_freq > 0
        ):
            raise ValueError(
                f"`update_freq` must be 'epoch', 'batch' or a number; received {show(update_freq)}."
            )
        self.log_dir, self.update_freq = os.fspath(log_dir), update_freq
        self.histogram_freq, self.embeddings_freq = int(histogram_freq), int(embeddings_freq)
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, Any] = {}
        self._words: dict[str, list[str]] = {}
        self._batches = 0
        if update_freq != "epoch":  # only then: it makes `fit` read metrics after every batch
            self.on_train_batch_end = self._batch_end  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Create the folder, and check that tensorboardX is installed."""
        try:
            import tensorboardX  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(
                "writing for TensorBoard", package="tensorboardX", extra="tensorboard"
            ) from error
        self._words = {layer.name: self._words_of(layer) for layer in self._tables()}
        self._batches = 0
        self._writer("train")

    def _batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        every = 1 if self.update_freq == "batch" else int(self.update_freq)
        if self._batches % every == 0:
            for name, value in (logs or {}).items():
                self._writer("train").add_scalar(f"batch_{name}", value, self._batches)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write an epoch's metrics, and histograms and embeddings when they are due."""
        rate = self.model.optimizer.rate(self.model.step)
        for name, value in ({"learning_rate": rate} | (logs or {})).items():
            kind = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            self._writer(kind).add_scalar(tag, value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for layer in self.model.all_layers:
                for name, weight in layer.read_weights().items():
                    self._writer("train").add_histogram(f"{layer.name}/{name}", weight, epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            for layer in self._tables():
                (rows,) = layer.get_weights()
                words = self._words[layer.name]
                names = [*words, *map(str, range(len(words), len(rows)))][: len(rows)]
                self._writer("train").add_embedding(rows, names, global_step=epoch, tag=layer.name)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _writer(self, kind: str) -> Any:
        from tensorboardX import SummaryWriter

        if kind not in self._writers:
            self._writers[kind] = SummaryWriter(os.path.join(self.log_dir, kind))
        return self._writers[kind]

    def _tables(self) -> list[Any]:
        wanted = bool(self.embeddings_freq)
        return [
            layer
            for layer in self.model.all_layers
            if wanted and layer.n_rows is not None and hasattr(layer, "embeddings_initializer")
        ]

    def _words_of(self, layer: Any) -> list[str]:
        given = self.embeddings_metadata
        if isinstance(given, Mapping):
            given = given.get(layer.name)
        if given is None:
            return []
        if isinstance(given, Sequence) and not isinstance(given, str):
            return [str(word) for word in given]
        return read_lines(given)


class RemoteMonitor(Callback):
    """Sends each epoch's metrics to a server, as JSON by POST.

    If the server cannot be reached, a warning says so once, and training continues.

    >>> RemoteMonitor().root
    'http://localhost:9000'
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        if not root.startswith(("http://", "https://")):
            raise ValueError(f"`root` must begin with http:// or https://; received {show(root)}.")
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = dict(headers or {}), bool(send_as_json)
        self._warned = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send an epoch's metrics."""
        import urllib.error  # here: they take longer to import than all of wordrow.nn
        import urllib.parse
        import urllib.request

        text = json.dumps({"epoch": epoch} | {k: float(v) for k, v in (logs or {}).items()})
        if self.send_as_json:
            data, kind = text.encode(), "application/json"
        else:
            data = f"{self.field}={urllib.parse.quote(text)}".encode()
            kind = "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path, data, {"Content-Type": kind} | self.headers
        )
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except (urllib.error.URLError, OSError) as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"{self.root} cannot be reached ({error}): the numbers are not sent.",
                    UserWarning,
                    stacklevel=2,
                )


class ProgbarLogger(Callback):
    """Prints each epoch's metrics if `fit` itself does not (verbose=0).

    >>> ProgbarLogger().on_epoch_end(0, {"loss": 0.5})
    epoch 1  loss 0.5000
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Any = None) -> None:
        self.count_mode, self.stateful_metrics = count_mode, stateful_metrics

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Print the metrics."""
        if not self.params.get("verbose"):
            print(f"epoch {epoch + 1}  {numbers_text(logs or {})}", flush=True)
