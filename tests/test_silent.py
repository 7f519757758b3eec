"""What used to be taken without a word, and was wrong."""

import json

import numpy as np
import pytest

import wordrow
from wordrow.errors import DataError
from wordrow.layers import StringLookup, TextVectorization
from wordrow.store import read_lines

LINES = ["a", "b\x85c", "d\u2028e", "f\x0bg", "h"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_end_at_line_ends_alone(end, last, mark, tmp_path):
    text = mark + end.join(LINES) + (end if last else "")
    (tmp_path / "v.txt").write_bytes(text.encode())
    assert read_lines(tmp_path / "v.txt") == LINES
    for layer in (StringLookup, TextVectorization):
        made = layer(vocabulary=str(tmp_path / "v.txt"))
        assert made.get_vocabulary()[-len(LINES) :] == LINES


@pytest.mark.parametrize("layer", [StringLookup, TextVectorization])
def test_tokens_are_strings(layer):
    assert layer(vocabulary=[b"a", np.str_("\u00e9"), "\u00df".encode()]).get_vocabulary()[-3:] == [
        "a",
        "\u00e9",
        "\u00df",
    ]
    for bad in (None, 5, 1.5):
        with pytest.raises(TypeError, match="expected strings; number 1 is"):
            layer(vocabulary=["a", bad])


def test_numbers_that_are_not_finite():
    with pytest.raises(ValueError, match="`weights` must be finite numbers; row 1 is not"):
        wordrow.Embedding(3, 2, weights=np.array([[1, 2], [np.nan, 1], [0, np.inf]]))
    with pytest.raises(ValueError, match="`idf_weights` must be finite"):
        StringLookup(vocabulary=["a", "b"], idf_weights=[1.0, np.nan], output_mode="tf_idf")


def test_labels_that_are_no_classes():
    texts = ["a fine film", "a dull film", "a film"]
    with pytest.raises(ValueError, match=r"labels are classes.*label 0 is 0\.1"):
        wordrow.TextClassifier().fit(texts, [0.1, 0.5, 0.9])
    with pytest.raises(ValueError, match=r"label 2 is 0\.5"):
        wordrow.TextClassifier().fit(texts, np.array([0.0, 1.0, 0.5]))
    assert wordrow.TextClassifier().fit(texts, [0.0, 1.0, 1.0]).classes_.tolist() == [0.0, 1.0]


def test_a_missing_label_is_no_class(tmp_path):
    path = tmp_path / "reviews.jsonl"
    rows = [{"text": "a", "label": "good"}, {"text": "b", "label": float("nan")}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="record 2: has no value for 'label'"):
        wordrow.datasets.read_table(path)
    path.write_text('{"text": "a", "label": Infinity}')
    with pytest.raises(DataError, match="line 1: not readable as JSON"):
        wordrow.datasets.read_table(path)


@pytest.mark.parametrize("extra", [{"y": [1, 2]}, {"sample_weight": [1, 2]}])
def test_labels_beside_a_generator(extra):
    model = wordrow.Sequential([wordrow.Input((2,)), wordrow.Dense(1)])
    model.compile("sgd", "mse")
    batches = ((np.ones((2, 2)), np.ones(2)) for _ in range(2))
    with pytest.raises(ValueError, match="part of the batches that x gives"):
        model.fit(batches, **extra)
    with pytest.raises(ValueError, match="part of the batches that x gives"):
        model.evaluate(batches, **extra)
