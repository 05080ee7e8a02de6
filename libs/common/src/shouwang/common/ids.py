"""Entity ids: UUIDv7 (RFC 9562), so that ids sort by the time they were made and indexes stay dense."""

from uuid_utils import uuid7


def new_id() -> str:
    """A fresh id in the usual lower-case form with hyphens."""
    return str(uuid7())
