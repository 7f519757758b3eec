"""Raw texts in, labels out: tokenizer and model as one object, trained by the core."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.classifier import file
from wordrow.classifier.estimator import Estimator, check_params
from wordrow.classifier.labels import as_labels, class_numbers, find_classes
from wordrow.classifier.model import (
    ModelFactory,
    compile_model,
    default_epochs,
    default_model,
    falling_rate,
    inputs_for,
    table_of,
    user_model,
)
from wordrow.errors import FileFormatError, TextTypeError, show
from wordrow.nn import random
from wordrow.nn.callbacks import Callback, EarlyStopping
from wordrow.nn.family import FusedLayers, match
from wordrow.nn.model.model import Model
from wordrow.progress import is_wanted
from wordrow.text.tokenizer import Tokenizer
from wordrow.text.words import DEFAULT_FILTERS
from wordrow.types import Ragged
from wordrow.vectors.vectors import Vectors

__all__ = ["TextClassifier"]

Numbers = npt.NDArray[np.int32]


class NotFittedError(ValueError, AttributeError):
    """The classifier has not been fitted yet."""


class TextClassifier(Estimator):
    """Learns the label of a text: each word's row, the mean of the rows, one dense layer.

    Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification", with
    exact sparse Adam. It works as a scikit-learn estimator, without needing
    scikit-learn.

    dim: the length of a row. ngrams: also give rows to runs of up to this many
    words ("not good"). buckets: hash those runs to so many buckets, in place of
    keeping each (see Tokenizer). min_count: words and n-grams seen less often get no row;
    None means 1, or 2 with n-grams. num_words: keep the most frequent ones only.
    epochs: passes over the texts; None means about 1,000 steps, from 3 to 100
    passes. learning_rate: Adam's, falling in a line to zero. validation_split:
    the share of texts, drawn at random, that is held out; training then stops
    after `patience` epochs without a lower loss on it, and keeps the best rows.
    filters, lower, split: as for the Tokenizer. model: another model between ids
    and label, which needs wordrow[train]: a Sequential or Model (it is copied), or
    a function of (n_rows, n_classes) that returns one; where it is not compiled,
    it is trained with these settings, else with its own optimizer and loss. seed:
    makes a fit repeatable, bit for bit. verbose: a progress line; "auto" shows it
    on a terminal.

    >>> texts = ["a fine film", "a dull film", "fine acting", "dull acting"]
    >>> classifier = TextClassifier(seed=1).fit(texts, ["good", "bad", "good", "bad"])
    >>> classifier.predict(["a fine plot", "a dull plot"]).tolist()
    ['good', 'bad']
    """

    def __init__(
        self,
        dim: int = 16,
        ngrams: int = 1,
        buckets: int | None = None,
        min_count: int | None = None,
        num_words: int | None = None,
        epochs: int | None = None,
        batch_size: int = 64,
        learning_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        validation_split: float = 0.0,
        patience: int = 1,
        filters: str = DEFAULT_FILTERS,
        lower: bool = True,
        split: str | None = " ",
        model: Model | ModelFactory | None = None,
        seed: int | None = None,
        verbose: bool | str = "auto",
    ) -> None:
        self.dim = dim
        self.ngrams = ngrams
        self.buckets = buckets
        self.min_count = min_count
        self.num_words = num_words
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.validation_split = validation_split
        self.patience = patience
        self.filters = filters
        self.lower = lower
        self.split = split
        self.model = model
        self.seed = seed
        self.verbose = verbose

    # ---- training -------------------------------------------------------

    def fit(self, X: Any, y: Any) -> TextClassifier:
        """Learn from texts X and their labels y; whatever was learned before is forgotten.

        X: a list, an iterator or an Arrow column of strings. y: as many strings
        or numbers. Raises, before training begins, TextTypeError for a text
        that is no string (which row) and ValueError for labels that do not fit.
        """
        check_params(self.get_params())
        texts = _as_texts(X)
        rng = np.random.default_rng(self.seed)
        tokenizer = self._new_tokenizer()
        tokenizer.fit_on_texts(texts)
        if not tokenizer.document_count:
            raise ValueError("there are no texts to learn from: X is empty.")
        labels = as_labels(y, n_texts=tokenizer.document_count)
        classes = find_classes(labels)
        numbers = class_numbers(labels, classes)
        ragged = tokenizer.encode(texts)
        model = self._new_model(tokenizer, len(classes), rng)
        self.history_ = self._train(model, ragged, numbers, rng)
        self._tokenizer, self._model, self.classes_ = tokenizer, model, classes
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> TextClassifier:
        """Learn from some more texts: one pass, at the full learning rate.

        The first call counts the words of its texts and fixes the vocabulary
        and, unless `classes` lists them, the classes; later texts' other words
        have no row. After `fit` or `load` it goes on from there (a loaded
        classifier begins with fresh Adam moments).
        """
        check_params(self.get_params())
        texts = _as_texts(X)
        if hasattr(self, "_model"):
            tokenizer, known = self._tokenizer, self.classes_
        else:
            tokenizer = self._new_tokenizer()
            tokenizer.fit_on_texts(texts)
            labels = as_labels(y, n_texts=tokenizer.document_count)
            known = find_classes(labels if classes is None else as_labels(classes))
        ragged = tokenizer.encode(texts)
        numbers = class_numbers(as_labels(y, n_texts=len(ragged)), known)
        if not hasattr(self, "_model"):
            self._model = self._new_model(tokenizer, len(known), np.random.default_rng(self.seed))
            self._tokenizer, self.classes_ = tokenizer, known
        if not len(ragged):
            return self
        self.history_ = self._train_more(ragged, numbers)
        return self

    def _train(self, model: Model, ragged: Ragged, numbers: Numbers, rng: Any) -> dict[str, Any]:
        """Train a new model; return the numbers of each epoch."""
        callbacks: list[Callback] = []
        held = None
        if self.validation_split:
            ragged, numbers, (texts, labels) = self._hold_out(ragged, numbers, rng)
            held = inputs_for(model, texts), labels
            callbacks = [EarlyStopping(patience=self.patience, restore_best_weights=True)]
        epochs = self.epochs or default_epochs(len(ragged), self.batch_size)
        rate = falling_rate(self.learning_rate, epochs, len(ragged), self.batch_size)
        is_default = self.model is None
        with random.drawing_from(np.random.default_rng(self.seed) if is_default else rng):
            if model.optimizer is None or model.loss is None:
                compile_model(model, rate, self._adam)
            return model.fit(
                inputs_for(model, ragged),
                numbers,
                batch_size=self.batch_size,
                epochs=epochs,
                validation_data=held,
                callbacks=callbacks,
                shuffle=rng if is_default else True,
                verbose=self._fit_verbose,
            ).history

    def _train_more(self, ragged: Ragged, numbers: Numbers) -> dict[str, Any]:
        """Train the model that is there for one pass; return its numbers."""
        model, is_default = self._model, self.model is None
        seed = None if self.seed is None else [self.seed, model.step]
        if not is_default:
            seed = [self.seed or 0, model.step]
        rng = np.random.default_rng(seed)
        with random.drawing_from(np.random.default_rng(seed) if is_default else rng):
            if model.optimizer is None or model.loss is None:
                compile_model(model, self.learning_rate, self._adam)
            elif is_default:
                model.optimizer.learning_rate = self.learning_rate
            size = len(ragged) if not is_default and self.batch_size > len(ragged) else None
            return model.fit(
                inputs_for(model, ragged),
                numbers,
                batch_size=size or self.batch_size,
                shuffle=rng if is_default else True,
                verbose=0 if is_default else self._fit_verbose,
            ).history

    @property
    def _adam(self) -> dict[str, float]:
        """Adam's settings, for the default model; others get its defaults."""
        if self.model is not None:
            return {}
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    @property
    def _fit_verbose(self) -> Any:
        """What `verbose` is for `Model.fit`."""
        if self.model is None:
            return "line" if is_wanted(self.verbose) else 0
        return self.verbose if self.verbose == "auto" else int(bool(self.verbose))

    def _hold_out(
        self, ragged: Ragged, numbers: npt.NDArray[np.int32], rng: np.random.Generator
    ) -> tuple[Ragged, npt.NDArray[np.int32], tuple[Ragged, npt.NDArray[np.int32]]]:
        """Return the texts and labels to learn from, and those held out."""
        order = rng.permutation(len(ragged))
        n_held = int(len(ragged) * self.validation_split)
        if not 0 < n_held < len(ragged):
            raise ValueError(
                f"validation_split={self.validation_split} of {len(ragged)} texts leaves {n_held} "
                "to hold out; both parts need at least one."
            )
        held, kept = order[:n_held], order[n_held:]
        return ragged.take(kept), numbers[kept], (ragged.take(held), numbers[held])

    def _new_tokenizer(self) -> Tokenizer:
        min_count = self.min_count or (1 if self.ngrams == 1 else 2)
        return Tokenizer(
            self.num_words,
            filters=self.filters,
            lower=self.lower,
            split=self.split,
            ngrams=int(self.ngrams),
            buckets=self.buckets,
            min_count=int(min_count),
        )

    def _new_model(self, tokenizer: Tokenizer, n_classes: int, rng: np.random.Generator) -> Model:
        n_rows = tokenizer.n_ids
        if n_rows < 2:
            raise ValueError(
                "no word got a row: the texts are empty, or every word is rarer than min_count="
                f"{tokenizer.min_count} or cut off by num_words={tokenizer.num_words}."
            )
        if self.model is not None:
            return user_model(self.model, n_rows, n_classes, rng)
        return default_model(n_rows, n_classes, self.dim, rng)

    # ---- predicting -----------------------------------------------------

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Return the probability of each class: [B, n_classes], in the order of `classes_`."""
        model = self.model_
        ragged = self._tokenizer.encode(_as_texts(X))
        layers = self._fused_layers
        if layers is not None:  # the tokenizer's ids are rows of the table
            return _probabilities(layers.predict(ragged, checked=True))
        return _probabilities(model.predict(inputs_for(model, ragged), verbose=0))

    def predict_log_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Return the logarithm of each class's probability: [B, n_classes]."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @property
    def vectors(self) -> Vectors:
        """The words and their rows as they were trained for the task."""
        return self.model_.vectors(self.tokenizer)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest label of each text: [B]."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: npt.NDArray[Any] = self.classes_[best]
        return labels

    def decision_function(self, X: Any) -> npt.NDArray[np.float32]:
        """Return the scores before the softmax [B, n_classes], or before the sigmoid [B].

        A sigmoid's score above 0 means the second of the two classes. For a user-defined
        model, the logarithms of the probabilities, or of their ratio.
        """
        if _mean_layers(self.model_) is None:
            logs = np.log(np.maximum(self.predict_proba(X), 1e-37))
            return logs[:, 1] - logs[:, 0] if len(self.classes_) == 2 else logs
        hidden = self.pooled(X)
        weights = self.model_.layers[-1].read_weights()
        scores: npt.NDArray[np.float32] = hidden @ weights["kernel"] + weights["bias"]
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def pooled(self, X: Any) -> npt.NDArray[np.float32]:
        """Return the mean row of each text: [B, dim].

        Raises ValueError for a user-defined model, which may have none.
        """
        layers = _mean_layers(self.model_)
        if layers is None:
            raise ValueError(
                "only a classifier of Embedding, mean and Dense has a mean row a text."
            )
        mean: npt.NDArray[np.float32] = layers.pool(self._tokenizer.encode(_as_texts(X)))
        return mean

    def score(self, X: Any, y: Any) -> float:
        """Return the share of texts whose predicted label is right."""
        predicted = self.predict(X)
        labels = as_labels(y, n_texts=len(predicted))
        if not len(labels):
            raise ValueError("there are no texts to score: X is empty.")
        return float((predicted == labels).mean())

    @property
    def model_(self) -> Model:
        """The fitted model: Embedding, GlobalAveragePooling1D and Dense, or a user-defined one."""
        self._require_fitted()
        return self._model

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer whose ids are the rows of the model's table."""
        self._require_fitted()
        return self._tokenizer

    @property
    def table_shape(self) -> tuple[int, int]:
        """The number of rows, the padding's included, and their length: (V, D)."""
        embedding = table_of(self.model_)
        return embedding.input_dim, embedding.output_dim

    @property
    def _fused_layers(self) -> FusedLayers | None:
        """The layers of a model that is Embedding, mean and Dense, looked at once."""
        seen: tuple[Model | None, FusedLayers | None] = vars(self).get("_seen", (None, None))
        if seen[0] is not self._model:
            seen = self._seen = (self._model, _mean_layers(self._model))
        return seen[1]

    def _require_fitted(self) -> None:
        if not hasattr(self, "_model"):
            raise NotFittedError(
                "this TextClassifier is not fitted yet: call fit(texts, labels) first."
            )

    # ---- saving ---------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write tokenizer, rows and settings to one safetensors file."""
        self._require_fitted()
        file.write(path, self._parts())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TextClassifier:
        """Return the classifier that `save` wrote.

        Raises FileFormatError for a damaged or foreign file, or a table that
        does not belong to the vocabulary beside it.
        """
        return cls._from_parts(*file.read(path))

    def _parts(self) -> file.Parts:
        return file.parts_of(self.get_params(), self.tokenizer, self.model_, self.classes_)

    @classmethod
    def _from_parts(cls, parts: file.Parts, name: str) -> TextClassifier:
        params, tokenizer, model, classes = file.unpacked(parts, name)
        try:
            classifier = cls(**params)
        except TypeError as error:
            raise FileFormatError(
                f"{name}: the classifier in it does not fit together: {error!r}"
            ) from error
        classifier._tokenizer, classifier._model, classifier.classes_ = tokenizer, model, classes
        return classifier

    def __getstate__(self) -> dict[str, Any]:
        fitted = file.to_bytes(self._parts()) if hasattr(self, "_model") else None
        return {"params": self.get_params(), "fitted": fitted}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state["params"])  # type: ignore[misc]
        if state["fitted"] is not None:
            vars(self).update(vars(self._from_parts(*file.from_bytes(state["fitted"]))))


def _mean_layers(model: Model) -> FusedLayers | None:
    """Return the layers of a model that is Embedding, mean and Dense, else None."""
    layers = match(model.graph)
    return layers if layers is not None and layers.has_mean else None


_SIGNS = np.array([-1, 1], np.float32)
_FIRST = np.array([1, 0], np.float32)


def _probabilities(outputs: Any) -> npt.NDArray[np.float32]:
    """Return [B, n_classes]; a sigmoid's one column is the second of two classes."""
    if outputs.shape[1] > 1:
        probabilities: npt.NDArray[np.float32] = outputs
        return probabilities
    both: npt.NDArray[np.float32] = outputs * _SIGNS + _FIRST  # faster for one text than joining
    return both


def _as_texts(X: Any) -> Any:
    """Return X as something that can be read twice.

    Raises TextTypeError for a single string, which would be read letter by letter.
    """
    if type(X) is list:  # the others take longer to tell apart
        return X
    if isinstance(X, str | bytes):
        raise TextTypeError(f"X must be a list of texts; received one text, {show(X)}. Use [text].")
    return X if isinstance(X, Sequence) or hasattr(X, "__len__") else list(X)
