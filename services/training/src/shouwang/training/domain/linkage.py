"""What may be said in a ring of member units, and what an officer's card says."""

import re
import unicodedata
from datetime import date

from shouwang.training.domain.people import MemberKind

_MOBILE = re.compile(r"(?<!\d)(?:(?:\+|00)?86[\s-]?)?1[3-9]\d(?:[\s.-]?\d){8}(?!\d)")
_ID_NUMBER = re.compile(r"(?<!\d)(?=([1-9](?:[\s-]?\d){16}[\s-]?[\dXx])(?!\d))")
_OLD_ID_NUMBER = re.compile(r"(?<!\d)[1-8]\d{14}(?!\d)")
"""Of 15 digits, as they were until 1999 and still stand in papers: the year in two, no check digit."""

TITLES = {
    MemberKind.COMMUNITY_OFFICER: "社区民警",
    MemberKind.HOMETOWN_OFFICER: "老乡民警",
    MemberKind.POLICE_OFFICER: "民警",
}
"""What an officer's card calls the holder."""


def number_in(text: str) -> str | None:
    """What kind of a person's number a text holds, `an identity number` or `a mobile number`; None if it holds none.

    Full-width digits, and blanks, dots or hyphens between digits, hide nothing. An identity number is known by the
    birth date in it, so that other long numbers pass; a mistyped one is found too, since its check digit is not asked.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    found = (re.sub(r"[\s-]", "", match[1]) for match in _ID_NUMBER.finditer(plain))
    if any(_is_date(number[6:14]) for number in found):
        return "an identity number"
    if any(_is_date("19" + match[0][6:12]) for match in _OLD_ID_NUMBER.finditer(plain)):
        return "an identity number"
    return "a mobile number" if _MOBILE.search(plain) else None


def _is_date(digits: str) -> bool:
    try:
        return 1880 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year <= 2100
    except ValueError:
        return False
