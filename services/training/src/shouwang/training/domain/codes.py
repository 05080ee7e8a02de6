"""Codes that can be shown to strangers: what they say, and a signature that only we can make (HMAC-SHA-256).

A code is `<purpose>.<what it says>.<signature>`, short enough for a QR that an old phone can read.
"""

import hmac
import re
from datetime import datetime
from hashlib import sha256

SIGNATURE_CHARS = 22
"""Hexadecimal digits: 88 bits, more than anybody can try through a door that answers."""
CODE = re.compile(r"([a-z]+)\.([A-Za-z0-9_.-]+)\.([0-9a-f]{22})")


def sign(purpose: str, says: str, key: str) -> str:
    """A code for a purpose that nobody without the key can make."""
    return f"{purpose}.{says}.{_signature(purpose, says, key)}"


def read(purpose: str, code: str, key: str) -> str | None:
    """What a code says; None if it was made for something else, or by somebody else."""
    found = CODE.fullmatch(code)
    if found is None or found[1] != purpose:
        return None
    return found[2] if hmac.compare_digest(found[3], _signature(purpose, found[2], key)) else None


def check_in(session: str, until: datetime, key: str) -> str:
    """The code that a classroom shows: good for its session until a moment."""
    return sign("checkin", f"{session}.{int(until.timestamp())}", key)


def read_check_in(code: str, now: datetime, key: str) -> str | None:
    """The session of a check-in code; None if it is not one, or its time is over."""
    says = read("checkin", code, key)
    if says is None:
        return None
    session, _, until = says.partition(".")
    return session if now.timestamp() <= int(until) else None


def _signature(purpose: str, says: str, key: str) -> str:
    return hmac.new(key.encode(), f"{purpose}.{says}".encode(), sha256).hexdigest()[:SIGNATURE_CHARS]
