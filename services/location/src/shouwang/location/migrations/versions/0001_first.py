"""Last known positions, and the plumbing tables."""

from alembic import op

from shouwang.common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing()
    op.execute("""
        CREATE TABLE units (
            unit        text PRIMARY KEY,
            kind        text NOT NULL,
            lat         double precision NOT NULL,
            lon         double precision NOT NULL,
            time        double precision NOT NULL,
            accuracy_m  double precision NOT NULL,
            battery_pct double precision NOT NULL,
            presence    smallint NOT NULL,
            saved_at    timestamptz NOT NULL DEFAULT now()
        ) WITH (fillfactor = 50)  -- rows change every few seconds: room on the page keeps the updates in place
    """)


def downgrade() -> None:
    op.execute("DROP TABLE units")
    drop_plumbing()
