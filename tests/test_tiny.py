from wordrow import TextClassifier


def test_from_raw_text_to_the_nearest_row():
    texts = ["fine film", "lovely film", "fine plot", "dull film", "awful film", "dull plot"] * 20
    classifier = TextClassifier(dim=4, seed=1).fit(texts, (["good"] * 3 + ["bad"] * 3) * 20)
    assert classifier.vectors.most_similar("dull", n=1)[0][0] == "awful"
