"""Logistics and funding."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE rooms (
            site TEXT NOT NULL,
            room TEXT NOT NULL,
            no BIGINT GENERATED ALWAYS AS IDENTITY,
            beds INTEGER NOT NULL,
            women_only BOOLEAN NOT NULL,
            PRIMARY KEY (site, room),
            FOREIGN KEY(site) REFERENCES sites (site),
            UNIQUE (no)
        )
    """)
    op.execute("""
        CREATE TABLE stays (
            batch UUID NOT NULL,
            member TEXT NOT NULL,
            needs_bed BOOLEAN NOT NULL,
            diet TEXT NOT NULL,
            allergies TEXT,
            sex TEXT,
            said_by TEXT NOT NULL,
            said_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (batch, member),
            FOREIGN KEY(batch) REFERENCES batches (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("CREATE INDEX stays_with_allergies ON stays (batch) WHERE allergies IS NOT NULL")
    op.execute("""
        CREATE TABLE beds (
            id UUID NOT NULL,
            batch UUID NOT NULL,
            member TEXT NOT NULL,
            member_no BIGINT NOT NULL,
            room_no BIGINT NOT NULL,
            bed INTEGER NOT NULL,
            since DATE NOT NULL,
            until DATE NOT NULL,
            PRIMARY KEY (id),
            CHECK (since <= until),
            FOREIGN KEY(batch) REFERENCES batches (id),
            FOREIGN KEY(member) REFERENCES members (member),
            FOREIGN KEY(room_no) REFERENCES rooms (no),
            CONSTRAINT beds_given_once EXCLUDE USING gist (
                int8range(room_no, room_no, '[]') WITH &&,
                int4range(bed, bed, '[]') WITH &&,
                daterange(since, until, '[]') WITH &&
            ),
            CONSTRAINT beds_one_a_member EXCLUDE USING gist (
                int8range(member_no, member_no, '[]') WITH &&,
                daterange(since, until, '[]') WITH &&
            )
        )
    """)
    op.execute("CREATE INDEX beds_of_batch ON beds (batch)")
    op.execute("""
        CREATE TABLE meal_plans (
            site TEXT NOT NULL,
            day DATE NOT NULL,
            meals JSONB NOT NULL,
            PRIMARY KEY (site, day),
            FOREIGN KEY(site) REFERENCES sites (site)
        )
    """)
    op.execute("""
        CREATE TABLE issues (
            id UUID NOT NULL,
            member TEXT NOT NULL,
            item TEXT NOT NULL,
            serial TEXT,
            count INTEGER NOT NULL,
            issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
            issued_by TEXT NOT NULL,
            due DATE,
            returned_at TIMESTAMP WITH TIME ZONE,
            condition TEXT,
            PRIMARY KEY (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("CREATE INDEX issues_of_member ON issues (member)")
    op.execute("CREATE INDEX issues_out ON issues (id) WHERE returned_at IS NULL")
    op.execute("CREATE UNIQUE INDEX issues_serial_out ON issues (item, serial) WHERE returned_at IS NULL")
    op.execute("""
        CREATE TABLE costs (
            id UUID NOT NULL,
            batch UUID NOT NULL,
            kind TEXT NOT NULL,
            amount_fen BIGINT NOT NULL,
            note TEXT,
            recorded_by TEXT NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(batch) REFERENCES batches (id)
        )
    """)
    op.execute("CREATE INDEX costs_of_batch ON costs (batch)")
    op.execute("""
        CREATE TABLE funds (
            fund TEXT NOT NULL,
            name TEXT NOT NULL,
            year INTEGER NOT NULL,
            amount_fen BIGINT NOT NULL,
            source TEXT NOT NULL,
            budget_line TEXT,
            PRIMARY KEY (fund)
        )
    """)
    op.execute("""
        CREATE TABLE tenders (
            tender TEXT NOT NULL,
            fund TEXT NOT NULL,
            title TEXT NOT NULL,
            published_on DATE NOT NULL,
            supplier TEXT,
            award_fen BIGINT,
            awarded_on DATE,
            signed_on DATE,
            copy_filed_on DATE,
            accepted_on DATE,
            acceptance_note TEXT,
            contract_told BOOLEAN DEFAULT false NOT NULL,
            copy_told BOOLEAN DEFAULT false NOT NULL,
            PRIMARY KEY (tender),
            FOREIGN KEY(fund) REFERENCES funds (fund),
            FOREIGN KEY(supplier) REFERENCES organisations (organisation)
        )
    """)
    op.execute("CREATE INDEX tenders_of_fund ON tenders (fund)")
    op.execute("""
        CREATE TABLE payments (
            id UUID NOT NULL,
            tender TEXT NOT NULL,
            amount_fen BIGINT NOT NULL,
            paid_on DATE NOT NULL,
            recorded_by TEXT NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(tender) REFERENCES tenders (tender)
        )
    """)
    op.execute("CREATE INDEX payments_of_tender ON payments (tender)")
    op.execute("""
        CREATE TABLE holidays (
            year INTEGER NOT NULL,
            free DATE[] NOT NULL,
            worked DATE[] NOT NULL,
            PRIMARY KEY (year)
        )
    """)


def downgrade() -> None:
    for table in (
        "holidays",
        "payments",
        "tenders",
        "funds",
        "costs",
        "issues",
        "meal_plans",
        "beds",
        "stays",
        "rooms",
    ):
        op.execute(f"DROP TABLE {table}")
