"""`wordrow vectors`: files of vectors, looked at, changed, compared and trained."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from wordrow.app.options import EncodingOption
from wordrow.errors import DataError

if TYPE_CHECKING:
    from wordrow.vectors import Vectors

__all__ = ["app"]

app = typer.Typer(
    help="Files of word vectors: word2vec, GloVe, fastText and others.",
    no_args_is_help=True,
    epilog="Formats are found out when read; when written, the name says which: .safetensors, "
    ".txt (GloVe), .vec (word2vec), .bin (word2vec, binary), .npz, .tsv (TensorBoard), and .gz, "
    ".zst or .zip behind it.",
)

FileArgument = Annotated[Path, typer.Argument(help="A file of vectors.", metavar="FILE")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LimitOption = Annotated[int | None, typer.Option(help="Read the first so many rows alone.")]
BadRowsOption = Annotated[
    Literal["error", "skip"], typer.Option(help="What to do with damaged rows.")
]


def _load(path: Path, **options: Any) -> Vectors:
    from wordrow.vectors import Vectors

    return Vectors.load(path, **options)


def _print(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table that reads well, numbers to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = Table(box=None, pad_edge=False)
    for i, name in enumerate(columns):
        numbers = all(isinstance(row[i], int | float) for row in rows)
        out.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        out.add_row(*(Text(_shown(cell)) for cell in row))
    Console().print(out)


def _shown(cell: Any) -> str:
    if isinstance(cell, float):
        return "-" if math.isnan(cell) else f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _number(x: float) -> float | None:
    return None if math.isnan(x) else x


@app.command()
def info(
    path: FileArgument,
    encoding_errors: EncodingOption = "replace",
    as_json: JsonOption = False,
) -> None:
    """Show what a file holds: its format, words, dimensions, the lengths of rows.

    wordrow vectors info glove.6B.100d.txt
    """
    import numpy as np

    from wordrow.vectors.formats import format_of
    from wordrow.vectors.formats.choice import Choice
    from wordrow.vectors.formats.source import Source
    from wordrow.vectors.nearest import Directions

    source = Source(path, verbose="auto")
    name, form = format_of(source)
    vectors = form.read(source, Choice(replaces=encoding_errors == "replace"))
    lengths = Directions(vectors.table).lengths if len(vectors) else np.zeros(1)
    found = {
        "file": str(path), "format": name, "bytes": path.stat().st_size, "words": len(vectors),
        "dimensions": vectors.dim, "subwords": vectors.subwords is not None,
        "first_words": vectors.vocabulary[:10],
        "row_length": {"mean": float(lengths.mean()), "least": float(lengths.min()),
                       "most": float(lengths.max())},
    }  # fmt: skip
    if as_json:
        _print(found)
        return
    subwords = vectors.subwords
    grams = "none" if subwords is None else (
        f"{subwords.min_n} to {subwords.max_n} characters, {subwords.n_buckets:,} buckets"
    )  # fmt: skip
    _table(["", ""], [
        ["format", form.title], ["file", f"{path.stat().st_size / 1e6:,.1f} MB"],
        ["words", f"{len(vectors):,}"], ["dimensions", str(vectors.dim)], ["sub-words", grams],
        ["first words", " ".join(vectors.vocabulary[:10])],
        ["length of rows", f"{lengths.mean():.3f} on average, from {lengths.min():.3f} to "
                           f"{lengths.max():.3f}"],
    ])  # fmt: skip


@app.command()
def convert(
    path: FileArgument,
    target: Annotated[Path, typer.Argument(help="The file to write; its name says the format.")],
    form: Annotated[
        str | None, typer.Option("--format", help="The format, where the name does not say it.")
    ] = None,
    limit: LimitOption = None,
    normalize: Annotated[
        bool, typer.Option(help="Bring rows to length 1, and leave sub-words out.")
    ] = False,
    encoding_errors: EncodingOption = "strict",
    bad_rows: BadRowsOption = "error",
    as_json: JsonOption = False,
) -> None:
    """Write a file of vectors in another format.

    wordrow vectors convert glove.6B.100d.txt glove.safetensors
    """
    from wordrow.vectors.formats import check_target

    check_target(target, form)
    vectors = _load(path, limit=limit, encoding_errors=encoding_errors, bad_rows=bad_rows)
    (vectors.normalized if normalize else vectors).save(target, form)
    _say_written(target, vectors, as_json)


def _say_written(target: Path, vectors: Vectors, as_json: bool) -> None:
    size = target.stat().st_size
    print(
        f"{target}: {len(vectors):,} rows of {vectors.dim} ({size / 1e6:.1f} MB)", file=sys.stderr
    )
    if as_json:
        _print({"file": str(target), "bytes": size, "words": len(vectors),
                "dimensions": vectors.dim})  # fmt: skip


@app.command()
def nearest(
    path: FileArgument,
    words: Annotated[list[str], typer.Argument(help="One or more words.")],
    n: Annotated[int, typer.Option("--n", "-n", help="How many neighbours.")] = 10,
    together: Annotated[bool, typer.Option(help="Those of the mean of all words.")] = False,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the words whose rows point the same way as that of each word.

    wordrow vectors nearest glove.6B.100d.txt frog king
    """
    vectors = _load(path, limit=limit)
    if together:
        found = {" ".join(words): vectors.most_similar(words, n=n)}
    else:
        found = dict(zip(words, vectors.batch_most_similar(words, n=n), strict=True))
    if as_json:
        _print(found)
        return
    for i, (word, near) in enumerate(found.items()):
        if i:
            print()
        _table([word, "cosine"], [[other, cosine] for other, cosine in near])


@app.command()
def analogy(
    path: FileArgument,
    a: Annotated[str, typer.Argument(help="As in: man is to king as woman is to ?")],
    b: Annotated[str, typer.Argument()],
    c: Annotated[str, typer.Argument()],
    n: Annotated[int, typer.Option("--n", "-n", help="How many answers.")] = 5,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is to C as B is to A.

    wordrow vectors analogy glove.6B.100d.txt man king woman
    """
    found = _load(path, limit=limit).analogy(a, b, c, n)
    if as_json:
        _print(found)
        return
    _table([f"{a} : {b} = {c} :", "cosine"], [[word, cosine] for word, cosine in found])


@app.command()
def evaluate(
    path: FileArgument,
    tests: Annotated[
        list[Path],
        typer.Argument(help="Files of analogies (': section' lines), or of pairs with a number."),
    ],
    limit: Annotated[
        int, typer.Option(help="For analogies, look at the first so many words; 0 for all.")
    ] = 30_000,
    as_json: JsonOption = False,
) -> None:
    """Score vectors by analogies, and by similarities that people gave.

    wordrow vectors evaluate glove.6B.100d.txt questions-words.txt simlex999.txt
    """
    from wordrow.vectors.evaluation import evaluate_analogies, evaluate_similarities

    vectors = _load(path)
    report: list[dict[str, Any]] = []
    for test in tests:
        if _has_sections(test):
            scores = evaluate_analogies(vectors, test, limit=limit or None)
            rows = [[s.section, s.accuracy, s.n_right, s.n_asked, s.n_unknown] for s in scores]
            names = ["section", "accuracy", "right", "asked", "unknown"]
        else:
            score = evaluate_similarities(vectors, test)
            rows = [[test.name, score.spearman, score.n_pairs, score.n_unknown]]
            names = ["pairs", "Spearman", "asked", "unknown"]
        if not as_json:
            if report:
                print()
            _table(names, rows)
        report.append({
            "file": str(test),
            "scores": [
                {k.lower(): _number(v) if isinstance(v, float) else v
                 for k, v in zip(names, row, strict=True)} for row in rows
            ],
        })  # fmt: skip
    if as_json:
        _print(report)


def _has_sections(path: Path) -> bool:
    with open(path, "rb") as file:
        lines = file.read(4096).splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith(b"//")), b"")
    return first.lstrip(b"\xef\xbb\xbf").startswith(b":")


@app.command()
def subset(
    path: FileArgument,
    target: Annotated[Path, typer.Argument(help="The file to write; its name says the format.")],
    words: Annotated[
        Path, typer.Option(help="The words to keep: a text of any kind, whose words are meant.")
    ],
    case: Annotated[
        Literal["exact", "fallback"],
        typer.Option(help="fallback also keeps words that differ in upper and lower case."),
    ] = "exact",
    as_json: JsonOption = False,
) -> None:
    """Keep the rows of the words of a text alone; those of other words are never loaded.

    wordrow vectors subset glove.6B.100d.txt small.safetensors --words reviews.csv
    """
    from wordrow.text.tokenizer import Tokenizer
    from wordrow.vectors.formats import check_target

    check_target(target)
    tokenizer = Tokenizer(lower=case == "fallback")
    tokenizer.fit_on_texts(_Lines(words))
    if tokenizer.n_ids < 2:
        raise DataError(f"{words}: expected words; there are none.")
    vectors = _load(path, words=tokenizer, case=case)
    if not len(vectors):
        raise DataError(
            f"{path}: none of the {tokenizer.n_ids - 1:,} words of {words} has a row; nothing is "
            "written. Try --case fallback."
        )
    vectors.save(target)
    _say_written(target, vectors, as_json)


@app.command()
def compare(
    before: FileArgument,
    after: Annotated[Path, typer.Argument(help="Another file of vectors.")],
    n: Annotated[int, typer.Option("--n", "-n", help="How many words; and neighbours.")] = 10,
    asked: Annotated[
        int, typer.Option(help="Of how many words neighbours are compared; 0 for all.")
    ] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Show how far two tables agree: shared words, shared neighbours, the rows that moved most.

    wordrow vectors compare before.safetensors after.safetensors
    """
    from wordrow.vectors.evaluation import neighbour_overlap

    first, second = _load(before), _load(after)
    words = [word for word in first.vocabulary if word in second]
    step = -(-len(words) // asked) if asked else 1
    some = words[:: max(1, step)]
    overlap = neighbour_overlap(first, second, n=n, words=some)
    moved = first.drift(second, n) if first.dim == second.dim else []
    if as_json:
        _print({
            "words": [len(first), len(second)], "shared": len(words),
            "neighbour_overlap": overlap, "moved": [one._asdict() for one in moved],
        })  # fmt: skip
        return
    print(f"words: {len(first):,} and {len(second):,}, {len(words):,} of them in both")
    print(f"of a word's {n} nearest, both name {overlap:.1%} ({len(some):,} words were asked)")
    if moved:
        print()
        _table(["moved most", "distance", "cosine"], [list(one) for one in moved])


@app.command()
def train(
    corpus: Annotated[Path, typer.Argument(help="Running text, one sentence or text a line.")],
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write.")
    ] = None,
    model: Annotated[
        Literal["skipgram", "cbow"],
        typer.Option(help="Learn words around a word, or a word from those around it."),
    ] = "skipgram",
    dim: Annotated[int, typer.Option(help="The length of a row.")] = 100,
    window: Annotated[int, typer.Option(help="Words on each side, at most.")] = 5,
    epochs: Annotated[int, typer.Option(help="How often the text is read.")] = 5,
    min_count: Annotated[int, typer.Option(help="Words that are rarer have no row.")] = 5,
    loss: Annotated[
        Literal["ns", "hs"], typer.Option(help="Negative sampling, or hierarchical softmax.")
    ] = "ns",
    negative: Annotated[int, typer.Option(help="Sampled words, with --loss ns.")] = 5,
    sample: Annotated[float, typer.Option(help="Words above this share are thinned out.")] = 1e-4,
    learning_rate: Annotated[float, typer.Option(help="At the start; it falls to 0.")] = 0.05,
    min_n: Annotated[int, typer.Option(help="Characters of the shortest sub-word.")] = 3,
    max_n: Annotated[int, typer.Option(help="Of the longest; 0: no sub-words.")] = 0,
    phrases: Annotated[int, typer.Option(help="How often word pairs are joined.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Of all that is random.")] = None,
    deterministic: Annotated[
        bool, typer.Option(help="The same rows for the same seed; one thread.")
    ] = False,
    lower: Annotated[bool, typer.Option(help="Lower-case the text.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Train rows for the words of a text, such that words in like surroundings have like rows.

    wordrow vectors train corpus.txt -o corpus.safetensors
    """
    from wordrow.text.tokenizer import Tokenizer
    from wordrow.vectors.formats import check_target
    from wordrow.vectors.training import train_vectors

    target = corpus.with_suffix(".safetensors") if target is None else target
    check_target(target)
    vectors = train_vectors(
        _Lines(corpus), dim, model=model, window=window, epochs=epochs, min_count=min_count,
        loss=loss, negative=negative, sample=sample, learning_rate=learning_rate,
        subwords=(min_n, max_n) if max_n else None, phrases=phrases, seed=seed,
        deterministic=deterministic,
        tokenizer=Tokenizer(lower=lower, min_count=1 if phrases else min_count),
    )  # fmt: skip
    vectors.save(target)
    _say_written(target, vectors, as_json)


class _Lines:
    """The lines of a text, read anew each time they are gone through, and never held at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_file():
            raise DataError(
                f"{path}: expected a file of text, which is read more than once; received a "
                "folder, pipe or device. Write what it gives to a file first."
            )

    def __iter__(self) -> Iterator[str]:
        try:
            with open(self.path, encoding="utf-8-sig") as file:
                yield from file
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.path}: expected text in UTF-8; a byte is none ({error.reason}). Convert "
                "it first."
            ) from None
