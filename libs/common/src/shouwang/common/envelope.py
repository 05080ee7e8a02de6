"""CloudEvents 1.0 in binary mode over NATS: the body is the fact only, its attributes travel as headers.

Source: CloudEvents NATS protocol binding 1.0; header values are percent-encoded there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from shouwang.common.clock import rfc3339

MESSAGE_ID = "Nats-Msg-Id"


class FactLike(Protocol):
    """What the plumbing needs to know of a fact."""

    @property
    def contract(self) -> str:
        """Its name, for example `thing.happened.v1`; becomes `ce-type`."""
        ...

    def subject(self) -> str:
        """Where it is published."""
        ...

    def key(self) -> str:
        """Facts of one key keep their order."""
        ...

    def model_dump_json(self) -> str:
        """Its body."""
        ...


def headers_of(fact: FactLike, *, fact_id: str, source: str, at: datetime) -> dict[str, str]:
    """The headers of a fact said by `source` (a service's name) at a time."""
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": fact_id,
        "ce-source": f"/shouwang/{source}",
        "ce-type": fact.contract,
        "ce-time": rfc3339(at),
        "ce-datacontenttype": "application/json",
    }
    encoded = {name: percent_encoded(value) for name, value in attributes.items()}
    return {**encoded, MESSAGE_ID: fact_id}


def percent_encoded(value: str) -> str:
    """Space, double quote, percent and everything outside U+0021-U+007E as UTF-8 `%XX` (binding §3.1.3.2)."""
    return "".join(c if "!" <= c <= "~" and c not in '"%' else quote(c, safe="") for c in value)


def message_id(headers: Mapping[str, str] | None) -> str | None:
    """The id by which a message is known to have been handled already; None where its sender gave none."""
    headers = headers or {}
    return headers.get("ce-id") or headers.get(MESSAGE_ID)
