"""The bytes of a CSV or XLSX file as rows of text: what stands where, nothing of what it means.

Workbooks are read here and not by calamine, which allots a sheet as one block: a file of 5 KB with a value in
XFD1048576, or an .xls with one byte wrong, ends the whole process. It also hides errors, formulas that were never
computed, and that a number is the day of a Chinese date format. The tests use it as a second opinion.
"""

from collections.abc import Collection

from shouwang.training.domain.sheets.csv_files import read_csv
from shouwang.training.domain.sheets.sheet import MOST_BYTES, Flaw, Sheet, SheetFault, clean, fault, header_key
from shouwang.training.domain.sheets.workbooks import DAMAGED, NUMBER, read_workbook

__all__ = ["MOST_BYTES", "NUMBER", "OLE", "Flaw", "Sheet", "SheetFault", "clean", "header_key", "read"]

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def read(content: bytes, most_rows: int = 20_000, *, wanted: Collection[str] = ()) -> Sheet:
    """The table in a file, whatever its name says. The header is the row with the most of the `wanted` names.

    Raises SheetFault, and nothing else.
    """
    names = frozenset(map(header_key, wanted))
    if len(content) > MOST_BYTES:
        raise fault("too_large")
    if content.startswith(OLE):
        raise fault("encrypted" if "EncryptedPackage".encode("utf-16-le") in content else "old_workbook")
    if not content.startswith(ZIP):
        return read_csv(content, names, most_rows)
    try:
        return read_workbook(content, names, most_rows)
    except DAMAGED:
        raise fault("damaged") from None
