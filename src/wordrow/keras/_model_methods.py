"""The methods that Keras has, or had, on its models beside wordrow's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import wordrow
from wordrow.keras._alias import Alias
from wordrow.keras._families import OPTIMIZERS
from wordrow.keras._files import load_weights
from wordrow.keras._old_training import Logs, rename_monitors, rename_options, with_batch_size
from wordrow.store import to_json

__all__ = ["KerasMethods"]


def _optimizer(given: Any) -> Any:
    """Return an optimizer given by its name or class, with its version's defaults."""
    if isinstance(given, str):
        known = {name.lower(): alias for name, alias in OPTIMIZERS.items()}
        given = known.get(given.lower(), given)
    return given() if isinstance(given, Alias) else given


class KerasMethods:
    """A mixin for wordrow's models, before them in the order of bases."""

    def compile(
        self: Any,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        **options: Any,
    ) -> None:
        """See wordrow.Model.compile; older options without effect are accepted."""
        for ignored in ("class_mode", "sample_weight_mode", "target_tensors", "distribute"):
            options.pop(ignored, None)
        optimizer = _optimizer(optimizer)
        super().compile(optimizer, loss, metrics, loss_weights, **options)  # type: ignore[misc]

    def fit(
        self: Any, x: Any = None, y: Any = None, batch_size: int | None = None, **options: Any
    ) -> Any:
        """See wordrow.Model.fit; nb_epoch is epochs."""
        options = rename_options(options)
        if callbacks := options.get("callbacks"):
            rename_monitors(callbacks, self._metric_names())
        history = super().fit(x, y, batch_size, **options)  # type: ignore[misc]
        history.history = Logs(history.history)
        return history

    @property
    def losses(self) -> list[Any]:
        """No tensors: penalties are part of the compiled step."""
        return []

    updates = losses

    def to_yaml(self, **options: Any) -> str:
        """Raise RuntimeError, as Keras does since loading YAML could run code."""
        raise RuntimeError("to_yaml is no more, since loading YAML can run code. Use to_json().")

    def logs_of(self, logs: Mapping[str, Any]) -> Logs:
        """Return metrics as callbacks are given them."""
        return Logs(logs)

    def _metric_names(self: Any) -> list[str]:
        try:
            return list(self.metrics_names)
        except ValueError:
            return []

    def fit_generator(
        self: Any,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        **options: Any,
    ) -> Any:
        """Train on batches from a generator; Keras 1 gave their number as samples_per_epoch."""
        n_samples = options.get("samples_per_epoch")
        n_validation_samples = options.pop("nb_val_samples", None)
        options = rename_options(options)
        epochs = options.pop("epochs", epochs)
        if n_samples is not None and steps_per_epoch is None:
            generator, batch_size = with_batch_size(generator)
            steps_per_epoch = -(-int(n_samples) // batch_size)
        if n_validation_samples is not None and hasattr(validation_data, "__next__"):
            validation_data, batch_size = with_batch_size(validation_data)
            validation_steps = -(-int(n_validation_samples) // batch_size)
        return self.fit(
            generator,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=validation_steps,
            **options,
        )

    def evaluate(self: Any, x: Any = None, y: Any = None, *args: Any, **options: Any) -> Any:
        """See wordrow.Model.evaluate."""
        return super().evaluate(x, y, *args, **rename_options(options))  # type: ignore[misc]

    def evaluate_generator(
        self: Any,
        generator: Iterator[Any],
        steps: int | None = None,
        *_: Any,
        verbose: Any = 0,
        **options: Any,
    ) -> Any:
        """Evaluate on batches from a generator."""
        return self.evaluate(generator, steps=steps or options.get("val_samples"), verbose=verbose)

    def predict(
        self: Any, x: Any, batch_size: int | None = None, *args: Any, **options: Any
    ) -> Any:
        """See wordrow.Model.predict."""
        options = rename_options(options)
        return super().predict(x, batch_size, *args, **options)  # type: ignore[misc]

    def predict_generator(
        self: Any, generator: Iterator[Any], steps: int | None = None, *_: Any, **options: Any
    ) -> Any:
        """Predict for batches from a generator."""
        return self.predict(generator, steps=steps or options.get("val_samples"), verbose=0)

    def predict_proba(self: Any, x: Any, batch_size: int = 32, verbose: Any = 0) -> Any:
        """Return what `predict` does."""
        return self.predict(x, batch_size, verbose=verbose)

    def predict_classes(
        self: Any, x: Any, batch_size: int = 32, verbose: Any = 0
    ) -> npt.NDArray[np.integer[Any]]:
        """Return the most probable class of each text; for a single sigmoid [B, 1] of 0 and 1."""
        probabilities = self.predict(x, batch_size, verbose=verbose)
        if probabilities.shape[-1] > 1:
            classes: npt.NDArray[np.integer[Any]] = probabilities.argmax(axis=-1)
            return classes
        return np.asarray(probabilities > 0.5, "int32")

    def to_json(self: Any, **options: Any) -> str:
        """Return the model without its weights as JSON, for `model_from_json`."""
        entry = {
            "class_name": type(self).__name__,
            "config": self.get_config(),
            "wordrow_version": wordrow.__version__,
        }
        return to_json(entry, **options)

    def load_weights(
        self: Any,
        filepath: Any,
        skip_mismatch: bool = False,
        by_name: bool = False,
        **options: Any,
    ) -> None:
        """See wordrow.Model.load_weights; by_name loads only layers with equal names."""
        if by_name or skip_mismatch:
            load_weights(self, filepath, by_name=True, skip_mismatch=skip_mismatch)
        else:
            super().load_weights(filepath)  # type: ignore[misc]

    def reset_metrics(self) -> None:
        """Do nothing: each epoch and evaluation starts with fresh metrics."""
