"""Files as offices have them, good and bad, through the object store: a clear report, and never a half of one."""

import io
import zipfile
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from nats.aio.client import Client

from shouwang.common.testing import becomes

from .conftest import Services
from .office import Office, id_number

HEADER = "编号,姓名,类别,身份证号,手机,单位"
BORN = date(1970, 1, 1)


@pytest.fixture
def office(services: Services, broker: Client) -> Office:
    """An office of the test's own."""
    return Office(broker)


def row(office: Office, n: int, **more: str) -> str:
    """One member, with a number of its own."""
    # Days of birth tell rows of one test apart; the office's name tells tests apart, and so must the numbers.
    born = BORN + timedelta(days=(int(office.name[-6:], 16) + n) % 12_000)
    about = {
        "token": office.token(f"m{n}"),
        "kind": "民兵",
        "number": id_number(born, n % 1000),
        "phone": "",
        "unit": "",
    }
    said = {**about, **more}
    return f"{said['token']},示例{n},{said['kind']},{said['number']},{said['phone']},{said['unit']}"


def sheet(*rows: str, header: str = HEADER) -> str:
    """A file of members."""
    return "\n".join([header, *rows, ""])


def workbook(rows: list[list[str]], merged: str = "", formula: str = "") -> bytes:
    """The least that Excel reads: texts inline; `formula` names a cell that is one without a value."""
    cells = ""
    for r, values in enumerate(rows, 1):
        inside = ""
        for c, value in enumerate(values):
            place = f"{chr(65 + c)}{r}"
            if place == formula:
                inside += f'<c r="{place}"><f>1+1</f></c>'
            elif value:
                inside += f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        cells += f'<row r="{r}">{inside}</row>'
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    ranges = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{rels}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{cells}</sheetData>{ranges}</worksheet>",
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{rels}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
        f'Type="{rels}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


async def imported(office: Office, content: bytes, *, dry_run: bool = False, holds: str = "members") -> Any:
    """The report on a file."""
    name = office.token("file")
    await office.put_file(name, content)
    return await office.done("import_file", {"object": name, "holds": holds, "dry_run": dry_run})


async def on_record(db: asyncpg.Pool, office: Office) -> int:
    """How many members of this office there are."""
    found: int = await db.fetchval("SELECT count(*) FROM training.members WHERE member LIKE $1", f"{office.name}-%")
    return found


def codes(report: Any) -> list[tuple[int, str | None, str]]:
    """Row, column and code of each fault."""
    return [(fault["row"], fault["column"], fault["code"]) for fault in report["faults"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_every_encoding_that_offices_use(office: Office, db: asyncpg.Pool, encoding: str) -> None:
    content = sheet(row(office, 1), row(office, 2)).encode(encoding)
    assert (await imported(office, content))["created"] == 2
    names = await db.fetch("SELECT name FROM training.members WHERE member LIKE $1 ORDER BY 1", f"{office.name}-%")
    assert [name["name"] for name in names] == ["示例1", "示例2"]


async def test_a_dry_run_tells_everything_and_writes_nothing(office: Office, db: asyncpg.Pool) -> None:
    bad = row(office, 2, number="330381198513010011", phone="12345", kind="武警")
    report = await imported(office, sheet(row(office, 1), bad).encode(), dry_run=True)
    assert (report["imported"], report["records"], report["fault_count"]) == (False, 2, 3)
    assert {(r, c) for r, c, _ in codes(report)} == {(3, "身份证号"), (3, "手机"), (3, "类别")}
    good = await imported(office, sheet(row(office, 1)).encode(), dry_run=True)
    assert (good["imported"], good["created"], good["fault_count"]) == (False, 1, 0)
    assert await on_record(db, office) == 0


async def test_one_bad_row_of_many_keeps_all_out(office: Office, db: asyncpg.Pool) -> None:
    right = id_number(BORN, 900)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    rows = [row(office, n) for n in range(500)] + [row(office, 900, number=wrong)]
    report = await imported(office, sheet(*rows).encode("gb18030"))
    assert (report["imported"], report["fault_count"], codes(report)[0][0]) == (False, 1, 502)
    assert await on_record(db, office) == 0


async def test_faults_never_quote_numbers_of_people(office: Office) -> None:
    report = await imported(office, sheet(row(office, 1, number="330381198505010019", phone="1771234567")).encode())
    assert report["fault_count"] == 2
    assert "33038119" not in str(report)
    assert "17712345" not in str(report)


async def test_what_only_the_database_knows_is_a_fault_with_its_row(office: Office, db: asyncpg.Pool) -> None:
    await imported(office, sheet(row(office, 1)).encode())
    same = row(office, 1, token=office.token("other"))
    report = await imported(office, sheet(row(office, 2, unit="没有这个单位"), same).encode())
    assert [(r, code) for r, _, code in codes(report)] == [(2, "unknown_organisation"), (3, "taken")]
    assert await on_record(db, office) == 1


async def test_importing_again_changes_what_is_filled_and_keeps_the_rest(office: Office, db: asyncpg.Pool) -> None:
    await imported(office, sheet(row(office, 1, phone="13800138000")).encode())
    again = await imported(office, sheet(row(office, 1, kind="教师")).encode())
    assert (again["created"], again["changed"]) == (0, 1)
    kept = await db.fetchrow("SELECT kind, phone FROM training.members WHERE member = $1", office.token("m1"))
    assert tuple(kept) == ("teacher", "13800138000")


async def test_duplicates_in_a_file_name_the_row_they_repeat(office: Office) -> None:
    report = await imported(office, sheet(row(office, 1), row(office, 2), row(office, 1)).encode())
    assert {(r, code) for r, _, code in codes(report)} == {(4, "duplicate")}
    assert all("row 2" in fault["detail"] for fault in report["faults"])


async def test_merged_cells_and_formulas_of_a_workbook(office: Office, db: asyncpg.Pool) -> None:
    cells = [HEADER.split(","), row(office, 1).split(","), row(office, 2).split(",")]
    merged = await imported(office, workbook(cells, merged="C2:C3"))
    assert codes(merged) == [(2, "类别", "merged")]
    formula = await imported(office, workbook(cells, formula="B3"))
    assert (3, "姓名", "no_value") in codes(formula)
    assert await on_record(db, office) == 0
    assert (await imported(office, workbook(cells)))["created"] == 2


async def test_a_hundred_thousand_rows_are_refused_with_what_to_do(office: Office) -> None:
    line = row(office, 1)
    report = await imported(office, sheet(*([line] * 100_000)).encode("gb18030"))
    assert (report["imported"], report["fault_count"]) == (False, 1)
    assert report["faults"][0]["code"] == "too_many_rows"
    assert "split it" in report["faults"][0]["detail"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00\x01\x02" * 9, "encoding"),
        (b"PK\x03\x04" + bytes(200), "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_workbook"),
        ("编号,姓名\n".encode(), "missing_column"),
    ],
)
async def test_what_is_no_table_of_people_is_told_so(office: Office, content: bytes, code: str) -> None:
    report = await imported(office, content or b"\n")
    assert not report["imported"]
    assert code in {found for _, _, found in codes(report)}


async def test_a_file_that_is_not_there_is_a_problem_with_its_field(office: Office) -> None:
    answer = await office.ask("import_file", {"object": office.token("nothing"), "holds": "members"})
    assert (answer.status, answer.fields) == (404, ["object"])


async def test_once_imported_the_file_is_gone(office: Office) -> None:
    """It holds names and numbers: nobody keeps it longer than it takes to read it. After a dry run it stays."""
    await imported(office, sheet(row(office, 1)).encode(), dry_run=True)
    await office.done("import_file", {"object": office.token("file"), "holds": "members", "dry_run": False})

    async def asked_again() -> int:
        return (await office.ask("import_file", {"object": office.token("file"), "holds": "members"})).status

    await becomes(asked_again, 404)


async def test_eight_thousand_trainees_and_their_facts(office: Office, db: asyncpg.Pool) -> None:
    rows = []
    for n in range(8_000):
        born = BORN + timedelta(days=n)
        number = id_number(born, 600 + int(office.name[-2:], 16))
        rows.append(f"{office.token(f'm{n}')},示例{n},公务员,{number},,")
    report = await imported(office, sheet(*rows).encode("gb18030"))
    assert (report["imported"], report["created"]) == (True, 8_000)
    assert await on_record(db, office) == 8_000
    waiting = "SELECT count(*) FROM training.outbox WHERE published_at IS NULL"
    await becomes(lambda: db.fetchval(waiting), 0, within_s=60)
