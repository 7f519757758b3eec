import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wordrow.vectors import nearest_rows


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_as_a_full_sort(seed, n):
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((10, 3)).astype(np.float32)
    table[4] = 0
    allowed = rng.random(10) < 0.7
    vector = rng.standard_normal(3).astype(np.float32)
    rows, cosines = nearest_rows(table, vector, n, allowed=allowed)
    usable = [i for i in range(10) if allowed[i] and i != 4]
    exact = {
        i: table[i] @ vector / np.linalg.norm(table[i]) / np.linalg.norm(vector) for i in usable
    }
    expected = sorted(usable, key=lambda i: -exact[i])[:n]
    assert rows.tolist() == expected
    np.testing.assert_allclose(cosines, [exact[i] for i in expected], atol=1e-6)
