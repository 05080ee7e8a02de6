"""Funds, tenders, payments; holidays that an organiser has written."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from shouwang.training.tables.base import Id, Moment, metadata

funds = Table(
    "funds",
    metadata,
    Column("fund", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("budget_line", Text),
)
tenders = Table(
    "tenders",
    metadata,
    Column("tender", Text, primary_key=True),
    Column("fund", Text, ForeignKey("funds.fund"), nullable=False),
    Column("title", Text, nullable=False),
    Column("published_on", Date, nullable=False),
    Column("supplier", Text, ForeignKey("organisations.organisation")),
    Column("award_fen", BigInteger),
    Column("awarded_on", Date),
    Column("signed_on", Date),
    Column("copy_filed_on", Date),
    Column("accepted_on", Date),
    Column("acceptance_note", Text),
    # Which deadlines were told, so that each is told once.
    Column("contract_told", Boolean, nullable=False, server_default=text("false")),
    Column("copy_told", Boolean, nullable=False, server_default=text("false")),
)
Index("tenders_of_fund", tenders.c.fund)
payments = Table(
    "payments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tender", Text, ForeignKey("tenders.tender"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Moment, nullable=False),
)
Index("payments_of_tender", payments.c.tender)
holidays = Table(
    "holidays",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("free", ARRAY(Date), nullable=False),
    Column("worked", ARRAY(Date), nullable=False),
)
