"""The exceptions that callers may want to catch, and how values are shown in messages.

Every message has three parts: what was expected, what was received, one fix.
Wrong arguments are plain `ValueError` and `TypeError`.
"""

__all__ = [
    "DataError",
    "FileFormatError",
    "MissingExtraError",
    "TextTypeError",
    "UnknownWordError",
    "show",
]


class DataError(ValueError):
    """A data file or data set that cannot be used; names the file, the line and the reason."""


class FileFormatError(ValueError):
    """A model file that is damaged, foreign or of another version."""


class MissingExtraError(ImportError):
    """A package of an optional extra is not installed."""

    def __init__(self, what: str, *, package: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the package {package}, which is not installed. "
            f"Install it with: pip install 'wordrow[{extra}]'"
        )


class UnknownWordError(KeyError, ValueError):
    """A word that has no row."""

    def __str__(self) -> str:  # KeyError's own would quote the message
        return str(self.args[0])


class TextTypeError(TypeError, AttributeError):
    """A text that is neither a string nor a list of tokens.

    Also an AttributeError, because Keras's Tokenizer raises one for `None` and tuples,
    and old code may catch it.
    """


def show(value: object, *, limit: int = 60) -> str:
    """Return a value and its type in one short line, for error messages.

    >>> show([1, 2])
    '[1, 2] (list)'
    """
    text = repr(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return f"{text} ({type(value).__name__})"
