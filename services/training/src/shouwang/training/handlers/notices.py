"""Where a member wants word beside its phone app."""

from faststream.nats import NatsRouter

from shouwang.common.database import Reading
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.problems import Problem
from shouwang.contracts.training.linkage import NoticeSettingsNow, SetNotices
from shouwang.training import SERVICE
from shouwang.training.handlers.parts import AT_ONCE, Rules
from shouwang.training.settings import Settings
from shouwang.training.store import notices, people

router: NatsRouter = commands()


@router.subscriber(SetNotices.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def set_notices(ask: SetNotices, principal: Principal, tx: Tx, settings: Rules) -> NoticeSettingsNow:
    """A member chooses, for itself."""
    member = await people.member(tx, principal)
    if member is None:
        raise Problem.of_field("principal", f"{principal} is not a member", 404)
    for name in ask.channels:
        if name not in settings.notice_channels:
            known = ", ".join(sorted(settings.notice_channels)) or "none is set up"
            raise Problem.of_field("channels", f"{name} is not a channel; there are: {known}")
        if member.phone is None and "{phone}" in settings.notice_channels[name].get_secret_value():
            raise Problem.of_field("channels", f"{name} needs a phone number, and none of yours is on record", 409)
    await notices.put_settings(tx, {"member": principal, **ask.model_dump(), "channels": sorted(set(ask.channels))})
    return await chosen(tx, principal, settings)


async def chosen(view: Reading, member: str, settings: Settings) -> NoticeSettingsNow:
    """What a member has chosen; where it has not, what the suite is set to."""
    row = await notices.settings_of(view, member)
    known = sorted(settings.notice_channels)
    return NoticeSettingsNow(
        member=member,
        channels=[name for name in row.channels if name in known] if row else [],
        known=known,
        quiet_from=(row and row.quiet_from) or settings.quiet_from,
        quiet_until=(row and row.quiet_until) or settings.quiet_until,
    )
