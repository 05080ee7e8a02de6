"""Member rings, the units in them, what is posted and who has read it."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Table, Text

from shouwang.training.tables.base import Id, Moment, metadata

rings = Table(
    "rings",
    metadata,
    Column("ring", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("lead_officer", Text, ForeignKey("members.member"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
)
ring_units = Table(
    "ring_units",
    metadata,
    Column("ring", Text, ForeignKey("rings.ring"), primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.organisation"), primary_key=True),
    Column("contact", Text, ForeignKey("members.member"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),  # the first day that it takes part no longer
)
ring_posts = Table(
    "ring_posts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ring", Text, ForeignKey("rings.ring"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("needs_ack", Boolean, nullable=False),
    Column("posted_by", Text, ForeignKey("members.member"), nullable=False),
    Column("posted_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("withdrawn_at", Moment),
)
Index("ring_posts_of_ring", ring_posts.c.ring, ring_posts.c.id)
ring_receipts = Table(
    "ring_receipts",
    metadata,
    Column("post", Id, ForeignKey("ring_posts.id"), primary_key=True),
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("acknowledged_at", Moment),
)
