"""Who is cleared and on duty, as training tells it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE members (
            member        text PRIMARY KEY,
            kind          text,
            cleared       boolean NOT NULL DEFAULT false,
            cleared_until date,
            suspended_for text,
            standing_at   timestamptz NOT NULL DEFAULT '-infinity',
            on_duty       boolean NOT NULL DEFAULT false,
            duty_until    timestamptz,
            duty_at       timestamptz NOT NULL DEFAULT '-infinity'
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE members")
