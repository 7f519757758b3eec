"""Counting the words of the IMDB training reviews (33 MB) and encoding them, beside the peers.

Keras's Tokenizer gives the same ids (asserted); TextVectorization, tokenizers
and scikit-learn cut words a little differently, which costs about the same.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from side_by_side import data_folder, labelled, race, report, save, serve


def reviews():
    return labelled(data_folder() / "imdb_train.tsv")[0]


def fitted(cls, given):
    tokenizer = cls()
    tokenizer.fit_on_texts(given)
    return tokenizer


def ours(arrow, what):
    import pyarrow

    from wordrow import Tokenizer

    texts = reviews()
    given = pyarrow.array(texts) if arrow else texts
    tokenizer = fitted(Tokenizer, given)
    if what == "fit":
        return lambda: fitted(Tokenizer, given) and None
    return lambda: tokenizer.encode(given) and None


def keras_tokenizer(what):
    from keras.src.legacy.preprocessing.text import Tokenizer

    from wordrow import Tokenizer as Ours

    texts = reviews()
    tokenizer = fitted(Tokenizer, texts)
    some = texts[:200]
    assert fitted(Ours, some).word_index == fitted(Tokenizer, some).word_index
    if what == "fit":
        return lambda: fitted(Tokenizer, texts) and None
    return lambda: tokenizer.texts_to_sequences(texts) and None


def text_vectorization(what):
    import keras
    import tensorflow

    texts = reviews()

    def adapted():
        layer = keras.layers.TextVectorization()
        layer.adapt(tensorflow.data.Dataset.from_tensor_slices(texts).batch(1024))
        return layer

    if what == "fit":
        return lambda: adapted() and None
    layer, tensor = adapted(), tensorflow.constant(texts)
    return lambda: [layer(tensor[i : i + 1024]) for i in range(0, len(texts), 1024)] and None


def hugging_face(what):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    texts = reviews()

    def trained():
        tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        trainer = trainers.WordLevelTrainer(
            vocab_size=200_000, special_tokens=["[UNK]"], show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return tokenizer

    if what == "fit":
        return lambda: trained() and None
    tokenizer = trained()
    return lambda: tokenizer.encode_batch(texts) and None


def scikit_learn(what):
    from sklearn.feature_extraction.text import CountVectorizer

    texts = reviews()
    if what == "fit":
        return lambda: CountVectorizer().fit(texts) and None
    vectorizer = CountVectorizer().fit(texts)
    return lambda: vectorizer.transform(texts) is None


PEERS = {
    "Keras Tokenizer": keras_tokenizer,
    "Keras TextVectorization": text_vectorization,
    "tokenizers": hugging_face,
    "scikit-learn": scikit_learn,
}
CONTENDERS = {}
for what in ("fit", "encode"):
    CONTENDERS[f"{what}: wordrow"] = lambda what=what: ours(False, what)
    CONTENDERS[f"{what}: wordrow, Arrow column"] = lambda what=what: ours(True, what)
    for name, peer in PEERS.items():
        CONTENDERS[f"{what}: {name}"] = lambda what=what, peer=peer: peer(what)


def main():
    megabytes = sum(len(text.encode()) for text in reviews()) / 1e6
    parts = []
    for what in ("fit", "encode"):
        names = [name for name in CONTENDERS if name.startswith(what)]
        found = race(__file__, names, turns=3)
        found = {name.removeprefix(f"{what}: "): one for name, one in found.items()}
        parts.append(report(what, found, rate=(megabytes, "MB/s")))
    save("tokenizer", parts, "keras", "tensorflow-cpu", "tokenizers", "scikit-learn", "pyarrow")


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
