"""The options of `train_vectors`, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wordrow.arguments import check_choice, not_negative, whole_number
from wordrow.errors import show

__all__ = ["TrainingOptions"]


@dataclass(kw_only=True)
class TrainingOptions:
    """What `train_vectors` was asked for; see there. Raises ValueError for values out of range."""

    dim: int
    model: Literal["skipgram", "cbow"]
    window: int
    epochs: int
    min_count: int
    loss: Literal["ns", "hs"]
    negative: int
    ns_exponent: float
    sample: float
    learning_rate: float
    end_learning_rate: float
    subwords: tuple[int, int] | None
    buckets: int
    phrases: int
    phrase_threshold: float
    seed: int | None
    deterministic: bool

    def __post_init__(self) -> None:
        for name in ("dim", "window", "epochs", "min_count", "negative", "buckets"):
            setattr(self, name, whole_number(name, getattr(self, name)))
        self.phrases = whole_number("phrases", self.phrases, least=0)
        not_negative("phrase_threshold", self.phrase_threshold)
        not_negative("ns_exponent", self.ns_exponent)
        check_choice("model", self.model, ("skipgram", "cbow"))
        check_choice("loss", self.loss, ("ns", "hs"))
        if not 0 < self.learning_rate <= 10:
            raise ValueError(
                f"`learning_rate` must be above 0, and at most 10; received "
                f"{show(self.learning_rate)}."
            )
        if not 0 <= self.end_learning_rate <= self.learning_rate:
            raise ValueError(
                f"`end_learning_rate` must be from 0 to learning_rate={self.learning_rate}; "
                f"received {show(self.end_learning_rate)}."
            )
        if self.seed is not None:
            self.seed = whole_number("seed", self.seed, least=0)
        if not 0 <= self.sample <= 1:
            raise ValueError(
                f"`sample` must be from 0 (all words) to 1; received {show(self.sample)}."
            )

    def check_subwords(self, n_words: int) -> None:
        """Raise ValueError for n-gram lengths or buckets that cannot be used with n_words words."""
        pair = self.subwords
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2
        low, high = pair if is_pair and pair is not None else (0, 0)
        if not (isinstance(low, int) and isinstance(high, int) and 1 <= low <= high):
            raise ValueError(
                f"`subwords` must be (min_n, max_n), 1 <= min_n <= max_n; received {show(pair)}."
            )
        if n_words + self.buckets >= 1 << 31:
            raise ValueError(
                f"`buckets` must be below 2^31 less the words; received {self.buckets}."
            )
