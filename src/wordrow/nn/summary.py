"""The table that `model.summary()` prints."""

from __future__ import annotations

from collections.abc import Sequence

from wordrow.nn.layers import Layer

__all__ = ["summary_text"]


def summary_text(name: str, layers: Sequence[Layer]) -> str:
    """Return the layers with their output shapes and numbers of weights, as text."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Layer (type)", "Output shape", title=f'Model: "{name}"', title_justify="left")
    table.add_column("Params", justify="right")
    for layer in layers:
        shape = str(layer.output_shape) if layer.built else "? (not built)"
        params = f"{layer.count_params():,}" if layer.built else "?"
        table.add_row(f"{layer.name} ({type(layer).__name__})", shape, params)
    console = Console(width=100, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(table)
        total = sum(layer.count_params() for layer in layers)
        trained = sum(layer.count_trained() for layer in layers)
        console.print(f"Total params: {total:,} ({_size(4 * total)})")
        console.print(f"Trainable params: {trained:,} ({_size(4 * trained)})")
        console.print(f"Non-trainable params: {total - trained:,} ({_size(4 * (total - trained))})")
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _size(n_bytes: float) -> str:
    for unit in ("B", "KB", "MB"):
        if n_bytes < 1024:
            return f"{n_bytes:.2f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} GB"
