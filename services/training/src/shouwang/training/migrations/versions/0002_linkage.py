"""Member rings and notices."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE rings (
            ring TEXT NOT NULL,
            name TEXT NOT NULL,
            lead_officer TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE,
            PRIMARY KEY (ring),
            FOREIGN KEY(lead_officer) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE ring_units (
            ring TEXT NOT NULL,
            organisation TEXT NOT NULL,
            contact TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE,
            PRIMARY KEY (ring, organisation),
            FOREIGN KEY(ring) REFERENCES rings (ring),
            FOREIGN KEY(organisation) REFERENCES organisations (organisation),
            FOREIGN KEY(contact) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE ring_posts (
            id UUID NOT NULL,
            ring TEXT NOT NULL,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            needs_ack BOOLEAN NOT NULL,
            posted_by TEXT NOT NULL,
            posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (id),
            FOREIGN KEY(ring) REFERENCES rings (ring),
            FOREIGN KEY(posted_by) REFERENCES members (member)
        )
    """)
    op.execute("CREATE INDEX ring_posts_of_ring ON ring_posts (ring, id)")
    op.execute("""
        CREATE TABLE ring_receipts (
            post UUID NOT NULL,
            member TEXT NOT NULL,
            acknowledged_at TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (post, member),
            FOREIGN KEY(post) REFERENCES ring_posts (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE notice_settings (
            member TEXT NOT NULL,
            channels TEXT[] NOT NULL,
            quiet_from TEXT,
            quiet_until TEXT,
            PRIMARY KEY (member),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE notices (
            id BIGINT GENERATED ALWAYS AS IDENTITY,
            member TEXT NOT NULL,
            channel TEXT NOT NULL,
            about TEXT NOT NULL,
            shift UUID,
            starts_at TIMESTAMP WITH TIME ZONE,
            before_min INTEGER,
            text TEXT,
            due_at TIMESTAMP WITH TIME ZONE NOT NULL,
            tries INTEGER DEFAULT 0 NOT NULL,
            sent_at TIMESTAMP WITH TIME ZONE,
            gave_up_at TIMESTAMP WITH TIME ZONE,
            last_error TEXT,
            PRIMARY KEY (id)
        )
    """)
    op.execute("CREATE INDEX notices_of_member ON notices (member, shift)")
    op.execute("""
        CREATE UNIQUE INDEX notices_remind_once ON notices (member, shift, before_min, channel)
        WHERE before_min IS NOT NULL
    """)
    op.execute("""
        CREATE INDEX notices_waiting ON notices (channel, due_at)
        WHERE sent_at IS NULL AND gave_up_at IS NULL
    """)
    # The outbox is written last in a transaction, so a shift that it takes out is gone by then: when it was to begin
    # is known from what was queued about it before. Reminders have rows of their own, for the phone app too.
    op.execute("""
        CREATE FUNCTION queue_notices() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            said jsonb := convert_from(NEW.body, 'UTF8')::jsonb;
            of_shift uuid := (said->>'shift')::uuid;
        BEGIN
            INSERT INTO notices (member, channel, about, shift, starts_at, text, due_at)
            SELECT chosen.member, unnest(chosen.channels), said->>'about', of_shift,
                   COALESCE((said->>'starts_at')::timestamptz,
                            (SELECT s.starts_at FROM shifts s WHERE s.id = of_shift),
                            (SELECT max(n.starts_at) FROM notices n WHERE n.member = NEW.key AND n.shift = of_shift)),
                   said->>'text', (said->>'at')::timestamptz
            FROM notice_settings chosen
            WHERE chosen.member = NEW.key AND said->>'about' <> 'shift_reminder';
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER queue_notices AFTER INSERT ON outbox FOR EACH ROW
        WHEN (NOT NEW.kept AND NEW.subject LIKE 'user.%.notice.training') EXECUTE FUNCTION queue_notices()
    """)


def downgrade() -> None:
    op.execute("DROP TRIGGER queue_notices ON outbox")
    op.execute("DROP FUNCTION queue_notices")
    for table in ("notices", "notice_settings", "ring_receipts", "ring_posts", "ring_units", "rings"):
        op.execute(f"DROP TABLE {table}")
