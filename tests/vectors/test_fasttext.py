"""Models that fastText itself has trained, beside what fastText says of them."""

import json
import pathlib
import struct

import numpy as np
import pytest

from wordrow import _core
from wordrow.errors import FileFormatError
from wordrow.vectors import FastText, Vectors

UNSEEN = ["night", "zzzxq", "überraschung", "日本語", "a", "the-thing", "x" * 60]
TEXTS = [
    "the film was fine",
    "a dull, dull film",
    "FILM",
    "",
    "überraschung 日本語",
    "fine \t film\rwas",
    "unknown words alone",
    "__label__good fine",
    "the the the the the the the",
    "😀 fine",
]


def corpus(path, *, labels, n_labels=3):
    rng = np.random.default_rng(0)
    words = {
        "good": ["fine", "lovely", "schön", "great"],
        "bad": ["dull", "awful", "träge"],
        "so-so": ["fair", "middling", "日本"],
    }
    words |= {f"label{i}": [f"word{i}"] for i in range(n_labels - 3)}
    lines = []
    for i in range(max(400, 5 * n_labels)):
        label = rng.choice(list(words))
        text = f"the film was {rng.choice(words[label])} and {rng.choice(words[label])} by name{i}"
        lines.append(f"__label__{label} {text}" if labels else text)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def fasttext():
    return pytest.importorskip("fasttext")


def trained(fasttext, tmp_path, *, labels=True, n_labels=3, quantize=None, **options):
    path = corpus(tmp_path / "corpus.txt", labels=labels, n_labels=n_labels)
    train = fasttext.train_supervised if labels else fasttext.train_unsupervised
    model = train(path, dim=12, epoch=3, minCount=1, thread=1, verbose=0, **options)
    if quantize is not None:
        model.quantize(input=path, **quantize)
    name = str(tmp_path / ("model.ftz" if quantize is not None else "model.bin"))
    model.save_model(name)
    return model, name


def predictions(model, text, k):
    """What fastText says, around its Python wrapper, which NumPy 2 breaks."""
    return [(label, p) for p, label in model.f.predict(text + "\n", k, 0.0, "strict")]


def same(ours, theirs, tolerance=1e-4):
    assert [label for label, _ in ours] == [label for label, _ in theirs]
    np.testing.assert_allclose([p for _, p in ours], [p for _, p in theirs], atol=tolerance)


@pytest.mark.parametrize("options", [
    {"loss": "softmax"}, {"loss": "softmax", "wordNgrams": 3, "bucket": 500},
    {"loss": "hs"}, {"loss": "ns"}, {"loss": "softmax", "minn": 2, "maxn": 4, "bucket": 300},
    {"loss": "softmax", "minn": 2, "maxn": 3, "wordNgrams": 2, "bucket": 300},
    {"loss": "hs", "quantize": {}},
    {"loss": "softmax", "wordNgrams": 2, "bucket": 400,
     "quantize": {"cutoff": 300, "qnorm": True, "retrain": True, "thread": 1, "epoch": 1}},
    {"loss": "softmax", "n_labels": 300, "quantize": {"qout": True, "dsub": 5}},
], ids=str)  # fmt: skip
def test_a_supervised_model_answers_the_same(options, fasttext, tmp_path):
    model, path = trained(fasttext, tmp_path, **options)
    ours = FastText.load(path)
    assert ours.kind == "supervised"
    assert sorted(ours.labels) == sorted(model.get_labels())
    tolerance = 1e-2 if options["loss"] == "ns" else 1e-4  # fastText looks its sigmoid up there
    for text in TEXTS:
        theirs = predictions(model, text, 3)
        if len({round(p, 6) for _, p in theirs}) == len(theirs):
            same(ours.predict(text, 3), theirs, tolerance)
    assert len(ours.predict("the film", -1)) == len(ours.labels)
    both = ours.predict(TEXTS, 2)
    for text, found in zip(TEXTS, both, strict=True):
        same(found, ours.predict(text, 2), 1e-12)
    assert all(p >= 0.4 for found in ours.predict(TEXTS, 3, 0.4) for _, p in found)
    vectors = ours.vectors
    assert list(vectors) == model.get_words()
    assert (vectors.table == np.stack([model.get_word_vector(w) for w in vectors])).all()
    assert list(Vectors.load(path)) == list(vectors)


@pytest.mark.parametrize("kind", ["skipgram", "cbow"])
@pytest.mark.parametrize("grams", [{"minn": 3, "maxn": 6, "bucket": 900}, {"maxn": 0}])
def test_rows_of_words_seen_and_unseen(kind, grams, fasttext, tmp_path):
    model, path = trained(fasttext, tmp_path, labels=False, model=kind, **grams)
    ours = Vectors.load(path)
    assert FastText.load(path).kind == kind
    assert list(ours) == model.get_words()
    assert (ours.table == np.stack([model.get_word_vector(w) for w in ours])).all()
    if grams["maxn"]:
        assert (ours[UNSEEN] == np.stack([model.get_word_vector(w) for w in UNSEEN])).all()
        some = Vectors.load(path, words=[ours.vocabulary[3], "nix"])
        assert (some[ours.vocabulary[3]] == ours[ours.vocabulary[3]]).all()
        assert (some["nix"] == ours["nix"]).all()
        ours.save(tmp_path / "v.safetensors")
        assert (Vectors.load(tmp_path / "v.safetensors")[UNSEEN] == ours[UNSEEN]).all()
    else:
        assert ours.subwords is None
    with pytest.raises(ValueError, match=f"only supervised models predict .*; this one is {kind}"):
        FastText.load(path).predict("a text")


def test_a_model_that_gensim_wrote(fasttext, tmp_path):
    models = pytest.importorskip("gensim.models.fasttext")
    texts = [["the", "film", "was", w] for w in ("fine", "dull", "schön", "überraschend")] * 20
    trained = models.FastText(
        texts, vector_size=12, min_count=1, epochs=2, sg=1, bucket=500, min_n=3, max_n=5
    )
    path = str(tmp_path / "gensim.bin")
    models.save_facebook_model(trained, path)
    ours, theirs = Vectors.load(path), models.load_facebook_vectors(path)
    assert list(ours) == theirs.index_to_key
    # The two differ in the last bit, since gensim divides by n where fastText multiplies by 1 / n:
    # of a file that both read, fastText's bits are ours.
    model = fasttext.load_model(path)
    assert (ours.table == np.stack([model.get_word_vector(w) for w in ours])).all()
    assert (ours[UNSEEN] == np.stack([model.get_word_vector(w) for w in UNSEEN])).all()
    np.testing.assert_allclose(ours.table, theirs.vectors, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours[UNSEEN], [theirs[w] for w in UNSEEN], rtol=1e-6, atol=1e-7)


def test_the_old_format_as_gensim_reads_it(data, tmp_path):
    models = pytest.importorskip("gensim.models.fasttext")
    path = data / "vectors" / "lee_fasttext.bin"
    ours, theirs = Vectors.load(path), models.load_facebook_vectors(str(path))
    assert list(ours) == theirs.index_to_key
    assert (ours.table == theirs.vectors).all()
    assert (ours[UNSEEN] == np.stack([theirs[w] for w in UNSEEN])).all()
    ours.save(tmp_path / "lee.safetensors")
    assert (Vectors.load(tmp_path / "lee.safetensors")[UNSEEN] == ours[UNSEEN]).all()
    text = Vectors.load(data / "vectors" / "lee_fasttext.vec")
    np.testing.assert_allclose(ours[list(text)], text.table, atol=1e-4)


def test_a_real_model_of_176_languages(data, fasttext):
    path = str(data / "vectors" / "lid.176.ftz")
    model, ours = fasttext.load_model(path), FastText.load(path)
    lines = (data / "imdb_test.tsv").read_text(encoding="utf-8").split("\n")[:40]
    words = [w for w in ours.vectors if len(w) > 2 and "\ufffd" not in w][::40]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(300)]
    for text in [*texts, *lines, *TEXTS]:
        same(ours.predict(text, 2), predictions(model, text, 2))
    names = model.get_words(on_unicode_error="replace")
    table = np.stack([model.get_word_vector(w) for w in names])
    assert (ours.vectors[names] == table).all()
    assert (ours.vectors[UNSEEN] == np.stack([model.get_word_vector(w) for w in UNSEEN])).all()
    assert repr(ours) == "FastText(supervised, 7,235 words, 16 dimensions, 176 labels)"
    assert json.dumps(ours.predict("Wie geht es dir?"))[:18] == '[["__label__de", 0'


def test_numbers_that_are_not_finite_are_named(fasttext, tmp_path):
    _, path = trained(fasttext, tmp_path)
    file = pathlib.Path(path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-4] + struct.pack("<I", 0x7FA00000))  # the last number of the output
    assert np.isfinite(FastText.load(path).vectors.table).all()
    with pytest.raises(FileFormatError, match="model.bin: a row holds a number that is not finite"):
        FastText.load(path).predict("the film was fine")


def test_equal_entries_of_a_dictionary_are_told_apart():
    entry = b"same\xff\0" + struct.pack("<qb", 1, 0)
    data = np.frombuffer(entry * 20_000, np.uint8)
    words, _, counts, n_bytes = _core.read_dictionary(data, 20_000, replaces=True)
    assert len(words) == len(counts) == 20_000
    assert n_bytes == len(data)
    assert words.word(0) == "same\ufffd"


def test_how_many_labels_are_asked_for(fasttext, tmp_path):
    _, path = trained(fasttext, tmp_path)
    with pytest.raises(ValueError, match="`k` must be a whole number above 0; received 0"):
        FastText.load(path).predict("the film", 0)


def test_every_cut_is_named(fasttext, tmp_path):
    _, path = trained(fasttext, tmp_path, loss="hs", quantize={})
    whole = pathlib.Path(path).read_bytes()
    for n in [*range(4, 300, 7), *range(300, len(whole), 97)]:
        (tmp_path / "cut.ftz").write_bytes(whole[:n])
        with pytest.raises(FileFormatError, match="cut.ftz"):
            FastText.load(tmp_path / "cut.ftz").vectors  # noqa: B018
    with pytest.raises(FileFormatError, match="expected a fastText model; it does not begin"):
        FastText.load(tmp_path / "corpus.txt")
