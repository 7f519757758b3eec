"""How good rows are, beside gensim and SciPy-like definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordrow.errors import DataError
from wordrow.vectors import (
    Vectors,
    evaluate_analogies,
    evaluate_similarities,
    neighbour_overlap,
)
from wordrow.vectors.evaluation import _spearman


@pytest.fixture(scope="module")
def glove(data):
    return Vectors.load(data / "glove.6B.100d.top50k.txt", limit=12_000)


def test_analogies_as_gensim_counts_them(glove, data):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors(100)
    theirs.add_vectors(list(glove), glove.table)
    path = data / "eval" / "questions-words.txt"
    _, sections = theirs.evaluate_word_analogies(str(path), restrict_vocab=3000)
    ours = evaluate_analogies(glove, path, limit=3000)
    for score, section in zip(ours, sections, strict=True):
        if score.section != "all":
            assert score.section == section["section"]
        assert score.n_right == len(section["correct"])
        assert score.n_asked == len(section["correct"]) + len(section["incorrect"])
    assert ours[-1].n_asked + ours[-1].n_unknown == 19_544
    assert ours[-1].accuracy == ours[-1].n_right / ours[-1].n_asked


@pytest.mark.parametrize("name", ["wordsim353.tsv", "simlex999.txt"])
def test_similarities_as_gensim_has_them(glove, data, name, tmp_path):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors(100)
    theirs.add_vectors(list(glove), glove.table)
    path = data / "eval" / name
    rows = [line.split("\t")[:3] for line in path.read_text().splitlines()]
    rows = [r for r in rows if len(r) == 3 and r[2].replace(".", "").isdigit()]
    (tmp_path / "pairs").write_text("".join("\t".join(row) + "\n" for row in rows))
    _, spearman, unknown = theirs.evaluate_word_pairs(
        str(tmp_path / "pairs"), case_insensitive=True, restrict_vocab=12_000
    )
    ours = evaluate_similarities(glove, path)
    assert ours.n_pairs + ours.n_unknown == len(rows)
    assert ours.n_unknown == round(unknown / 100 * len(rows))
    assert ours.spearman == pytest.approx(spearman[0], abs=1e-6)


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=20))
def test_spearman_is_the_correlation_of_ranks(pairs):
    def ranks(values):
        return [np.mean([i for i, v in enumerate(sorted(values), 1) if v == x]) for x in values]

    a, b = ([pair[i] for pair in pairs] for i in (0, 1))
    if len({*a}) > 1 and len({*b}) > 1:
        expected = np.corrcoef(ranks(a), ranks(b))[0, 1]
        assert _spearman(a, b) == pytest.approx(expected, abs=1e-12)
    else:
        assert np.isnan(_spearman(a, b))


def test_words_in_other_case_and_unknown_ones(tmp_path):
    vectors = Vectors(["Man", "king", "woman", "queen", "MAN"], np.eye(5, 3))
    (tmp_path / "q").write_text(": one\nman king Woman queen\nman king x y\n\n: two\na b c d\n")
    one, two, both = evaluate_analogies(vectors, tmp_path / "q")
    assert (one.n_asked, one.n_unknown) == (1, 1)
    assert (two.n_asked, two.n_unknown) == (0, 1)
    assert np.isnan(two.accuracy)
    assert (both.section, both.n_asked, both.n_unknown) == ("all", 1, 2)
    exact = evaluate_analogies(vectors, tmp_path / "q", lower=False)
    assert exact[-1].n_asked == 0
    (tmp_path / "p").write_text(
        "# judged\nword1,word2,score,n\nman,king,3,9\nKing,queen,1,9\nking,nix,2,9\n"
    )
    score = evaluate_similarities(vectors, tmp_path / "p")
    assert (score.n_pairs, score.n_unknown) == (1, 2)  # "man" has no row as it is


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (": a\none two three\n", "line 2: expected ': section', or four words; received 'one two"),
        ("a b c d\n", "found no section"),
        ("", "found no section"),
    ],
)
def test_analogies_of_another_format(text, says, tmp_path):
    (tmp_path / "q").write_text(text)
    with pytest.raises(DataError, match=says):
        evaluate_analogies(Vectors(["a"], [[1]]), tmp_path / "q")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a b 1\na b\n", "line 2: expected two words and a number; received 'a b'"),
        ("a b c\nd e f\n", "line 2: expected two words and a number; received 'd e f'"),
        ("a b c\n", "found none"),
        ("a b 1\na b nan\n", "line 2: expected two words and a number"),
        ("# nothing\n", "found none"),
    ],
)
def test_pairs_of_another_format(text, says, tmp_path):
    (tmp_path / "p").write_text(text)
    with pytest.raises(DataError, match=says):
        evaluate_similarities(Vectors(["a"], [[1]]), tmp_path / "p")


def test_neighbours_that_two_tables_share():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(300)]
    table = rng.standard_normal((300, 10))
    turn, _ = np.linalg.qr(rng.standard_normal((10, 10)))
    order = rng.permutation(300)
    turned = Vectors([words[i] for i in order], (table @ turn)[order] * 3)
    vectors = Vectors(words, table)
    assert neighbour_overlap(vectors, turned) == pytest.approx(1, abs=0.01)
    other = Vectors(words, rng.standard_normal((300, 10)))
    by_hand = np.mean(
        [
            len(
                {w for w, _ in vectors.most_similar(word)}
                & {w for w, _ in other.most_similar(word)}
            )
            for word in words
        ]
    )
    assert neighbour_overlap(vectors, other) == pytest.approx(by_hand / 10)
    some = ["w1", "w2"]
    near, far = (v.batch_most_similar(some, n=5) for v in (vectors, other))
    by_hand = [len(dict(a).keys() & dict(b)) / 5 for a, b in zip(near, far, strict=True)]
    assert neighbour_overlap(vectors, other, words=[*some, "nix"], n=5) == np.mean(by_hand)
    table[:200] = 0  # words without a direction have no neighbours, and are none
    halves = [Vectors(words, table), Vectors(words, other.table * (table != 0))]
    rest = [v.subset(words[200:]) for v in halves]
    assert neighbour_overlap(*halves) == neighbour_overlap(*rest) < 0.2
    with pytest.raises(ValueError, match="share 1 words"):
        neighbour_overlap(vectors, Vectors(["w1", "x"], np.eye(2)))
