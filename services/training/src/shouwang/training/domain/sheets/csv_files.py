"""CSV, whatever its encoding and its delimiter."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from shouwang.training.domain.sheets.sheet import (
    HEADER_WITHIN,
    MOST_COLUMNS,
    Sheet,
    SheetFault,
    arrange,
    clean,
    fault,
    is_filled,
    known,
)

MOST_LINES = 1_048_576
"""As many as Excel has rows, empty ones and all."""

DELIMITERS = ",;\t，"


def read_csv(content: bytes, wanted: frozenset[str], most_rows: int) -> Sheet:
    """The table in a text, by the first encoding that it is valid in and the delimiter that suits it best."""
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|table|meta)", content[:200], re.IGNORECASE):
        raise fault("not_a_table")
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if utf_16 else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            delimiter = max(DELIMITERS, key=lambda mark: _fits(_records(content, encoding, mark), wanted))
            return arrange(_records(content, encoding, delimiter), wanted, most_rows)
        except UnicodeDecodeError:
            continue
    raise fault("encoding", at=max(_undecodable(content, encoding) for encoding in encodings))


def _records(content: bytes, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records and their numbers, read one by one: a file that is too long is not read to its end."""
    number = 0
    with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as text:
        try:
            for number, cells in enumerate(csv.reader(_lines(text), delimiter=delimiter, strict=True), 1):
                yield number, [clean(cell) for cell in cells[: MOST_COLUMNS + 1]]
        except csv.Error:
            raise fault("quotes", number + 1) from None


def _lines(text: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        if number > MOST_LINES:
            raise fault("too_large")
        if "\0" in line:
            raise fault("nul", number)
        yield line


def _fits(records: Iterable[tuple[int, list[str]]], wanted: frozenset[str]) -> tuple[int, int]:
    """How well a delimiter suits: wanted names in a row, then filled cells in a row."""
    try:
        top = [cells for _, cells in islice(filter(is_filled, islice(records, 1000)), HEADER_WITHIN)]
    except SheetFault:
        return -1, 0
    return max(((known(cells, wanted), sum(map(bool, cells))) for cells in top), default=(0, 0))


def _undecodable(content: bytes, encoding: str) -> int:
    """The first byte, from 0, that is not of an encoding."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return 0
