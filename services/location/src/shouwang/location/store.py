"""The SQL of location: everybody's last known position and who is on duty, so that a restart forgets nobody."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shouwang.common.clock import from_epoch
from shouwang.common.database import Reading, Transaction
from shouwang.location.domain.presence import Presence
from shouwang.location.domain.roll import Span
from shouwang.location.domain.whereabouts import Known
from shouwang.location.tables import duties, units

_columns = [column for column in units.columns if column.name != "saved_at"]
# One array a column instead of one row a unit: 10,000 units are one statement with eight parameters.
_names = [column.name for column in _columns]
_rows = func.unnest(*(bindparam(c.name, type_=ARRAY(c.type)) for c in _columns)).table_valued(*_names).render_derived()
_saved = insert(units).from_select(_names, select(*_rows.columns))
_save = _saved.on_conflict_do_update(
    index_elements=[units.c.unit],
    set_={name: _saved.excluded[name] for name in _names} | {"saved_at": func.now()},
    where=_saved.excluded.time >= units.c.time,
)


async def save(tx: Transaction, everybody: Sequence[Known]) -> None:
    """Keep these as last known; a unit may stand in them once only."""
    if everybody:
        columns = zip(*sorted(everybody), strict=True)  # sorted: two savers lock rows in the same order
        await tx.execute(_save, {name: list(values) for name, values in zip(_names, columns, strict=True)})


async def everybody_shown(view: Reading) -> list[Known]:
    """All units that are not offline."""
    rows = await view.execute(select(*_columns).where(units.c.presence != int(Presence.OFFLINE)))
    return [_known(row) for row in rows]


async def unit(view: Reading, name: str) -> Known | None:
    """What was last known of one unit, offline or not."""
    row = (await view.execute(select(*_columns).where(units.c.unit == name))).one_or_none()
    return _known(row) if row else None


async def forget(tx: Transaction, names: Sequence[str]) -> None:
    """Keep nothing of where these were."""
    await tx.execute(delete(units).where(units.c.unit.in_(list(names))))


async def note_duty(tx: Transaction, name: str, span: Span) -> None:
    """Keep when a unit is on duty, unless something newer is kept."""
    moments = {field: from_epoch(getattr(span, field)) for field in ("since", "until", "at")}
    row = insert(duties).values(unit=name, ended=span.ended, **moments)
    kept = {field: row.excluded[field] for field in ("since", "until", "ended", "at")}
    newer = tuple_(row.excluded.at, row.excluded.ended) > tuple_(duties.c.at, duties.c.ended)
    await tx.execute(row.on_conflict_do_update(index_elements=[duties.c.unit], set_=kept, where=newer))


async def roll(view: Reading) -> dict[str, Span]:
    """What is kept of everybody's duty."""
    return {
        row.unit: Span(row.since.timestamp(), row.until.timestamp(), row.ended, row.at.timestamp())
        for row in await view.execute(select(duties))
    }


def _known(row: Row[Any]) -> Known:
    known = Known._make(row)
    return known._replace(presence=Presence(known.presence))
