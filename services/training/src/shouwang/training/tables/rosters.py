"""Rosters, shifts, who stands on them, swaps, what was promised."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint

from shouwang.training.tables.base import Id, Moment, metadata

commitments = Table(
    "commitments",
    metadata,
    Column("organisation", Text, ForeignKey("organisations.organisation"), primary_key=True),
    Column("shifts_a_month", Integer, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
)
rosters = Table(
    "rosters",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("status", Text, nullable=False),
    # Of the planning that is under way: whom it may take, how long, and which try of it this is.
    Column("organisations", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("limit_s", Double),
    Column("planning_since", Moment),
)
shifts = Table(
    "shifts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("roster", Id, ForeignKey("rosters.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("duty_date", Date, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("lead_officer", Text, ForeignKey("members.member")),
    Column("area", Text),
    Column("lat", Double),
    Column("lon", Double),
    Column("organiser", Text, nullable=False),
    Column("pay", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("insurance", Text),
    Column("client_contract", Text),
    Column("post_of", Text, ForeignKey("organisations.organisation")),
    Column("at_school", Boolean, nullable=False),
    Column("requires", ARRAY(Text), nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("missing", Integer),
    Column("why", JSONB),
    CheckConstraint("ends_at > starts_at"),
    CheckConstraint("minimum <= maximum"),
)
Index("shifts_of_roster", shifts.c.roster, shifts.c.starts_at)
Index("shifts_by_time", shifts.c.starts_at, shifts.c.id)

HOLDING = "status IN ('proposed', 'offered', 'accepted', 'served')"
"""An assignment of these holds its member: written out in indexes, which match literals only."""

assignments = Table(
    "assignments",
    metadata,
    Column("shift", Id, ForeignKey("shifts.id", ondelete="CASCADE"), primary_key=True),
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("member_no", BigInteger, nullable=False),
    Column("organisation", Text),
    Column("status", Text, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
# Nobody stands in two places at once, whichever employers want it: the database, not the code, makes it impossible.
# A member is a range of one number, since ranges need no extension where equality would.
assignments.append_constraint(
    ExcludeConstraint(
        (func.int8range(assignments.c.member_no, assignments.c.member_no, "[]"), "&&"),
        (func.tstzrange(assignments.c.starts_at, assignments.c.ends_at), "&&"),
        name="assignments_no_double_booking",
        using="gist",
        where=text(HOLDING),
    )
)
Index("assignments_of_member", assignments.c.member, assignments.c.starts_at)
patrol_plans = Table(
    "patrol_plans",
    metadata,
    Column("plan", Id, primary_key=True),
    Column("windows", JSONB, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("taken_over", Boolean, nullable=False, server_default=text("false")),
)
swaps = Table(
    "swaps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("shift", Id, ForeignKey("shifts.id", ondelete="CASCADE"), nullable=False),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("with_member", Text, ForeignKey("members.member"), nullable=False),
    Column("for_shift", Id, ForeignKey("shifts.id", ondelete="CASCADE")),
    Column("status", Text, nullable=False),
    Column("proposed_at", Moment, nullable=False),
)
Index("swaps_open", swaps.c.shift, swaps.c.member, unique=True, postgresql_where=text("status = 'proposed'"))
Index("swaps_of_member", swaps.c.member)
Index("swaps_with_member", swaps.c.with_member)
