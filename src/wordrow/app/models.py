"""`wordrow train`, `evaluate` and `predict`."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from wordrow.app.options import (
    EncodingOption,
    LabelOption,
    ModelArgument,
    TextOption,
    table,
    texts_in,
)
from wordrow.errors import DataError, FileFormatError
from wordrow.progress import is_wanted

__all__ = ["evaluate", "predict", "train"]


def train(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines, or a folder per label.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The output file.", show_default="FILE.safetensors"),
    ] = None,
    text: TextOption = None,
    label: LabelOption = None,
    dim: Annotated[int, typer.Option(help="The length of a row.")] = 16,
    ngrams: Annotated[
        int, typer.Option(help="Also give rows to n-grams of up to this many words.")
    ] = 1,
    buckets: Annotated[
        int | None, typer.Option(help="Hash n-grams into this many buckets: faster and smaller.")
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(help="Rarer words and n-grams have no row.", show_default="1; 2 with n-grams"),
    ] = None,
    num_words: Annotated[
        int | None, typer.Option(help="Only keep the most frequent words.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Passes over the texts.", show_default="3 to 100, about 1,000 steps"),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Texts per step.")] = 64,
    learning_rate: Annotated[
        float, typer.Option(help="Adam's initial rate; it falls linearly to 0.")
    ] = 0.01,
    validation_split: Annotated[
        float,
        typer.Option(
            help="Share of texts to hold out; training stops when their loss stops improving."
        ),
    ] = 0.0,
    patience: Annotated[int, typer.Option(help="Epochs to wait for a better validation loss.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="Makes training reproducible, bit for bit.")
    ] = None,
    encoding_errors: EncodingOption = "strict",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.")] = False,
) -> None:
    """Train a text classifier from raw texts and their labels.

    wordrow train reviews.csv -o reviews.safetensors --ngrams 2
    """
    from wordrow.classifier import TextClassifier

    target = _check_target(output or Path(f"{file.resolve().stem}.safetensors"))
    data = table(file, text, label, encoding_errors)
    assert data.labels is not None
    classifier = TextClassifier(
        dim=dim,
        ngrams=ngrams,
        buckets=buckets,
        min_count=min_count,
        num_words=num_words,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        validation_split=validation_split,
        patience=patience,
        seed=seed,
        verbose=not quiet and is_wanted("auto"),
    )
    counts = Counter(data.labels)
    shown = ", ".join(f"{name} ({n:,})" for name, n in counts.most_common(12))
    more = f" and {len(counts) - 12} more" if len(counts) > 12 else ""
    print(f"labels: {shown}{more}", file=sys.stderr)
    start = time.perf_counter()
    classifier.fit(data.texts, data.labels)
    seconds = time.perf_counter() - start
    classifier.save(target)
    history = classifier.history_
    n_rows, n_columns = classifier.table_shape
    print(
        f"trained on {len(data):,} texts in {seconds:.1f} s: {n_rows:,} rows of {n_columns}, "
        f"{len(history['loss'])} epochs, loss {history['loss'][-1]:.4f}"
    )
    if "val_accuracy" in history:
        best = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
        print(f"validation accuracy {history['val_accuracy'][best]:.4f} (epoch {best + 1})")
    print(f"model: {target} ({target.stat().st_size / 1e6:.1f} MB)")


def _check_target(target: Path) -> Path:
    """Raise before training if the model cannot be written to target."""
    from wordrow import store

    store.check_writable(target)
    if target.exists():
        try:
            _, config = store.read(target)
            is_ours = config.get("kind") in ("classifier", "model")
        except FileFormatError:
            is_ours = False
        if not is_ours:
            raise DataError(
                f"{target} exists and is not a wordrow model; it was not changed. Choose "
                "another name with -o."
            )
    return target


def evaluate(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(help="Texts with their labels, as for `train`.")],
    text: TextOption = None,
    label: LabelOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    encoding_errors: EncodingOption = "strict",
) -> None:
    """Compare a model's answers with the labels of a file; the last line is the accuracy.

    wordrow evaluate reviews.safetensors test.csv
    """
    from wordrow.classifier import TextClassifier

    classifier = TextClassifier.load(model)
    data = table(file, text, label, encoding_errors)
    assert data.labels is not None
    classes = [str(name) for name in classifier.classes_.tolist()]
    unknown = next((i for i, name in enumerate(data.labels) if name not in classes), None)
    if unknown is not None:
        raise DataError(
            f"{file}: row {unknown + data.first_row} has the label {data.labels[unknown]!r}, "
            f"which the model does not know; it knows {', '.join(classes[:12])}."
        )
    predicted = [str(name) for name in classifier.predict(data.texts).tolist()]
    pairs = Counter(zip(data.labels, predicted, strict=True))
    rows = [_class_row(name, pairs) for name in classes]
    accuracy = sum(pairs[name, name] for name in classes) / len(data)
    if as_json:
        print(json.dumps({"accuracy": accuracy, "n_texts": len(data), "classes": rows}))
        return
    out = RichTable("label")
    for column in ("texts", "predicted", "precision", "recall"):
        out.add_column(column, justify="right")
    for row in rows:
        numbers = [f"{row['texts']:,}", f"{row['predicted']:,}"]
        out.add_row(
            escape(row["label"]), *numbers, f"{row['precision']:.4f}", f"{row['recall']:.4f}"
        )
    Console().print(out)
    print(f"accuracy {accuracy:.4f}")


def _class_row(name: str, pairs: Counter[tuple[str, str]]) -> dict[str, Any]:
    right = pairs[name, name]
    texts = sum(n for (label, _), n in pairs.items() if label == name)
    predicted = sum(n for (_, answer), n in pairs.items() if answer == name)
    return {
        "label": name,
        "texts": texts,
        "predicted": predicted,
        "precision": right / predicted if predicted else 0.0,
        "recall": right / texts if texts else 0.0,
    }


def predict(
    model: ModelArgument,
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; by default those of standard input.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="One text per line, or a table as for `train`."),
    ] = None,
    text: TextOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per text, with all probabilities.")
    ] = False,
    encoding_errors: EncodingOption = "strict",
) -> None:
    """Print the label of each text with its probability: label, tab, probability, tab, text.

    wordrow predict reviews.safetensors "a fine film" "a dull one"
    """
    if texts and file:
        raise DataError("texts were given both as arguments and with --file; give one of them.")
    from wordrow.classifier import TextClassifier

    classifier = TextClassifier.load(model)
    wanted = list(texts) if texts else texts_in(file, text, encoding_errors)
    classes = classifier.classes_.tolist()
    for content, row in zip(wanted, classifier.predict_proba(wanted).tolist(), strict=True):
        best = max(range(len(row)), key=row.__getitem__)
        if as_json:
            probabilities = {str(name): p for name, p in zip(classes, row, strict=True)}
            answer = {"label": classes[best], "probabilities": probabilities, "text": content}
            print(json.dumps(answer, ensure_ascii=False))
        else:
            print(f"{classes[best]}\t{row[best]:.4f}\t{' '.join(content.split())}")
