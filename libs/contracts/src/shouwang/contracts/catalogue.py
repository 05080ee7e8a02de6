"""Every message of this package by the name of its files, and the JSON Schema of each.

The committed copies are `schemas/<name>.json` and `examples/<name>/<case>.json`; `make contracts` writes the schemas.
"""

import json
import re
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

import shouwang.contracts
from shouwang.contracts.compatibility import Kind
from shouwang.contracts.shapes import FACTS, LIVE, REQUESTS

INCOMING: Final = frozenset({"report"})
"""Live messages that come from outside. The others are ours, and others read them."""

AHEAD: Final = frozenset(
    {
        "location.track.v1", "location.put_fence.v1", "location.fence.entered.v1", "location.fence.left.v1",
        "dispatch.task_region.v1", "dispatch.raise_sos.v1", "dispatch.patrol_plan.proposed.v1",
    }
)  # fmt: skip
"""Agreed, but no service answers or says them yet: whoever asks gets "no responders" from the broker at once."""


@dataclass(frozen=True)
class Message:
    """One message: its file name, who reads it, its model, and the subject with `{token}` in place of tokens."""

    name: str
    kind: Kind
    model: type[BaseModel]
    subject: str


def messages() -> dict[str, Message]:
    """All messages in the order of their names."""
    for module in iter_modules(shouwang.contracts.__path__, "shouwang.contracts."):
        import_module(module.name)  # a new module cannot be forgotten here
    found = [*_requests(), *_facts(), *_live()]
    return {message.name: message for message in sorted(found, key=lambda message: message.name)}


def _ours(model: type[BaseModel]) -> bool:
    # Tests of other packages declare messages of their own, in the same process and so in the same registries.
    return model.__module__.startswith("shouwang.contracts.")


def _requests() -> list[Message]:
    found: list[Message] = []
    for name, model in REQUESTS.items():
        if _ours(model):
            subject = model.subject("{principal}")
            found.append(Message(f"{name}.request", "request", model, subject))
            found.append(Message(f"{name}.reply", "reply", model.answered_by, subject))
    return found


def _facts() -> list[Message]:
    return [Message(name, "fact", model, model.pattern()) for name, model in FACTS.items() if _ours(model)]


def _live() -> list[Message]:
    found: list[Message] = []
    for address, model in LIVE.items():
        if _ours(model):
            name = re.sub(r"\.\{\w+\}", "", address)
            found.append(Message(name, "incoming" if name in INCOMING else "live", model, address))
    return found


class _Honest(GenerateJsonSchema):
    """Says what the models do where pydantic's own schema says less, and leaves out titles made of field names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        if "patternProperties" in made:
            made.setdefault("additionalProperties", False)  # a key that does not match is refused, not passed over
        return made

    def str_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().str_schema(schema)
        if schema.get("strip_whitespace") and schema.get("min_length") == 1:
            made.setdefault("pattern", r"\S")  # nothing but blanks is empty after stripping
        return made

    def generate(self, schema: Any, mode: Literal["validation", "serialization"] = "validation") -> Any:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def schema(message: Message) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a message, the same for who writes it and for who reads it.

    It is that of validation, since every field that may be left out when writing may be missing when reading.
    `x-subject` is there so that a change of a fact's keys is seen: it would pass by whoever subscribes to the old ones.
    """
    made = message.model.model_json_schema(mode="validation", schema_generator=_Honest)
    return {**made, "$id": f"urn:shouwang:contract:{message.name}", "x-subject": message.subject}


def schema_text(message: Message) -> str:
    """The committed form of the schema: sorted keys, so that a diff shows changes only."""
    return json.dumps(schema(message), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
