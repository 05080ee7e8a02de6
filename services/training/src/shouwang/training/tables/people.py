"""People and organisations, and what the law asks of them."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, ForeignKey, Identity, Index, Table, Text, text

from shouwang.training.tables.base import Id, Moment, metadata

organisations = Table(
    "organisations",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("credit_code", Text, unique=True),
    Column("entity", Text),
    Column("contact", Text),
    Column("contact_name", Text),
    Column("contact_phone", Text),
    Column("shares_guards", Boolean, nullable=False, server_default=text("false")),
    Column("lat", Double),
    Column("lon", Double),
)
members = Table(
    "members",
    metadata,
    Column("member", Text, primary_key=True),
    Column("no", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("id_number", Text, unique=True),
    Column("born", Date),
    Column("phone", Text),
    Column("guardian_consents", Boolean, nullable=False, server_default=text("false")),
    Column("night_protected_until", Date),
    Column("minor_contact_check", Date),
    Column("left_on", Date),
    # What was told last, so that only changes are told: null before anything was.
    Column("cleared", Boolean),
    Column("cleared_until", Date),
    Column("suspended_for", Text),
)
memberships = Table(
    "memberships",
    metadata,
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("since", Date, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.organisation"), nullable=False),
    Column("until", Date),
)
Index("memberships_of_organisation", memberships.c.organisation)
consents = Table(
    "consents",
    metadata,
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("consent", Text, primary_key=True),
    Column("given_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
)
agreements = Table(
    "agreements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("risks_told", Boolean, nullable=False),
    Column("overtime_agreed", Boolean, nullable=False),
)
Index("agreements_of_member", agreements.c.member)
insurances = Table(
    "insurances",
    metadata,
    Column("id", Id, primary_key=True),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
)
Index("insurances_of_member", insurances.c.member)
bars = Table(
    "bars",
    metadata,
    Column("member", Text, ForeignKey("members.member"), primary_key=True),
    Column("ground", Text, primary_key=True),
    Column("since", Date, nullable=False),
    Column("until", Date),
)
certificates = Table(
    "certificates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("member", Text, ForeignKey("members.member"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date),
    Column("batch", Id),
    Column("revoked_at", Moment),
    Column("revoked_for", Text),
    Column("expiry_told", Boolean, nullable=False, server_default=text("false")),
)
Index("certificates_of_member", certificates.c.member)
Index("certificates_number", certificates.c.kind, certificates.c.number, unique=True)
Index(
    "certificates_expiring",
    certificates.c.valid_until,
    postgresql_where=text("NOT expiry_told AND revoked_at IS NULL AND valid_until IS NOT NULL"),
)
reveals = Table(
    "reveals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("member", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
