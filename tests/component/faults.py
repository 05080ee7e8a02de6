"""Bad bodies for a request, made from its own JSON schema, so that a new contract is tested the day it is served."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from shouwang.contracts.catalogue import messages, schema

EXAMPLES = files("shouwang.contracts") / "examples"
NAN, INFINITY = float("nan"), float("inf")
SQUARE = [[120.0, 27.0], [120.1, 27.0], [120.1, 27.1], [120.0, 27.1], [120.0, 27.0]]


class Fault(NamedTuple):
    """A bad body, what is wrong with it, and the field that the reply has to name."""

    what: str
    body: bytes
    field: str


@cache
def schema_of(contract: str) -> dict[str, Any]:
    """The schema of a request."""
    return schema(messages()[f"{contract}.request"])


def valid(contract: str) -> dict[str, Any]:
    """The fullest golden example of a request."""
    folder = EXAMPLES / f"{contract}.request"
    examples: list[dict[str, Any]] = [json.loads(file.read_text()) for file in folder.iterdir()]
    return max(examples, key=len)


def not_an_object() -> Iterator[Fault]:
    """What is no JSON object at all."""
    bodies = {
        "plain text": b"lat=27.8;lon=120.7",
        "half an object": b'{"lat": 27.8, "lon":',
        "two objects": b"{}{}",
        "a list": b"[]",
        "a string": b'"dispute"',
        "a number": b"7",
        "null": b"null",
        "single quotes": b"{'lat': 27.8}",
        "not UTF-8": b'{"summary": "\xff\xfe"}',
        "GB 18030": '{"summary": "两人争吵"}'.encode("gb18030"),
        "a lone surrogate in bytes": b'{"summary": "\xed\xa0\x80"}',
        "a lone surrogate, escaped": rb'{"summary": "\ud800"}',
        "a lone surrogate in a name": rb'{"\udfff": 1}',
        "zero bytes": b"\x00" * 64,
        "a list 5,000 deep": b"[" * 5000 + b"]" * 5000,
        "an object 5,000 deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "900 KB of one character": b"x" * 900_000,
        "900 KB of brackets": b"[" * 900_000,
    }
    return (Fault(what, body, "body") for what, body in bodies.items())


def missing(contract: str) -> Iterator[Fault]:
    """Each required field left out."""
    full = valid(contract)
    for name in schema_of(contract).get("required", ()):
        yield _fault(f"{name} left out", {key: value for key, value in full.items() if key != name}, name)


def unknown(contract: str) -> Iterator[Fault]:
    """Fields that the contract does not have."""
    for name in ("misspelt", "Lat", "纬度", "a b", "", "x" * 64):
        yield _fault(f"unknown field {name[:20]!r}", {**valid(contract), name: 1}, name or "body")
    yield _fault("20,000 unknown fields", {**valid(contract), **{f"f{n}": n for n in range(20_000)}}, "f0")


def wrong(contract: str) -> Iterator[Fault]:
    """Each field with a value of a wrong type, out of range, or not of its form."""
    document, full = schema_of(contract), valid(contract)
    for name, node in document.get("properties", {}).items():
        branches = [_resolved(branch, document) for branch in node.get("anyOf", [node])]
        optional = any(branch.get("type") == "null" for branch in branches)
        for value in [*_wrong_values(branches[0]), *([] if optional else [None])]:
            shown = json.dumps(value, ensure_ascii=False)
            yield _fault(f"{name} = {shown if len(shown) < 60 else shown[:60] + ' ...'}", {**full, name: value}, name)


def _fault(what: str, body: dict[str, Any], field: str) -> Fault:
    # NaN and Infinity come out as many a careless program writes them.
    return Fault(what, json.dumps(body, ensure_ascii=False).encode(), field)


def _resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _resolved(document["$defs"][node["$ref"].rpartition("/")[2]], document)
    return node


def _wrong_values(node: dict[str, Any]) -> list[Any]:
    if "oneOf" in node:  # the one such type: a GeoJSON region
        return [*_bad_regions(), "everywhere", [], 7, {}]
    if "enum" in node:
        return ["nonsense", "", 7, [], {}]
    return {"number": _numbers, "integer": _numbers, "string": _strings, "boolean": _booleans, "array": _arrays}[
        node["type"]
    ](node)


def _numbers(node: dict[str, Any]) -> list[Any]:
    made: list[Any] = ["much", "", [], {}, [1], NAN, INFINITY, -INFINITY, "NaN", 10**400, -(10**400)]
    made += [node["minimum"] - 1, -(10**9)] if "minimum" in node else []
    made += [node["maximum"] + 1, 10**9] if "maximum" in node else []
    return made + ([1.5] if node["type"] == "integer" else [])


def _strings(node: dict[str, Any]) -> list[Any]:
    made: list[Any] = [7, 7.5, True, [], {}, ["a"]]
    pattern = node.get("pattern", "")
    if pattern == r"\S" or node.get("minLength"):
        made += ["", "x" * (node["maxLength"] + 1), "x" * 900_000, "a\u0000b"]  # PostgreSQL cannot keep a NUL
        made += ["   ", "\n\t"] if pattern == r"\S" else []
    elif pattern:  # a token, an id or a cell: parts of subjects and keys
        made += ["", "a.b", "*", ">", "a b", "a\n", "夜巡-1", "x" * 65, "'; DROP TABLE tasks; --", "a\u0000"]
    if pattern.startswith("^[0-9a-f]{8}-"):
        made += ["0197A2B4-0000-7000-8000-000000000000", "{01970000-0000-7000-8000-000000000000}", "0" * 32]
    if node.get("format") == "date-time":
        made += ["yesterday", "2026-11-24", "2026-11-24T19:00:00", "2026-13-24T19:00:00Z"]
    return made


def _booleans(_: dict[str, Any]) -> list[Any]:
    return ["perhaps", 7, 0.5, [], {}]


def _arrays(node: dict[str, Any]) -> list[Any]:
    made: list[Any] = ["x", 7, {}, [{}], [[]], [None]]
    return made + ([[], [1], [1, 2, 3], [999, 0], [NAN, 0]] if "prefixItems" in node else ["a.b", ["*"], ["x" * 65]])


def _bad_regions() -> list[Any]:
    def polygon(*rings: Any) -> dict[str, Any]:
        return {"type": "Polygon", "coordinates": list(rings)}

    bow_tie = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    return [
        {"type": "Point", "coordinates": [120.0, 27.0]},
        {"type": "Polygon"},
        {"coordinates": [SQUARE]},
        polygon(),
        polygon([]),
        polygon(SQUARE[:-1]),
        polygon(bow_tie),
        polygon([[0, 0], [1, 0], [0, 0]]),
        polygon([[0, 0], [0, 0], [0, 0], [0, 0]]),
        polygon(SQUARE, [[121, 28], [121.1, 28], [121.1, 28.1], [121, 28]]),  # a hole outside its outline
        polygon([[0, 91], [1, 91], [1, 92], [0, 91]]),
        polygon([[181, 0], [182, 0], [182, 1], [181, 0]]),
        polygon([[-179, 0], [179, 0], [179, 1], [-179, 0]]),
        polygon([[NAN, 0], [1, 0], [1, 1], [NAN, 0]]),
        polygon([[0, 0], [INFINITY, 0], [1, 1], [0, 0]]),
        polygon([[0, 0], [1], [1, 1], [0, 0]]),
        polygon([["0x", 0], [1, 0], [1, 1], ["0x", 0]]),
        polygon([[n / 1e5, 0] for n in range(11_000)] + [[0, 1], [0, 0]]),
        {"type": "Polygon", "coordinates": json.loads("[" * 150 + "]" * 150)},
        {"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]},
        {"type": "MultiPolygon", "coordinates": [SQUARE]},
    ]
