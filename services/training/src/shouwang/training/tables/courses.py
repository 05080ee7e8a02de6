"""Sites, courses, runs, batches, who is enrolled, who attended."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shouwang.training.tables.base import Id, Moment, metadata

sites = Table(
    "sites",
    metadata,
    Column("site", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("lat", Double),
    Column("lon", Double),
    Column("fence", Text, unique=True),
    Column("beds", Integer, nullable=False),
    Column("accredited_since", Date),
    Column("accredited_until", Date),
)
courses = Table(
    "courses",
    metadata,
    Column("course", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("subjects", JSONB, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("certificate", Text),
    Column("valid_months", Integer),
    Column("pass_mark", Integer, nullable=False),
    Column("attend_pct", Integer, nullable=False),
    Column("adults_only", Boolean, nullable=False),
)
runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("course", Text, ForeignKey("courses.course"), nullable=False),
    Column("site", Text, ForeignKey("sites.site"), nullable=False),
    Column("tailored_for", Text, ForeignKey("organisations.organisation")),
    Column("opened_at", Moment, nullable=False),
)
batches = Table(
    "batches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run", Id, ForeignKey("runs.id"), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("seats", Integer, nullable=False),
)
Index("batches_of_run", batches.c.run)
sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("batch", Id, ForeignKey("batches.id"), nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("class_hours", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("teacher", Text),
)
Index("sessions_of_batch", sessions.c.batch, sessions.c.starts_at)
enrolments = Table(
    "enrolments",
    metadata,
    Column("batch", Id, ForeignKey("batches.id"), primary_key=True),
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("status", Text, nullable=False),
    Column("came", Id, nullable=False),  # UUIDv7: the order in which they came
    Column("score", Double),
    Column("rating", Integer),
    Column("note", Text),
)
Index("enrolments_of_member", enrolments.c.member)
attendances = Table(
    "attendances",
    metadata,
    Column("session", Id, ForeignKey("sessions.id"), primary_key=True),
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("by", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
