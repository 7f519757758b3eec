"""What the layers did, as plain structures that can be drawn anywhere."""

from wordrow.explain.contribution import Contribution, Explanation, explain_text
from wordrow.explain.trace import Trace, trace_texts

__all__ = ["Contribution", "Explanation", "Trace", "explain_text", "trace_texts"]
