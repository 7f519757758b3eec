"""What `wordrow demo` shows: two sentences walked through, then real reviews."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wordrow.app.draw import draw_explanation, draw_moves, draw_trace
from wordrow.classifier import TextClassifier
from wordrow.datasets import imdb
from wordrow.explain import explain_text, trace_texts
from wordrow.nn import random
from wordrow.nn.layers import Dense, Embedding, GlobalAveragePooling1D
from wordrow.nn.model.sequential import Sequential
from wordrow.nn.optimizers import Adam
from wordrow.text.tokenizer import Tokenizer
from wordrow.vectors import Vectors

__all__ = ["reviews", "walk"]

SENTENCES = ["This is a text", "This is not a text"]
N_HELD_OUT = 4000
LOOKED_UP = ("awful", "wonderful", "boring", "actor")
TO_EXPLAIN = (
    "The plot is thin and often boring, but the acting is wonderful and I loved the ending."
)


# ---- two sentences --------------------------------------------------------


def walk(console: Console, seed: int) -> None:
    """Take two sentences through tokenizer, padding and embedding, and train their rows."""
    console.rule("What does the embedding layer do?")
    tokenizer = Tokenizer(10)
    tokenizer.fit_on_texts(SENTENCES)
    random.set_random_seed(seed)
    embedding = Embedding(10, 3, input_length=6, mask_zero=True)
    trace = trace_texts(SENTENCES, tokenizer, embedding, maxlen=6)
    draw_trace(console, trace)
    model = Sequential([embedding, GlobalAveragePooling1D(), Dense(1, "sigmoid")])
    before, after, answers = _train_rows(model, tokenizer)
    console.print()
    console.print(
        Text.assemble(
            ("7. training", "bold"), "  rows are weights like any other: 50 steps that teach"
        )
    )
    console.print(f"   {SENTENCES[0]!r} → 1 and {SENTENCES[1]!r} → 0")
    draw_moves(console, trace, before[:6], after[:6])
    console.print("   'not' tells the two sentences apart, so its row moved farthest;")
    console.print("   rows 0 and 6 to 9 belong to no word here, and did not move.")
    console.print(f"   answers now: {answers[0]:.3f} and {answers[1]:.3f}")


def _train_rows(
    model: Sequential, tokenizer: Tokenizer
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], list[float]]:
    """Train the model on the two sentences; return the table before and after, and the answers."""
    ragged = tokenizer.encode(SENTENCES)
    before = model.get_weights()[0]
    model.compile(Adam(0.05), "binary_crossentropy")
    model.fit(ragged, np.array([1, 0]), batch_size=2, epochs=50, shuffle=False, verbose=0)
    return before, model.get_weights()[0], model.predict(ragged)[:, 0].tolist()


# ---- real reviews ---------------------------------------------------------


def reviews(console: Console, seed: int, target: Path) -> None:
    """Train on real reviews, and show what was learned."""
    texts, labels = _distinct(*imdb.load_texts("train"))
    order = np.random.default_rng(seed).permutation(len(texts))
    held, kept = order[:N_HELD_OUT], order[N_HELD_OUT:]
    console.print(
        f"{len(texts):,} different reviews (Maas et al. 2011, Stanford): {len(kept):,} to learn "
        f"from, {len(held):,} held out"
    )
    classifier = TextClassifier(ngrams=2, seed=seed)
    start = time.perf_counter()
    names = np.array(["negative", "positive"])
    classifier.fit([texts[i] for i in kept], names[labels[kept]])
    seconds = time.perf_counter() - start
    accuracy = classifier.score([texts[i] for i in held], names[labels[held]])
    rows, columns = classifier.table_shape
    console.print(
        f"trained {rows:,} rows of {columns} (words and pairs of words) in {seconds:.1f} s; "
        f"held-out accuracy [bold]{accuracy:.4f}[/bold]"
    )
    console.print()
    _neighbours(console, classifier)
    console.print()
    console.print(Text(f"{TO_EXPLAIN!r}"))
    draw_explanation(console, explain_text(classifier, TO_EXPLAIN))
    target.parent.mkdir(parents=True, exist_ok=True)
    classifier.save(target)
    console.print()
    console.print(
        f"the model is saved: {target} ({target.stat().st_size / 1e6:.1f} MB)", soft_wrap=True
    )
    console.print(f'try: wordrow explain "your own review" --model {target}', soft_wrap=True)


def _distinct(texts: list[str], labels: npt.NDArray[Any]) -> tuple[list[str], npt.NDArray[Any]]:
    """Return each text once, so that no held-out review was learned from."""
    first = {text: i for i, text in reversed(list(enumerate(texts)))}
    kept = sorted(first.values())
    return [texts[i] for i in kept], labels[kept]


def _neighbours(console: Console, classifier: TextClassifier) -> None:
    """Print the words whose rows are nearest to those of some words, among the frequent ones."""
    names, occurrences, *_ = classifier.tokenizer.ranked_entries()
    table = classifier.model_.layers[0].get_weights()[0]
    counted = enumerate(zip(names, occurrences.tolist(), strict=True), 1)
    frequent = [i for i, (name, n) in counted if n >= 100 and " " not in name]
    vectors = Vectors([names[i - 1] for i in frequent], table[frequent])
    out = Table("word", "nearest rows (cosine)", box=None, pad_edge=False)
    for word in (word for word in LOOKED_UP if word in vectors):
        near = [f"{other} {cosine:.2f}" for other, cosine in vectors.most_similar(word, n=6)]
        out.add_row(Text(word, "bold"), ", ".join(near))
    console.print(out)
    console.print(
        "The rows learned one question alone, so they line up along its answer: near are words "
        "that say the same of a film, whatever they mean."
    )
