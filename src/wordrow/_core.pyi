"""What the compiled core offers (bind/)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Float1 = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

class BadRowError(ValueError): ...

class Normalizer:
    def __init__(
        self, *, lower: bool, filters: list[int], split: str | None, characters: bool
    ) -> None: ...
    def words(self, text: str) -> list[str]: ...

class Vocabulary:
    def __init__(self, ngrams: int, buckets: int = 0) -> None: ...
    def count(
        self, texts: Any, normalizer: Normalizer, watch: Callable[[], object] | None = None
    ) -> int: ...
    def rank(self, *, min_count: int, first_id: int) -> int: ...
    def encode(
        self,
        texts: Any,
        normalizer: Normalizer,
        *,
        limit: int,
        unknown_id: int,
        watch: Callable[[], object] | None = None,
    ) -> tuple[Ids, Offsets]: ...
    def named_ids(
        self, text: list[Any], normalizer: Normalizer, *, limit: int, unknown_id: int
    ) -> list[tuple[int, int, int]]: ...
    def rank_buckets(self, *, min_count: int, first_id: int) -> int: ...
    def bucket_counts(self) -> npt.NDArray[np.uint8]: ...
    def set_bucket_counts(self, counts: npt.NDArray[np.uint8]) -> None: ...
    @property
    def max_id(self) -> int: ...
    def entries(self, joiner: str) -> tuple[list[str], Offsets, Offsets, Ids]: ...
    def add(
        self,
        texts: Sequence[str],
        joiner: str,
        *,
        occurrences: Offsets,
        documents: Offsets,
        ids: Ids,
    ) -> None: ...

class RowTable:
    def __init__(
        self, rows: Float1, last: Ids, frozen: npt.NDArray[np.bool_] | None = None
    ) -> None: ...

def touch(last: Ids, ids: Ids, step: int) -> None: ...
def interleave(rows: Float1, m: Float1 | None, v: Float1 | None) -> Float1: ...

class RowOptimizer:
    def __init__(
        self,
        *,
        kind: str = "adam",
        beta_1: float,
        beta_2: float,
        epsilon: float,
        step: int,
        nesterov: bool = False,
        lazy: bool = False,
    ) -> None: ...
    @property
    def step(self) -> int: ...
    def flush(self, table: RowTable) -> None: ...

class MissedUpdates:
    def __init__(
        self,
        *,
        step: int = 0,
        beta_1: float = 0.0,
        beta_2: float | None = None,
        decays: Sequence[float] = (),
        weight_decay: bool = False,
    ) -> None: ...
    def add_step(self, rate: float, keep: float = 1.0) -> None: ...
    def flush(self) -> None: ...
    def since(
        self, last: Ids, ids: Ids | None = None
    ) -> tuple[Float1 | None, list[Float1], Float1 | None]: ...
    @property
    def step(self) -> int: ...
    @property
    def flushed(self) -> int: ...
    @property
    def n_terms(self) -> int: ...
    @property
    def has_closed_form(self) -> bool: ...
    @property
    def is_long(self) -> bool: ...
    @property
    def rates(self) -> npt.NDArray[np.float64]: ...
    @property
    def keeps(self) -> npt.NDArray[np.float64]: ...

class BagDocuments:
    def __init__(
        self, ids: Ids, offsets: Offsets, *, n_rows: int, skips_zeros: bool = False
    ) -> None: ...
    def __len__(self) -> int: ...

def train_bag(
    optimizer: RowOptimizer,
    table: RowTable,
    classes: Ids | None,
    documents: BagDocuments,
    *,
    kernel: Float1,
    kernel_m: Float1,
    kernel_v: Float1,
    bias: Float1,
    bias_m: Float1,
    bias_v: Float1,
    order: Offsets,
    batch_size: int,
    learning_rates: npt.NDArray[np.float64],
    watch: Callable[[int, float, int], object] | None = None,
    targets: Float1 | None,
    sigmoid: bool,
    max_pool: bool,
    dropout: float,
    seed: int,
) -> tuple[int, float, int, bool]: ...

ROW_PADDING: int

class BadVectorError(ValueError): ...

class Words:
    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def add(self, texts: Sequence[str]) -> Offsets: ...
    def add_packed(self, data: npt.NDArray[np.uint8], offsets: Offsets) -> Offsets: ...
    def row(self, text: object) -> int: ...
    def rows(self, texts: Sequence[str]) -> Offsets: ...
    def word(self, row: int) -> str: ...
    def list(self, begin: int, end: int) -> list[str]: ...
    def packed(self) -> tuple[npt.NDArray[np.uint8], Offsets]: ...

class RowReader:
    def __init__(
        self,
        *,
        dim: int,
        likely_rows: int,
        most: int | None,
        wanted: Words | None,
        folds: bool,
        replaces: bool,
        skips: bool,
    ) -> None: ...
    def read(
        self,
        buffer: npt.NDArray[np.uint8],
        n: int,
        *,
        is_last: bool,
        is_binary: bool,
        watch: Callable[[], object] | None = None,
    ) -> int: ...
    def end(self) -> tuple[Words, Float1]: ...
    @property
    def is_full(self) -> bool: ...
    @property
    def n_seen(self) -> int: ...
    @property
    def n_repeated(self) -> int: ...
    @property
    def n_skipped(self) -> int: ...
    @property
    def n_numbered(self) -> int: ...
    @property
    def first_numbered(self) -> str: ...
    @property
    def first_repeated(self) -> str: ...

class RoundedRows:
    def nearest(
        self, table: Float1, scales: Float1, query: Float1, n: int
    ) -> tuple[Offsets, Float1]: ...

def read_dictionary(
    data: npt.NDArray[np.uint8], n: int, *, replaces: bool
) -> tuple[Words, Words, Offsets, int]: ...
def row_lines(words: Words | None, rows: Float1, begin: int, end: int, gap: str = " ") -> bytes: ...
def subwords(
    texts: Sequence[str], *, min_n: int, max_n: int, n_buckets: int
) -> tuple[Ids, Offsets]: ...
def subword_hashes(texts: Sequence[str]) -> npt.NDArray[np.uint32]: ...
def inverse_lengths(table: Float1) -> Float1: ...
def round_rows(table: Float1, scales: Float1) -> RoundedRows: ...
def nearest(table: Float1, scales: Float1, queries: Float1, n: int) -> tuple[Offsets, Float1]: ...
def train_word2vec(
    inputs: Float1,
    outputs: Float1,
    counts: Offsets,
    ids: Ids,
    offsets: Offsets,
    subwords: Ids | None,
    subword_offsets: Offsets | None,
    *,
    cbow: bool,
    hierarchical: bool,
    window: int,
    n_negative: int,
    exponent: float,
    sample: float,
    rate: float,
    last_rate: float,
    n_epochs: int,
    seed: int,
    in_order: bool,
    watch: Callable[[int, float], object] | None = None,
) -> None: ...
def to_lists(ids: Ids, offsets: Offsets) -> list[list[int]]: ...
def bag_predict(
    table: Float1, ids: Ids, offsets: Offsets, kernel: Float1, bias: Float1, *, sigmoid: bool
) -> Float1: ...
def padded_mean(table: Float1, ids: Ids, mask: npt.NDArray[np.bool_] | None) -> Float1: ...
def find_unique(ids: Ids, first_at: Ids, unique: Ids, *, n_known: int) -> Ids: ...
def bag_mean(table: Float1, ids: Ids, offsets: Offsets) -> Float1: ...
def recurrent(
    cell: str,
    z: Float1,
    row_indices: Ids | None,
    kernel: Float1,
    last: list[Float1],
    first: list[Float1],
    mask: npt.NDArray[np.bool_] | None,
    *,
    n_steps: int,
    activation: int,
    gate: int,
    recurrent_bias: Float1 | None,
    reset_after: bool,
    sequences: bool,
) -> Float1 | None: ...
def residual_width(cell: int, n_units: int, *, reset_after: bool) -> int: ...
def windows(
    rows: Float1, row_indices: Ids, bias: Float1 | None, pools: Ids | None, *, activation: int
) -> Float1: ...
def product(a: Float1, b: Float1) -> Float1: ...
def flat_product(table: Float1, ids: Ids, kernel: Float1) -> Float1: ...
def keep_memory() -> None: ...
def ffi_targets() -> dict[str, object]: ...
def n_threads() -> int: ...
def set_n_threads(n: int) -> None: ...
def instruction_set() -> str: ...
