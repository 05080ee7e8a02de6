"""Dormitory rooms and beds, what trainees need, meals, equipment, cost."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from shouwang.training.tables.base import Id, Moment, metadata

rooms = Table(
    "rooms",
    metadata,
    Column("site", Text, ForeignKey("sites.site"), primary_key=True),
    Column("room", Text, primary_key=True),
    Column("no", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("beds", Integer, nullable=False),
    Column("women_only", Boolean, nullable=False),
)
stays = Table(
    "stays",
    metadata,
    Column("batch", Id, ForeignKey("batches.id"), primary_key=True),
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("needs_bed", Boolean, nullable=False),
    Column("diet", Text, nullable=False),
    Column("allergies", Text),  # health data: forgotten soon after the batch (`store.logistics.forget_allergies`)
    Column("sex", Text),
    Column("said_by", Text, nullable=False),
    Column("said_at", Moment, nullable=False),
)
Index("stays_with_allergies", stays.c.batch, postgresql_where=text("allergies IS NOT NULL"))
beds = Table(
    "beds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("batch", Id, ForeignKey("batches.id"), nullable=False),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("member_no", BigInteger, nullable=False),
    Column("room_no", BigInteger, ForeignKey("rooms.no"), nullable=False),
    Column("bed", Integer, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    CheckConstraint("since <= until"),
)
_days = func.daterange(beds.c.since, beds.c.until, "[]")
# No bed is given twice on a day, and nobody has two: ranges of one number need no extension where equality would.
beds.append_constraint(
    ExcludeConstraint(
        (func.int8range(beds.c.room_no, beds.c.room_no, "[]"), "&&"),
        (func.int4range(beds.c.bed, beds.c.bed, "[]"), "&&"),
        (_days, "&&"),
        name="beds_given_once",
        using="gist",
    )
)
beds.append_constraint(
    ExcludeConstraint(
        (func.int8range(beds.c.member_no, beds.c.member_no, "[]"), "&&"),
        (_days, "&&"),
        name="beds_one_a_member",
        using="gist",
    )
)
Index("beds_of_batch", beds.c.batch)
meal_plans = Table(
    "meal_plans",
    metadata,
    Column("site", Text, ForeignKey("sites.site"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("meals", JSONB, nullable=False),
)
issues = Table(
    "issues",
    metadata,
    Column("id", Id, primary_key=True),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("item", Text, nullable=False),
    Column("serial", Text),
    Column("count", Integer, nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("due", Date),
    Column("returned_at", Moment),
    Column("condition", Text),
)
_out = text("returned_at IS NULL")
Index("issues_serial_out", issues.c.item, issues.c.serial, unique=True, postgresql_where=_out)
Index("issues_out", issues.c.id, postgresql_where=_out)
Index("issues_of_member", issues.c.member)
costs = Table(
    "costs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("batch", Id, ForeignKey("batches.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("note", Text),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Moment, nullable=False),
)
Index("costs_of_batch", costs.c.batch)
