"""Who is on duty, as training tells it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE duties (
            unit   text PRIMARY KEY,
            since  timestamptz NOT NULL,
            until  timestamptz,
            ended  boolean NOT NULL,
            at     timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE duties")
