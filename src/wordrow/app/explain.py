"""`wordrow explain`: how a text passes through a model, or through a new table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from wordrow.errors import DataError

if TYPE_CHECKING:
    from wordrow.explain import Trace

__all__ = ["explain"]


def explain(
    texts: Annotated[list[str], typer.Argument(help="One or more texts.")],
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="A model that `wordrow train` wrote.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per text.")
    ] = False,
    dim: Annotated[int, typer.Option(help="The length of a row, without --model.")] = 3,
    seed: Annotated[int, typer.Option(help="The seed of the random rows, without --model.")] = 1,
) -> None:
    """Show what each word adds to a model's answer; without a model, how texts become rows.

    wordrow explain "a fine film" --model reviews.safetensors
    """
    # Imported here, as in the other commands, so that --help is fast.
    from wordrow.app.draw import draw_explanation, draw_trace
    from wordrow.classifier import TextClassifier
    from wordrow.explain import explain_text

    console = Console()
    if model is None:
        if as_json:
            raise DataError("--json needs --model: it prints predictions.")
        draw_trace(console, _fresh_trace(texts, dim, seed))
        return
    classifier = TextClassifier.load(model)
    for text in texts:
        explanation = explain_text(classifier, text)
        if as_json:
            print(json.dumps(asdict(explanation), ensure_ascii=False))
            continue
        console.print(Text(f"{text!r}"))
        draw_explanation(console, explanation)


def _fresh_trace(texts: list[str], dim: int, seed: int) -> Trace:
    from wordrow.explain import trace_texts
    from wordrow.nn import random
    from wordrow.nn.layers import Embedding
    from wordrow.text.tokenizer import Tokenizer

    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    if tokenizer.n_ids < 2:
        raise DataError("the texts contain no words: expected at least one letter.")
    random.set_random_seed(seed)
    return trace_texts(texts, tokenizer, Embedding(tokenizer.n_ids, dim, mask_zero=True))
