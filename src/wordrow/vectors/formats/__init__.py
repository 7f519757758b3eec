"""Files of vectors: one table of formats, tried in order."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wordrow import _core
from wordrow.arguments import check_choice, whole_number
from wordrow.errors import FileFormatError
from wordrow.store import check_writable
from wordrow.vectors.formats.binary import read_binary, why_no_binary, write_binary
from wordrow.vectors.formats.choice import Choice
from wordrow.vectors.formats.fasttext import read_fasttext, why_no_fasttext
from wordrow.vectors.formats.npz import read_npz, why_no_npz, write_npz
from wordrow.vectors.formats.own import read_own, why_not_own, write_own
from wordrow.vectors.formats.projector import read_projector, why_no_projector, write_projector
from wordrow.vectors.formats.source import PACKED, Source
from wordrow.vectors.formats.text import header, read_text, why_no_text, write_text
from wordrow.vectors.vectors import Vectors, words_of

__all__ = ["FORMATS", "Format", "check_target", "format_of", "load_vectors", "save_vectors"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of files. why_not: None where a file is of it, else why it is not."""

    title: str
    why_not: Callable[[Source], str | None]
    read: Callable[[Source, Choice], Vectors]
    write: Callable[[Vectors, str], None] | None
    suffixes: tuple[str, ...] = ()  # of names that ask for it
    packs: bool = True


def _glove(source: Source) -> str | None:
    return "it begins with word2vec's line" if header(source.head) else why_no_text(source)


def _word2vec(source: Source) -> str | None:
    return why_no_text(source) if header(source.head) else "its first line is not two counts"


FORMATS: dict[str, Format] = {
    "safetensors": Format(
        title="wordrow's safetensors", why_not=why_not_own, read=read_own, write=write_own,
        suffixes=(".safetensors",),
    ),
    "npz": Format(
        title="NumPy's npz", why_not=why_no_npz, read=read_npz, write=write_npz,
        suffixes=(".npz",), packs=False,
    ),
    "fasttext": Format(
        title="fastText's model", why_not=why_no_fasttext, read=read_fasttext, write=None
    ),
    "word2vec-binary": Format(
        title="word2vec's binary", why_not=why_no_binary, read=read_binary, write=write_binary,
        suffixes=(".bin",),
    ),
    "projector": Format(
        title="TensorBoard's projector", why_not=why_no_projector, read=read_projector,
        write=write_projector, suffixes=(".tsv",), packs=False,
    ),
    "word2vec": Format(
        title="word2vec's text", why_not=_word2vec, read=read_text,
        write=lambda vectors, path: write_text(vectors, path, with_header=True),
        suffixes=(".vec", ".w2v"),
    ),
    "glove": Format(
        title="GloVe's text", why_not=_glove, read=read_text,
        write=lambda vectors, path: write_text(vectors, path, with_header=False),
        suffixes=(".txt", ".glove"),
    ),
}  # fmt: skip

_FOREIGN = {
    b"\x80": "a pickle, which wordrow never loads. In gensim, write it with "
             "save_word2vec_format(path, binary=True).",
    b"\x93NUMPY": "an array without words. Save both: np.savez(path, words=words, table=table).",
    b"\x89HDF": "an HDF5 file. Load a Keras model with load_model, and take its rows with "
                ".vectors(tokenizer).",
}  # fmt: skip


def format_of(source: Source) -> tuple[str, Format]:
    """Return the name and the format of a file.

    Raises FileFormatError, with why it is of none.
    """
    reasons = []
    for name, form in FORMATS.items():
        why = form.why_not(source)
        if why is None:
            return name, form
        reasons.append(f"{form.title}: {why}")
    for first, what in _FOREIGN.items():
        if source.head.startswith(first):
            raise FileFormatError(f"{source.name}: expected vectors; received {what}")
    raise FileFormatError(f"{source.name}: not a file of vectors. Tried {'; '.join(reasons)}.")


def load_vectors(
    path: str | os.PathLike[str], *, words: Any = None, limit: int | None = None,
    case: str = "exact", encoding_errors: str = "strict", bad_rows: str = "error",
    verbose: bool | str = "auto",
) -> Vectors:  # fmt: skip
    """Return the vectors of a file: see `Vectors.load`."""
    check_choice("case", case, ("exact", "fallback"))
    check_choice("encoding_errors", encoding_errors, ("strict", "replace"))
    check_choice("bad_rows", bad_rows, ("error", "skip"))
    if limit is not None:
        limit = whole_number("limit", limit)
    wanted = None
    folds = case == "fallback"
    if words is not None:
        wanted = _core.Words()
        listed = words_of(words)
        wanted.add(listed)
        if folds:
            wanted.add([word.lower() for word in listed])
    choice = Choice(
        wanted=wanted, folds=folds, limit=limit, replaces=encoding_errors == "replace",
        skips=bad_rows == "skip",
    )  # fmt: skip
    source = Source(path, verbose=verbose)
    return format_of(source)[1].read(source, choice)


def save_vectors(vectors: Vectors, path: str | os.PathLike[str], name: str | None = None) -> None:
    """Write a file of vectors: see `Vectors.save`."""
    write = _format_to_write(path, name).write
    assert write is not None
    write(vectors, os.fspath(path))


def check_target(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Raise what `save_vectors` would of a name, so that it is known before long work."""
    _format_to_write(path, name)
    check_writable(path)


def _format_to_write(path: str | os.PathLike[str], name: str | None) -> Format:
    target = os.fspath(path)
    plain = target
    for suffix in PACKED:
        plain = plain.removesuffix(suffix)
    if name is None:
        name = next(
            (key for key, form in FORMATS.items() if form.write and plain.endswith(form.suffixes)),
            None,
        )
        if name is None:
            raise ValueError(
                f"{target}: the name does not say which format to write. End it in "
                f"{', '.join(s for form in FORMATS.values() for s in form.suffixes)}, or give "
                f"format={' | '.join(_WRITABLE)}."
            )
    check_choice("format", name, _WRITABLE)
    form = FORMATS[name]
    if plain != target and not form.packs:
        raise ValueError(
            f"{target}: {form.title} is not packed again. Leave {target.removeprefix(plain)} out."
        )
    return form


_WRITABLE = tuple(name for name, form in FORMATS.items() if form.write)
