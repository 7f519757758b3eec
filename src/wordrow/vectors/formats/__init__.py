"""File formats of vectors. A format is a file of its own here, and a line of `FORMATS`."""

from __future__ import annotations

import os

from wordrow import _core
from wordrow.arguments import check_choice, whole_number
from wordrow.errors import FileFormatError
from wordrow.store import check_writable
from wordrow.vectors.data import VectorData
from wordrow.vectors.formats import (
    fasttext,
    glove,
    npz,
    projector,
    safetensors,
    word2vec,
    word2vec_binary,
)
from wordrow.vectors.formats.format import Format
from wordrow.vectors.formats.options import LoadOptions
from wordrow.vectors.formats.source import COMPRESSED_SUFFIXES, Source
from wordrow.vectors.vocabulary import WordSource, words_of

__all__ = ["FORMATS", "check_target", "detect_format", "load_vectors", "save_vectors"]

# In the order in which they are tried.
FORMATS: tuple[Format, ...] = (
    safetensors.FORMAT,
    npz.FORMAT,
    fasttext.FORMAT,
    word2vec_binary.FORMAT,
    projector.FORMAT,
    word2vec.FORMAT,
    glove.FORMAT,
)

_WRITABLE = {form.name: form for form in FORMATS if form.write}

# How files that are often mistaken for vectors begin, and what they are.
_UNSUPPORTED = {
    b"\x80": "a pickle, which wordrow never loads. In gensim, write it with "
    "save_word2vec_format(path, binary=True).",
    b"\x93NUMPY": "an array without words. Save both: np.savez(path, words=words, table=table).",
    b"\x89HDF": "an HDF5 file. Load a Keras model with load_model, and take its rows with "
    ".vectors(tokenizer).",
}


def detect_format(source: Source) -> Format:
    """Return the format of a file.

    Raises FileFormatError if none matches, with each format's reason.
    """
    reasons = []
    for form in FORMATS:
        reason = form.mismatch(source)
        if reason is None:
            return form
        reasons.append(f"{form.title}: {reason}")
    for start, what in _UNSUPPORTED.items():
        if source.head.startswith(start):
            raise FileFormatError(f"{source.name}: expected vectors; received {what}")
    raise FileFormatError(f"{source.name}: not a file of vectors. Tried {'; '.join(reasons)}.")


def load_vectors(
    path: str | os.PathLike[str],
    *,
    words: WordSource | None = None,
    limit: int | None = None,
    case: str = "exact",
    encoding_errors: str = "strict",
    bad_rows: str = "error",
    verbose: bool | str = "auto",
) -> VectorData:
    """Return the vectors of a file: see `Vectors.load`."""
    check_choice("case", case, ("exact", "fallback"))
    check_choice("encoding_errors", encoding_errors, ("strict", "replace"))
    check_choice("bad_rows", bad_rows, ("error", "skip"))
    if limit is not None:
        limit = whole_number("limit", limit)
    fold_case = case == "fallback"
    options = LoadOptions(
        words=None if words is None else _wanted_words(words, fold_case),
        fold_case=fold_case,
        limit=limit,
        replace_errors=encoding_errors == "replace",
        skip_bad_rows=bad_rows == "skip",
    )
    source = Source(path, verbose=verbose)
    return detect_format(source).read(source, options)


def _wanted_words(words: WordSource, fold_case: bool) -> _core.Words:
    wanted = _core.Words()
    listed = words_of(words)
    wanted.add(listed)
    if fold_case:
        wanted.add([word.lower() for word in listed])
    return wanted


def save_vectors(data: VectorData, path: str | os.PathLike[str], name: str | None = None) -> None:
    """Write a file of vectors: see `Vectors.save`."""
    write = _format_to_write(path, name).write
    assert write is not None
    write(data, os.fspath(path))


def check_target(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Raise what `save_vectors` would raise for a path, before long work is done for nothing."""
    _format_to_write(path, name)
    check_writable(path)


def _format_to_write(path: str | os.PathLike[str], name: str | None) -> Format:
    target = os.fspath(path)
    plain = target
    for suffix in COMPRESSED_SUFFIXES:
        plain = plain.removesuffix(suffix)
    if name is None:
        name = next((n for n, form in _WRITABLE.items() if plain.endswith(form.suffixes)), None)
        if name is None:
            raise ValueError(
                f"{target}: the name does not say which format to write. End it in "
                f"{', '.join(s for form in FORMATS for s in form.suffixes)}, or give "
                f"format={' | '.join(_WRITABLE)}."
            )
    check_choice("format", name, tuple(_WRITABLE))
    form = _WRITABLE[name]
    if plain != target and not form.compressible:
        raise ValueError(
            f"{target}: {form.title} is not compressed again. Leave {target.removeprefix(plain)} "
            "out."
        )
    return form
