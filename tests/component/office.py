"""The training organiser's office: what it asks of the service, with members and units of a test's own."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from nats.aio.client import Client
from stdnum.cn import ric

from shouwang.common.ids import new_id
from shouwang.common.testing import Answer, Kept, ask, eventually, kept

ORGANISER = "organiser"
FOREVER = timedelta(days=400)


def id_number(born: date, sequence: int = 0) -> str:
    """A synthetic identity number of Ruian with a right check digit; sequences from 000 on were never issued so."""
    digits = f"330381{born:%Y%m%d}{sequence:03}"
    return digits + str(ric.calc_check_digit(f"{digits}0"))  # it wants the place of the digit filled


class Office:
    """Everything an organiser does. Tokens carry the office's own name, so that tests do not meet."""

    def __init__(self, connection: Client) -> None:
        self.connection = connection
        self.name = f"o{new_id()[-12:]}"

    def token(self, word: str) -> str:
        """The full token of a member or organisation of this office."""
        return f"{self.name}-{word}"

    async def ask(self, verb: str, body: Mapping[str, Any] | None = None, *, principal: str = ORGANISER) -> Answer:
        """`verb` without its service and version, such as `put_member`."""
        data = json.dumps(body or {}, ensure_ascii=False, default=str).encode()
        return await ask(self.connection, f"request.{principal}.training.{verb}.v1", data)

    async def done(self, verb: str, body: Mapping[str, Any] | None = None, *, principal: str = ORGANISER) -> Any:
        """The same, which has to be done: the result."""
        answer = await self.ask(verb, body, principal=principal)
        assert answer.status == 200, f"{verb} by {principal}: {answer.body}"
        return answer.body

    async def organisation(self, word: str, kind: str = "shop", **more: Any) -> str:
        """An organisation on record."""
        token = self.token(word)
        await self.done("put_organisation", {"organisation": token, "kind": kind, "name": f"示例{word}", **more})
        return token

    async def member(self, word: str, kind: str = "shop_volunteer", **more: Any) -> str:
        """A member on record, of age."""
        token = self.token(word)
        about = {"member": token, "kind": kind, "name": "示例甲", "born": "1985-05-01", **more}
        await self.done("put_member", about)
        return token

    async def cleared(self, word: str, kind: str = "shop_volunteer", *, today: date, **more: Any) -> str:
        """A member that nothing forbids to be on patrol."""
        token = await self.member(word, kind, **more)
        await self.paper([token], today=today)
        certificate = "guard_certificate" if kind in ("guard", "school_guard") else "patrol_training"
        about = {"member": token, "kind": certificate, "number": token, "issued_on": today - timedelta(days=10)}
        await self.done("record_certificate", about)
        await self.consent(token)
        return token

    async def paper(self, members: Sequence[str], *, today: date) -> None:
        """Agreement and insurance for a good year."""
        until = today + FOREVER
        await self.done("record_agreement", {"members": members, "since": today, "until": until, "risks_told": True})
        await self.done("record_insurance", {"members": members, "since": today, "until": until, "policy": "示例保单"})

    async def consent(self, member: str, *consents: str) -> None:
        """The member agrees."""
        wanted = consents or ("patrol", "tracking")
        await self.done("give_consent", {"consents": wanted}, principal=member)

    async def roster(self, since: date, until: date | None = None) -> str:
        """An empty roster."""
        said = await self.done("draft_roster", {"name": "示例", "since": since, "until": until or since})
        return str(said["roster"])

    async def shifts(self, roster: str, days: Sequence[date], **more: Any) -> list[str]:
        """Night patrols 22:00-02:00, one a day."""
        usual = {"kind": "night_patrol", "start": "22:00", "end": "02:00", "minimum": 1, "maximum": 2, "area": "韩田"}
        body = {"roster": roster, "days": days, "insurance": "示例保单", **usual, **more}
        said: list[str] = (await self.done("add_shifts", body))["shifts"]
        return said

    async def publish(self, roster: str) -> Any:
        """Members are asked."""
        return await self.done("publish_roster", {"roster": roster})

    async def accept(self, member: str, shift: str) -> None:
        """The member will be there."""
        await self.done("answer_shift", {"shift": shift, "answer": "accept"}, principal=member)

    async def put_file(self, name: str, content: bytes) -> None:
        """Into the bucket that imports are read from."""
        store = await self.connection.jetstream().object_store("imports")
        await store.put(name, content)

    async def facts(self, subject: str) -> list[Kept]:
        """What the stream keeps of training, `subject` without its service."""
        return await kept(self.connection, "TRAINING", f"training.{subject}")

    async def told(self, subject: str, many: int = 1, within_s: float = 30.0) -> list[Kept]:
        """So many facts, as soon as they are there."""

        async def there() -> list[Kept] | None:
            found = await self.facts(subject)
            return found if len(found) >= many else None

        found: list[Kept] = await eventually(there, within_s)
        return found
