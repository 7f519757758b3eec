"""Raw texts to a trained classifier, its rows, and what each word adds."""

import csv
from pathlib import Path

from wordrow import TextClassifier
from wordrow.explain import explain_text
from wordrow.vectors import nearest_rows

with open(Path(__file__).with_name("reviews.csv"), encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
texts = [row["text"] for row in rows]
labels = [row["label"] for row in rows]

classifier = TextClassifier(dim=8, seed=1).fit(texts, labels)
print(classifier.predict(["a fine plot", "the story drags"]))

# Every word has a row, trained with the task.
index = classifier.tokenizer.word_index
table = classifier.model_.layers[0].get_weights()[0]
words = {i: word for word, i in index.items()}
rows_found, cosines = nearest_rows(table, table[index["fine"]], 4)
print([(words[int(i)], round(float(c), 2)) for i, c in zip(rows_found, cosines, strict=True)])

# The score of a text is the sum of what its words add.
explanation = explain_text(classifier, "a fine plot")
for part in explanation.contributions:
    print(f"{part.word:>6} {part.score:+.3f}")
print(f" total {explanation.score:+.3f} for {explanation.label!r}")
