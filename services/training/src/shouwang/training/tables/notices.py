"""Word to members beyond the phone app: what they have chosen, and the queue of what is to be sent."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from shouwang.training.tables.base import Id, Moment, metadata

notice_settings = Table(
    "notice_settings",
    metadata,
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("channels", ARRAY(Text), nullable=False),
    Column("quiet_from", Text),  # null: the suite's own
    Column("quiet_until", Text),
)
# A row for each notice and channel, so that one channel's failure is not another's. What `standings.notify` says is
# queued by the database itself (trigger `queue_notices` on the outbox): in the transaction that it is about, whoever
# said it, and without a statement for each in handlers that notify hundreds. No foreign keys: these rows wait for
# nobody who holds a member, and the word that a shift is gone outlives the shift.
notices = Table(
    "notices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("member", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("shift", Id),
    Column("starts_at", Moment),  # of the shift
    Column("before_min", Integer),  # a reminder: so long before the shift
    Column("text", Text),  # null for a reminder, which is worded when it is sent: "tomorrow" must be true then
    Column("due_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("sent_at", Moment),
    Column("gave_up_at", Moment),
    Column("last_error", Text),
)
Index(
    "notices_waiting",
    notices.c.channel,
    notices.c.due_at,
    postgresql_where=text("sent_at IS NULL AND gave_up_at IS NULL"),
)
Index("notices_of_member", notices.c.member, notices.c.shift)
Index(
    "notices_remind_once",
    notices.c.member,
    notices.c.shift,
    notices.c.before_min,
    notices.c.channel,
    unique=True,
    postgresql_where=text("before_min IS NOT NULL"),
)
