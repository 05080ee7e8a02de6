"""Member rings, their posts, officers' contact cards; what a member has chosen for its notices."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import segno
from faststream.nats import NatsRouter
from segno.helpers import make_vcard_data
from sqlalchemy import Row

from shouwang.common.doors import Principal, View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.linkage import (
    Card,
    ContactCard,
    NoticeSettings,
    NoticeSettingsNow,
    PostList,
    PostNow,
    Posts,
    Ring,
    RingInList,
    RingList,
    RingNow,
    Rings,
    RingUnit,
)
from shouwang.training import SERVICE
from shouwang.training.domain.days import day_of, month_of
from shouwang.training.domain.identity import masked_phone
from shouwang.training.domain.linkage import TITLES
from shouwang.training.handlers.notices import chosen
from shouwang.training.handlers.parts import Now, Rules, known
from shouwang.training.store import linkage

router: NatsRouter = lookups()
AT_ONCE = 4


@router.subscriber(Rings.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def rings(ask: Rings, view: View, clock: Now) -> RingList:
    """All rings, counted."""
    rows = await linkage.ring_list(view, day_of(clock()), clock())
    return RingList(rings=[RingInList(**row._mapping) for row in rows])


@router.subscriber(Ring.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def ring(ask: Ring, view: View, clock: Now) -> RingNow:
    """One ring with its units, and what each has done for the patrols of this month."""
    today = day_of(clock())
    found = await linkage.ring_list(view, today, clock(), ask.ring)
    if not found:
        raise Problem.of_field("ring", f"{ask.ring} is not known", 404)
    first, last = month_of(today)
    units = [_unit(row) for row in await linkage.unit_list(view, ask.ring, today, first, last)]
    return RingNow.model_validate({**found[0]._mapping, "month": f"{first:%Y-%m}", "units": units})


@router.subscriber(Posts.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def posts(ask: Posts, view: View, clock: Now) -> PostList:
    """The posts of a ring, newest first, with who has not acknowledged."""
    rows = await linkage.post_list(view, ask.ring, clock(), is_open=ask.open, before=ask.before, limit=ask.limit)
    if not rows and not await linkage.ring_list(view, day_of(clock()), clock(), ask.ring):
        raise Problem.of_field("ring", f"{ask.ring} is not known", 404)
    receipts = defaultdict(list)
    for row in await linkage.receipts(view, [row.id for row in rows]):
        receipts[row.post].append(row)
    return PostList(posts=[_post(row, receipts[row.id]) for row in rows])


@router.subscriber(ContactCard.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def contact_card(ask: ContactCard, view: View, clock: Now) -> Card:
    """An officer's card, which is public on purpose; nobody else has one."""
    row = await linkage.card(view, ask.officer, day_of(clock()))
    if row is None or row.kind not in TITLES:
        raise Problem.of_field("officer", f"no officer is known as {ask.officer}", 404)
    text = _vcard(row)
    # Said to be UTF-8: else segno writes some Chinese as Shift-JIS, which phones read as something else.
    drawn: str = segno.make(text, error="m", micro=False, encoding="utf-8").svg_inline(scale=4, border=4)
    return Card(vcard=text, svg=drawn)


@router.subscriber(NoticeSettings.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def notice_settings(ask: NoticeSettings, principal: Principal, view: View, settings: Rules) -> NoticeSettingsNow:
    """What the asking member has chosen."""
    await known(view, "principal", [principal])
    return await chosen(view, principal, settings)


def _unit(row: Row[Any]) -> RingUnit:
    return RingUnit(**row._mapping, contact_phone=row.phone and masked_phone(row.phone))


def _post(row: Row[Any], receipts: Sequence[Row[Any]]) -> PostNow:
    waiting = [receipt.member for receipt in receipts if receipt.acknowledged_at is None]
    counted = {"recipients": len(receipts), "acknowledged": len(receipts) - len(waiting)}
    waiting = waiting if row.needs_ack else []
    about = {"post": row.id, "at": row.posted_at, "waiting": len(waiting), "waiting_for": waiting}
    return PostNow.model_validate({**row._mapping, **counted, **about})


def _vcard(row: Row[Any]) -> str:
    """vCard 3.0. segno escapes commas and semicolons, yet a name of several lines would add lines of its own."""
    name, post = (value and " ".join(value.split()) for value in (row.name, row.post))
    card: str = make_vcard_data(
        name=name.replace(";", r"\;"), displayname=name, org=post, title=TITLES[row.kind], cellphone=row.phone
    )
    return card
