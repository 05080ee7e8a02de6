"""The envelope: CloudEvents attributes as headers that any client can read back."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shouwang.common.envelope import MESSAGE_ID, headers_of, message_id, percent_encoded

AT = datetime(2026, 11, 24, 19, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # UTF-8 has no lone surrogates


class Happened:
    """A fact as the plumbing sees one."""

    contract = "thing.happened.v1"

    def subject(self) -> str:
        return "thing.happened.v1.a"

    def key(self) -> str:
        return "a"

    def model_dump_json(self) -> str:
        return "{}"


def test_a_fact_has_every_required_attribute_and_the_id_that_dedupes_it() -> None:
    headers = headers_of(Happened(), fact_id="0197-a", source="dispatch", at=AT)
    assert headers == {
        "ce-specversion": "1.0",
        "ce-id": "0197-a",
        "ce-source": "/shouwang/dispatch",
        "ce-type": "thing.happened.v1",
        "ce-time": "2026-11-24T11:00:00.123456Z",
        "ce-datacontenttype": "application/json",
        "Nats-Msg-Id": "0197-a",
    }


def test_time_is_told_in_utc_and_reads_back_as_the_same_moment() -> None:
    told = headers_of(Happened(), fact_id="1", source="x", at=AT)["ce-time"]
    assert datetime.fromisoformat(told) == AT
    assert datetime.fromisoformat(told).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("plain", "encoded"),
    [
        ("", ""),
        ("a-b_c.d/~!", "a-b_c.d/~!"),
        (" ", "%20"),
        ('"', "%22"),
        ("%", "%25"),
        ("%20", "%2520"),
        ("\r\n", "%0D%0A"),
        ("\x00\x7f", "%00%7F"),
        ("守望", "%E5%AE%88%E6%9C%9B"),
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),  # the example of the binding
    ],
)
def test_percent_encoding(plain: str, encoded: str) -> None:
    assert percent_encoded(plain) == encoded


@given(TEXT)
@example("%zz")
@settings(deadline=None)
def test_any_text_survives_the_round_trip_in_printable_ascii(text: str) -> None:
    encoded = percent_encoded(text)
    assert unquote(encoded, errors="strict") == text
    assert all("!" <= c <= "~" for c in encoded)


@given(TEXT, TEXT)
@settings(deadline=None)
def test_a_fact_with_any_name_has_headers_without_line_breaks(name: str, source: str) -> None:
    fact = Happened()
    fact.contract = name
    headers = headers_of(fact, fact_id="1", source=source, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert unquote(headers["ce-type"]) == name
    assert unquote(headers["ce-source"]) == f"/shouwang/{source}"
    assert not any(c in value for value in headers.values() for c in "\r\n")


@pytest.mark.parametrize(
    ("headers", "known_as"),
    [
        (None, None),
        ({}, None),
        ({"traceparent": "00-1"}, None),
        ({"ce-id": "a"}, "a"),
        ({MESSAGE_ID: "b"}, "b"),
        ({"ce-id": "a", MESSAGE_ID: "b"}, "a"),
        ({"ce-id": "", MESSAGE_ID: "b"}, "b"),
    ],
)
def test_the_id_by_which_a_message_is_known(headers: dict[str, str] | None, known_as: str | None) -> None:
    assert message_id(headers) == known_as
