"""The epochs of a training: batches in, numbers out, callbacks told."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.bag_epoch import BagEpochs
from wordrow.nn.callbacks import Callback, Callbacks, History
from wordrow.nn.columns import Data, label_columns, split_item, weight_columns
from wordrow.nn.feed import Batch, Feed, ahead
from wordrow.nn.trainer import Trainer
from wordrow.progress import TrainingLine, is_wanted, numbers_text, training_line

if TYPE_CHECKING:
    from wordrow.nn.model import Model

__all__ = ["Plan", "data_of", "fit", "train_on_batch"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long to train, on what, and who looks on; the arguments of `Model.fit`."""

    batch_size: int = 32
    epochs: int = 1
    verbose: Any = "auto"
    callbacks: Iterable[Callback] = ()
    shuffle: bool = True
    class_weight: Mapping[int, float] | None = None
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validation: Callable[[], dict[str, float]] | None = None
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


def data_of(
    model: Model, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Data:
    """Return checked examples: inputs, labels in the shape that the losses take, weights.

    Raises ValueError, before anything runs, for what does not fit the model.
    """
    inputs = model.inputs_of(x)
    model.check_ids(inputs)
    if y is None:
        raise ValueError("there are no labels: give y, or batches of (x, y).")
    n = len(inputs[0])
    names = model.output_names
    labels = label_columns(y, names, n)
    weights = weight_columns(sample_weight, names, n)
    data = Data(inputs=inputs, labels=labels, weights=weights)
    fitted = model.objective.check(data, model.output_shapes)
    if class_weight is not None:
        weights = [_class_weights(class_weight, labels, weights)]
    return Data(inputs=inputs, labels=fitted, weights=weights)


def _class_weights(given: Mapping[int, float], labels: Any, weights: Any) -> Any:
    """Return sample weights that count each example as its class does."""
    if len(labels) != 1:
        raise ValueError("`class_weight` is for models with one output; use sample_weight.")
    y = labels[0]
    if y.ndim > 1:
        y = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0]
    table = {int(k): float(v) for k, v in given.items()}
    classes, where = np.unique(y.astype(np.int64), return_inverse=True)
    share = np.array([table.get(int(k), 1.0) for k in classes], np.float32)[where.reshape(y.shape)]
    return share if weights[0] is None else share * weights[0]


class _Arrays:
    """Batches of arrays, in a new order for each epoch."""

    def __init__(self, data: Data, feed: Feed, plan: Plan) -> None:
        if not len(data):
            raise ValueError("there is nothing to learn from: the inputs are empty.")
        self.data, self.feed, self.plan = data, feed, plan
        feed.plan(data)
        whole = math.ceil(len(data) / plan.batch_size)
        self.n_steps: int | None = min(whole, plan.steps_per_epoch or whole)
        self.n_texts: int | None = min(len(data), self.n_steps * plan.batch_size)

    def order(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the numbers of an epoch's examples, in the order they are learned from."""
        n = len(self.data)
        order = rng.permutation(n) if self.plan.shuffle else np.arange(n)
        return order[: self.n_texts]

    def epoch(self, rng: np.random.Generator) -> Iterator[Callable[[], Batch]]:
        order, size = self.order(rng), self.plan.batch_size
        for i in range(self.n_steps or 0):
            rows = order[i * size : (i + 1) * size]
            yield lambda rows=rows: self.feed.batch(self.data, rows)  # type: ignore[misc]


class _Batches:
    """Batches that a generator gives, or anything with items."""

    def __init__(self, model: Model, source: Any, feed: Feed, plan: Plan) -> None:
        self.model, self.source, self.feed, self.plan = model, source, feed, plan
        self._lasting = source if hasattr(source, "__next__") else None
        if self._lasting is None and hasattr(source, "__len__") and not plan.steps_per_epoch:
            self.n_steps: int | None = len(source)
        else:
            self.n_steps = plan.steps_per_epoch
        self.n_texts: int | None = None

    def epoch(self, rng: np.random.Generator) -> Iterator[Callable[[], Batch]]:
        items = self._lasting or self._items()
        for taken, item in enumerate(items, 1):
            data = data_of(self.model, *split_item(item), self.plan.class_weight)
            self.feed.batch_size = max(self.feed.batch_size, len(data))
            self.feed.plan(data, more_to_come=True)
            yield lambda data=data: self.feed.batch(data)  # type: ignore[misc]
            if taken == self.n_steps:
                break
        if self._lasting is None and hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def _items(self) -> Iterator[Any]:
        if hasattr(self.source, "__len__") and hasattr(self.source, "__getitem__"):
            return (self.source[i] for i in range(len(self.source)))  # as Keras's Sequence
        return iter(self.source)


def fit(model: Model, trainer: Trainer, x: Any, data: Data | None, plan: Plan) -> History:
    """Train a model; data: checked arrays, or None where x gives batches."""
    core = None if data is None or not len(data) else BagEpochs.of(trainer, data)
    feed = Feed(model.graph, trainer.rows, batch_size=0 if data is None else plan.batch_size)
    if data is not None:
        source: _Arrays | _Batches = _Arrays(data, feed, plan)
    else:
        source = _Batches(model, x, feed, plan)
    history = History()
    params = {"epochs": plan.epochs, "steps": source.n_steps, "verbose": plan.verbose}
    callbacks = Callbacks([*plan.callbacks, history], model, params)
    if callbacks.watch_batches:
        core = None
    if core is None:
        trainer.begin()
    model.history, model.stop_training = history, False
    callbacks.call("on_train_begin", {})
    bar = plan.verbose == 1 or (plan.verbose == "auto" and is_wanted("auto"))
    with training_line(source.n_texts, plan.epochs, wanted=bar) as line:
        for epoch in range(plan.initial_epoch, plan.epochs):
            _epoch(model, trainer, source, plan, callbacks, epoch, line, core)
            if model.stop_training:
                break
    callbacks.call("on_train_end", {k: v[-1] for k, v in history.history.items()})
    return history


def _epoch(
    model: Model, trainer: Trainer, source: _Arrays | _Batches, plan: Plan, callbacks: Callbacks,
    epoch: int, line: TrainingLine | None, core: BagEpochs | None,
) -> None:  # fmt: skip
    began = time.perf_counter()
    callbacks.call("on_epoch_begin", epoch, {})
    rng = np.random.default_rng([trainer.seed, trainer.step])
    if core is not None and isinstance(source, _Arrays):
        logs, n_seen = _core_steps(model, trainer, source, core, epoch, line, rng)
    else:
        logs, n_seen = _steps(model, trainer, source, callbacks, epoch, line, rng)
    if line is not None:
        line.show(epoch, n_seen, logs)
    if plan.validation is not None and plan.validation_epochs(epoch):
        callbacks.call("on_test_begin", {})
        found = plan.validation()
        callbacks.call("on_test_end", found)
        logs |= {f"val_{name}": number for name, number in found.items()}
    callbacks.call("on_epoch_end", epoch, logs)
    _say(plan, epoch, logs, time.perf_counter() - began, line, n_seen)


def _core_steps(
    model: Model, trainer: Trainer, source: _Arrays, core: BagEpochs, epoch: int,
    line: TrainingLine | None, rng: np.random.Generator,
) -> tuple[dict[str, float], int]:  # fmt: skip
    """Take an epoch's steps in the core; return (its numbers, texts seen)."""
    trainer.release()
    order, first = source.order(rng), trainer.step
    show = None if line is None else lambda n, logs: line.show(epoch, n, logs)
    size = source.plan.batch_size
    logs, is_finite = core.run(order, size, show)
    if not is_finite:
        number = trainer.step - first
        batch = source.feed.batch(source.data, order[number * size : (number + 1) * size])
        raise _not_finite(trainer, math.nan, epoch, number, _where(model, batch))
    return logs, len(order)


def _steps(
    model: Model, trainer: Trainer, source: _Arrays | _Batches, callbacks: Callbacks, epoch: int,
    line: TrainingLine | None, rng: np.random.Generator,
) -> tuple[dict[str, float], int]:  # fmt: skip
    """Take an epoch's steps, one compiled step a batch; return (its numbers, texts seen)."""
    trainer.begin()
    source.feed.rows = trainer.rows  # what is trainable may have changed
    trainer.reset_totals()
    n_seen, n_batches, shown = 0, 0, time.perf_counter()
    with contextlib.closing(ahead(source.epoch(rng))) as batches:
        for number, batch in enumerate(batches):
            callbacks.batch("begin", number, {})
            trainer.resume()  # a callback may have set weights
            loss, fine = trainer.take_step(batch)
            n_seen, n_batches = n_seen + batch.n, n_batches + 1
            logs = trainer.totals() if callbacks.watch_batches else {}
            if not fine:
                logs = logs | {"loss": loss if not math.isfinite(loss) else math.nan}
            callbacks.batch("end", number, logs)
            if not fine and not model.stop_training:
                raise _not_finite(trainer, loss, epoch, number, _where(model, batch))
            if line is not None and time.perf_counter() - shown > 0.1:
                shown = time.perf_counter()
                line.show(epoch, n_seen, trainer.totals())
            if model.stop_training:
                break
    if not n_batches:
        raise ValueError(
            f"epoch {epoch + 1} has no batches: the generator is at its end. Give one that goes "
            "on, with steps_per_epoch."
        )
    trainer.settle()
    return trainer.totals(), n_seen


def _say(
    plan: Plan,
    epoch: int,
    logs: dict[str, float],
    seconds: float,
    line: TrainingLine | None,
    n: int,
) -> None:
    text = f"epoch {epoch + 1}/{plan.epochs}  {numbers_text(logs)}  {seconds:.1f} s"
    if line is not None:
        line.say(text, n)
    elif plan.verbose:
        print(text, file=sys.stderr, flush=True)


def _where(model: Model, batch: Batch) -> str:
    """Return which layer is the first to put out what is not finite, for a batch."""
    found: list[str] = []

    def watch(layer: Any, outputs: Any) -> None:
        first = ops.laid_out(outputs[0] if isinstance(outputs, list) else outputs)
        if not found and not np.isfinite(first).all():
            kind, shape = type(layer).__name__, (None, *np.shape(first)[1:])
            found.append(
                f"the first outputs that are not finite are those of {kind} ({layer.name!r}), of "
                f"the shape {shape}"
            )

    with np.errstate(all="ignore"):
        model.graph.apply(
            model._weights(), model._state(), batch.inputs, batch.masks, training=False, rng=None,
            watch=watch,
        )  # fmt: skip
    shapes = dict(zip(model.output_names, model.output_shapes, strict=True))
    return found[0] if found else f"the outputs {shapes} themselves are finite"


def _not_finite(
    trainer: Trainer, loss: float, epoch: int, batch: int, where: str = ""
) -> ValueError:
    what = f"the loss became {loss}" if not math.isfinite(loss) else "a gradient was not finite"
    return ValueError(
        f"{what} in epoch {epoch + 1}, batch {batch + 1} (step {trainer.step + 1}): training has "
        f"stopped, and the weights are those from before it{where and '; '}{where}. Use a smaller "
        f"learning rate than {trainer.optimizer.rate(trainer.step):g}, bound the gradients with "
        "clipnorm=1.0, and look at that batch's inputs and labels."
    )


def train_on_batch(model: Model, trainer: Trainer, data: Data) -> dict[str, float]:
    """Take one step on one batch; return its numbers."""
    trainer.begin()
    trainer.reset_totals()
    feed = Feed(model.graph, trainer.rows, batch_size=len(data))
    feed.plan(data)
    batch = feed.batch(data)
    loss, fine = trainer.take_step(batch)
    if not fine:
        raise _not_finite(trainer, loss, 0, 0, _where(model, batch))
    return trainer.totals()
