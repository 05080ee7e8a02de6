"""Who is cleared for patrol and who is on duty, as training tells it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE members (
            member        text PRIMARY KEY,
            kind          text,
            kind_at       timestamptz,
            suspended_for text,
            cleared_until date,
            standing_at   timestamptz,
            duty          uuid,
            shift         uuid,
            on_duty       boolean NOT NULL,
            duty_until    timestamptz,
            duty_at       timestamptz
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE members")
