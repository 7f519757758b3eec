"""`wordrow vectors train`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from wordrow.app.output import print_written
from wordrow.errors import DataError

__all__ = ["Lines", "train"]


def train(
    corpus: Annotated[Path, typer.Argument(help="Plain text, one sentence or text per line.")],
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write.")
    ] = None,
    model: Annotated[
        Literal["skipgram", "cbow"],
        typer.Option(help="Predict the context from a word, or a word from its context."),
    ] = "skipgram",
    dim: Annotated[int, typer.Option(help="The length of a row.")] = 100,
    window: Annotated[
        int, typer.Option(help="The largest number of context words on each side.")
    ] = 5,
    epochs: Annotated[int, typer.Option(help="Passes over the text.")] = 5,
    min_count: Annotated[int, typer.Option(help="Rarer words have no row.")] = 5,
    loss: Annotated[
        Literal["ns", "hs"], typer.Option(help="Negative sampling, or hierarchical softmax.")
    ] = "ns",
    negative: Annotated[int, typer.Option(help="Sampled words, with --loss ns.")] = 5,
    sample: Annotated[
        float, typer.Option(help="Words above this share of the text are subsampled.")
    ] = 1e-4,
    learning_rate: Annotated[
        float, typer.Option(help="The initial rate; it falls linearly to 0.")
    ] = 0.05,
    min_n: Annotated[int, typer.Option(help="The length of the shortest sub-words.")] = 3,
    max_n: Annotated[int, typer.Option(help="The length of the longest; 0 for no sub-words.")] = 0,
    phrases: Annotated[
        int, typer.Option(help="How often pairs of words are joined to phrases.")
    ] = 0,
    seed: Annotated[int | None, typer.Option(help="The seed of all random numbers.")] = None,
    deterministic: Annotated[
        bool, typer.Option(help="Give the same rows for the same seed, with one thread.")
    ] = False,
    lower: Annotated[bool, typer.Option(help="Lower-case the text.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train word vectors on a text, so that words in similar contexts have similar rows.

    wordrow vectors train corpus.txt -o corpus.safetensors
    """
    from wordrow.text.tokenizer import Tokenizer
    from wordrow.vectors.formats import check_target
    from wordrow.vectors.training import train_vectors

    target = corpus.with_suffix(".safetensors") if target is None else target
    check_target(target)
    vectors = train_vectors(
        Lines(corpus),
        dim,
        model=model,
        window=window,
        epochs=epochs,
        min_count=min_count,
        loss=loss,
        negative=negative,
        sample=sample,
        learning_rate=learning_rate,
        subwords=(min_n, max_n) if max_n else None,
        phrases=phrases,
        seed=seed,
        deterministic=deterministic,
        tokenizer=Tokenizer(lower=lower, min_count=1 if phrases else min_count),
    )
    vectors.save(target)
    print_written(target, vectors, as_json)


class Lines:
    """The lines of a text, read from the file in each iteration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_file():
            raise DataError(
                f"{path}: expected a file of text, which is read more than once; received a "
                "folder, pipe or device. Write its content to a file first."
            )

    def __iter__(self) -> Iterator[str]:
        try:
            with open(self.path, encoding="utf-8-sig") as file:
                yield from file
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.path}: expected text in UTF-8; a byte is invalid ({error.reason}). Convert "
                "it first."
            ) from None
