"""keras.ops by its table: every function on NumPy's and JAX's arrays, against Keras's own."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from wordrow.keras.models import Model

from wordrow.keras import layers, ops
from wordrow.keras._ops import _BINARY, _OF_SEVERAL, OPS

_DRAW = np.random.default_rng(0)
A = _DRAW.uniform(0.1, 0.9, (3, 4)).astype(np.float32)
B = _DRAW.uniform(0.1, 1.1, (3, 4)).astype(np.float32)
SQUARE = (_DRAW.uniform(0, 1, (3, 3)) + 3 * np.eye(3)).astype(np.float32)
SYMMETRIC = SQUARE @ SQUARE.T
IDS = np.array([2, 0, 1], np.int32)
WHOLE = np.array([[1, 2], [3, 4]], np.int32)
TRUTHS = np.array([[True, False], [False, True]])
PLACES = np.array([[0, 1], [2, 0]], np.int32)
ONES = np.ones((2, 2), np.float32)
SHARES = A / A.sum(axis=1, keepdims=True)
ARGUMENTS = {
    "arange": (5,), "arccosh": (A + 1,), "argpartition": (A, 2), "bincount": (IDS,),
    "binary_crossentropy": (B.round().clip(0, 1), A), "bitwise_invert": (WHOLE,),
    "broadcast_to": (A[0], (3, 4)), "cast": (A, "int32"), "cholesky": (SYMMETRIC,),
    "categorical_crossentropy": (np.eye(4, dtype=np.float32)[:3], SHARES),
    "clip": (A, 0.2, 0.5), "cond": (True, lambda: 1.0, lambda: 2.0), "correlate": (A[0], B[0]),
    "det": (SQUARE,), "diag": (A[0],), "digitize": (A, np.array([0.2, 0.5], np.float32)),
    "divide_no_nan": (A, B * (B > 0.5)), "dot": (A, B.T), "eig": (SYMMETRIC,),
    "eigh": (SYMMETRIC,), "einsum": ("ij,kj->ik", A, B), "empty": ((0,),), "expand_dims": (A, 1),
    "eye": (3,), "fori_loop": (0, 3, lambda i, value: value + i, 1.0), "full": ((2, 2), 3),
    "full_like": (A, 3.0), "hamming": (4,), "hanning": (4,), "identity": (3,),
    "in_top_k": (IDS, A, 2), "inner": (A, B), "inv": (SQUARE,), "isin": (WHOLE, IDS),
    "linspace": (0, 1, 5), "logical_not": (TRUTHS,), "logspace": (0, 1, 4),
    "map": (lambda x: x * 2, A), "matmul": (A, B.T), "meshgrid": (A[0], B[0]),
    "moveaxis": (A, 0, 1), "multi_hot": (IDS, 4), "one_hot": (IDS, 4), "ones": ((2,),),
    "outer": (A[0], B[0]), "pad": (A, ((1, 0), (0, 2))), "qr": (SQUARE,), "quantile": (A, 0.3),
    "repeat": (A, 2), "reshape": (A, (-1, 2)), "roll": (A, 1),
    "scan": (lambda carry, x: (carry + x.sum(), x * 2), 0.0, A),
    "scatter": (PLACES, np.array([1.0, 2.0], np.float32), (3, 4)),
    "scatter_update": (A, PLACES, np.array([1.0, 2.0], np.float32)),
    "searchsorted": (np.sort(A[0]), A[1]), "segment_sum": (A, np.array([0, 0, 1]), 2),
    "slice": (A, (0, 1), (2, 2)), "slice_update": (A, (1, 1), ONES), "solve": (SQUARE, A),
    "sparse_categorical_crossentropy": (IDS, SHARES), "split": (A, 2, 1), "squeeze": (A[None],),
    "svd": (SQUARE,), "swapaxes": (A, 0, 1), "take": (A, IDS),
    "take_along_axis": (A, np.array([[0], [1], [2]]), 1), "tensordot": (A, B.T, 1),
    "tile": (A, (2, 1)), "top_k": (A, 2), "tri": (3,), "vectorized_map": (lambda x: x * 2, A),
    "where": (A > B, A, B), "while_loop": (lambda x: x < 5, lambda x: (x + 1,), (0.0,)),
    "zeros": ((2,),), "cross": (A[:, :3], B[:, :3]),
}  # fmt: skip


def arguments(name):
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    if name in _OF_SEVERAL:
        return ([A, B],)
    if name.startswith("bitwise") or name.endswith("shift"):
        return WHOLE, WHOLE
    if name.startswith("logical"):
        return TRUTHS, ~TRUTHS
    return (A, B) if name in _BINARY else (A,)


def as_jax(value):
    if isinstance(value, list):
        return [jnp.asarray(one) for one in value]
    return jnp.asarray(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("name", sorted(set(OPS) - {"is_tensor", "eig", "empty"}))
def test_as_keras(name):
    given = arguments(name)
    expected = getattr(keras.ops, name)(*given)
    for found in (getattr(ops, name)(*given), getattr(ops, name)(*map(as_jax, given))):
        pairs = [(found, expected)]
        if isinstance(expected, tuple | list) and name != "shape":
            pairs = list(zip(found, expected, strict=True))
        for ours, theirs in pairs:
            ours, theirs = np.asarray(ours), np.asarray(theirs)
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-4)
            assert ours.dtype == theirs.dtype or ours.ndim == 0


def test_on_symbols():
    x = layers.Input((3, 4))
    y = ops.mean(ops.where(ops.greater(x, 0.5), x, ops.zeros_like(x)), axis=[1, 2])
    model = Model(x, ops.expand_dims(ops.einsum("b,b->b", y, y), -1))
    found = model.predict(A[None], verbose=0)
    np.testing.assert_allclose(found, [[np.where(A > 0.5, A, 0).mean() ** 2]], atol=1e-6)
