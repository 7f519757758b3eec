import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow.vectors import Vectors
from wordrow.vectors.nearest import Directions


def exact(table, vector, n):
    """(rows, cosines) by a full sort in float64."""
    table, vector = table.astype(np.float64), np.asarray(vector, np.float64)
    lengths = np.linalg.norm(table, axis=1)
    usable = np.flatnonzero(lengths > 0)
    cosines = table[usable] @ vector / lengths[usable] / np.linalg.norm(vector)
    order = np.argsort(-cosines, kind="stable")[:n]
    return usable[order], cosines[order]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 70), st.integers(1, 40))
def test_as_a_full_sort(seed, n, n_rows, dim):
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((n_rows, dim)).astype(np.float32)
    table *= 10.0 ** rng.integers(-6, 6, (n_rows, 1)).astype(np.float32)
    table[rng.random(n_rows) < 0.1] = 0
    vector = rng.standard_normal(dim).astype(np.float32)
    rows, cosines = exact(table, vector, n)
    directions = Directions(table)
    for _ in range(3):  # the second query on, by rounded rows
        found, near = directions.nearest(vector, n)
        np.testing.assert_allclose(near, cosines, atol=2e-6)
        assert len(found) == len(rows)
        by_row = dict(zip(*exact(table, vector, n_rows), strict=True))
        np.testing.assert_allclose([by_row[row] for row in found], cosines, atol=2e-6)


@pytest.mark.parametrize("n_queries", [1, 3, 4, 97])
def test_many_at_once_are_as_one_each(n_queries, n_threads):
    rng = np.random.default_rng(n_queries)
    table = rng.standard_normal((20_000, 17)).astype(np.float32)
    queries = rng.standard_normal((n_queries, 17)).astype(np.float32)
    directions = Directions(table)
    rows, cosines = directions.nearest_each(queries, 12)
    for query, own, near in zip(queries, rows, cosines, strict=True):
        expected, exact_cosines = exact(table, query, 12)
        np.testing.assert_allclose(near, exact_cosines, atol=2e-6)
        assert (own == expected).mean() > 0.8  # two may be equal in float32
        for _ in range(2):
            np.testing.assert_allclose(directions.nearest(query, 12)[1], near, atol=2e-6)


def test_the_threads_change_no_bit():
    from wordrow import _core

    rng = np.random.default_rng(0)
    table = rng.standard_normal((30_000, 33)).astype(np.float32)
    queries = rng.standard_normal((9, 33)).astype(np.float32)
    before, found = _core.n_threads(), []
    for n in (1, 2, 5):
        _core.set_n_threads(n)
        directions = Directions(table)
        directions.nearest(queries[0], 5)
        found.append([*directions.nearest_each(queries, 7), *directions.nearest(queries[1], 7)])
    _core.set_n_threads(before)
    for other in found[1:]:
        assert all((a == b).all() for a, b in zip(found[0], other, strict=True))


def test_equal_rows_come_in_their_order_and_zeros_never():
    table = np.zeros((5000, 8), np.float32)
    table[10:4000:7] = [1, 2, 3, 4, 5, 6, 7, 8]
    directions = Directions(table)
    for _ in range(2):
        rows, cosines = directions.nearest(np.arange(1, 9), 5)
        assert rows.tolist() == [10, 17, 24, 31, 38]
        np.testing.assert_allclose(cosines, 1, atol=1e-6)
    rows, _ = Directions(np.zeros((4, 2), np.float32)).nearest_each(np.ones((5, 2)), 3)
    assert (rows == -1).all()
    assert len(directions.nearest(np.zeros(8), 3)[0]) == 0


def test_large_dimensions_do_not_overflow():
    rng = np.random.default_rng(1)
    table = np.ones((3000, 5000), np.float32)
    table[7] = rng.standard_normal(5000)
    directions = Directions(table)
    directions.nearest(table[7], 1)
    rows, cosines = directions.nearest(np.ones(5000), 2)
    np.testing.assert_allclose(cosines, 1, atol=1e-5)
    assert directions.nearest(table[7], 1)[0].tolist() == [7]
    assert 7 not in rows


def test_as_gensim(data):
    gensim = pytest.importorskip("gensim.models")
    vectors = Vectors.load(data / "glove.6B.100d.top50k.txt", limit=8000)
    theirs = gensim.KeyedVectors(100)
    theirs.add_vectors(list(vectors), vectors.table)
    rng = np.random.default_rng(0)
    words = vectors.vocabulary.take(rng.integers(0, 8000, 30).tolist())

    def same(found, expected):
        assert [w for w, _ in found] == [w for w, _ in expected]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in expected], atol=1e-6)

    for word, batch in zip(words, vectors.batch_most_similar(words), strict=True):
        same(vectors.most_similar(word), theirs.most_similar(word))
        same(batch, theirs.most_similar(word))
    for a, b, c, d in zip(words, words[1:], words[2:], words[3:], strict=False):
        same(vectors.analogy(a, b, c), theirs.most_similar([b, c], [a]))
        same(vectors.most_similar([a, b], [c, d], n=3), theirs.most_similar([a, b], [c, d], topn=3))
        assert vectors.similarity(a, b) == pytest.approx(theirs.similarity(a, b), abs=1e-6)
        assert vectors.distance(a, b) == pytest.approx(theirs.distance(a, b), abs=1e-6)
        assert vectors.doesnt_match([a, b, c, d]) == theirs.doesnt_match([a, b, c, d])
        assert vectors.rank(a, b) == theirs.rank(a, b)
