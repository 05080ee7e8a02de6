"""Swaps: a member gives its shift to another, perhaps for one of theirs. Both agree, and every rule holds for both."""

from datetime import datetime
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.rosters import AnswerSwap, ProposeSwap, ShiftSwapped, SwapNow
from shouwang.training import SERVICE
from shouwang.training.domain.rest import RestRules
from shouwang.training.handlers.parts import AT_ONCE, Now, Rules, known
from shouwang.training.places import put
from shouwang.training.standings import notify
from shouwang.training.store import duty, people, rosters

router: NatsRouter = commands()
STANDS = ("offered", "accepted")


@router.subscriber(ProposeSwap.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def propose_swap(ask: ProposeSwap, principal: Principal, tx: Tx, clock: Now) -> SwapNow:
    """Ask another member to take one's shift."""
    if ask.with_member == principal:
        raise Problem.of_field("with_member", "is yourself")
    await known(tx, "with_member", [ask.with_member])
    there = await rosters.lock_shifts(tx, filter(None, (ask.shift, ask.for_shift)))  # none vanishes from here on
    for field, shift in (("shift", ask.shift), ("for_shift", ask.for_shift)):
        if shift is not None and shift not in there:
            raise Problem.of_field(field, f"{shift} is not known", 404)
    await _stands(tx, "shift", ask.shift, principal, clock())
    if ask.for_shift is not None:
        await _stands(tx, "for_shift", ask.for_shift, ask.with_member, clock())
    row = {"id": new_id(), "member": principal, "status": "proposed", "proposed_at": clock(), **ask.model_dump()}
    if not await rosters.add_swap(tx, row):
        raise Problem.of_field("shift", "you have asked somebody already; withdraw that first", 409)
    notify(tx, ask.with_member, "swap_proposed", "有人请你换班", clock(), ask.shift)
    return SwapNow(swap=row["id"], status="proposed")


@router.subscriber(AnswerSwap.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def answer_swap(ask: AnswerSwap, principal: Principal, tx: Tx, clock: Now, settings: Rules) -> SwapNow:
    """The other agrees or not; the first may take it back."""
    swap = await rosters.lock_swap(tx, ask.swap)
    if swap is None:
        raise Problem.of_field("swap", f"{ask.swap} is not known", 404)
    if principal != (swap.member if ask.answer == "withdraw" else swap.with_member):
        raise Problem.of_field("swap", "is not yours to answer so", 403)
    if swap.status != "proposed":
        raise Problem.of_field("swap", f"was answered already ({swap.status})", 409)
    status = {"agree": "agreed", "refuse": "refused", "withdraw": "withdrawn"}[ask.answer]
    if status == "agreed":
        await _exchange(tx, swap, clock(), settings.rest_rules())
    await rosters.set_swap(tx, swap.id, status)
    return SwapNow(swap=swap.id, status=status)  # type: ignore[arg-type]


async def _stands(tx: Transaction, field: str, shift: str, member: str, now: datetime) -> None:
    place = await rosters.assignment(tx, shift, member)
    if place is None or place.status not in STANDS or place.starts_at <= now:
        raise Problem.of_field(field, f"{member} does not stand on it, or it has begun", 409)
    if await duty.is_on(tx, shift, member):
        raise Problem.of_field(field, f"{member} is on duty for it", 409)


async def _exchange(tx: Transaction, swap: Row[Any], now: datetime, rules: RestRules) -> None:
    """Both places change hands in one transaction, or neither."""
    wanted = [swap.shift] if swap.for_shift is None else [swap.shift, swap.for_shift]
    shifts = await rosters.lock_shifts(tx, wanted)
    if len(shifts) < len(wanted):
        raise Problem.of_field("swap", "its shift was taken out of the roster", 409)
    await people.lock_members(tx, [swap.member, swap.with_member])
    await _stands(tx, "swap", swap.shift, swap.member, now)
    await rosters.set_assignment(tx, swap.shift, swap.member, "withdrawn", now)
    if swap.for_shift is not None:
        await _stands(tx, "swap", swap.for_shift, swap.with_member, now)
        await rosters.set_assignment(tx, swap.for_shift, swap.with_member, "withdrawn", now)
        # Whoever agreed to a swap has accepted the shift with it.
        await put(tx, shifts[swap.for_shift], swap.member, now, rules, status="accepted")
    await put(tx, shifts[swap.shift], swap.with_member, now, rules, status="accepted")
    about = {"member": swap.member, "shift": swap.shift, "to_member": swap.with_member, "for_shift": swap.for_shift}
    tx.tell(ShiftSwapped.model_validate({**about, "at": now}))
    if swap.for_shift is not None:
        other = {"member": swap.with_member, "shift": swap.for_shift, "to_member": swap.member, "for_shift": swap.shift}
        tx.tell(ShiftSwapped.model_validate({**other, "at": now}))
