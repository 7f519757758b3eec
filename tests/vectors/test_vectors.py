import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow import Tokenizer
from wordrow.errors import UnknownWordError
from wordrow.vectors import Subwords, Vectors, Vocabulary

WORDS = ["king", "queen", "plum", "Paris"]
TABLE = [[2, 1], [2, 2], [-1, 3], [0, -1]]


@pytest.fixture
def vectors():
    return Vectors(WORDS, TABLE)


def test_every_word_has_a_row(vectors):
    assert len(vectors) == 4
    assert list(vectors) == WORDS
    assert vectors.dim == 2
    assert "plum" in vectors
    assert "pear" not in vectors
    assert vectors["plum"].tolist() == [-1, 3]
    assert vectors[["plum", "king"]].tolist() == [[-1, 3], [2, 1]]
    assert vectors.get("pear") is None
    assert np.asarray(vectors).shape == (4, 2)
    near = vectors["king"] - vectors["plum"] + vectors["queen"]
    assert vectors.most_similar(near, n=1)[0][0] == "king"
    assert repr(vectors) == "Vectors(4 words, 2 dimensions)"


def test_a_row_of_zeros_is_near_nothing():
    vectors = Vectors(["a", "x", "b", "y"], [[1, 0], [0, 0], [-1, 0], [0, 0]])
    assert vectors.most_similar("x") == []
    assert vectors.batch_most_similar(["x", "a"]) == [[], [("b", -1.0)]]
    assert vectors.batch_most_similar("a") == [vectors.most_similar("a")]
    assert vectors.rank("a", "b") == 1


def test_what_is_no_word_is_said(vectors):
    assert None not in vectors
    for wrong in (lambda: vectors[3], lambda: vectors.most_similar(3)):
        with pytest.raises(TypeError, match="expected a word or several; received 3"):
            wrong()
    with pytest.raises(ValueError, match="`n` must be a whole number"):
        vectors.drift(vectors, n=-1)
    with pytest.raises(ValueError, match="the tokenizer has no words"):
        vectors.subset(Tokenizer())


def test_it_cannot_be_changed(vectors):
    with pytest.raises(ValueError, match="read-only"):
        vectors.table[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        vectors["king"][0] = 1
    given = np.ones((1, 2), np.float32)
    made = Vectors(["a"], given)
    given[0] = 5
    assert made["a"].tolist() == [1, 1]


def test_words_that_are_not_there(vectors):
    with pytest.raises(UnknownWordError, match="'paris' is not among the 4 words. Did you mean 'P"):
        vectors["paris"]
    with pytest.raises(KeyError, match="Did you mean 'queen'"):
        vectors.most_similar("qeuen")
    with pytest.raises(KeyError, match="'xyz' is not among the 4 words.$"):
        vectors.similarity("king", "xyz")
    with pytest.raises(TypeError, match="expected a word; received 3"):
        vectors[[3]]


@pytest.mark.parametrize(
    ("words", "table", "says"),
    [
        (["a"], [[1], [2]], "one row per word: 1 words, 2 rows"),
        (["a"], [1, 2], r"shape \(V, D\); received int64 of shape \(2,\)"),
        (["a"], [["x"]], "must be numbers"),
        (["a", "a"], [[1], [2]], "'a' is given again as word 1"),
        (["a", 3], [[1], [2]], "word 1 is 3"),
        (["a", "b"], [[1], [np.nan]], r"row 1 \('b'\) does not"),
        (["a", "b"], [[1], [np.inf]], r"row 1 \('b'\) does not"),
    ],
)
def test_what_cannot_be_vectors(words, table, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Vectors(words, table)


def test_questions_without_an_answer(vectors):
    with pytest.raises(ValueError, match="needs a word or a row"):
        vectors.most_similar([])
    with pytest.raises(ValueError, match="needs words"):
        vectors.doesnt_match([])
    with pytest.raises(ValueError, match=r"must have the shape \(2,\); received \(3,\)"):
        vectors.most_similar(np.ones(3))
    with pytest.raises(ValueError, match="`n` must be"):
        vectors.most_similar("king", n=-1)
    assert vectors.most_similar("king", n=0) == []
    assert vectors.batch_most_similar([]) == []
    assert [w for w, _ in vectors.most_similar("king", n=99)] == ["queen", "plum", "Paris"]
    assert Vectors([], np.zeros((0, 3))).most_similar(np.ones(3)) == []


def test_a_row_that_is_not_finite_has_no_neighbours(vectors):
    for wrong in ([np.nan, 1], [np.inf, 1]):
        with pytest.raises(ValueError, match="holds a number that is not finite"):
            vectors.most_similar(np.array(wrong))
        with pytest.raises(ValueError, match="holds a number that is not finite"):
            vectors.batch_most_similar(["king", np.array(wrong)])


def test_subset_and_normalized(vectors):
    some = vectors.subset(["plum", "pear", "king", "plum"])
    assert list(some) == ["plum", "king"]
    assert some["plum"].tolist() == [-1, 3]
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["king plum plum tree"])
    assert list(vectors.subset(tokenizer)) == ["plum", "king"]
    np.testing.assert_allclose(np.linalg.norm(vectors.normalized.table, axis=1), 1, rtol=1e-6)
    with pytest.raises(TypeError, match="`words` must be a list"):
        vectors.subset("plum")


def test_they_pickle_through_the_bytes_of_their_file(vectors):
    import pickle

    again = pickle.loads(pickle.dumps(vectors))
    assert again == vectors
    assert pickle.loads(pickle.dumps(vectors.vocabulary)) == vectors.vocabulary
    subwords = Subwords(min_n=2, max_n=3, table=np.ones((5, 2), np.float32))
    with_grams = Vectors(WORDS, TABLE, subwords=subwords)
    assert (pickle.loads(pickle.dumps(with_grams))["new"] == with_grams["new"]).all()


def test_drift_says_what_moved_most(vectors):
    after = Vectors(["plum", "king", "new"], [[-1, 3], [2, -3], [0, 0]])
    moved = vectors.drift(after, n=None)
    assert [(m.word, m.distance) for m in moved] == [("king", 4), ("plum", 0)]
    assert moved[0].cosine == pytest.approx(vectors.similarity("king", np.array([2, -3])))
    with pytest.raises(ValueError, match="of the same length, .; received rows of length"):
        vectors.drift(Vectors(["king"], [[1, 2, 3]]))


words = st.lists(st.text(max_size=40), unique=True, max_size=60)


@given(words, words)
def test_a_vocabulary_is_a_list_that_finds(own, others):
    vocabulary = Vocabulary(own)
    assert list(vocabulary) == own
    assert vocabulary[:] == own
    assert vocabulary[1:5:2] == own[1:5:2]
    for word in own + others:
        assert (word in vocabulary) == (word in own)
        assert vocabulary.row(word) == (own.index(word) if word in own else -1)
    assert vocabulary.rows(others).tolist() == [
        own.index(word) if word in own else -1 for word in others
    ]
    assert (vocabulary == Vocabulary(others)) == (own == others)


def test_a_vocabulary_of_many_words():
    many = [f"{'long' * (i % 9)}{i}" for i in range(50_000)]
    vocabulary = Vocabulary(many)
    assert vocabulary.rows(many[::-1]).tolist() == list(range(49_999, -1, -1))
    assert vocabulary[-1] == many[-1]
    assert vocabulary.index(many[7]) == 7
    with pytest.raises(ValueError, match="not in the vocabulary"):
        vocabulary.index("x")
    with pytest.raises(IndexError):
        vocabulary[50_000]


def test_subwords_give_every_word_a_row():
    table = np.arange(20, dtype=np.float32).reshape(10, 2)
    subwords = Subwords(min_n=3, max_n=3, table=table)
    vectors = Vectors(["tree"], [[1, 1]], subwords=subwords)
    grams = subwords.ids(["tree", "", "été"])
    ids, offsets = grams.ids, grams.offsets
    assert offsets.tolist() == [0, 4, 4, 7]  # <tr tre ree ee>; none; <ét été té>
    np.testing.assert_allclose(vectors["été"], table[ids[4:7]].mean(axis=0), rtol=1e-6)
    assert vectors["tree"].tolist() == [1, 1]  # a row of its own comes first
    assert vectors[""].tolist() == [0, 0]
    assert "été" not in vectors
    with pytest.raises(ValueError, match="min_n"):
        Subwords(min_n=4, max_n=3, table=table)


def test_threads_may_ask_the_same_vectors():
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(0)
    vectors = Vectors([str(i) for i in range(3000)], rng.standard_normal((3000, 20)))
    expected = [vectors.most_similar(str(i)) for i in range(50)]
    fresh = Vectors(list(vectors), vectors.table)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: fresh.most_similar(str(i % 50)), range(200)))
    for i, near in enumerate(found):
        assert [w for w, _ in near] == [w for w, _ in expected[i % 50]]


def test_an_index_finds_most_of_the_neighbours():
    pytest.importorskip("usearch")
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, 16))
    table = centres[rng.integers(0, 40, 4000)] + 0.3 * rng.standard_normal((4000, 16))
    vectors = Vectors([f"w{i}" for i in range(4000)], table)
    index = vectors.index()
    assert index.recall > 0.9
    few = Vectors(["a", "b", "c", "x"], [[1, 0], [1, 1], [-1, 0], [0, 0]]).index()
    assert few.recall == 1
    assert [w for w, _ in few.most_similar("a")] == ["b", "c"]
    assert [w for w, _ in few.most_similar(np.array([1, 0]), n=1)] == ["a"]
    with pytest.raises(ValueError, match=r"a row must have the shape \(2,\)"):
        few.most_similar(np.ones(3))
    found, exact = index.most_similar("w7"), vectors.most_similar("w7")
    assert len({w for w, _ in found} & {w for w, _ in exact}) >= 8
    assert found[0][1] == pytest.approx(exact[0][1], abs=1e-3)
    assert "recall" in repr(index)


def test_none_of_it_loads_jax(tmp_path):
    code = (
        "import sys, wordrow.vectors as v\n"
        "a = v.train_vectors(['a b c d'] * 9, 4, min_count=1)\n"
        "a.save('x.vec'); v.Vectors.load('x.vec').most_similar('a')\n"
        "import wordrow.vectors.evaluation\n"
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_the_names_of_gensim_and_fasttext():
    vectors = Vectors({"a": [1, 0], "b": [1, 1], "c": [0, 1]})
    assert vectors.index_to_key == ["a", "b", "c"]
    assert vectors.key_to_index == {"a": 0, "b": 1, "c": 2}
    assert vectors.get_vector("b").tolist() == [1, 1]
    expected = vectors.most_similar("a", n=1)
    assert vectors.most_similar("a", 1) == vectors.most_similar("a", topn=1) == expected
    assert vectors.most_similar(["a", "b"], topn=1) == vectors.most_similar(["a", "b"], n=1)
    for name, instead in (("wv", "themselves"), ("vector_size", ".dim"), ("syn0", ".table")):
        with pytest.raises(AttributeError, match=f"no '{name}'; use .*{instead}"):
            getattr(vectors, name)
    assert not hasattr(vectors, "nothing")
    with pytest.raises(ValueError, match="all rows must be as long"):
        Vectors({"a": [1], "b": [1, 2]})
    with pytest.raises(TypeError, match=r"Vectors\(words, table\), or a dict"):
        Vectors(["a"])
    assert "<td" in vectors._repr_html_()
