"""A model drawn: boxes for layers in rows, lines from what they take; SVG, or PNG by Pillow.

Rows are how far a layer is from the outputs; within a row, layers stand below what they take
from. Nothing of Graphviz is needed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from wordrow import store
from wordrow.errors import MissingExtraError, show
from wordrow.nn.model.model import Model

__all__ = ["plot_model"]

_CHAR, _LINE, _PAD = 7.6, 17.0, 8.0  # of the text, in units of the picture
_BETWEEN, _ROWS = 26.0, 44.0  # boxes in a row, and rows
_FONT = 13


@dataclass
class Box:
    """A layer in the picture: its text, where its upper left corner is, and its size."""

    lines: list[str]
    takes: list[int]
    row: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


def plot_model(
    model: Model,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: Literal["TB", "LR"] = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **options: Any,
) -> None:
    """Draw a model to a file: .svg, or .png (with the extra `plot`).

    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what
    stands in the boxes beside the kind of layer. rankdir: "TB" from top to bottom, "LR" from
    left to right. expand_nested: models inside are drawn layer by layer. dpi: of a PNG.

    >>> import pathlib, tempfile
    >>> from wordrow import Dense, Input, Sequential
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.svg")
    ...     plot_model(Sequential([Input((3,)), Dense(1)]), path)
    ...     path.read_text().count("<text")
    2

    Raises ValueError for another kind of file, or a model that is not built.
    """
    path = os.fspath(to_file)
    if not path.endswith((".svg", ".png")):
        raise ValueError(f"`to_file` must end with .svg or .png; received {show(path)}.")
    if rankdir not in ("TB", "LR"):
        raise ValueError(f"`rankdir` must be 'TB' or 'LR'; received {show(rankdir)}.")
    old = options.pop("show_layer_name", None)
    if options:
        raise TypeError(f"plot_model has no argument {sorted(options)}.")
    what = {
        "shapes": show_shapes,
        "dtype": show_dtype,
        "names": show_layer_names or bool(old),
        "activations": show_layer_activations,
        "trainable": show_trainable,
    }
    boxes = _boxes(model, what, expand_nested)
    width, height = _place(boxes, rankdir == "LR")
    if path.endswith(".svg"):
        data = _svg(boxes, width, height, rankdir == "LR").encode("utf-8")
        with store.writing(path) as file:
            file.write(data)
    else:
        _write_png(path, boxes, width, height, rankdir == "LR", dpi)


# ---- what stands where --------------------------------------------------------------


def _boxes(model: Model, what: dict[str, bool], expand: bool) -> list[Box]:
    """Return a box for each layer (or model) that is used, in an order of use."""
    nodes = model.graph.nodes
    keys: dict[int, int] = {}
    boxes: list[Box] = []
    for node in nodes:
        unit = node.layer if expand else node.unit
        if id(unit) not in keys:
            keys[id(unit)] = len(boxes)
            boxes.append(Box(_lines(unit, what), []))
        box = boxes[keys[id(unit)]]
        for source, _ in node.inputs:
            other = nodes[source].layer if expand else nodes[source].unit
            place = keys[id(other)]
            if place != keys[id(unit)] and place not in box.takes:
                box.takes.append(place)
    for box in boxes:  # the furthest that any input is away
        box.row = 1 + max((boxes[i].row for i in box.takes), default=-1)
    return boxes


def _lines(unit: Any, what: dict[str, bool]) -> list[str]:
    kind = type(unit).__name__
    kind = {"Model": "Functional", "Input": "InputLayer"}.get(kind, kind)
    lines = [f"{unit.name} ({kind})" if what["names"] else kind]
    activation = getattr(unit, "activation", None)
    if what["activations"] and activation is not None:
        lines.append(f"activation: {getattr(activation, '__name__', activation)}")
    if what["shapes"]:
        lines.append(f"input: {unit.input_shape}")
        lines.append(f"output: {unit.output_shape}")
    if what["dtype"]:
        dtype = getattr(getattr(unit, "output_spec", None), "dtype", "float32")
        lines.append(f"dtype: {dtype}")
    if what["trainable"]:
        lines.append(f"trainable: {unit.trainable}")
    return lines


def _place(boxes: list[Box], sideways: bool) -> tuple[float, float]:
    """Give the boxes their places; return the size of the picture."""
    for box in boxes:
        box.width = max(map(len, box.lines)) * _CHAR + 2 * _PAD
        box.height = len(box.lines) * _LINE + 2 * _PAD
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        rows.setdefault(box.row, []).append(box)

    def middle(box: Box) -> float:
        centres = [boxes[i].x + boxes[i].width / 2 for i in box.takes]
        if sideways:
            centres = [boxes[i].y + boxes[i].height / 2 for i in box.takes]
        return sum(centres) / len(centres) if centres else 0.0

    along = 2 * _PAD
    extent = max(
        sum((b.height if sideways else b.width) + _BETWEEN for b in row) for row in rows.values()
    )
    for number in sorted(rows):
        row = sorted(rows[number], key=middle)
        total = sum((b.height if sideways else b.width) + _BETWEEN for b in row) - _BETWEEN
        across = 2 * _PAD + (extent - _BETWEEN - total) / 2
        for box in row:
            box.x, box.y = (along, across) if sideways else (across, along)
            across += (box.height if sideways else box.width) + _BETWEEN
        along += max(b.width if sideways else b.height for b in row) + _ROWS
    length, extent = along - _ROWS + 2 * _PAD, extent - _BETWEEN + 4 * _PAD
    return (length, extent) if sideways else (extent, length)


def _ends(source: Box, box: Box, sideways: bool) -> tuple[float, float, float, float]:
    """Return where the line from one box to another begins and ends."""
    if sideways:
        return (
            source.x + source.width,
            source.y + source.height / 2,
            box.x,
            box.y + box.height / 2,
        )
    return source.x + source.width / 2, source.y + source.height, box.x + box.width / 2, box.y


# ---- pictures -------------------------------------------------------------------------


def _svg(boxes: list[Box], width: float, height: float, sideways: bool) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="monospace" '
        f'font-size="{_FONT}">',
        '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for box in boxes:
        for i in box.takes:
            x0, y0, x1, y1 = _ends(boxes[i], box, sideways)
            parts.append(
                f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="black" '
                'marker-end="url(#end)"/>'
            )
    for box in boxes:
        parts.append(
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" rx="3" fill="#eef3f8" stroke="black"/>'
        )
        for i, line in enumerate(box.lines):
            y = box.y + _PAD + (i + 0.75) * _LINE
            weight = ' font-weight="bold"' if i == 0 else ""
            parts.append(
                f'<text x="{box.x + box.width / 2:.1f}" y="{y:.1f}" text-anchor="middle"'
                f"{weight}>{escape(line)}</text>"
            )
    return "\n".join([*parts, "</svg>\n"])


def _write_png(
    path: str, boxes: list[Box], width: float, height: float, sideways: bool, dpi: int
) -> None:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        what = "drawing a PNG (a name that ends with .svg needs nothing)"
        raise MissingExtraError(what, package="pillow", extra="plot") from error
    scale = dpi / 96
    picture = Image.new("RGB", (round(width * scale), round(height * scale)), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(_FONT * scale)
    pen = max(1, round(scale))
    for box in boxes:
        for i in box.takes:
            x0, y0, x1, y1 = (n * scale for n in _ends(boxes[i], box, sideways))
            draw.line((x0, y0, x1, y1), "black", pen)
            long = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1.0)
            ux, uy, size = (x1 - x0) / long, (y1 - y0) / long, 7 * scale
            back = x1 - ux * size, y1 - uy * size
            draw.polygon(
                [
                    (x1, y1),
                    (back[0] - uy * size / 2, back[1] + ux * size / 2),
                    (back[0] + uy * size / 2, back[1] - ux * size / 2),
                ],
                fill="black",
            )
    for box in boxes:
        corners = [n * scale for n in (box.x, box.y, box.x + box.width, box.y + box.height)]
        draw.rounded_rectangle(corners, 3 * scale, "#eef3f8", "black", pen)
        for i, line in enumerate(box.lines):
            at = (box.x + box.width / 2) * scale, (box.y + _PAD + (i + 0.5) * _LINE) * scale
            draw.text(at, line, "black", font, anchor="mm")
    with store.writing(path) as file:
        picture.save(file, "png")
