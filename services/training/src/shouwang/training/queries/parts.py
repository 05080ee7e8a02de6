"""What the queries of training have alike."""

from typing import Any

from sqlalchemy import Row


def named(row: Row[Any], name: str) -> dict[str, Any]:
    """A row whose id is called by what it is."""
    fields = row._asdict()
    return {name: fields.pop("id"), **{key: value for key, value in fields.items() if key != name}}
