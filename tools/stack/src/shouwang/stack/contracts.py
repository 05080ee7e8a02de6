"""The committed form of the contracts: JSON Schemas beside the models, and `docs/reference/contracts.md`.

`export` writes them and refuses what would break somebody; `check` tells what `export` would do.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from shouwang.contracts import words
from shouwang.contracts.catalogue import AHEAD, Message, messages, schema, schema_text
from shouwang.contracts.compatibility import breaks
from shouwang.contracts.streams import DAY, GIB, STREAMS

SCHEMAS: Final = Path("libs/contracts/src/shouwang/contracts/schemas")
REFERENCE: Final = Path("docs/reference/contracts.md")
_HOW_OUT: Final = "if nobody has ever used it, delete the file and run `make contracts` again"


class Refused(Exception):
    """The committed contracts would change in a way that breaks who uses them."""

    def __init__(self, reasons: Iterable[str]) -> None:
        super().__init__("\n".join([str(self.__doc__), *reasons]))


def export(root: Path, *, accept_new: bool = True) -> list[str]:
    """Write every schema and the reference under `root` (the repository); gives the files that changed.

    Nothing is written when something is refused. `accept_new=False` refuses messages without a committed schema too,
    for a branch that only repairs.
    """
    refusals = [line for message in messages().values() for line in _refusals(root, message, accept_new)]
    refusals += [
        f"{path}: the message is gone, but old readers and stored facts are not; {_HOW_OUT}" for path in _orphans(root)
    ]
    if refusals:
        raise Refused(refusals)
    wanted = {SCHEMAS / f"{message.name}.json": schema_text(message) for message in messages().values()}
    wanted[REFERENCE] = reference()
    return [str(path) for path, text in wanted.items() if _write(root / path, text)]


def _refusals(root: Path, message: Message, accept_new: bool) -> list[str]:
    path = SCHEMAS / f"{message.name}.json"
    if not (root / path).exists():
        return [] if accept_new else [f"{path}: a new message, and new messages are not accepted here"]
    found = breaks(_committed(root / path), schema(message), message.kind)
    return [*(f"{path}: {reason}" for reason in found), *([f"{path}: make it v2; {_HOW_OUT}"] if found else [])]


def check(root: Path) -> list[str]:
    """How the committed files differ from the models, whether each difference is compatible, and what to do."""
    found = [line for message in messages().values() if (line := _difference(root, message))]
    found += [f"{path} belongs to no message; {_HOW_OUT}" for path in _orphans(root)]
    if _text(root / REFERENCE) != reference():
        found.append(f"{REFERENCE} is out of date: run `make contracts`")
    return found


def _difference(root: Path, message: Message) -> str:
    path = SCHEMAS / f"{message.name}.json"
    text = _text(root / path)
    if text == schema_text(message):
        return ""
    if text is None:
        return f"{path} is missing: run `make contracts`"
    reasons = breaks(_committed(root / path), schema(message), message.kind)
    if not reasons:
        return f"{path} is out of date, the change is compatible: run `make contracts`"
    return f"{path} would change incompatibly, make it v2 ({'; '.join(reasons)})"


def _orphans(root: Path) -> list[Path]:
    known = messages()
    return [SCHEMAS / path.name for path in sorted((root / SCHEMAS).glob("*.json")) if path.stem not in known]


def _committed(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _write(path: Path, text: str) -> bool:
    if _text(path) == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    return True


# -- the reference ---------------------------------------------------------------------------------------------------

_HEAD: Final = """\
# Contracts

<!-- Generated from the models in libs/contracts by `make contracts`. Do not edit. -->

Every message on the wire. `field?` may be left out; after `=` stands what it is then, otherwise it may also be null.
A *token* is `[A-Za-z0-9_-]{1,64}`, an *id* a UUIDv7 in lower case, a *time* RFC 3339 with an offset (UTC when we write
it), a *cell* an H3 cell in hexadecimal. Positions are WGS-84 degrees, distances great-circle metres. Requests refuse
unknown fields; everywhere else they are passed over. The JSON Schemas are in
`libs/contracts/src/shouwang/contracts/schemas`, examples of each message in `examples` beside them.
"""
_UNITS: Final = {"_m": "m", "_s": "s", "_mps": "m/s", "_deg": "°", "_pct": "%"}
_SAID_ABOVE: Final = {
    TypeAdapter(word).json_schema()["description"] for word in (words.Lat, words.Lon, words.Metres, words.Seconds)
}
_STRINGS: Final = {
    TypeAdapter(word).json_schema()["pattern"]: name
    for word, name in ((words.Token, "token"), (words.Id, "id"), (words.Cell, "cell"))
}


def reference() -> str:
    """All requests, facts, live messages, their parts and the streams as Markdown."""
    every = messages()
    by_kind = {kind: [m for m in every.values() if m.kind == kind] for kind in ("request", "fact", "live", "incoming")}
    parts = {name: part for message in every.values() for name, part in schema(message).get("$defs", {}).items()}
    replies = {message.subject: message for message in every.values() if message.kind == "reply"}
    lines = [
        _HEAD,
        "## Requests\n",
        *_table("subject | fields | reply | what", [_request(asked, replies) for asked in by_kind["request"]]),
        "## Facts\n",
        *_table("subject | fields | what", [_row(fact) for fact in by_kind["fact"]]),
        "## Live messages\n",
        *_table("subject | fields | what", [_row(one) for one in by_kind["incoming"] + by_kind["live"]]),
        "## Parts\n",
        *_table("name | fields | what", [(name, _fields(part), _what(part)) for name, part in sorted(parts.items())]),
        "## Streams\n",
        *_table("stream | subjects | kept for | up to | writes", [_stream(stream) for stream in STREAMS.values()]),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(head: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {head} |"
    yield "|" + "---|" * (head.count("|") + 1)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def _subject(message: Message) -> str:
    return "`" + message.subject.replace("{", "<").replace("}", ">") + "`"


def _request(asked: Message, replies: dict[str, Message]) -> tuple[str, ...]:
    said, answer = schema(asked), schema(replies[asked.subject])
    return _subject(asked), _fields(said), _fields(answer), f"{_ahead(asked)}{_what(said)} Reply: {_what(answer)}"


def _row(message: Message) -> tuple[str, ...]:
    said = schema(message)
    return _subject(message), _fields(said), _ahead(message) + _what(said)


def _ahead(message: Message) -> str:
    return "**Agreed, not there yet.** " if message.name.removesuffix(".request") in AHEAD else ""


def _stream(stream: dict[str, Any]) -> tuple[str, ...]:
    subjects = ", ".join(f"`{subject}`" for subject in stream["subjects"])
    writes = "not waited for" if stream.get("persist_mode") == "async" else "on disk before the ack"
    return stream["name"], subjects, f"{stream['max_age'] // DAY} d", f"{stream['max_bytes'] // GIB} GiB", writes


def _what(said: dict[str, Any]) -> str:
    """The first paragraph of the model's docstring."""
    return str(said.get("description", "")).split("\n\n", maxsplit=1)[0]


def _fields(said: dict[str, Any]) -> str:
    shown = [_field(name, node, name in said.get("required", ())) for name, node in said.get("properties", {}).items()]
    return "<br>".join(shown) or "none"


def _field(name: str, node: dict[str, Any], required: bool) -> str:
    unit = "°" if name in ("lat", "lon") else next((_UNITS[end] for end in _UNITS if name.endswith(end)), "")
    default = node.get("default")
    if not required and default is None:
        node = {**node, "anyOf": [one for one in node.get("anyOf", [node]) if one.get("type") != "null"]}
    remark = node.get("description", "")
    return "".join(
        (
            f"`{name}{'' if required else '?'}` {_type(node)}",
            f" {unit}" if unit else "",
            "" if required or default is None else f" = {json.dumps(default)}",
            f" ({remark})" if remark and remark not in _SAID_ABOVE else "",
        )
    )


def _type(node: dict[str, Any]) -> str:
    if "$ref" in node:
        return f"*{node['$ref'].rpartition('/')[2]}*"
    for union in ("anyOf", "oneOf"):
        if union in node:
            return " or ".join(_type(branch) for branch in node[union])
    if "enum" in node or "const" in node:
        return " / ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if node.get("type") == "array":
        inside = [_type(one) for one in node["prefixItems"]] if "prefixItems" in node else [_type(node["items"])]
        return f"[{', '.join(inside)}]{_range(node, 'Items')}"
    if node.get("type") == "object":
        return "{token: " + ", ".join(_type(one) for one in node.get("patternProperties", {}).values()) + "}"
    return _plain(node)


def _plain(node: dict[str, Any]) -> str:
    if node.get("format") == "date-time":
        return "time"
    if node.get("type") == "string":
        return _STRINGS.get(node.get("pattern", ""), "text" + _range(node, "Length"))
    return str(node["type"]) + _range(node, "imum")


def _range(node: dict[str, Any], what: str) -> str:
    low, high = node.get(f"min{what}"), node.get(f"max{what}")
    if low == high:
        return "" if low is None or "prefixItems" in node else f" {low}"
    return f" ≤ {high}" if low is None else f" ≥ {low}" if high is None else f" {low}…{high}"
