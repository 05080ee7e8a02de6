"""The probe's own tables, and the plumbing tables that every service has."""

from alembic import op

from shouwang.common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing()
    op.execute("CREATE TABLE effects (thing text NOT NULL, n integer NOT NULL, PRIMARY KEY (thing, n))")


def downgrade() -> None:
    op.execute("DROP TABLE effects")
    drop_plumbing()
