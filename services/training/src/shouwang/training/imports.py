"""Records of a file matched with what is on record, and written.

What only the database knows (an organisation nobody has heard of, a number that is another's) is added to the faults
of the file, by row, before anything is written.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.common.database import Transaction
from shouwang.common.ids import new_id
from shouwang.contracts.training.courses import CertificateIssued
from shouwang.contracts.training.people import MemberRegistered, OrganisationRegistered
from shouwang.training.domain.days import day_of
from shouwang.training.domain.identity import birth_date
from shouwang.training.domain.importing import Checked, Record
from shouwang.training.domain.people import GUARD_CERTIFICATE, GUARDS, PATROL_CERTIFICATE
from shouwang.training.standings import review
from shouwang.training.store import people
from shouwang.training.tables.people import certificates, insurances

POLICY = "导入 (import)"
ENTITIES = {"guard_company": "guard_company", "self_hiring_unit": "self_hiring_unit"}


@dataclass(frozen=True)
class Written:
    """How many records were new, and how many changed; of a dry run, would be."""

    created: int = 0
    changed: int = 0


async def write_members(tx: Transaction, checked: Checked, now: datetime, *, dry_run: bool) -> Written:
    """Members: matched by their token, else by their identity number, else new."""
    records = checked.records
    named = {record.row: record.values.get("organisation") for record in records}
    places = await people.organisations_known(tx, filter(None, named.values()))
    numbers = await people.numbers_taken(tx, _values(records, "id_number"))
    tokens = {record.row: _token(record, numbers) for record in records}
    for record in records:
        if (name := named[record.row]) and name not in places:
            checked.add(
                record.row, "organisation", "unknown_organisation", "is not on record, or several have this name"
            )
        if numbers.get(record.values.get("id_number", ""), tokens[record.row]) != tokens[record.row]:
            checked.add(record.row, "id_number", "taken", "belongs to another member already")
    await _check_certificates(tx, checked, tokens)
    known = await people.members_known(tx, tokens.values())
    written = Written(len(set(tokens.values()) - known), len(known))
    if not (checked.fault_count or dry_run):
        await _write_members(tx, records, tokens, places, known, now)
    return Written() if checked.fault_count else written


async def _write_members(
    tx: Transaction,
    records: Sequence[Record],
    tokens: Mapping[int, str],
    places: Mapping[str, str],
    known: set[str],
    now: datetime,
) -> None:
    today = day_of(now)
    rows = [_member(record, tokens[record.row]) for record in records]
    await people.put_members(tx, rows, keep=True)
    joined = [
        {
            "member": tokens[record.row], "organisation": places[record.values["organisation"]],
            "since": record.values.get("since", today), "until": None,
        }
        for record in records if record.values.get("organisation")
    ]  # fmt: skip
    await people.join(tx, joined)
    belongs = {row["member"]: row["organisation"] for row in joined}
    for row in rows:
        if row["member"] not in known:
            told = {"member": row["member"], "kind": row["kind"], "organisation": belongs.get(row["member"]), "at": now}
            tx.tell(MemberRegistered.model_validate(told))
    await _write_papers(tx, records, tokens, now)
    await review(tx, list(tokens.values()), now)


async def _write_papers(tx: Transaction, records: Sequence[Record], tokens: Mapping[int, str], now: datetime) -> None:
    """Certificates and insurance that stand in the file and not on record yet."""
    today = day_of(now)
    have = await people.certificate_holders(tx, _values(records, "certificate_number"))
    papers = [_certificate(record, tokens[record.row]) for record in records if record.values.get("certificate_number")]
    new = [paper for paper in papers if (paper["kind"], paper["number"]) not in have]
    await people.record(tx, certificates, new)
    for paper in new:
        tx.tell(CertificateIssued.model_validate({**paper, "certificate": paper["id"], "at": now}))
    covered = [
        {
            "id": new_id(),
            "member": tokens[record.row],
            "policy": POLICY,
            "since": today,
            "until": record.values["insured_until"],
        }
        for record in records
        if record.values.get("insured_until")
    ]
    await people.record(tx, insurances, covered)


async def _check_certificates(tx: Transaction, checked: Checked, tokens: Mapping[int, str]) -> None:
    have = await people.certificate_holders(tx, _values(checked.records, "certificate_number"))
    for record in checked.records:
        if not record.values.get("certificate_number"):
            continue
        if "certificate_issued" not in record.values:
            checked.add(record.row, "certificate_issued", "missing", "must stand with the number of the certificate")
        key = _kind_of(record), record.values["certificate_number"]
        if have.get(key, tokens[record.row]) != tokens[record.row]:
            checked.add(record.row, "certificate_number", "taken", "is the certificate of another member")


async def write_organisations(tx: Transaction, checked: Checked, now: datetime, *, dry_run: bool) -> Written:
    """Organisations: matched by their token, else by their credit code or their name, else new."""
    records = checked.records
    codes = await people.codes_taken(tx, _values(records, "credit_code"))
    names = await people.organisations_known(tx, _values(records, "name"))
    tokens: dict[int, str] = {}
    for record in records:
        values = record.values
        found = codes.get(values.get("credit_code", "")) or names.get(values["name"])
        tokens[record.row] = values.get("organisation") or found or f"org-{new_id()[-12:]}"
        if codes.get(values.get("credit_code", ""), tokens[record.row]) != tokens[record.row]:
            checked.add(record.row, "credit_code", "taken", "is that of another organisation already")
    if checked.fault_count:
        return Written()
    known = await people.organisations_on_record(tx, tokens.values())
    if not dry_run:
        rows = [_organisation(record, tokens[record.row]) for record in records]
        for row in rows:
            if row["organisation"] not in known:
                told = {name: row[name] for name in ("organisation", "kind", "entity")}
                tx.tell(OrganisationRegistered.model_validate({**told, "at": now}))
        await people.put_organisations(tx, rows, keep=True)
    return Written(len(set(tokens.values()) - known), len(known))


def _token(record: Record, numbers: Mapping[str, str]) -> str:
    values = record.values
    return str(values.get("member") or numbers.get(values.get("id_number", "")) or f"m-{new_id()[-12:]}")


def _member(record: Record, token: str) -> dict[str, Any]:
    values = record.values
    number = values.get("id_number")
    return {
        "member": token, "kind": str(values["kind"]), "name": values["name"], "id_number": number,
        "born": birth_date(number) if number else None, "phone": values.get("phone"),
    }  # fmt: skip


def _kind_of(record: Record) -> str:
    return GUARD_CERTIFICATE if record.values["kind"] in GUARDS else PATROL_CERTIFICATE


def _certificate(record: Record, token: str) -> dict[str, Any]:
    values = record.values
    return {
        "id": new_id(), "member": token, "kind": _kind_of(record), "number": values["certificate_number"],
        "issued_on": values["certificate_issued"], "valid_until": None, "batch": None,
    }  # fmt: skip


def _organisation(record: Record, token: str) -> dict[str, Any]:
    values = record.values
    return {
        "organisation": token, "kind": values["kind"], "name": values["name"],
        "credit_code": values.get("credit_code"), "entity": ENTITIES.get(values["kind"]),
        "lat": values.get("lat"), "lon": values.get("lon"),
        "contact_name": values.get("contact_name"), "contact_phone": values.get("contact_phone"),
    }  # fmt: skip


def _values(records: Sequence[Record], field: str) -> list[str]:
    return [record.values[field] for record in records if record.values.get(field)]


WRITERS: dict[str, Callable[..., Awaitable[Written]]] = {"members": write_members, "organisations": write_organisations}
