"""People, courses, rosters and duty; and the plumbing tables."""

from alembic import op

from shouwang.common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing()
    op.execute("""
        CREATE TABLE patrol_plans (
            plan UUID NOT NULL,
            windows JSONB NOT NULL,
            first DATE NOT NULL,
            last DATE NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            taken_over BOOLEAN DEFAULT false NOT NULL,
            PRIMARY KEY (plan)
        )
    """)
    op.execute("CREATE TABLE signing_keys (key TEXT NOT NULL, PRIMARY KEY (key))")
    # Two random UUIDs hold 244 bits from the machine's own source of randomness.
    op.execute("INSERT INTO signing_keys SELECT gen_random_uuid()::text || gen_random_uuid()::text")
    op.execute("""
        CREATE TABLE courses (
            course TEXT NOT NULL,
            name TEXT NOT NULL,
            subjects JSONB NOT NULL,
            kinds TEXT[] NOT NULL,
            certificate TEXT,
            valid_months INTEGER,
            pass_mark INTEGER NOT NULL,
            attend_pct INTEGER NOT NULL,
            adults_only BOOLEAN NOT NULL,
            PRIMARY KEY (course)
        )
    """)
    op.execute("""
        CREATE TABLE members (
            member TEXT NOT NULL,
            no BIGINT GENERATED ALWAYS AS IDENTITY,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            id_number TEXT,
            born DATE,
            phone TEXT,
            guardian_consents BOOLEAN DEFAULT false NOT NULL,
            night_protected_until DATE,
            minor_contact_check DATE,
            left_on DATE,
            cleared BOOLEAN,
            cleared_until DATE,
            suspended_for TEXT,
            PRIMARY KEY (member),
            UNIQUE (no),
            UNIQUE (id_number)
        )
    """)
    op.execute("""
        CREATE TABLE organisations (
            organisation TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            credit_code TEXT,
            entity TEXT,
            contact TEXT,
            contact_name TEXT,
            contact_phone TEXT,
            shares_guards BOOLEAN DEFAULT false NOT NULL,
            lat DOUBLE PRECISION,
            lon DOUBLE PRECISION,
            PRIMARY KEY (organisation),
            UNIQUE (credit_code)
        )
    """)
    op.execute("""
        CREATE TABLE reveals (
            id UUID NOT NULL,
            member TEXT NOT NULL,
            asked_by TEXT NOT NULL,
            reason TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (id)
        )
    """)
    op.execute("""
        CREATE TABLE rosters (
            id UUID NOT NULL,
            name TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE NOT NULL,
            status TEXT NOT NULL,
            organisations TEXT[] DEFAULT '{}' NOT NULL,
            limit_s DOUBLE PRECISION,
            planning_since TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (id)
        )
    """)
    op.execute("""
        CREATE TABLE sites (
            site TEXT NOT NULL,
            name TEXT NOT NULL,
            level TEXT NOT NULL,
            lat DOUBLE PRECISION,
            lon DOUBLE PRECISION,
            fence TEXT,
            beds INTEGER NOT NULL,
            accredited_since DATE,
            accredited_until DATE,
            PRIMARY KEY (site),
            UNIQUE (fence)
        )
    """)
    op.execute("""
        CREATE TABLE agreements (
            id UUID NOT NULL,
            member TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE,
            risks_told BOOLEAN NOT NULL,
            overtime_agreed BOOLEAN NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("CREATE INDEX agreements_of_member ON agreements (member)")
    op.execute("""
        CREATE TABLE bars (
            member TEXT NOT NULL,
            ground TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE,
            PRIMARY KEY (member, ground),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE certificates (
            id UUID NOT NULL,
            member TEXT NOT NULL,
            kind TEXT NOT NULL,
            number TEXT NOT NULL,
            issued_on DATE NOT NULL,
            valid_until DATE,
            batch UUID,
            revoked_at TIMESTAMP WITH TIME ZONE,
            revoked_for TEXT,
            expiry_told BOOLEAN DEFAULT false NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE INDEX certificates_expiring ON certificates (valid_until)
        WHERE NOT expiry_told AND revoked_at IS NULL AND valid_until IS NOT NULL
    """)
    op.execute("CREATE UNIQUE INDEX certificates_number ON certificates (kind, number)")
    op.execute("CREATE INDEX certificates_of_member ON certificates (member)")
    op.execute("""
        CREATE TABLE commitments (
            organisation TEXT NOT NULL,
            shifts_a_month INTEGER NOT NULL,
            since DATE NOT NULL,
            until DATE,
            PRIMARY KEY (organisation),
            FOREIGN KEY(organisation) REFERENCES organisations (organisation)
        )
    """)
    op.execute("""
        CREATE TABLE consents (
            member TEXT NOT NULL,
            consent TEXT NOT NULL,
            given_at TIMESTAMP WITH TIME ZONE NOT NULL,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (member, consent),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE insurances (
            id UUID NOT NULL,
            member TEXT NOT NULL,
            policy TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("CREATE INDEX insurances_of_member ON insurances (member)")
    op.execute("""
        CREATE TABLE memberships (
            member TEXT NOT NULL,
            since DATE NOT NULL,
            organisation TEXT NOT NULL,
            until DATE,
            PRIMARY KEY (member, since),
            FOREIGN KEY(member) REFERENCES members (member),
            FOREIGN KEY(organisation) REFERENCES organisations (organisation)
        )
    """)
    op.execute("CREATE INDEX memberships_of_organisation ON memberships (organisation)")
    op.execute("""
        CREATE TABLE runs (
            id UUID NOT NULL,
            course TEXT NOT NULL,
            site TEXT NOT NULL,
            tailored_for TEXT,
            opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(course) REFERENCES courses (course),
            FOREIGN KEY(site) REFERENCES sites (site),
            FOREIGN KEY(tailored_for) REFERENCES organisations (organisation)
        )
    """)
    op.execute("""
        CREATE TABLE service_certificates (
            id UUID NOT NULL,
            number TEXT NOT NULL,
            member TEXT NOT NULL,
            since DATE NOT NULL,
            until DATE NOT NULL,
            minutes INTEGER NOT NULL,
            shifts INTEGER NOT NULL,
            issued_on DATE NOT NULL,
            PRIMARY KEY (id),
            UNIQUE (number),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("""
        CREATE TABLE shifts (
            id UUID NOT NULL,
            roster UUID NOT NULL,
            kind TEXT NOT NULL,
            duty_date DATE NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
            lead_officer TEXT,
            area TEXT,
            lat DOUBLE PRECISION,
            lon DOUBLE PRECISION,
            organiser TEXT NOT NULL,
            pay TEXT NOT NULL,
            purpose TEXT NOT NULL,
            insurance TEXT,
            client_contract TEXT,
            post_of TEXT,
            at_school BOOLEAN NOT NULL,
            requires TEXT[] NOT NULL,
            minimum INTEGER NOT NULL,
            maximum INTEGER NOT NULL,
            missing INTEGER,
            why JSONB,
            PRIMARY KEY (id),
            CHECK (ends_at > starts_at),
            CHECK (minimum <= maximum),
            FOREIGN KEY(roster) REFERENCES rosters (id),
            FOREIGN KEY(lead_officer) REFERENCES members (member),
            FOREIGN KEY(post_of) REFERENCES organisations (organisation)
        )
    """)
    op.execute("CREATE INDEX shifts_by_time ON shifts (starts_at, id)")
    op.execute("CREATE INDEX shifts_of_roster ON shifts (roster, starts_at)")
    op.execute("""
        CREATE TABLE assignments (
            shift UUID NOT NULL,
            member TEXT NOT NULL,
            member_no BIGINT NOT NULL,
            organisation TEXT,
            status TEXT NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
            changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (shift, member),
            FOREIGN KEY(shift) REFERENCES shifts (id) ON DELETE CASCADE,
            FOREIGN KEY(member) REFERENCES members (member),
            CONSTRAINT assignments_no_double_booking EXCLUDE USING gist (
                int8range(member_no, member_no, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&
            ) WHERE (status IN ('proposed', 'offered', 'accepted', 'served'))
        )
    """)
    op.execute("CREATE INDEX assignments_of_member ON assignments (member, starts_at)")
    op.execute("""
        CREATE TABLE batches (
            id UUID NOT NULL,
            run UUID NOT NULL,
            starts_on DATE NOT NULL,
            ends_on DATE NOT NULL,
            seats INTEGER NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(run) REFERENCES runs (id)
        )
    """)
    op.execute("CREATE INDEX batches_of_run ON batches (run)")
    op.execute("""
        CREATE TABLE duties (
            id UUID NOT NULL,
            member TEXT NOT NULL,
            shift UUID NOT NULL,
            started_at TIMESTAMP WITH TIME ZONE NOT NULL,
            until TIMESTAMP WITH TIME ZONE NOT NULL,
            located BOOLEAN DEFAULT true NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            minutes INTEGER,
            PRIMARY KEY (id),
            FOREIGN KEY(member) REFERENCES members (member),
            FOREIGN KEY(shift) REFERENCES shifts (id)
        )
    """)
    op.execute("CREATE INDEX duties_of_shift ON duties (shift)")
    op.execute("CREATE UNIQUE INDEX duties_one_a_member ON duties (member) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX duties_running_out ON duties (until) WHERE ended_at IS NULL")
    op.execute("""
        CREATE TABLE swaps (
            id UUID NOT NULL,
            shift UUID NOT NULL,
            member TEXT NOT NULL,
            with_member TEXT NOT NULL,
            for_shift UUID,
            status TEXT NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(shift) REFERENCES shifts (id) ON DELETE CASCADE,
            FOREIGN KEY(member) REFERENCES members (member),
            FOREIGN KEY(with_member) REFERENCES members (member),
            FOREIGN KEY(for_shift) REFERENCES shifts (id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX swaps_of_member ON swaps (member)")
    op.execute("CREATE UNIQUE INDEX swaps_open ON swaps (shift, member) WHERE status = 'proposed'")
    op.execute("CREATE INDEX swaps_with_member ON swaps (with_member)")
    op.execute("""
        CREATE TABLE enrolments (
            batch UUID NOT NULL,
            member TEXT NOT NULL,
            status TEXT NOT NULL,
            came UUID NOT NULL,
            score DOUBLE PRECISION,
            rating INTEGER,
            note TEXT,
            PRIMARY KEY (batch, member),
            FOREIGN KEY(batch) REFERENCES batches (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)
    op.execute("CREATE INDEX enrolments_of_member ON enrolments (member)")
    op.execute("""
        CREATE TABLE sessions (
            id UUID NOT NULL,
            batch UUID NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
            class_hours INTEGER NOT NULL,
            subject TEXT NOT NULL,
            kind TEXT NOT NULL,
            teacher TEXT,
            PRIMARY KEY (id),
            FOREIGN KEY(batch) REFERENCES batches (id)
        )
    """)
    op.execute("CREATE INDEX sessions_of_batch ON sessions (batch, starts_at)")
    op.execute("""
        CREATE TABLE attendances (
            session UUID NOT NULL,
            member TEXT NOT NULL,
            by TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            PRIMARY KEY (session, member),
            FOREIGN KEY(session) REFERENCES sessions (id),
            FOREIGN KEY(member) REFERENCES members (member)
        )
    """)


def downgrade() -> None:
    for table in (
        "patrol_plans",
        "signing_keys",
        "attendances",
        "sessions",
        "enrolments",
        "swaps",
        "duties",
        "batches",
        "assignments",
        "shifts",
        "service_certificates",
        "runs",
        "memberships",
        "insurances",
        "consents",
        "commitments",
        "certificates",
        "bars",
        "agreements",
        "sites",
        "rosters",
        "reveals",
        "organisations",
        "members",
        "courses",
    ):
        op.execute(f"DROP TABLE {table}")
    drop_plumbing()
