"""Who is on duty, as training tells it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE duties (
            unit  text PRIMARY KEY,
            duty  uuid NOT NULL,
            at    double precision NOT NULL,
            until double precision,
            kind  text
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE duties")
