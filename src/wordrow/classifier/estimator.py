"""What scikit-learn asks of an estimator, without scikit-learn; and the checks of parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from wordrow.errors import show
from wordrow.hints import Hinted, argument_error
from wordrow.notebook import html_table

__all__ = ["Estimator", "check_params"]

_WHOLE_NUMBERS = ("dim", "ngrams", "batch_size", "patience")
_WHOLE_NUMBERS_OR_NONE = ("min_count", "num_words", "epochs", "buckets")


class Estimator(Hinted):
    """A classifier of texts whose settings are the arguments of its constructor."""

    _hints = {  # noqa: RUF012 never changed
        "coef_": "vectors for the rows, or `explain` for the words that decide",
        "feature_names_in_": "tokenizer.word_index",
        "get_feature_names_out": "tokenizer.word_index",
        "get_labels": "classes_",
        "get_sentence_vector": "pooled([text])",
        "get_word_vector": "vectors[word]",
        "get_words": "tokenizer.word_index",
        "labels": "classes_",
        "quantize": "num_words or min_count, for a smaller table",
        "save_model": "save(path)",
        "test": "score(texts, labels)",
        "vocabulary_": "tokenizer.word_index",
        "words": "tokenizer.word_index",
    }

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Raise TypeError, with a hint, for an argument that it does not take."""
        if unknown := set(options) - set(cls._param_names()):
            raise argument_error(cls.__name__, unknown, cls._param_names())
        return super().__new__(cls)

    @classmethod
    def _param_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor by name."""
        return {name: getattr(self, name) for name in self._param_names()}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; they count from the next fit on.

        Raises ValueError for a name that it does not have.
        """
        unknown = sorted(set(params) - set(self._param_names()))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no parameter {unknown}; it has {self._param_names()}."
            )
        vars(self).update(params)
        return self

    def _repr_html_(self) -> str:
        """Return scikit-learn's view of an estimator where that is installed, else a table."""
        try:
            from sklearn.utils import estimator_html_repr
        except ImportError:
            caption = (
                f"{type(self).__name__}, {'' if self.__sklearn_is_fitted__() else 'not '}fitted"
            )
            return html_table(caption, ("parameter", "value"), self.get_params().items())
        return str(estimator_html_repr(self))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import (
            ClassifierTags,
            InputTags,
            Tags,
            TargetTags,
        )

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=False, string=True),
        )

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{k}={v!r}" for k, v in self.get_params().items() if v != defaults[k].default]
        return f"{type(self).__name__}({', '.join(changed)})"


def check_params(params: Mapping[str, Any]) -> None:
    """Raise ValueError or TypeError for a setting that training could not use."""
    for name in (*_WHOLE_NUMBERS, *_WHOLE_NUMBERS_OR_NONE):
        value = params[name]
        if value is None and name in _WHOLE_NUMBERS_OR_NONE:
            continue
        if not isinstance(value, int | np.integer) or not 0 < value < 2**31:
            raise ValueError(
                f"`{name}` must be a whole number above 0 and below 2**31; received {show(value)}."
            )
    seed, rate, share = (params[k] for k in ("seed", "learning_rate", "validation_split"))
    if seed is not None and (not isinstance(seed, int | np.integer) or seed < 0):
        raise ValueError(
            f"`seed` must be a whole number from 0 on, or None; received {show(seed)}."
        )
    if not 0 < rate < float("inf"):
        raise ValueError(f"`learning_rate` must be above 0; received {show(rate)}.")
    if not 0 <= share < 1:
        raise ValueError(f"`validation_split` must be from 0 to below 1; received {show(share)}.")
    if not isinstance(params["filters"], str):
        raise TypeError(f"`filters` must be a string; received {show(params['filters'])}.")
    split = params["split"]
    if split is not None and (not isinstance(split, str) or not split):
        raise ValueError(
            f"`split` must be a string that separates words, or None; received {show(split)}."
        )
