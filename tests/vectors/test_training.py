"""Rows from running text: beside a readable reference, and by what they come to."""

import signal
import threading

import numpy as np
import pytest

from wordrow import Tokenizer, _core
from wordrow.vectors import Vectors, train_vectors


def train_in_core(
    rows, output, counts, ids, offsets, subwords=None, subword_offsets=None, **options
):
    defaults = {
        "cbow": False,
        "hierarchical": False,
        "window": 1,
        "n_negative": 5,
        "exponent": 0.75,
        "sample": 0.0,
        "rate": 0.1,
        "last_rate": 0.0,
        "n_epochs": 1,
        "seed": 1,
        "in_order": True,
    }
    arrays = rows, output, counts, ids, offsets, subwords, subword_offsets
    _core.train_word2vec(*arrays, **defaults | options)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def trained_slowly(chunks, rows, words_rows, *, cbow, rate, end, epochs):
    """word2vec over two words with hierarchical softmax, where nothing is random.

    The tree of two words has one inner node: the rarer word turns one way there. chunks: lists
    of texts, lists of 0 and 1, each learned at one rate, which falls from one to the next;
    words_rows: the input rows of each word, its n-grams too. Window 1.
    """
    rows, output = rows.astype(np.float64), np.zeros(rows.shape[1])
    label = {1: 0.0, 0: 1.0}  # word 1 is the rarer one
    sizes = [sum(map(len, texts)) for texts in chunks]
    begins = np.arange(epochs)[:, None] + np.cumsum([0, *sizes[:-1]]) / sum(sizes)
    rates = (rate + (end - rate) * begins / epochs).ravel().tolist()
    for now, texts in zip(rates, chunks * epochs, strict=True):
        for text in texts:
            for at, word in enumerate(text):
                around = [text[i] for i in (at - 1, at + 1) if 0 <= i < len(text)]
                if not around:
                    continue
                if cbow:
                    used = [row for other in around for row in words_rows[other]]
                    steps = [(used, [word])]
                elif max(map(len, words_rows.values())) > 1:
                    steps = [(words_rows[word], around)]
                else:
                    steps = [(None, around)]
                for used, targets in steps:
                    if used is None:  # the rows around, together, against the word
                        inputs = [words_rows[other][0] for other in targets]
                        shares = [(label[word] - sigmoid(rows[i] @ output)) * now for i in inputs]
                        before = output.copy()
                        for i, share in zip(inputs, shares, strict=True):
                            output = output + share * rows[i]
                            rows[i] = rows[i] + share * before
                        continue
                    hidden = rows[used].mean(axis=0)
                    start = hidden.copy()
                    for target in targets:
                        share = (label[target] - sigmoid(hidden @ output)) * now
                        hidden, output = hidden + share * output, output + share * hidden
                    for row in used:
                        rows[row] += hidden - start
    return rows, output


def cut_into_chunks(texts, cuts):
    """Lists of texts whose ids are those up to each cut; a text that is cut goes on in the next."""
    chunks, at = [[]], 0
    for text in texts:
        while text:
            end = min([cut for cut in cuts if cut > at], default=10**9)
            chunks[-1].append(text[: end - at])
            text, at = text[end - at :], at + len(chunks[-1][-1])
            if at == end:
                chunks.append([])
    return [chunk for chunk in chunks if chunk]


@pytest.mark.parametrize("cbow", [False, True], ids=["skipgram", "cbow"])
@pytest.mark.parametrize(
    ("lengths", "cuts", "has_subwords"),
    [
        (range(9), [], False),
        (range(9), [], True),
        # A long text is cut into pieces of 8192, and short ones go with what is left of it.
        ([17_000], [8192, 16_384], False),
        ([3, 0, 9000, 5, 8190, 0, 1], [3, 8195, 17198], False),
    ],
    ids=["words", "subwords", "one long text", "long and short"],
)
def test_each_step_is_the_references(cbow, lengths, cuts, has_subwords):
    rng = np.random.default_rng(3)
    texts = [rng.choice(2, n, p=[0.7, 0.3]).tolist() for n in lengths]
    chunks = cut_into_chunks(texts, cuts)
    counts = np.bincount([w for text in texts for w in text], minlength=2)
    dim, n_rows = 16, 2 + 3 * has_subwords
    rows = (rng.random((n_rows, dim)).astype(np.float32) - 0.5) / 2
    of_words = {0: [0], 1: [1]}
    subwords = offsets = None
    if has_subwords:
        of_words = {0: [0, 2, 4], 1: [1, 3, 4]}
        subwords, offsets = np.array([2, 4, 3, 4], np.int32), np.array([0, 2, 4])
    expected, expected_output = trained_slowly(
        chunks, rows, of_words, cbow=cbow, rate=0.3, end=0.1, epochs=2
    )
    ours, output = rows.copy(), np.zeros((2, dim), np.float32)
    ids = np.array([w + 1 for text in texts for w in text], np.int32)
    starts = np.cumsum([0, *map(len, texts)])
    arrays = ours, output, counts, ids, starts, subwords, offsets
    train_in_core(*arrays, cbow=cbow, hierarchical=True, rate=0.3, last_rate=0.1, n_epochs=2)
    # Thousands of steps in float32; another rate for one chunk would be 0.01 away.
    atol = 2e-5 if len(ids) < 8192 else 5e-4
    np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=atol)
    np.testing.assert_allclose(output[0], expected_output, rtol=2e-4, atol=atol)


def chances(n_words, changed, *, counts, **options):
    """In how many of 4,000 trainings of the text "1 2" output rows change as `changed` says."""
    n, times = 4000, 0
    ids, offsets = np.array([1, 2], np.int32), np.array([0, 2])
    for seed in range(n):
        rows, output = np.ones((n_words, 16), np.float32), np.zeros((n_words, 16), np.float32)
        train_in_core(rows, output, counts, ids, offsets, n_negative=1, seed=seed, **options)
        times += changed(output.any(axis=1))
    return times / n


@pytest.mark.parametrize("exponent", [0.0, 0.75, 1.0])
def test_negatives_are_drawn_by_count(exponent):
    counts = np.array([30, 50, 400, 100, 5, 20])
    share = counts**exponent / (counts**exponent).sum()
    for word in (2, 3, 4):
        expected = 1 - (1 - share[word]) ** 2  # one for each of two words
        found = chances(6, lambda has, w=word: has[w], counts=counts, exponent=exponent, sample=0.0)
        assert abs(found - expected) < 4 * np.sqrt(expected / 4000)


@pytest.mark.parametrize("counts", [[900, 100], [500, 500], [30, 970]])
def test_frequent_words_are_left_out_at_times(counts):
    odds = 0.1 / (np.array(counts) / 1000)
    expected = np.minimum(np.sqrt(odds) + odds, 1).prod()
    found = chances(2, np.all, counts=np.array(counts), exponent=0.75, sample=0.1)
    assert abs(found - expected) < 4 * np.sqrt(expected / 4000)


def test_a_long_text_tells_its_progress():
    ids = np.ones(50_000, np.int32)
    told = []
    rows, output = np.zeros((1, 16), np.float32), np.zeros((1, 16), np.float32)
    arrays = rows, output, np.array([50_000]), ids, np.array([0, 50_000])
    train_in_core(*arrays, window=200, watch=lambda n, loss: told.append(n))
    assert told[-1] == 50_000
    assert len(set(told)) > 1


def likes(n=1500, seed=0):
    """Texts in which animals stand in one surrounding and metals in another."""
    rng = np.random.default_rng(seed)
    kinds = {
        "animal": (["cat", "dog", "cow", "pig"], ["eats", "sleeps", "runs", "the", "young"]),
        "metal": (["iron", "zinc", "gold", "lead"], ["melts", "shines", "ore", "a", "heavy"]),
    }
    texts = []
    for _ in range(n):
        names, around = kinds[rng.choice(list(kinds))]
        text = [*rng.choice(around, 3), rng.choice(names), *rng.choice(around, 3)]
        texts.append(" ".join(text))
    return texts


MODES = [
    {},
    {"model": "cbow"},
    {"loss": "hs"},
    {"model": "cbow", "loss": "hs"},
    {"subwords": (2, 4), "buckets": 500},
    {"model": "cbow", "subwords": (2, 4), "buckets": 500},
    {"negative": 11},
    {"window": 2, "dim": 33},
    {"ns_exponent": 0.0},
]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_words_in_like_surroundings_get_like_rows(mode):
    options = {"dim": 16, "sample": 0, "seed": 1, "epochs": 12, "learning_rate": 0.1} | mode
    vectors = train_vectors(likes(), **options, deterministic=True)
    metals = {"iron", "zinc", "gold", "lead"}
    rest = {"cat", "dog", "cow", "pig"}
    for own, other in ((metals, rest), (rest, metals)):
        for word in own:
            inside = np.mean([vectors.similarity(word, w) for w in own - {word}])
            outside = np.mean([vectors.similarity(word, w) for w in other])
            assert inside > outside + 0.2, (word, inside, outside)


def test_the_rate_ends_where_it_should():
    """Rows move further where the rate stays than where it falls to nothing."""
    options = {"dim": 8, "epochs": 5, "seed": 1, "deterministic": True, "sample": 0}
    start, falls, stays = (
        train_vectors(likes(200), learning_rate=rate, end_learning_rate=end, **options).table
        for rate, end in ((1e-9, 0.0), (0.002, 0.0), (0.002, 0.002))
    )
    assert np.linalg.norm(stays - start) > 1.5 * np.linalg.norm(falls - start)


def test_the_same_seed_gives_the_same_bits_in_order():
    texts = likes(300)
    first, again, other = (
        train_vectors(texts, 20, seed=seed, deterministic=True) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_threads_train_too(n_threads):
    vectors = train_vectors(likes(3000), 16, sample=0, seed=1, epochs=8, learning_rate=0.1)
    assert vectors.similarity("iron", "zinc") > vectors.similarity("iron", "cow") + 0.2


def test_what_sentences_may_be():
    lists = [text.split() for text in likes(200)]
    given = {"seed": 1, "deterministic": True, "dim": 4.0, "epochs": np.int64(5)}
    expected = train_vectors(likes(200), **given)
    assert train_vectors(lists, **given) == expected
    assert train_vectors(iter(likes(200)), **given) == expected
    tokenizer = Tokenizer(min_count=5)
    tokenizer.fit_on_texts(likes(200))
    assert train_vectors(likes(200), tokenizer=tokenizer, **given) == expected
    marked = Tokenizer(oov_token="?", min_count=5)
    marked.fit_on_texts(likes(200))
    assert "?" not in train_vectors(likes(200), tokenizer=marked, **given)
    assert list(train_vectors(["B a a a"], 4, min_count=2)) == ["a"]


def test_rows_to_begin_with():
    vectors = Vectors(["iron", "nix"], np.full((2, 8), 0.5))
    begun = train_vectors(likes(50), 8, initial=vectors, seed=1, epochs=1, learning_rate=1e-6)
    np.testing.assert_allclose(begun["iron"], 0.5, atol=1e-3)
    assert "nix" not in begun


def test_rows_to_begin_with_where_words_are_made_of_subwords():
    options = {"subwords": (2, 4), "buckets": 300, "seed": 1, "epochs": 1}
    words = Vectors(["iron", "zinc"], np.full((2, 8), 0.5))
    begun = train_vectors(likes(50), 8, initial=words, learning_rate=1e-9, **options)
    np.testing.assert_allclose(begun[["iron", "zinc"]], 0.5, atol=1e-5)
    whole = train_vectors(likes(300), 8, **options)
    again = train_vectors(likes(300), 8, initial=whole, learning_rate=1e-9, **options)
    np.testing.assert_allclose(again.table, whole.table, atol=1e-5)
    np.testing.assert_allclose(again["irony"], whole["irony"], atol=1e-5)


def test_subwords_name_unseen_words():
    vectors = train_vectors(likes(), 16, subwords=(2, 4), buckets=500, seed=1, epochs=8)
    assert vectors.similarity("irony", "iron") > vectors.similarity("irony", "cow")
    own = vectors.subwords
    assert own.table.shape == (500, 16)


def test_phrases_are_words():
    texts = ["new york is big", "i like new york", "a new car", "york was old"] * 30
    vectors = train_vectors(texts, 4, phrases=1, phrase_threshold=2, min_count=3)
    assert "new_york" in vectors


def test_progress_is_told(capsys):
    train_vectors(likes(300), 8, verbose=True)
    told = capsys.readouterr().err
    assert "words/s" in told
    assert "100%" in told
    train_vectors(likes(100), 8, verbose=False)
    assert not capsys.readouterr().err


def test_ctrl_c_stops_it():
    texts = likes(3000)
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        train_vectors(texts, 50, epochs=10_000_000)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dim": 0}, "`dim` must be a whole number above 0"),
        ({"window": 0}, "`window` must be"),
        ({"epochs": 1.5}, "`epochs` must be"),
        ({"window": float("inf")}, "`window` must be"),
        ({"negative": 0}, "`negative` must be"),
        ({"model": "glove"}, "`model` must be one of skipgram, cbow"),
        ({"loss": "softmax"}, "`loss` must be one of ns, hs"),
        ({"learning_rate": 0}, "`learning_rate` must be above 0"),
        ({"learning_rate": 11}, "and at most 10; received 11"),
        ({"end_learning_rate": 1}, "`end_learning_rate` must be from 0 to learning_rate=0.05"),
        ({"sample": 2}, "`sample` must be from 0"),
        ({"phrases": -1}, "`phrases` must be a whole number above -1"),
        ({"phrase_threshold": float("nan")}, "`phrase_threshold` must be a number from 0"),
        ({"ns_exponent": -0.5}, "`ns_exponent` must be a number from 0"),
        ({"subwords": (4, 3)}, "`subwords` must be"),
        ({"subwords": 3}, "`subwords` must be"),
        ({"subwords": (3, 4), "buckets": 2**31}, "`buckets` must be below"),
        ({"seed": -1}, "`seed` must be"),
        ({"min_count": 10**6}, "no word occurs 1000000 times .min_count.: the most frequent"),
        (
            {"tokenizer": Tokenizer(ngrams=2)},
            "`tokenizer` must have ngrams=1; this one has ngrams=2",
        ),
        ({"initial": Vectors(["a"], [[1]])}, "`initial` must have rows of dim=100; .* have 1"),
    ],
)
def test_settings_that_cannot_be(options, says):
    with pytest.raises(ValueError, match=says):
        train_vectors(likes(20), **options)


def test_no_text_at_all():
    with pytest.raises(ValueError, match="0 words occurs 0 times"):
        train_vectors([])
