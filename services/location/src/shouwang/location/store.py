"""The SQL of location: everybody's last known position, so that a restart forgets nobody; and who is on duty."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shouwang.common.database import Reading, Transaction
from shouwang.location.domain.presence import Presence
from shouwang.location.domain.roll import Duty, is_news
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


async def forget(tx: Transaction, names: Sequence[str]) -> list[Known]:
    """Keep nothing of where these were; gives what was kept."""
    return [_known(row) for row in await tx.execute(delete(units).where(units.c.unit.in_(names)).returning(*_columns))]


async def strangers(view: Reading, now: float) -> list[str]:
    """Units of which a position is kept, though they are not on duty or it is from before."""
    on_duty = exists().where(duties.c.unit == units.c.unit, duties.c.until > now, duties.c.at <= units.c.time)
    return list((await view.execute(select(units.c.unit).where(~on_duty))).scalars())


async def note_duty(tx: Transaction, told: Duty) -> bool:
    """Keep the last that was told of a unit's duty; whether this was it. The row is held until the transaction ends."""
    fresh = insert(duties).values(told._asdict()).on_conflict_do_nothing()
    if (await tx.execute(fresh)).rowcount == 1:
        return True
    held = select(*_duty).where(duties.c.unit == told.unit).with_for_update()
    known = Duty._make((await tx.execute(held)).one())
    if is_news(told, known):
        await tx.execute(update(duties).where(duties.c.unit == told.unit).values(told._asdict()))
        return True
    return False


async def on_duty(view: Reading, now: float) -> list[Duty]:
    """Everybody on duty."""
    return [Duty._make(row) for row in await view.execute(select(*_duty).where(duties.c.until > now))]


_duty = [getattr(duties.c, name) for name in Duty._fields]


def _known(row: Row[Any]) -> Known:
    known = Known._make(row)
    return known._replace(presence=Presence(known.presence))
