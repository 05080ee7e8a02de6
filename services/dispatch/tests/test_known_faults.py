"""Each test here shows a fault that is still there. When one passes, move it to where it belongs."""

import pytest
from pydantic import ValidationError

from shouwang.contracts.dispatch import OpenIncident


def test_a_text_that_the_database_cannot_keep_is_refused_at_the_door() -> None:
    r"""PostgreSQL has no \u0000 in a text: the caller gets a 500 "this is our fault" where a 400 is meant.

    The same goes for the header `Idempotency-Key`.
    """
    with pytest.raises(ValidationError):
        OpenIncident(kind="help", lat=27.7, lon=120.6, summary="a\x00b")
