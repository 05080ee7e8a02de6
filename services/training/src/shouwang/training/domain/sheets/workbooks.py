"""XLSX by zipfile and expat: a part is unpacked only while it is read, and no further than a list can need."""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, islice
from xml.parsers import expat

from shouwang.training.domain.sheets.sheet import HEADER_WITHIN, MOST_COLUMNS, Flaw, Sheet, arrange, clean, fault

MOST_UNPACKED = 100 * 2**20
MOST_ELEMENTS = 4_000_000
"""Of one part of a workbook: 20,000 rows of 60 cells have 3.6 million; to read more takes longer than anybody waits."""

MOST_OF_TAG = 1 << 20
"""Bytes: expat before 2.6 reads an unfinished tag again with each piece that comes (CVE-2023-52425)."""

MOST_FLAWS = 100_000
MOST_OF_A_KIND = 10_000
"""Merged ranges, or formulas without a value, that are kept: a hostile file can have millions."""

NUMBER = re.compile(r"-?\d{1,400}(\.\d{1,400})?([Ee][+-]?\d{1,3})?", re.ASCII)
DATE_FORMATS = frozenset({*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58})
"""Built-in formats that show a day (ECMA-376 part 1, 18.8.30), those of Chinese Excel among them."""

UNSHOWN = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')
DAY_0 = date(1899, 12, 30)
DAYS_1904 = 1462
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError, EOFError, OSError, RuntimeError,
    NotImplementedError, ValueError, LookupError, OverflowError,
)  # fmt: skip
"""What zipfile and expat raise at bytes that are not what they say."""


class _Enough(Exception):
    """The rest need not be read."""


class Book:
    """The parts of a workbook, unpacked only while they are read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.parts = {info.filename.lower(): info for info in archive.infolist()}
        if sum(info.file_size for info in archive.infolist()) > MOST_UNPACKED:
            raise fault("too_large")
        self.shift = 0
        self.main = dict(self.related("").values()).get("officeDocument", "")
        self.links = self.related(self.main)
        if "worksheet" not in dict(self.links.values()):
            raise fault("not_a_table")

    def walk(self, part: str, start: Callable[[str, dict[str, str]], None], end: Callable[[str, str], None]) -> None:
        """Call `start` with each element's name and attributes, `end` with its name and the text since the last tag."""
        info = self.parts.get(part.lower())
        if info is None:
            return
        texts: list[str] = []
        elements = count(1)
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def on_start(name: str, attributes: dict[str, str]) -> None:
            texts.clear()
            if next(elements) > MOST_ELEMENTS:
                raise fault("too_large")
            start(name.rpartition(":")[2], attributes)

        def on_end(name: str) -> None:
            end(name.rpartition(":")[2], "".join(texts))
            texts.clear()

        parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = texts.append, _no_doctype
        with self.archive.open(info) as stream:
            while chunk := stream.read(1 << 16):
                parser.Parse(chunk)
                if stream.tell() - parser.CurrentByteIndex > MOST_OF_TAG:
                    raise ValueError("a tag without an end")
        parser.Parse(b"", True)

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Kinds and names of the parts that a part refers to, by their id there."""
        folder, file = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship":
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
                found[attributes["Id"]] = attributes["Type"].rpartition("/")[2], target

        self.walk(posixpath.join(folder, "_rels", f"{file}.rels"), start, _ignore)
        return found

    def worksheets(self) -> dict[str, str]:
        """Names by part of those that are not hidden, in their order."""
        found: dict[str, str] = {}

        def sheet(name: str, attributes: dict[str, str]) -> None:
            if name == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
                self.shift = DAYS_1904
            elif name == "sheet" and attributes.get("state", "visible") == "visible":
                kind, part = next((self.links[v] for k, v in attributes.items() if k.endswith(":id")), ("", ""))
                if kind == "worksheet":
                    found.setdefault(part.lower(), attributes["name"])

        self.walk(self.main, sheet, _ignore)
        return found

    def holds_values(self, part: str) -> bool:
        """Whether anything stands on a worksheet."""

        def end(name: str, text: str) -> None:
            if name in {"v", "t"} and text.strip():
                raise _Enough

        try:
            self.walk(part, _ignore, end)
        except _Enough:
            return True
        return False

    def strings(self) -> list[str]:
        """The texts that cells share; how they are pronounced (rPh) is left out."""
        found: list[str] = []
        runs: list[str] = []

        def end(name: str, text: str) -> None:
            if name == "t":
                runs.append(text)
            elif name == "rPh":
                runs.pop()
            elif name == "si":
                found.append(clean("".join(runs)))
                runs.clear()

        self.walk(dict(self.links.values()).get("sharedStrings", ""), _ignore, end)
        return found

    def day_styles(self) -> set[int]:
        """The cell styles that show a number as a day."""
        codes: dict[int, str] = {}
        formats: list[int] = []
        lists: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt":
                codes.setdefault(int(attributes["numFmtId"]), UNSHOWN.sub("", attributes["formatCode"][:255]).lower())
            elif name == "xf" and lists[-1:] == ["cellXfs"]:
                formats.append(int(attributes.get("numFmtId", "0")))
            elif name.endswith("Xfs"):
                lists.append(name)

        self.walk(dict(self.links.values()).get("styles", ""), start, _ignore)
        return {
            style
            for style, number in enumerate(formats)
            if (re.search("[yd]", codes[number].split(";")[0]) if number in codes else number in DATE_FORMATS)
        }


def _no_doctype(*_: object) -> None:
    raise ValueError("no workbook has a DOCTYPE; entities could make it grow without end")


def _ignore(_: str, __: object) -> None:
    pass


class _Grid:
    """A worksheet while it is read: kind, style and raw value by row and column, and what these do not tell."""

    def __init__(self, most_rows: int) -> None:
        self.most_rows = most_rows
        self.cells: dict[int, dict[int, tuple[str, int, str]]] = {}
        self.hollow: list[tuple[int, int]] = []
        self.merged: list[str] = []
        self.row, self.column = 0, -1
        self.kind, self.style = "n", 0
        self.is_formula = False
        self.values: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "c":
            place = attributes.get("r")
            self.row, self.column = _place(place) if place else (self.row, self.column + 1)
            self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", "0"))
            self.is_formula = False
            self.values.clear()
        elif name == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), -1
        elif name == "f":
            self.is_formula = True
        elif name == "mergeCell" and len(self.merged) < MOST_OF_A_KIND:
            self.merged.append(attributes["ref"])

    def end(self, name: str, text: str) -> None:
        """An element ends. A formula whose text is empty says so by t="str"; without a value it was never computed."""
        if name in {"v", "t"}:
            self.values.append(text)
        elif name == "rPh":
            self.values.pop()
        elif name == "c":
            value = "".join(self.values)
            if value.strip():
                self._keep(value)
            elif self.is_formula and not (self.kind == "str" and self.values) and len(self.hollow) < MOST_OF_A_KIND:
                self.hollow.append((self.row, self.column))

    def _keep(self, value: str) -> None:
        if self.column >= MOST_COLUMNS:
            raise fault("too_wide", self.row)
        self.cells.setdefault(self.row, {})[self.column] = (self.kind, self.style, value)
        if len(self.cells) > self.most_rows + HEADER_WITHIN:
            raise fault("too_many_rows", most_rows=self.most_rows)


def _place(name: str) -> tuple[int, int]:
    """Row from 1 and column from 0 of a cell such as B7."""
    match = re.fullmatch(r"([A-Z]{1,3})([1-9]\d{0,6})", name, re.ASCII)
    if match is None:
        raise ValueError(name)
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), column - 1


def read_workbook(content: bytes, wanted: frozenset[str], most_rows: int) -> Sheet:
    """The first worksheet that holds something. How long it is shows before the texts are unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        book = Book(archive)
        filled = {part: name for part, name in book.worksheets().items() if book.holds_values(part)}
        grid = _Grid(most_rows)
        for part in islice(filled, 1):
            book.walk(part, grid.start, grid.end)
        texts, numbers = _texts(grid, book)
    sheet = arrange(texts, wanted, most_rows)
    return replace(
        sheet,
        numbers=frozenset(numbers),
        flaws=sheet.flaws + tuple(islice(_flaws(grid, sheet), MOST_FLAWS)),
        unread=tuple(map(clean, islice(filled.values(), 1, None))),
    )


def _texts(grid: _Grid, book: Book) -> tuple[list[tuple[int, list[str]]], set[tuple[int, int]]]:
    """Rows of text, and the places of numbers among them."""
    strings, days = book.strings(), book.day_styles()
    rows: list[tuple[int, list[str]]] = []
    numbers: set[tuple[int, int]] = set()
    for row, cells in sorted(grid.cells.items()):
        texts = [""] * (max(cells) + 1)
        for column, (kind, style, value) in cells.items():
            if kind == "s":
                texts[column] = strings[int(value)]
            elif kind == "n" and NUMBER.fullmatch(value):
                day = _day(float(value) + book.shift) if style in days else None
                texts[column] = day or _plain(float(value))
                numbers.update([] if day else [(row, column)])
            elif kind == "b":
                texts[column] = "FALSE" if value == "0" else "TRUE"
            else:
                texts[column] = clean(value)
        rows.append((row, texts))
    return rows, numbers


def _day(number: float) -> str | None:
    """An Excel day as 2026-11-24. Before day 61 its calendar is wrong: it has a 29 February 1900."""
    return (DAY_0 + timedelta(days=int(number))).isoformat() if 61 <= number < 2_958_466 else None


def _plain(number: float) -> str:
    """Without ".0". Excel keeps 15 digits: what is longer stays as it shows it."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _flaws(grid: _Grid, sheet: Sheet) -> Iterator[Flaw]:
    """Cells of the table, header and below, that hold an error or no value, or are merged."""
    width = len(sheet.header)
    for row, cells in grid.cells.items():
        for column, (kind, _, value) in cells.items():
            if kind == "e" and row >= sheet.header_row and column < width:
                error = value if re.fullmatch(r"#[A-Z0-9/!?_]{1,20}", value) else "of a formula"
                yield Flaw(
                    row, column, "error_value", f"holds the error {error}: correct the formula or type the value"
                )
    for row, column in grid.hollow:
        if row >= sheet.header_row and column < width:
            yield Flaw(row, column, "no_value", "is a formula without a value: save the file in Excel or WPS first")
    for name in grid.merged:
        first, _, last = name.partition(":")
        row, column = _place(first)
        if last and _place(last)[0] >= sheet.header_row and column < width and column in grid.cells.get(row, {}):
            yield Flaw(row, column, "merged", f"{name} is merged: unmerge it, and write the value into each cell")
