"""Vectors: loading GloVe's text, neighbours, and skip-gram on the IMDB reviews, beside the peers.

The two trainings have the settings of the peer that they stand beside, since gensim's and
fastText's differ by default; similarities are Spearman's, on WordSim-353 and SimLex-999.
`python benchmarks/vectors.py load` runs one part, "train, gensim" one of the two trainings.
"""

import atexit
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import time

from side_by_side import data_folder, labelled, race, report, save, serve

N_QUERIES, N_NEAR, DIM, EPOCHS = 1000, 10, 100, 5
# Sample; learning rate; what it falls to. gensim's two workers each read half of a file, and each
# takes its half for half of an epoch's progress: its rate ends at a tenth, not at min_alpha.
SETTINGS = {"fastText": (1e-4, 0.05, 0.0), "gensim": (1e-3, 0.025, 0.0025)}


def glove():
    return data_folder() / "glove.6B.100d.top50k.txt"


def reviews():
    """The IMDB training reviews, cut into words that all contenders see alike."""
    texts = labelled(data_folder() / "imdb_train.tsv")[0]
    return [" ".join(re.findall(r"[a-z0-9']+", t.lower().replace("<br />", " "))) for t in texts]


def loaded():
    from wordrow.vectors import Vectors

    return Vectors.load(glove())


def gensim_loaded():
    from gensim.models import KeyedVectors

    return KeyedVectors.load_word2vec_format(str(glove()), no_header=True)


# ---- loading ----------------------------------------------------------------


def load():
    loaded()
    return lambda: loaded() and None


def load_words():
    from wordrow import Tokenizer
    from wordrow.vectors import Vectors

    tokenizer = Tokenizer(5000)
    tokenizer.fit_on_texts(reviews())
    return lambda: Vectors.load(glove(), words=tokenizer) and None


def load_gensim():
    import gensim  # noqa: F401

    return lambda: gensim_loaded() and None


# ---- neighbours ---------------------------------------------------------------


def batch():
    vectors = loaded()
    words = vectors.vocabulary[1000 : 1000 + N_QUERIES]
    return lambda: vectors.batch_most_similar(words, N_NEAR) and None


def batch_faiss():
    import faiss

    from wordrow import _core

    vectors = loaded().normalized
    index = faiss.IndexFlatIP(vectors.dim)
    index.add(vectors.table)
    faiss.omp_set_num_threads(_core.n_threads())
    queries = vectors.table[1000 : 1000 + N_QUERIES]
    return lambda: index.search(queries, N_NEAR + 1) and None


def batch_gensim():
    vectors = gensim_loaded()
    words = vectors.index_to_key[1000 : 1000 + N_QUERIES]
    return lambda: [vectors.most_similar(word, topn=N_NEAR) for word in words] and None


def single():
    vectors = loaded()
    words = vectors.vocabulary[1000 : 1000 + N_QUERIES]
    return lambda: [vectors.most_similar(word, n=N_NEAR) for word in words] and None


# ---- training -----------------------------------------------------------------


def scored(vectors):
    """The numbers that stand beside a training."""
    from wordrow.vectors.evaluation import evaluate_similarities

    folder = data_folder() / "eval"
    return {
        "wordsim": evaluate_similarities(vectors, folder / "wordsim353.tsv").spearman,
        "simlex": evaluate_similarities(vectors, folder / "simlex999.txt").spearman,
    }


SCORES = []  # of the turns so far; their means are what is said


def timed(train, as_vectors):
    start = time.perf_counter()
    trained = train()
    seconds = time.perf_counter() - start
    SCORES.append(scored(as_vectors(trained)))
    return seconds, {name: statistics.mean(score[name] for score in SCORES) for name in SCORES[0]}


def train(settings):
    from wordrow.vectors.training import train_vectors

    sample, rate, end = SETTINGS[settings]
    texts, seeds = reviews(), iter(range(1, 100))
    return lambda: timed(
        lambda: train_vectors(
            texts,
            DIM,
            sample=sample,
            learning_rate=rate,
            end_learning_rate=end,
            epochs=EPOCHS,
            seed=next(seeds),
        ),
        lambda vectors: vectors,
    )


def corpus():
    """The reviews as a file, which both peers read fastest."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = pathlib.Path(folder) / "reviews.txt"
    path.write_text("".join(f"{text}\n" for text in reviews()), encoding="utf-8")
    return str(path)


def train_gensim():
    from gensim.models import Word2Vec

    from wordrow import _core
    from wordrow.vectors import Vectors

    sample, rate, _ = SETTINGS["gensim"]
    path, seeds = corpus(), iter(range(1, 100))
    return lambda: timed(
        lambda: Word2Vec(
            corpus_file=path,
            vector_size=DIM,
            window=5,
            negative=5,
            sg=1,
            min_count=5,
            epochs=EPOCHS,
            workers=_core.n_threads(),
            sample=sample,
            alpha=rate,
            seed=next(seeds),
        ),
        lambda model: Vectors(model.wv.index_to_key, model.wv.vectors),
    )


def train_fasttext():
    import fasttext
    import numpy as np

    from wordrow import _core
    from wordrow.vectors import Vectors

    sample, rate, _ = SETTINGS["fastText"]
    path = corpus()

    def as_vectors(model):
        words = model.get_words()
        return Vectors(words, np.stack([model.get_word_vector(word) for word in words]))

    return lambda: timed(
        lambda: fasttext.train_unsupervised(
            path,
            model="skipgram",
            dim=DIM,
            ws=5,
            neg=5,
            epoch=EPOCHS,
            minCount=5,
            maxn=0,
            thread=_core.n_threads(),
            t=sample,
            lr=rate,
            verbose=0,
        ),
        as_vectors,
    )


CONTENDERS = {
    "load: wordrow": load,
    "load: wordrow, words=tokenizer": load_words,
    "load: gensim": load_gensim,
    "batch: wordrow": batch,
    "batch: faiss": batch_faiss,
    "batch: gensim": batch_gensim,
    "single: wordrow": single,
    "single: gensim": batch_gensim,
    "train, fastText's settings: wordrow": lambda: train("fastText"),
    "train, fastText's settings: fastText": train_fasttext,
    "train, gensim's settings: wordrow": lambda: train("gensim"),
    "train, gensim's settings: gensim": train_gensim,
}
PARTS = {
    "load": ("GloVe's 50,000 rows of 100 from text", 5, 1, 1.0),
    "batch": ("10 nearest of 50,000 rows, 1,000 queries at once", 9, 2, 1.0),
    "single": ("10 nearest of 50,000 rows, one query", 5, 1, float(N_QUERIES)),
    "train, fastText's settings": ("skip-gram, 29 million words, fastText's settings", 3, 0, 1.0),
    "train, gensim's settings": ("skip-gram, 29 million words, gensim's settings", 5, 0, 1.0),
}


def main():
    asked = [name for name in PARTS if not sys.argv[1:] or name.startswith(tuple(sys.argv[1:]))]
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # contenders wait for their turn in turns
    for key in asked:
        title, turns, warm_up, per = PARTS[key]
        names = [name for name in CONTENDERS if name.startswith(f"{key}: ")]
        found = race(__file__, names, turns=turns, warm_up=warm_up)
        found = {name.removeprefix(f"{key}: "): one for name, one in found.items()}
        rate = None
        if key.startswith("train"):
            words = sum(len(text.split()) for text in reviews()) * EPOCHS / 1e3
            rate = (words, "thousand words/s")
            for name, one in found.items():
                print(f"  {name}: {one.numbers}")
        part = report(title, found, per=per, rate=rate)
        save(
            f"vectors-{re.sub('[^a-z]+', '-', key.lower())}",
            [part],
            "gensim",
            "faiss-cpu",
            "fasttext-wheel",
        )


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
