"""The tables of location, as `migrations/` makes them."""

from sqlalchemy import Column, DateTime, Double, MetaData, SmallInteger, Table, Text, Uuid, func

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
duties = Table(  # of each unit the last that was told
    "duties",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("duty", Uuid(as_uuid=False), nullable=False),
    Column("at", Double, nullable=False),  # epoch seconds of the fact
    Column("until", Double),  # epoch seconds; null: it has ended
    Column("kind", Text),
)
