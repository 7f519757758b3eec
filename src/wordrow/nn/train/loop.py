"""The training loop: epochs of batches, callbacks, validation. The one loop there is."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn.callbacks import (
    Callback,
    Callbacks,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from wordrow.nn.data.batches import Batch, Batcher
from wordrow.nn.data.inputs import Data, split_item
from wordrow.nn.train.diagnose import not_finite_error
from wordrow.nn.train.engine import Engine
from wordrow.nn.train.engine_fused import fused_engine
from wordrow.nn.train.engine_jax import JaxEngine
from wordrow.nn.train.training import Training
from wordrow.progress import TrainingLine, is_wanted, numbers_text, training_line

__all__ = ["FitOptions", "fit", "train_on_batch"]

_REFRESH_SECONDS = 0.1  # of the progress line


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How long to train, on what, and who is told; the arguments of `Model.fit`.

    shuffle: whether each epoch takes the examples in another order, or the generator that draws it;
    else it follows from the training's seed and step. verbose: as for `Model.fit`; "line" is a
    progress line without a line for each epoch.
    """

    batch_size: int = 32
    epochs: int = 1
    verbose: Any = "auto"
    callbacks: Iterable[Callback] = ()
    shuffle: bool | np.random.Generator = True
    class_weight: Mapping[int, float] | None = None
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validation: Callable[[Callbacks], dict[str, float]] | None = None
    validation_epochs: Callable[[int], bool] = lambda epoch: True

    def __post_init__(self) -> None:
        for name in ("batch_size", "epochs", "steps_per_epoch"):
            value = getattr(self, name)
            if value is None and name == "steps_per_epoch":
                continue
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(
                    f"`{name}` must be a whole number above 0; received {show(value)}."
                )


class _Arrays:
    """Batches of arrays, in a new order for each epoch."""

    def __init__(self, data: Data, batcher: Batcher, options: FitOptions) -> None:
        if not len(data):
            raise ValueError("there is nothing to learn from: the inputs are empty.")
        self.data, self.batcher, self.options = data, batcher, options
        self.batch_size = options.batch_size
        batcher.plan(data)
        whole = math.ceil(len(data) / options.batch_size)
        self.n_steps: int | None = min(whole, options.steps_per_epoch or whole)
        self.n_texts: int | None = min(len(data), self.n_steps * options.batch_size)

    def order(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the numbers of an epoch's examples, in the order in which they are taken."""
        n = len(self.data)
        order = rng.permutation(n) if self.options.shuffle is not False else np.arange(n)
        return order[: self.n_texts]

    def batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Return a batch of some examples."""
        return self.batcher.batch(self.data, rows)

    def epoch(self, rng: np.random.Generator) -> Iterator[Callable[[], Batch]]:
        """Yield functions that make the batches."""
        order, size = self.order(rng), self.batch_size
        for i in range(self.n_steps or 0):
            rows = order[i * size : (i + 1) * size]
            yield lambda rows=rows: self.batch(rows)  # type: ignore[misc]


class _Batches:
    """Batches from a generator, or from anything with items."""

    def __init__(self, model: Any, source: Any, batcher: Batcher, options: FitOptions) -> None:
        self.model, self.source, self.batcher, self.options = model, source, batcher, options
        self._lasting = source if hasattr(source, "__next__") else None
        if self._lasting is None and hasattr(source, "__len__") and not options.steps_per_epoch:
            self.n_steps: int | None = len(source)
        else:
            self.n_steps = options.steps_per_epoch
        self.n_texts: int | None = None

    def epoch(self, rng: np.random.Generator) -> Iterator[Callable[[], Batch]]:
        """Yield functions that make the batches."""
        items = self._lasting or self._items()
        for taken, item in enumerate(items, 1):
            data = self.model.data_of(*split_item(item), self.options.class_weight)
            self.batcher.batch_size = max(self.batcher.batch_size, len(data))
            self.batcher.plan(data, more_to_come=True)
            yield lambda data=data: self.batcher.batch(data)  # type: ignore[misc]
            if taken == self.n_steps:
                break
        if self._lasting is None and hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def _items(self) -> Iterator[Any]:
        if hasattr(self.source, "__len__") and hasattr(self.source, "__getitem__"):
            return (self.source[i] for i in range(len(self.source)))  # as Keras's Sequence
        return iter(self.source)


class _Hooks:
    """Tells callbacks and the progress line of an epoch, and stops where one of them asks to."""

    def __init__(
        self,
        model: Any,
        training: Training,
        callbacks: Callbacks,
        epoch: int,
        line: TrainingLine | None,
    ) -> None:
        self.model, self.training, self.callbacks = model, training, callbacks
        self.epoch, self.line = epoch, line
        self._shown = time.perf_counter()

    @property
    def is_stopped(self) -> bool:
        return bool(self.model.stop_training)

    @property
    def wants_progress(self) -> bool:
        return self.line is not None

    def on_batch_begin(self, number: int) -> None:
        self.callbacks.batch("begin", number, {})

    def on_batch_end(
        self, number: int, batch: Batch, loss: float, totals: Callable[[], dict[str, float]]
    ) -> None:
        self.callbacks.batch("end", number, totals() if self.callbacks.watch_batches else {})

    def on_not_finite(self, number: int, batch: Batch, loss: float) -> None:
        self.callbacks.batch("end", number, {"loss": math.nan if math.isfinite(loss) else loss})
        if not self.is_stopped:
            raise not_finite_error(self.model, self.training, loss, self.epoch, number, batch)

    def on_progress(self, n_texts: int, totals: Callable[[], dict[str, float]]) -> None:
        if self.line is not None and time.perf_counter() - self._shown > _REFRESH_SECONDS:
            self._shown = time.perf_counter()
            self.line.show(self.epoch, n_texts, totals())


def fit(model: Any, training: Training, x: Any, data: Data | None, options: FitOptions) -> History:
    """Train a model; data: checked arrays, or None where x gives batches."""
    history = History()
    size = 0 if data is None else options.batch_size
    fills = not training.objective.is_custom
    batcher = Batcher(model.graph, {}, batch_size=size, fills=fills)
    source: Any
    if data is not None:
        source = _Arrays(data, batcher, options)
    else:
        source = _Batches(model, x, batcher, options)
    params = {
        "epochs": options.epochs,
        "steps": source.n_steps,
        "verbose": options.verbose,
        "metrics": _metric_names(training, options),
    }
    callbacks = Callbacks([*options.callbacks, history], model, params)
    engine = _engine_for(training, data, watch_batches=callbacks.watch_batches)
    engine.begin()
    model.history, model.stop_training = history, False
    callbacks.call("on_train_begin", {})
    bar = options.verbose in (1, "line") or (options.verbose == "auto" and is_wanted("auto"))
    with training_line(source.n_texts, options.epochs, wanted=bar) as line:
        for epoch in range(options.initial_epoch, options.epochs):
            hooks = _Hooks(model, training, callbacks, epoch, line)
            _run_epoch(engine, source, options, hooks)
            if model.stop_training:
                break
    callbacks.call("on_train_end", {k: v[-1] for k, v in history.history.items()})
    return history


def _metric_names(training: Training, options: FitOptions) -> list[str] | None:
    """Return the names under which callbacks find metrics at the end of an epoch.

    None if there is a callback of a user's own, or one of functions, which may add some.
    """
    if any(
        isinstance(one, LambdaCallback) or not type(one).__module__.startswith("wordrow.")
        for one in options.callbacks
    ):
        return None
    names = list(training.objective.results(training.objective.init()))
    if options.validation is not None:
        names += [f"val_{name}" for name in names]
    if any(isinstance(one, LearningRateScheduler | ReduceLROnPlateau) for one in options.callbacks):
        names.append("learning_rate")
    return names


def _engine_for(training: Training, data: Data | None, *, watch_batches: bool) -> Engine:
    """Return the core's engine where it can do just what is asked, else JAX's."""
    if data is not None and not watch_batches:
        fused = fused_engine(training, data)
        if fused is not None:
            return fused
    return jax_engine(training)


def jax_engine(training: Training) -> JaxEngine:
    """Return a training's JAX engine, whose compiled steps are kept."""
    if training.jax_engine is None:
        training.jax_engine = JaxEngine(training)
    engine: JaxEngine = training.jax_engine
    return engine


def _run_epoch(engine: Engine, source: Any, options: FitOptions, hooks: _Hooks) -> None:
    began, epoch, callbacks = time.perf_counter(), hooks.epoch, hooks.callbacks
    callbacks.call("on_epoch_begin", epoch, {})
    training = hooks.training
    rng = options.shuffle
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng([training.seed, training.step])
    logs, n_texts = engine.run_epoch(source, rng, hooks)
    if not n_texts:
        raise ValueError(
            f"epoch {epoch + 1} has no batches: the generator is exhausted. Give one that goes "
            "on, with steps_per_epoch."
        )
    if hooks.line is not None:
        hooks.line.show(epoch, n_texts, logs)
    if options.validation is not None and options.validation_epochs(epoch):
        found = options.validation(callbacks)
        logs |= {f"val_{name}": number for name, number in found.items()}
    callbacks.call("on_epoch_end", epoch, logs)
    _report(options, epoch, logs, time.perf_counter() - began, hooks.line, n_texts)


def _report(
    options: FitOptions,
    epoch: int,
    logs: dict[str, float],
    seconds: float,
    line: TrainingLine | None,
    n_texts: int,
) -> None:
    text = f"epoch {epoch + 1}/{options.epochs}  {numbers_text(logs)}  {seconds:.1f} s"
    if options.verbose == "line":
        return
    if line is not None:
        line.say(text, n_texts)
    elif options.verbose:
        print(text, file=sys.stderr, flush=True)


def train_on_batch(model: Any, training: Training, data: Data) -> dict[str, float]:
    """Take one step on one batch; return its numbers."""
    engine = jax_engine(training)
    engine.begin()
    engine.reset_totals()
    batcher = Batcher(model.graph, engine.tables, batch_size=len(data))
    batcher.plan(data)
    batch = batcher.batch(data)
    loss, is_finite = engine.step(batch)
    if not is_finite:
        raise not_finite_error(model, training, loss, 0, 0, batch)
    return engine.totals()
