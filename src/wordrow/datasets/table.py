"""Texts and labels from CSV, TSV, JSON Lines, or a folder per label.

Columns that are not given are detected: by their names, else the text is the column
with the most words, and the label the one with the fewest distinct values.
`Table.note` says which were chosen, for the command to print.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wordrow.errors import DataError

__all__ = ["Table", "decode", "read_table"]

EncodingErrors = Literal["strict", "replace"]
Rows = list[list[str]]

# Words in the names of columns; v1 and v2 are those of the SMS spam file.
_TEXT_NAMES = {
    "text", "texts", "review", "reviews", "sentence", "message", "comment", "content", "body",
    "tweet", "description", "document", "question", "title", "sms", "summary", "v2",
}  # fmt: skip
_LABEL_NAMES = {
    "label", "labels", "sentiment", "category", "class", "target", "y", "topic", "rating",
    "stars", "polarity", "intent", "tag", "language", "score", "toxic", "spam", "v1",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Table:
    """The texts of a file, its labels if there are any, and how they were found."""

    texts: list[str]
    labels: list[str] | None
    note: str
    first_row: int = 1  # the row number of the first text: 2 below a header

    def __len__(self) -> int:
        return len(self.texts)


def read_table(
    path: str | os.PathLike[str],
    *,
    text: str | None = None,
    label: str | None = None,
    labelled: bool = True,
    encoding_errors: EncodingErrors = "strict",
) -> Table:
    """Return the texts and labels of a file or folder.

    text, label: names of columns, or their numbers from 1 on. labelled: False only
    reads the texts. A folder contains one folder per label with a .txt file per text.

    Raises DataError for an empty file, invalid UTF-8 (unless encoding_errors="replace"), a
    line with missing fields, or a missing column; OSError if the file cannot be opened.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, encoding_errors)
    source = decode(path.read_bytes(), str(path), encoding_errors)
    if not source.strip():
        raise DataError(f"{path}: the file is empty; expected one text per line, with its label.")
    if "\n" not in source:
        source = source.replace("\r", "\n")  # the line ends of old Macs
    kind = _kind(path, source)
    names, rows, first_row = _READERS[kind](source, str(path))
    if not rows:
        raise DataError(f"{path}: the file has a header and no rows.")
    columns = _Columns(path=str(path), names=names, rows=rows, first_row=first_row)
    return columns.choose(text, label, labelled, kind)


def decode(data: bytes, name: str, errors: EncodingErrors = "strict") -> str:
    """Return UTF-8 bytes as a string, without a byte order mark.

    Raises DataError, naming byte and line.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{name}: the file is UTF-16; expected UTF-8. Save it again as UTF-8.")
    try:
        return data.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data.count(b"\n", 0, start) + 1
        raise DataError(
            f"{name}: invalid UTF-8 at byte {start} (0x{data[start]:02x}) in line {line}. Save the "
            "file as UTF-8, or continue with --encoding-errors replace."
        ) from None


# ---- formats --------------------------------------------------------------

Read = tuple[list[str] | None, Rows, int]  # header, rows, number of the first row


def _kind(path: Path, source: str) -> str:
    suffix = path.suffix.lower()
    by_suffix = {
        ".csv": "CSV",
        ".tsv": "TSV",
        ".tab": "TSV",
        ".jsonl": "JSON Lines",
        ".ndjson": "JSON Lines",
    }
    if suffix in by_suffix:
        return by_suffix[suffix]
    first = source.lstrip().split("\n", 1)[0]
    if first.startswith("{"):
        return "JSON Lines"
    return "TSV" if "\t" in first else "CSV"


def _read_jsonl(source: str, name: str) -> Read:
    records: list[dict[str, Any]] = []
    for number, line in enumerate(source.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_constant=_constant)
            json.dumps(record, ensure_ascii=False).encode()  # a lone surrogate is not text
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {number}: not readable as JSON ({error}).") from None
        if not isinstance(record, dict):
            raise DataError(f"{name}, line {number}: expected a JSON object, received {line[:40]}.")
        records.append(record)
    names = list(dict.fromkeys(key for record in records for key in record))
    for number, record in enumerate(records, 1):
        missing = [key for key in names if record.get(key) is None]
        if missing and len(names) <= 2:
            raise DataError(f"{name}, record {number}: has no value for {missing[0]!r}.")
    rows = [[_plain(record.get(key)) for key in names] for record in records]
    return names, rows, 1


def _constant(name: str) -> None:
    """Return None for NaN, as which tables write a missing value; JSON has no others."""
    if name != "NaN":
        raise ValueError(f"{name} is no number of JSON")


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _read_tsv(source: str, name: str) -> Read:
    # Quotes in TSV are mostly part of the text. They are only interpreted if every field
    # is quoted, or if plain splitting gives rows of different lengths.
    lines = source.split("\n")
    rows = [line.removesuffix("\r").split("\t") for line in lines if line.strip("\r")]
    fields = [field for row in rows[:100] for field in row]
    all_quoted = all(len(field) > 1 and field[0] == field[-1] == '"' for field in fields)
    if all_quoted or (len({len(row) for row in rows}) > 1 and '"' in source):
        try:
            return _read_delimited(source, name, "\t")
        except DataError:
            if all_quoted:
                raise
    return _with_header(rows, name)


def _read_csv(source: str, name: str) -> Read:
    head = source[:65536]
    delimiter = max(",;\t|", key=lambda mark: head.split("\n", 1)[0].count(mark))
    return _read_delimited(source, name, delimiter)


def _read_delimited(source: str, name: str, delimiter: str) -> Read:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(source, newline=""), delimiter=delimiter, strict=True)
    rows: Rows = []
    try:
        rows.extend(row for row in reader if row)
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num}: not readable as CSV ({error}). Texts with commas, "
            "quotes or line breaks must be quoted."
        ) from None
    return _with_header(rows, name)


def _with_header(rows: Rows, name: str) -> Read:
    width = len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise DataError(
                f"{name}, row {number}: has {len(row)} fields, and the first row has {width}. "
                "Texts with the separator must be quoted."
            )
    if _is_header(rows):
        return rows[0], rows[1:], 2
    return None, rows, 1


def _is_header(rows: Rows) -> bool:
    """Return whether the first row names the columns, by how it differs from the others."""
    first, rest = rows[0], rows[1:]
    if max(map(len, first)) > 60:
        return False
    named = any(_name_words(cell) & (_TEXT_NAMES | _LABEL_NAMES) for cell in first)
    if not rest:
        return named and all(len(cell.split()) <= 2 for cell in first)
    columns = [[row[i] for row in rest] for i in range(len(first))]
    if any(cell and cell in column for cell, column in zip(first, columns, strict=True)):
        return False  # a value of its column, not a name
    if named or any(
        cell and not _is_number(cell) and all(map(_is_number, column))
        for cell, column in zip(first, columns, strict=True)
    ):
        return True
    # Other names: a column has few distinct values, the first row is none of them, and
    # much shorter than the texts.
    few = any(len(set(column)) <= len(column) / 3 for column in columns)
    longest = max(columns, key=lambda column: sum(map(len, column)))
    typical = sorted(map(len, longest))[len(longest) // 2]
    return few and max(map(len, first)) * 2 < typical


def _name_words(cell: str) -> set[str]:
    """Return the words of a column's name: "Review_Text" -> review, text."""
    words = re.split(r"[\W_]+", cell.strip().lower())
    return set(words) if len(words) <= 2 else set()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


_READERS: dict[str, Callable[[str, str], Read]] = {
    "CSV": _read_csv,
    "TSV": _read_tsv,
    "JSON Lines": _read_jsonl,
}


def _read_folder(path: Path, errors: EncodingErrors) -> Table:
    texts, labels = [], []
    folders = sorted(child for child in path.iterdir() if child.is_dir())
    # aclImdb/train also holds reviews without a label.
    folders = [folder for folder in folders if folder.name != "unsup"]
    for folder in folders:
        for file in sorted(folder.glob("*.txt")):
            texts.append(decode(file.read_bytes(), str(file), errors))
            labels.append(folder.name)
    if not texts:
        raise DataError(
            f"{path}: expected a folder per label with .txt files in it; found "
            f"{len(folders)} folders and no .txt file."
        )
    note = f"{len(texts):,} texts; the label is the folder: {', '.join(sorted(set(labels)))}"
    return Table(texts=texts, labels=labels, note=note)


# ---- columns --------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Columns:
    path: str
    names: list[str] | None
    rows: Rows
    first_row: int

    def choose(self, text: str | None, label: str | None, labelled: bool, kind: str) -> Table:
        text_at = None if text is None else self._place(text)
        label_at = None if label is None else self._place(label)
        if text_at is None:
            text_at = self._find_text(label_at)
        if label_at is None and labelled:
            label_at = self._find_label(text_at)
        if text_at == label_at:
            raise DataError(
                f"{self.path}: column {self._called(text_at)} was given as text and as label; they "
                "must be different columns."
            )
        texts = [row[text_at] for row in self.rows]
        labels = None
        if label_at is not None:
            labels = [row[label_at].strip() for row in self.rows]
            if "" in labels:
                row = labels.index("")
                raise DataError(
                    f"{self.path}, row {row + self.first_row}: the label is empty "
                    f"(column {self._called(label_at)}). Remove such rows."
                )
        note = f"{len(texts):,} rows of {kind}, {'with' if self.names else 'no'} header; "
        note += f"text: column {self._called(text_at)}"
        if label_at is not None:
            note += f", label: column {self._called(label_at)}"
        return Table(texts=texts, labels=labels, note=note, first_row=self.first_row)

    def _called(self, at: int) -> str:
        return repr(self.names[at]) if self.names else str(at + 1)

    def _place(self, wanted: str) -> int:
        if self.names and wanted in self.names:
            return self.names.index(wanted)
        width = len(self.rows[0])
        if re.fullmatch(r"[1-9][0-9]*", wanted) and int(wanted) <= width:
            return int(wanted) - 1
        if self.names:
            there = ", ".join(map(repr, self.names))
            raise DataError(f"{self.path}: there is no column {wanted!r}; the columns are {there}.")
        raise DataError(
            f"{self.path}: there is no column {wanted!r}; the file has no header, and its "
            f"{width} columns are given by number, 1 to {width}."
        )

    def _known(self, known: set[str], candidates: list[int]) -> list[int]:
        """Return candidates with a known name, or else those with a known word in their name."""
        names = [name.strip().lower() for name in self.names or []]
        exact = [i for i in candidates if names and names[i] in known]
        return exact or [i for i in candidates if names and _name_words(names[i]) & known]

    def _find_text(self, label_at: int | None) -> int:
        candidates = [i for i in range(len(self.rows[0])) if i != label_at]
        if not candidates:
            raise DataError(f"{self.path}: the file has one column; expected a text and a label.")
        sample = self.rows[:1000]

        def wordiness(i: int) -> tuple[int, int]:
            return sum(len(row[i].split()) for row in sample), sum(len(row[i]) for row in sample)

        return max(self._known(_TEXT_NAMES, candidates) or candidates, key=wordiness)

    def _find_label(self, text_at: int) -> int:
        candidates = [i for i in range(len(self.rows[0])) if i != text_at]
        if not candidates:
            raise DataError(
                f"{self.path}: found one column (is the separator a tab or a comma?); expected a "
                "text and a label in each row."
            )
        named = self._known(_LABEL_NAMES, candidates)
        distinct = {i: len({row[i] for row in self.rows}) for i in named or candidates}
        several = [i for i, n in distinct.items() if n > 1]
        best = min(several or distinct, key=lambda i: distinct[i])
        if not named and len(self.rows) > 20 and distinct[best] > len(self.rows) / 2:
            raise DataError(
                f"{self.path}: no column looks like labels: column {self._called(best)} has "
                f"{distinct[best]:,} different values in {len(self.rows):,} rows. Name it: --label."
            )
        return best
