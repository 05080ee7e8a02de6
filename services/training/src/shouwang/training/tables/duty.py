"""Who is on duty, and what was served."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, Table, Text, text

from shouwang.training.tables.base import Id, Moment, metadata

duties = Table(
    "duties",
    metadata,
    Column("id", Id, primary_key=True),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("shift", Id, ForeignKey("shifts.id"), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("located", Boolean, nullable=False, server_default=text("true")),
    Column("ended_at", Moment),
    Column("minutes", Integer),
)
Index("duties_one_a_member", duties.c.member, unique=True, postgresql_where=text("ended_at IS NULL"))
Index("duties_running_out", duties.c.until, postgresql_where=text("ended_at IS NULL"))
Index("duties_of_shift", duties.c.shift)
service_certificates = Table(
    "service_certificates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("shifts", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
)
