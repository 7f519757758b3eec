import numpy as np
import pytest

from wordrow import Embedding, TextClassifier, Tokenizer
from wordrow.errors import TextTypeError
from wordrow.explain import explain_text, trace_texts

TEXTS = ["fine film", "dull film", "odd film", "fine and fine"]


def test_a_trace_keeps_every_stage():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    layer = Embedding(tokenizer.n_ids, 3)
    trace = trace_texts(TEXTS[:2], tokenizer, layer, maxlen=4)
    assert trace.ids == tokenizer.texts_to_sequences(TEXTS[:2])
    assert trace.padded.shape == (2, 4)
    np.testing.assert_array_equal(trace.output, layer.get_weights()[0][trace.padded])
    assert trace.word(tokenizer.word_index["film"]) == "film"
    assert trace.word(0) == "·"


@pytest.mark.parametrize("labels", [["a", "b", "b", "a"], ["a", "b", "c", "a"]])
def test_contributions_add_up_to_the_score(labels):
    classifier = TextClassifier(seed=1, ngrams=2, min_count=1).fit(TEXTS, labels)
    explanation = explain_text(classifier, "Fine, fine film? zzz")
    total = explanation.bias + sum(part.score for part in explanation.contributions)
    assert total == pytest.approx(explanation.score, abs=1e-5)
    scores = classifier.decision_function(["fine fine film zzz"])
    expected = abs(scores[0]) if scores.ndim == 1 else scores[0].max() - scores[0].mean()
    assert explanation.score == pytest.approx(expected, abs=1e-5)
    assert explanation.label == classifier.predict(["fine fine film zzz"])[0]
    assert explanation.unknown == ["zzz"]
    assert [part.word for part in explanation.contributions] == [
        "fine",
        "fine",
        "film",
        "fine film",
    ]
    assert explain_text(classifier, "").contributions == []
    with pytest.raises(TextTypeError, match="must be a string; received None"):
        explain_text(classifier, None)
