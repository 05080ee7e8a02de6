"""Incidents, tasks, the decisions behind them, what is known of units; and the plumbing tables."""

from alembic import op

from shouwang.common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing()
    op.execute("""
        CREATE TABLE incidents (
            id          uuid PRIMARY KEY,
            kind        text NOT NULL,
            lat         double precision NOT NULL,
            lon         double precision NOT NULL,
            summary     text NOT NULL,
            needed      integer NOT NULL CHECK (needed > 0),
            priority    text NOT NULL,
            opened_by   text NOT NULL,
            external_id text,
            status      text NOT NULL,
            outcome     text,
            note        text,
            missing     integer NOT NULL,
            retry_at    timestamptz,
            opened_at   timestamptz NOT NULL,
            closed_at   timestamptz,
            UNIQUE (opened_by, external_id)
        )
    """)
    op.execute("CREATE INDEX incidents_short ON incidents (retry_at) WHERE missing > 0 AND status <> 'closed'")
    op.execute("""
        CREATE TABLE tasks (
            id          uuid PRIMARY KEY,
            incident    uuid NOT NULL REFERENCES incidents,
            unit        text NOT NULL,
            status      text NOT NULL,
            distance_m  double precision NOT NULL,
            reason      text NOT NULL,
            note        text,
            offered_at  timestamptz NOT NULL,
            expires_at  timestamptz NOT NULL,
            answered_at timestamptz,
            arrived_at  timestamptz,
            ended_at    timestamptz
        )
    """)
    # One live task a unit: the database, not the code, makes double booking impossible.
    op.execute("""
        CREATE UNIQUE INDEX tasks_one_live_per_unit ON tasks (unit)
        WHERE status IN ('offered', 'accepted', 'arrived')
    """)
    op.execute("CREATE INDEX tasks_of_incident ON tasks (incident, unit)")
    op.execute("CREATE INDEX tasks_of_unit ON tasks (unit, id)")
    op.execute("CREATE INDEX tasks_expiring ON tasks (expires_at) WHERE status = 'offered'")
    op.execute("""
        CREATE TABLE decisions (
            id        uuid PRIMARY KEY,
            incident  uuid NOT NULL REFERENCES incidents,
            made_at   timestamptz NOT NULL,
            chosen    jsonb NOT NULL,
            left_out  jsonb NOT NULL,
            missing   integer NOT NULL
        )
    """)
    op.execute("CREATE INDEX decisions_of_incident ON decisions (incident, id)")
    op.execute("""
        CREATE TABLE units (
            unit       text PRIMARY KEY,
            presence   text NOT NULL,
            changed_at timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    for table in ("units", "decisions", "tasks", "incidents"):
        op.execute(f"DROP TABLE {table}")
    drop_plumbing()
