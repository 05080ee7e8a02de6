"""The tables of dispatch, as `migrations/` makes them."""

from sqlalchemy import Boolean, Column, Date, DateTime, Double, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
Id = Uuid(as_uuid=False)
Moment = DateTime(timezone=True)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("lat", Double, nullable=False),
    Column("lon", Double, nullable=False),
    Column("summary", Text, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("priority", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("external_id", Text),
    Column("status", Text, nullable=False),
    Column("outcome", Text),
    Column("note", Text),
    Column("missing", Integer, nullable=False),
    Column("retry_at", Moment),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
)
tasks = Table(
    "tasks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident", Id, nullable=False),
    Column("unit", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("distance_m", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text),
    Column("offered_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("arrived_at", Moment),
    Column("ended_at", Moment),
)
decisions = Table(
    "decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident", Id, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("chosen", JSONB, nullable=False),
    Column("left_out", JSONB, nullable=False),
    Column("missing", Integer, nullable=False),
)
units = Table(
    "units",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("presence", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
members = Table(
    "members",
    metadata,
    Column("member", Text, primary_key=True),
    Column("kind", Text),
    Column("kind_at", Moment),
    Column("suspended_for", Text),
    Column("cleared_until", Date),
    Column("standing_at", Moment),
    Column("duty", Id),
    Column("shift", Id),
    Column("on_duty", Boolean, nullable=False),
    Column("duty_until", Moment),
    Column("duty_at", Moment),
)
