"""The Keras-shaped shell over a graph: it holds weights, names and settings."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wordrow.errors import show
from wordrow.nn import random
from wordrow.nn.callbacks import Callbacks, History
from wordrow.nn.data.examples import class_weights
from wordrow.nn.data.inputs import (
    Data,
    check_batches,
    check_columns,
    is_batches,
    label_columns,
    split_item,
    weight_columns,
)
from wordrow.nn.inference.evaluate import evaluate
from wordrow.nn.inference.predict import predict
from wordrow.nn.model.formats import model_from_bytes
from wordrow.nn.model.network import Network
from wordrow.nn.model.saving import (
    graph_config,
    load_weights,
    model_to_bytes,
    save_model,
    save_weights,
)
from wordrow.nn.model.summary import summary_html, summary_text
from wordrow.nn.model.vocabulary import grow_table, vectors_of
from wordrow.nn.optimizers import OPTIMIZERS, Optimizer
from wordrow.nn.train.loop import FitOptions, fit, train_on_batch
from wordrow.nn.train.objective import Objective, objective_of
from wordrow.nn.train.training import Training
from wordrow.vectors.coverage import Case, Missing
from wordrow.vectors.vectors import Vectors

__all__ = ["Model"]

# Keras's options for how to compute, which change nothing here.
_IGNORED = ("run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss")


class Model(Network):
    """Layers joined to a graph, from inputs to outputs.

    inputs, outputs: an Input and what layers gave when they were called on it, or
    lists or dicts of them. Layers may be used several times: they have one set
    of weights.

    >>> from wordrow import Dense, Embedding, GlobalAveragePooling1D, Input
    >>> ids = Input((6,))
    >>> rows = Embedding(10, 3, mask_zero=True)(ids)
    >>> model = Model(ids, Dense(1)(GlobalAveragePooling1D()(rows)))
    >>> model.predict([[0, 0, 1, 2, 3, 4]]).shape
    (1, 1)
    """

    def _begin(self, name: str | None, kind: str = "model") -> None:
        super()._begin(name, kind)
        self.optimizer: Any = None
        self.loss: Any = None
        self.loss_weights: Any = None
        self.compiled_metrics: tuple[Any, Any] = (None, None)
        self.stop_training = False
        self.history: History | None = None
        self._objective: Objective | None = None
        self._training: Training | None = None
        self.seed = 0  # of all that is random in training

    def data_of(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Data:
        """Return checked examples: inputs, labels in the shape that the losses take, weights.

        Raises ValueError, before anything runs, for what does not fit the model.
        """
        inputs = self.inputs_of(x)
        check_columns(self.graph, inputs)
        if y is None:
            raise ValueError("there are no labels: give y, or batches of (x, y).")
        n, names = len(inputs[0]), self.output_names
        labels = label_columns(y, names, n)
        weights = weight_columns(sample_weight, names, n)
        data = Data(inputs=inputs, labels=labels, weights=weights)
        fitted = self.objective.check(data, self.output_shapes)
        if class_weight is not None:
            weights = [class_weights(class_weight, labels, weights, self.output_shapes)]
        return Data(inputs=inputs, labels=fitted, weights=weights)

    # ---- predicting -----------------------------------------------------

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for inputs [B, ...], as NumPy; a list for several outputs.

        x: an array or equal lists of ids, `Padded` (its mask counts), or
        `Ragged` (texts of any length); for several inputs a list or a dict of
        them; or batches from a generator. batch_size bounds the memory in use.

        Raises ValueError, before anything runs, for an id that is not in the
        table (which text, which position) and for inputs of another shape.
        """
        listeners = Callbacks(callbacks or (), self, {})
        listeners.call("on_predict_begin", {})
        hooks = listeners.inference_hooks("predict")
        if is_batches(x):
            found = []
            for taken, item in enumerate(x, 1):
                columns = self.inputs_of(split_item(item)[0])
                found.append(predict(self, columns, batch_size=len(columns[0]), hooks=hooks))
                if taken == steps:
                    break
            outputs = [np.concatenate(parts) for parts in zip(*found, strict=True)]
        else:
            columns = self.inputs_of(x)
            outputs = predict(self, columns, batch_size=batch_size, verbose=verbose, hooks=hooks)
        listeners.call("on_predict_end", {})
        return self._packed(outputs)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        return self._packed(predict(self, self.inputs_of(x)))

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss, or [loss, metrics...], over examples; by name with return_dict."""
        found = self._evaluated(x, y, sample_weight, batch_size, steps, callbacks, verbose)
        return found if return_dict else _listed(found)

    def _evaluated(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        steps: int | None,
        callbacks: Any = None,
        verbose: Any = 0,
    ) -> dict[str, float]:
        listeners = callbacks
        if not isinstance(callbacks, Callbacks):
            listeners = Callbacks(callbacks or (), self, {})
        listeners.call("on_test_begin", {})
        hooks = listeners.inference_hooks("test")
        if is_batches(x):
            check_batches(y, sample_weight)
        x = self._built_for(x)
        items = x if is_batches(x) else [(x, y, sample_weight)]
        if self._graph is None:
            self.inputs_of(x)  # which builds it
        totals = self.objective.init()
        for taken, item in enumerate(items, 1):
            data = self.data_of(*split_item(item))
            if steps is not None and not is_batches(x):
                data = data.take(slice(0, steps * (batch_size or 32)))
            totals = evaluate(
                self, data, totals, batch_size=batch_size or 32, verbose=verbose, hooks=hooks
            )
            if taken == steps:
                break
        found = self.objective.results(totals)
        listeners.call("on_test_end", found)
        return found

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and metrics of one batch."""
        n = len(self.inputs_of(x)[0])
        return self.evaluate(x, y, n, 0, sample_weight, return_dict=return_dict)

    # ---- training -------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        **options: Any,
    ) -> None:
        """Say how to train: names or objects; the optimizer begins anew.

        loss, metrics, loss_weights: for several outputs also a list or a dict by
        output name. `run_eagerly`, `steps_per_execution`, `jit_compile` and
        `auto_scale_loss` are taken, and change nothing.

        Raises TypeError for an option that Keras does not have, ValueError for an
        unknown name.
        """
        if unknown := sorted(set(options) - set(_IGNORED)):
            raise TypeError(
                f"compile has no option {unknown}; it has optimizer, loss, metrics, "
                f"loss_weights, weighted_metrics and {', '.join(_IGNORED)}."
            )
        if isinstance(optimizer, str):
            optimizer = optimizer if optimizer in OPTIMIZERS.classes else optimizer.lower()
        made = OPTIMIZERS.get(optimizer)
        if not isinstance(made, Optimizer):
            raise TypeError(
                f"`optimizer` must be one of {sorted(OPTIMIZERS.classes)} or an object of these; "
                f"received {show(optimizer)}."
            )
        self._end_training()
        self._objective = None
        self.optimizer, self.loss, self.loss_weights = made, loss, loss_weights
        self.compiled_metrics = metrics, weighted_metrics
        self.seed = int(random.generator().integers(2**32))
        if self._graph is not None and loss is not None:
            self._objective = self._new_objective()

    def _repr_html_(self) -> str:
        return summary_html(self)

    def _new_objective(self) -> Objective:
        plain, weighted = self.compiled_metrics
        return objective_of(
            self.graph,
            self.output_names,
            loss=self.loss,
            metrics=plain,
            weighted_metrics=weighted,
            loss_weights=self.loss_weights,
        )

    @property
    def objective(self) -> Objective:
        """The loss and metrics, made to fit the outputs.

        Raises ValueError before `compile`.
        """
        if self.optimizer is None:
            raise ValueError(
                f"{self.name!r} is not compiled yet: compile('adam', 'binary_crossentropy') first."
            )
        if self._objective is None:
            self._objective = self._new_objective()
        return self._objective

    @property
    def metrics(self) -> list[Any]:
        """The metrics that `compile` was given."""
        plain = self.compiled_metrics[0]
        return list(plain) if isinstance(plain, list | tuple) else [] if plain is None else [plain]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns; none before `compile`."""
        if self.optimizer is None:
            return []
        return list(self.objective.results(self.objective.init()))

    @property
    def training(self) -> Training:
        """The optimizer's run on this model, begun when it is first needed."""
        if self._training is None:
            self._training = Training(self.graph, self.optimizer, self.objective, self.seed)
        return self._training

    @training.setter
    def training(self, training: Training) -> None:
        """Go on with a run that was saved."""
        self._training = training

    def _end_training(self) -> None:
        """Bring the weights up to date, and forget the optimizer's run."""
        if self._training is not None:
            self._training.end()
        self._training = None

    @property
    def step(self) -> int:
        """The number of training steps taken since `compile`."""
        return 0 if self._training is None else self._training.step

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | np.random.Generator = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train, and return the numbers of each epoch as a History.

        x: an array, equal lists of ids, `Padded` or `Ragged`; for several inputs a
        list or a dict of them; or batches (x, y) or (x, y, sample_weight) from a
        generator, or from anything with items. batch_size: 32 unless given.
        epochs: the number of the last epoch; initial_epoch: of epochs done before.
        validation_split: the share of examples, the last ones, to evaluate each
        epoch on instead of learning from them; validation_data: (x, y) or (x, y,
        sample_weight), or batches of them. shuffle: whether each epoch takes the examples in
        another order, or a NumPy generator that draws it. class_weight: class -> how much its
        examples count. verbose: "auto" is a progress line on a terminal, and a
        line an epoch elsewhere; 1, 2 and 0 are the one, the other and none.

        The same seed (`set_random_seed`) and number of threads give the same bits.

        Raises ValueError, before training begins, for inputs or labels that do not
        fit; and where the loss stops being finite (which step), with the weights
        from before. MissingExtraError where JAX is not installed.
        """
        validation_freq = (
            validation_freq if isinstance(validation_freq, Sequence) else int(validation_freq)
        )
        data = None
        x = self._built_for(x)
        if not is_batches(x):
            data = self.data_of(x, y, sample_weight, class_weight)
            if validation_split and validation_data is None:
                data, validation_data = self._split(x, y, sample_weight, data, validation_split)
        elif validation_split:
            raise ValueError("`validation_split` needs arrays; give validation_data.")
        else:
            check_batches(y, sample_weight)
        validate = None
        if validation_data is not None:
            size, held = validation_batch_size or batch_size or 32, None
            if not is_batches(validation_data):  # checked before training begins
                held = self.data_of(*split_item(tuple(validation_data)))
                if validation_steps is not None:
                    held = held.take(slice(0, validation_steps * size))

            def validate(listeners: Callbacks) -> dict[str, float]:
                if held is None:
                    return self._evaluated(
                        validation_data, None, None, size, validation_steps, listeners
                    )
                listeners.call("on_test_begin", {})
                hooks, totals = listeners.inference_hooks("test"), self.objective.init()
                totals = evaluate(self, held, totals, batch_size=size, hooks=hooks)
                found = self.objective.results(totals)
                listeners.call("on_test_end", found)
                return found

        options = FitOptions(
            batch_size=32 if batch_size is None else batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=[callbacks] if hasattr(callbacks, "on_epoch_end") else callbacks or (),
            shuffle=shuffle if isinstance(shuffle, np.random.Generator) else bool(shuffle),
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation=validate,
            validation_epochs=lambda epoch: (
                (epoch + 1) in validation_freq
                if isinstance(validation_freq, Sequence)
                else (epoch + 1) % validation_freq == 0
            ),
        )
        return fit(self, self.training, x, data, options)

    def _built_for(self, batches: Any) -> Any:
        """Build a model for the first of some batches, if it needs to; return all of them."""
        if self._graph is not None or not is_batches(batches):
            return batches
        first = next(iter(batches), None)
        if first is None:
            raise ValueError("there is nothing to learn from: there are no batches.")
        self.inputs_of(split_item(first)[0])
        return itertools.chain([first], batches) if hasattr(batches, "__next__") else batches

    def _split(self, x: Any, y: Any, sample_weight: Any, data: Any, share: float) -> Any:
        """Return (the first examples, (x, y, weights) of the last ones)."""
        n = len(data)
        first = int(n * (1 - share))
        if not 0 < share < 1 or not 0 < first < n:
            raise ValueError(
                f"validation_split={share} of {n} examples leaves {first} to learn from and "
                f"{n - first} to look at; both must be at least one."
            )
        plain = self.data_of(x, y, sample_weight).take(slice(first, n))
        one = len(plain.inputs) == 1, len(plain.labels) == 1
        held = (
            plain.inputs[0] if one[0] else plain.inputs,
            plain.labels[0] if one[1] else plain.labels,
            plain.weights[0] if one[1] else plain.weights,
        )
        return data.take(slice(0, first)), held

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step on one batch; return its loss and metrics, from before the step."""
        data = self.data_of(x, y, sample_weight, class_weight)
        found = train_on_batch(self, self.training, data)
        return found if return_dict else _listed(found)

    def reset_states(self) -> None:
        """Begin the next batch of stateful layers with zeros."""
        for layer in self._layers:
            if hasattr(layer, "reset_states"):
                layer.reset_states()

    # ---- words ----------------------------------------------------------

    def vectors(self, tokenizer: Any, layer: str | None = None) -> Vectors:
        """Return the words of a tokenizer with their rows as they are now: the trained table.

        layer: the name of the Embedding, where there are several.
        """
        return vectors_of(self, tokenizer, layer)

    def grow_vocabulary(
        self,
        tokenizer: Any,
        vectors: Vectors | None = None,
        missing: Missing = "uniform",
        case: Case = "exact",
        layer: str | None = None,
    ) -> int:
        """Add a row for each id that `tokenizer.grow` has added; return how many these are.

        All that was learned stays, the optimizer's state too. New rows are those that
        `vectors` have for the new words; missing and case say, as in
        `Embedding.from_vectors`, what others begin with. So words that training never
        met can be given their pretrained rows, or those of their sub-words, to predict with.

        Raises ValueError where rows are not of one length, or the layer is not named.
        """
        return grow_table(self, tokenizer, vectors, missing, case, layer)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of weights, as Keras does.

        expand_nested: the layers of models inside as well. layer_range: the names of
        the first and the last layer to show. `positions` is taken, and changes nothing.
        """
        text = summary_text(
            self,
            line_length=line_length,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )
        (print_fn or print)(text)

    # ---- saving ---------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the name, the layers and their calls as JSON-able values."""
        return {"name": self.name, **graph_config(self)}

    def save(self, path: str | os.PathLike[str], overwrite: bool = True, **options: Any) -> None:
        """Write the model to one safetensors file, with the optimizer's state; see `load_model`.

        Raises FileExistsError where `overwrite` is False and the file is there.
        """
        include = options.pop("include_optimizer", True)
        save_model(self, path, overwrite=overwrite, include_optimizer=bool(include))

    def save_weights(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights alone to one safetensors file; `load_weights` reads it."""
        save_weights(self, path, overwrite=overwrite)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take the weights of a file that `save_weights`, or `save`, wrote.

        Raises FileFormatError where they are not of this model's shapes.
        """
        load_weights(self, path)

    def __reduce__(self) -> Any:
        return model_from_bytes, (model_to_bytes(self),)


def _listed(found: dict[str, float]) -> Any:
    """Return the numbers of an evaluation as Keras does: one alone, or a list."""
    numbers = list(found.values())
    return numbers[0] if len(numbers) == 1 else numbers
