"""Ids: UUIDv7 in the usual form, so that their order is the order of time."""

import re
import time
from itertools import pairwise
from uuid import UUID

from shouwang.common.ids import new_id


def test_an_id_is_a_uuid7_in_lower_case() -> None:
    made = new_id()
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", made)
    assert (UUID(made).version, UUID(made).variant) == (7, UUID(made).variant)
    assert UUID(made).bytes[8] >> 6 == 0b10  # the variant of RFC 9562


def test_an_id_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id()).int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_of_one_process_are_different_and_in_order() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert all(a < b for a, b in pairwise(ids))
