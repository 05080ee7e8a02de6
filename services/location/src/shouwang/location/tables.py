"""The tables of location, as `migrations/` makes them."""

from sqlalchemy import Boolean, Column, DateTime, Double, MetaData, SmallInteger, Table, Text, func

metadata = MetaData()

units = Table(
    "units",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("lat", Double, nullable=False),
    Column("lon", Double, nullable=False),
    Column("time", Double, nullable=False),  # epoch seconds of the fix
    Column("accuracy_m", Double, nullable=False),
    Column("battery_pct", Double, nullable=False),
    Column("presence", SmallInteger, nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
duties = Table(
    "duties",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("ended", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
