"""Raw texts in, labels out."""

from wordrow.classifier.classifier import TextClassifier

__all__ = ["TextClassifier"]
