"""What a caller is told when a request cannot be done: RFC 9457 problems, NATS service-error headers (ADR-32)."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

MOST_CHARACTERS = 300
"""Of a field's name and of what is said of it: the problem must fit in a message, whatever was sent."""


class Problem(Exception):
    """A refusal in words for whoever asked. Raise it anywhere in a handler: nothing is committed.

    Args:
        status: as in HTTP: 400 bad input, 403 not yours, 404 unknown, 409 lost a race, 503 try again.
        detail: one sentence for people, saying what to do next where that helps.
        errors: for bad input, one `{"field": ..., "detail": ...}` for each fault.
    """

    def __init__(self, status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = [dict(error) for error in errors]

    @classmethod
    def of_field(cls, field: str, detail: str, status: int = HTTPStatus.BAD_REQUEST) -> "Problem":
        """A problem with one field; its words begin with the field's name."""
        return cls(status, f"{field}: {detail}", [{"field": field, "detail": detail}])

    def body(self) -> bytes:
        """The problem as `application/problem+json`."""
        title = HTTPStatus(self.status).phrase
        document: dict[str, Any] = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        if self.errors:
            document["errors"] = self.errors
        return json.dumps(document, ensure_ascii=False).encode()

    def headers(self) -> dict[str, str]:
        """The headers by which any NATS client library knows an error reply."""
        plain = self.detail.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")
        return {
            "Nats-Service-Error": plain[:200],
            "Nats-Service-Error-Code": str(self.status),
            "content-type": "application/problem+json",
        }


def bad_input(errors: Sequence[Mapping[str, Any]], body: Any = None, *, skip: int = 0) -> Problem:
    """A 400 from pydantic's error list.

    Args:
        body: what the caller sent; a part of a location that is not in it is the name of a variant, and left out.
        skip: so many leading parts of each location are ours, not the caller's.
    """
    faults = [
        {"field": _path(error["loc"][skip:], body), "detail": str(error["msg"])[:MOST_CHARACTERS]} for error in errors
    ]
    words = "; ".join(f"{fault['field']}: {fault['detail']}" for fault in faults[:5])
    return Problem(HTTPStatus.BAD_REQUEST, words, faults[:50])


def _path(location: Sequence[str | int], body: Any) -> str:
    path, here = "", body
    for place, part in enumerate(location):
        if isinstance(here, Mapping) and part not in here and place < len(location) - 1:
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
        try:
            here = here[part]
        except (LookupError, TypeError):
            here = None
    return path[:MOST_CHARACTERS] or "body"  # a name that the caller made up may be as long as a message
