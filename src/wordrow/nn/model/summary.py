"""The table that `model.summary()` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wordrow.notebook import html_table

__all__ = ["connections", "summary_html", "summary_text"]


def summary_text(
    model: Any,
    *,
    line_length: int | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> str:
    """Return Keras's table: the layers, their output shapes, numbers of weights and inputs.

    What a layer is connected to stands there for a model that is no chain.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "Layer (type)", "Output Shape", title=f'Model: "{model.name}"', title_justify="left"
    )
    table.add_column("Param #", justify="right")
    joined = model.built and not model.graph.is_chain
    if joined:
        table.add_column("Connected to")
    if show_trainable:
        table.add_column("Trainable")
    for layer, depth, comes_from in _rows(model, expand_nested, layer_range):
        row = [
            "  " * depth + f"{layer.name} ({_kind(layer)})",
            str(layer.output_shape) if layer.built else "?",
            f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
        ]
        row += [", ".join(comes_from) or "-"] if joined else []
        table.add_row(*row, *([("Y" if layer.trainable else "N")] if show_trainable else []))
    console = Console(width=line_length or 100, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(table)
        total, trained = model.count_params() if model.built else 0, model.count_trained()
        console.print(f" Total params: {total:,} ({_size(4 * total)})")
        console.print(f" Trainable params: {trained:,} ({_size(4 * trained)})")
        fixed = total - trained
        console.print(f" Non-trainable params: {fixed:,} ({_size(4 * fixed)})")
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def summary_html(model: Any) -> str:
    """Return the table for a notebook."""
    rows = [
        (
            f"{layer.name} ({_kind(layer)})",
            layer.output_shape if layer.built else "?",
            layer.count_params() if layer.built else "0 (unbuilt)",
        )
        for layer, _, _ in _rows(model, False, None)
    ]
    total = f"{model.count_params():,} params" if model.built else "not built yet"
    caption = f'Model "{model.name}": {total}'
    return html_table(caption, ("Layer (type)", "Output Shape", "Param #"), rows)


def connections(model: Any) -> dict[int, list[str]]:
    """Return, by the id of each layer or model inside, the names of those it takes from."""
    nodes = model.graph.nodes
    found: dict[int, list[str]] = {id(node.unit): [] for node in nodes}
    for node in nodes:
        for number, index in node.inputs:
            source = nodes[number]
            if node.call.within is None or source.call.within is not node.call.within:
                found[id(node.unit)].append(f"{source.unit.name}[{index}]")
    return found


def _rows(model: Any, expand: bool, wanted: Any, depth: int = 0) -> Iterator[Any]:
    """Yield (layer, how deep inside, what it takes from)."""
    layers = model.layers
    if wanted is not None:
        names = [layer.name for layer in layers]
        layers = layers[names.index(wanted[0]) : names.index(wanted[1]) + 1]
    takes = connections(model) if model.built else {}
    for layer in layers:
        yield layer, depth, takes.get(id(layer), [])
        if expand and hasattr(layer, "layers"):
            yield from _rows(layer, True, None, depth + 1)


def _kind(layer: Any) -> str:
    name = type(layer).__name__
    if name == "Model":
        return "Functional"
    return "InputLayer" if name == "Input" else name


def _size(n_bytes: float) -> str:
    for unit in ("B", "KB", "MB"):
        if n_bytes < 1024:
            return f"{n_bytes:.2f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} GB"
