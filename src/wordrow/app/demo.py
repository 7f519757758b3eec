"""`wordrow demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["demo"]


def demo(
    seed: Annotated[int, typer.Option(help="The seed of the rows and of the split.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The output file.",
            show_default="demo.safetensors in WORDROW_HOME",
        ),
    ] = None,
) -> None:
    """Walk two sentences through the layers, then train on real movie reviews."""
    from wordrow.app.walk import reviews, walk
    from wordrow.datasets.download import home

    console = Console()
    walk(console, seed)
    console.print()
    console.rule("Real reviews")
    reviews(console, seed, output or home() / "demo.safetensors")
