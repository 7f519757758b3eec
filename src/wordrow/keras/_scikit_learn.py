"""Keras 1's and 2's scikit-learn wrappers: a model-building function as an estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import wordrow
from wordrow.errors import show

__all__ = ["KerasClassifier", "KerasRegressor"]


_METHODS = ("fit", "predict", "evaluate")


class _Wrapper:
    """build_fn returns a compiled model; other arguments go to it, to `fit` and to `predict`."""

    _estimator_type: str

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn or sk_params.pop("model", None)
        self.sk_params = sk_params

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"build_fn": self.build_fn, **self.sk_params}

    def set_params(self, **params: Any) -> Any:
        """Change arguments of the constructor."""
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params |= params
        return self

    def _options(self, function: Callable[..., Any], overrides: dict[str, Any]) -> dict[str, Any]:
        known = inspect.signature(function).parameters
        params = {"epochs": self.sk_params["nb_epoch"]} if "nb_epoch" in self.sk_params else {}
        params |= self.sk_params
        return {k: v for k, v in params.items() if k in known} | overrides

    def _check(self) -> None:
        """Raise ValueError for what is no function, and for arguments that nothing takes."""
        if not callable(self.build_fn) or isinstance(self.build_fn, wordrow.Model):
            raise ValueError(
                "`build_fn` must be a function that returns a compiled model; received "
                f"{show(self.build_fn)}."
            )
        functions = (self.build_fn, *(getattr(wordrow.Model, name) for name in _METHODS))
        parameters = [inspect.signature(one).parameters for one in functions]
        if any(one.kind is one.VAR_KEYWORD for one in parameters[0].values()):
            return
        known = {"nb_epoch"}.union(*parameters)
        if unknown := sorted(set(self.sk_params) - known):
            raise ValueError(
                f"{type(self).__name__} was given {unknown}, which neither build_fn takes "
                f"({', '.join(parameters[0]) or 'no arguments'}) nor fit, predict or evaluate."
            )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        is_classifier = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if is_classifier else None,
            regressor_tags=None if is_classifier else RegressorTags(),
            input_tags=InputTags(),
        )

    def fit(self, x: Any, y: Any, **options: Any) -> Any:
        """Build a new model and train it."""
        self._check()
        assert self.build_fn is not None
        self.model = self.build_fn(**self._options(self.build_fn, {}))
        fitting = self._options(wordrow.Model.fit, options)
        return self.model.fit(x, self._labels(y), **fitting)

    def _labels(self, y: Any) -> Any:
        return y

    def _predicted(self, x: Any, options: dict[str, Any]) -> Any:
        if not self.__sklearn_is_fitted__():
            raise ValueError(f"this {type(self).__name__} is not fitted yet: fit(X, y) first.")
        return self.model.predict(x, **self._options(wordrow.Model.predict, options))


class KerasClassifier(_Wrapper):
    """A classifier; labels are of any type, or one-hot.

    >>> KerasClassifier(build_fn=dict, epochs=2).get_params()["epochs"]
    2
    """

    _estimator_type = "classifier"

    def _labels(self, y: Any) -> Any:
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_: Any = np.arange(y.shape[1])
            return y
        self.classes_, numbers = np.unique(y, return_inverse=True)
        numbers = numbers.reshape(-1)
        if self.model.loss == "categorical_crossentropy":
            return np.eye(len(self.classes_), dtype=np.float32)[numbers]
        return numbers

    def predict(self, x: Any, **options: Any) -> Any:
        """Return the most probable class of each example."""
        probabilities = self._predicted(x, options)
        if probabilities.shape[-1] > 1:
            return self.classes_[probabilities.argmax(axis=-1)]
        return self.classes_[(probabilities[:, 0] > 0.5).astype(int)]

    def predict_proba(self, x: Any, **options: Any) -> Any:
        """Return the probability of each class; a single sigmoid gives two columns."""
        probabilities = self._predicted(x, options)
        return (
            np.hstack([1 - probabilities, probabilities])
            if probabilities.shape[-1] == 1
            else probabilities
        )

    def score(self, x: Any, y: Any, **options: Any) -> float:
        """Return the accuracy."""
        y = np.asarray(y)
        right = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
        return float((self.predict(x, **options) == right).mean())


class KerasRegressor(_Wrapper):
    """A regressor.

    >>> KerasRegressor(build_fn=dict, epochs=2).get_params()["epochs"]
    2
    """

    _estimator_type = "regressor"

    def predict(self, x: Any, **options: Any) -> Any:
        """Return the prediction for each example."""
        return np.squeeze(self._predicted(x, options), axis=-1)

    def score(self, x: Any, y: Any, **options: Any) -> float:
        """Return the negative loss, so that higher is better."""
        if not self.__sklearn_is_fitted__():
            raise ValueError(f"this {type(self).__name__} is not fitted yet: fit(X, y) first.")
        found = self.model.evaluate(x, y, verbose=0)
        return -float(found[0] if isinstance(found, list) else found)
