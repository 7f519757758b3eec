"""Models drawn: every layer is a box inside the picture, every connection a line."""

import re
from xml.etree import ElementTree

import pytest

from wordrow import (
    LSTM,
    Concatenate,
    Dense,
    Embedding,
    Input,
    Model,
    Sequential,
    Subtract,
    plot_model,
)

SVG = "{http://www.w3.org/2000/svg}"


def model():
    first, second = Input((6,), name="first"), Input((6,), name="second")
    encoder = Sequential([Embedding(10, 4), LSTM(3)], name="encoder")
    x, y = encoder(first), encoder(second)
    return Model([first, second], Dense(1)(Concatenate()([x, y, Subtract()([x, y])])))


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_boxes_and_lines(rankdir, tmp_path):
    path = tmp_path / "m.svg"
    plot_model(model(), path, show_shapes=True, show_layer_names=True, rankdir=rankdir)
    root = ElementTree.parse(path).getroot()
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = [
        tuple(float(r.get(k)) for k in ("x", "y", "width", "height"))
        for r in root.findall(f"{SVG}rect")[1:]
    ]
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert len(boxes) == 6
    assert len(root.findall(f"{SVG}line")) == 6
    assert "encoder (Sequential)" in texts
    assert "input: [(None, 3), (None, 3)]" in texts
    for x, y, w, h in boxes:
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
    for i, (x, y, w, h) in enumerate(boxes):  # and none lies over another
        for x2, y2, w2, h2 in boxes[:i]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_models_inside_are_drawn_where_it_is_asked(tmp_path):
    plot_model(model(), tmp_path / "m.svg", expand_nested=True, show_trainable=True)
    text = (tmp_path / "m.svg").read_text(encoding="utf-8")
    assert re.findall(r"bold\">(\w+)<", text).count("LSTM") == 1
    assert "Sequential" not in text
    assert text.count("trainable: True") == 7


def test_a_picture(tmp_path):
    image = pytest.importorskip("PIL.Image")
    plot_model(model(), tmp_path / "m.png", show_dtype=True, show_layer_activations=True, dpi=96)
    with image.open(tmp_path / "m.png") as picture:
        assert picture.width > 200
        assert picture.height > 300
        assert len(picture.getcolors(1 << 20)) > 5


def test_what_cannot_be_drawn(tmp_path):
    with pytest.raises(ValueError, match=r"must end with .svg or .png"):
        plot_model(model(), tmp_path / "m.pdf")
    with pytest.raises(ValueError, match="`rankdir` must be"):
        plot_model(model(), tmp_path / "m.svg", rankdir="UP")
    with pytest.raises(ValueError, match="is not built yet"):
        plot_model(Sequential([Dense(2)]), tmp_path / "m.svg")
    with pytest.raises(TypeError, match="no argument .'show_shape'"):
        plot_model(model(), tmp_path / "m.svg", show_shape=True)
