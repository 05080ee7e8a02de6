"""Files of people and organisations: read, checked whole, and written whole or not at all."""

import asyncio
from datetime import date
from functools import partial
from typing import Annotated, Any

from faststream.nats import NatsBroker, NatsRouter
from nats.js.errors import BucketNotFoundError, ObjectDeletedError, ObjectNotFoundError
from nats.js.object_store import ObjectStore

from shouwang.common.doors import Given, Tx, commands
from shouwang.common.problems import Problem
from shouwang.contracts.training.people import Fault, ImportFile, ImportReport
from shouwang.training import SERVICE
from shouwang.training import imports as writing
from shouwang.training.domain.days import day_of
from shouwang.training.domain.importing import MEMBERS, ORGANISATIONS, Checked, check, header_names
from shouwang.training.domain.sheets import MOST_BYTES, SheetFault, read
from shouwang.training.handlers.parts import Now
from shouwang.training.metrics import Metrics

router: NatsRouter = commands()
BUCKET = "imports"
COLUMNS = {"members": MEMBERS, "organisations": ORGANISATIONS}


@router.subscriber(ImportFile.subject("{principal}"), SERVICE, max_workers=2)
async def import_file(
    ask: ImportFile,
    tx: Tx,
    clock: Now,
    broker: Annotated[NatsBroker, Given()],
    metrics: Annotated[Metrics, Given()],
) -> ImportReport:
    """Read a file from the object store. With a fault, or as a dry run, nothing is written."""
    content = await _content(broker, ask.object)
    # In a thread: twenty thousand rows take seconds, and others want answers meanwhile.
    checked = await asyncio.to_thread(_check, content, ask.holds, day_of(clock()))
    written = await writing.WRITERS[ask.holds](tx, checked, clock(), dry_run=ask.dry_run)
    imported = not (ask.dry_run or checked.fault_count)
    if imported:
        tx.afterwards(partial(_take_away, broker, ask.object))
        metrics.imported.labels(ask.holds).inc(written.created + written.changed)
    faults, notes = ([Fault(**vars(fault)) for fault in found] for found in (checked.faults, checked.notes))
    return ImportReport(
        imported=imported,
        records=checked.rows,
        fault_count=checked.fault_count,
        faults=faults,
        notes=notes,
        **vars(written),
    )


def _check(content: bytes, holds: str, today: date) -> Checked:
    columns = COLUMNS[holds]
    try:
        return check(read(content, wanted=header_names(columns)), columns, today=today)
    except SheetFault as fault:
        checked = Checked(0)
        checked.add(fault.row or 1, fault.column, fault.code, fault.detail)
        return checked


async def _take_away(broker: NatsBroker, name: str) -> None:
    """It holds names and numbers of people; what is missed here is gone after a day by the stream's own age."""
    store: ObjectStore = await (await broker.connect()).jetstream().object_store(BUCKET)
    await store.delete(name)


async def _content(broker: NatsBroker, name: str) -> bytes:
    """The file, which the object store keeps.

    Raises: Problem 404 if it is not there, 413 if it is too large to be a list of people.
    """
    try:
        store: ObjectStore = await (await broker.connect()).jetstream().object_store(BUCKET)
        info = await store.get_info(name)
        if (info.size or 0) > MOST_BYTES:
            raise Problem.of_field("object", f"has {info.size:,} bytes; {MOST_BYTES:,} are the most", 413)
        found: Any = await store.get(name)
    except (BucketNotFoundError, ObjectNotFoundError, ObjectDeletedError):
        raise Problem.of_field("object", f"is not in the bucket {BUCKET}; put it there first", 404) from None
    return bytes(found.data or b"")
