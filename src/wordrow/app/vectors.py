"""`wordrow vectors`: inspect, convert, compare, evaluate and train files of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from wordrow.app import vector_training
from wordrow.app.options import EncodingOption
from wordrow.app.output import json_record, print_json, print_table, print_written
from wordrow.app.vector_training import Lines
from wordrow.errors import DataError

if TYPE_CHECKING:
    from wordrow.vectors import Vectors

__all__ = ["app"]

app = typer.Typer(
    help="Files of word vectors: word2vec, GloVe, fastText and others.",
    no_args_is_help=True,
    epilog="The format of an input file is detected; that of an output file follows from its "
    "suffix: .safetensors, .txt (GloVe), .vec (word2vec), .bin (word2vec, binary), .npz or .tsv "
    "(TensorBoard), and .gz, .zst or .zip after it to compress.",
)

FileArgument = Annotated[Path, typer.Argument(help="A file of vectors.", metavar="FILE")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LimitOption = Annotated[int | None, typer.Option(help="Only read this many rows.")]
BadRowsOption = Annotated[
    Literal["error", "skip"], typer.Option(help="What to do with invalid rows.")
]


def _load(path: Path, **options: Any) -> Vectors:
    from wordrow.vectors import Vectors

    return Vectors.load(path, **options)


@app.command()
def info(
    path: FileArgument,
    encoding_errors: EncodingOption = "replace",
    as_json: JsonOption = False,
) -> None:
    """Show the content of a file: format, words, dimensions, lengths of rows.

    wordrow vectors info glove.6B.100d.txt
    """
    import numpy as np

    from wordrow.vectors import Vectors
    from wordrow.vectors.formats import detect_format
    from wordrow.vectors.formats.options import LoadOptions
    from wordrow.vectors.formats.source import Source
    from wordrow.vectors.nearest import Directions

    source = Source(path, verbose="auto")
    form = detect_format(source)
    options = LoadOptions(replace_errors=encoding_errors == "replace")
    vectors = Vectors.from_data(form.read(source, options))
    lengths = Directions(vectors.table).lengths if len(vectors) else np.zeros(1)
    mean, least, most = float(lengths.mean()), float(lengths.min()), float(lengths.max())
    n_bytes = path.stat().st_size
    if as_json:
        print_json(
            {
                "file": str(path),
                "format": form.name,
                "bytes": n_bytes,
                "words": len(vectors),
                "dimensions": vectors.dim,
                "subwords": vectors.subwords is not None,
                "first_words": vectors.vocabulary[:10],
                "row_length": {"mean": mean, "least": least, "most": most},
            }
        )
        return
    grams = "none"
    if (subwords := vectors.subwords) is not None:
        grams = f"{subwords.min_n} to {subwords.max_n} characters, {subwords.n_buckets:,} buckets"
    rows = [
        ["format", form.title],
        ["file", f"{n_bytes / 1e6:,.1f} MB"],
        ["words", f"{len(vectors):,}"],
        ["dimensions", str(vectors.dim)],
        ["sub-words", grams],
        ["first words", " ".join(vectors.vocabulary[:10])],
        ["length of rows", f"{mean:.3f} on average, from {least:.3f} to {most:.3f}"],
    ]
    print_table(["", ""], rows)


@app.command()
def convert(
    path: FileArgument,
    target: Annotated[Path, typer.Argument(help="The output file; its suffix selects the format.")],
    form: Annotated[
        str | None, typer.Option("--format", help="The format, if the suffix does not select it.")
    ] = None,
    limit: LimitOption = None,
    normalize: Annotated[
        bool, typer.Option(help="Scale rows to length 1, without sub-words.")
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
    print_written(target, vectors, as_json)


@app.command()
def nearest(
    path: FileArgument,
    words: Annotated[list[str], typer.Argument(help="One or more words.")],
    n: Annotated[int, typer.Option("--n", "-n", help="How many neighbours.")] = 10,
    together: Annotated[
        bool, typer.Option(help="Show the neighbours of the mean of all words.")
    ] = False,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the nearest neighbours of each word by cosine.

    wordrow vectors nearest glove.6B.100d.txt frog king
    """
    vectors = _load(path, limit=limit)
    if together:
        found = {" ".join(words): vectors.most_similar(words, n=n)}
    else:
        found = dict(zip(words, vectors.batch_most_similar(words, n=n), strict=True))
    if as_json:
        print_json(found)
        return
    for i, (word, near) in enumerate(found.items()):
        if i:
            print()
        print_table([word, "cosine"], [[other, cosine] for other, cosine in near])


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
    """Answer "A is to B as C is to ?".

    wordrow vectors analogy glove.6B.100d.txt man king woman
    """
    found = _load(path, limit=limit).analogy(a, b, c, n)
    if as_json:
        print_json(found)
        return
    print_table([f"{a} : {b} = {c} :", "cosine"], [[word, cosine] for word, cosine in found])


@app.command()
def evaluate(
    path: FileArgument,
    tests: Annotated[
        list[Path],
        typer.Argument(
            help="Files of analogies (with ': section' lines), or of word pairs with a number."
        ),
    ],
    limit: Annotated[
        int, typer.Option(help="For analogies, only use this many words; 0 for all.")
    ] = 30_000,
    as_json: JsonOption = False,
) -> None:
    """Score vectors on analogies and human similarity judgements.

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
            print_table(names, rows)
        report.append({"file": str(test), "scores": [json_record(names, row) for row in rows]})
    if as_json:
        print_json(report)


def _has_sections(path: Path) -> bool:
    with open(path, "rb") as file:
        lines = file.read(4096).splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith(b"//")), b"")
    return first.lstrip(b"\xef\xbb\xbf").startswith(b":")


@app.command()
def subset(
    path: FileArgument,
    target: Annotated[Path, typer.Argument(help="The output file; its suffix selects the format.")],
    words: Annotated[Path, typer.Option(help="A text whose words are kept.")],
    case: Annotated[
        Literal["exact", "fallback"],
        typer.Option(help="fallback also keeps words that only differ in case."),
    ] = "exact",
    as_json: JsonOption = False,
) -> None:
    """Only keep the rows of the words of a text; other rows are never loaded.

    wordrow vectors subset glove.6B.100d.txt small.safetensors --words reviews.csv
    """
    from wordrow.text.tokenizer import Tokenizer
    from wordrow.vectors.formats import check_target

    check_target(target)
    tokenizer = Tokenizer(lower=case == "fallback")
    tokenizer.fit_on_texts(Lines(words))
    if tokenizer.n_ids < 2:
        raise DataError(f"{words}: expected words; found none.")
    vectors = _load(path, words=tokenizer, case=case)
    if not len(vectors):
        raise DataError(
            f"{path}: none of the {tokenizer.n_ids - 1:,} words of {words} has a row; nothing is "
            "written. Try --case fallback."
        )
    vectors.save(target)
    print_written(target, vectors, as_json)


@app.command()
def compare(
    before: FileArgument,
    after: Annotated[Path, typer.Argument(help="Another file of vectors.")],
    n: Annotated[
        int, typer.Option("--n", "-n", help="The number of words and neighbours shown.")
    ] = 10,
    asked: Annotated[
        int, typer.Option(help="The number of words whose neighbours are compared; 0 for all.")
    ] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Compare two files: shared words, shared neighbours, and the rows that moved most.

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
        print_json(
            {
                "words": [len(first), len(second)],
                "shared": len(words),
                "neighbour_overlap": overlap,
                "moved": [one._asdict() for one in moved],
            }
        )
        return
    print(f"words: {len(first):,} and {len(second):,}, {len(words):,} of them in both")
    print(f"shared among a word's {n} nearest: {overlap:.1%} (mean over {len(some):,} words)")
    if moved:
        print()
        print_table(["moved most", "distance", "cosine"], [list(one) for one in moved])


app.command("train")(vector_training.train)
