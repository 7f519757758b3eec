"""Raw texts to a trained classifier, its rows, and what each word adds."""

import csv
from pathlib import Path

from wordrow import TextClassifier
from wordrow.explain import explain_text

with open(Path(__file__).with_name("reviews.csv"), encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
texts = [row["text"] for row in rows]
labels = [row["label"] for row in rows]

classifier = TextClassifier(dim=8, seed=1).fit(texts, labels)
print(classifier.predict(["a fine plot", "the story drags"]))

# Every word has a row, trained with the task.
print([(word, round(cosine, 2)) for word, cosine in classifier.vectors.most_similar("fine", n=3)])

# The score of a text is the sum of what its words add.
explanation = explain_text(classifier, "a fine plot")
for part in explanation.contributions:
    print(f"{part.word:>6} {part.score:+.3f}")
print(f" total {explanation.score:+.3f} for {explanation.label!r}")
