from wordrow import TextClassifier
from wordrow.vectors import nearest_rows


def test_from_raw_text_to_the_nearest_row():
    texts = ["fine film", "lovely film", "fine plot", "dull film", "awful film", "dull plot"] * 20
    classifier = TextClassifier(dim=4, seed=1).fit(texts, (["good"] * 3 + ["bad"] * 3) * 20)
    index = classifier.tokenizer.word_index
    table = classifier.model_.get_weights()[0]
    rows, _ = nearest_rows(table, table[index["dull"]], 2)
    assert rows.tolist() == [index["dull"], index["awful"]]
