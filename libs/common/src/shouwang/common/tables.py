"""The three tables that every service has in its own schema: what is to be told, what was heard, what was answered."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

plumbing = MetaData()

outbox = Table(
    "outbox",
    plumbing,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept", Boolean, nullable=False),  # true: a fact for a stream; false: a delivery on core NATS
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("published_at", DateTime(timezone=True)),
)
Index("outbox_waiting", outbox.c.seq, postgresql_where=text("published_at IS NULL"))
Index("outbox_published", outbox.c.published_at, postgresql_where=text("published_at IS NOT NULL"))

inbox = Table(
    "inbox",
    plumbing,
    Column("consumer", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("inbox_received", inbox.c.received_at)

answers = Table(
    "answers",
    plumbing,
    Column("principal", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("reply", LargeBinary),
    Column("answered_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("answers_answered", answers.c.answered_at)


def channel(service: str) -> str:
    """The NOTIFY channel that wakes the relay of a service."""
    return f"outbox_{service}"


def create_plumbing() -> None:
    """For a service's first migration. Later changes to these tables are new functions beside this one."""
    plumbing.create_all(op.get_bind(), checkfirst=False)
    # NOTIFY is sent at the commit, and only then: whoever wrote, the relay looks when there is something to see.
    op.execute("""
        CREATE FUNCTION wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('outbox_' || TG_TABLE_SCHEMA, '');
            RETURN NULL;
        END $$
    """)
    op.execute("CREATE TRIGGER wake_relay AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION wake_relay()")


def drop_plumbing() -> None:
    """The way back."""
    plumbing.drop_all(op.get_bind(), checkfirst=False)
    op.execute("DROP FUNCTION wake_relay")
