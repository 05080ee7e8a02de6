"""What the contract tests share: a validator that checks times, and instances made from a schema."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

Schema = dict[str, Any]
Validator = Callable[[Schema], Draft202012Validator]
Instances = Callable[[Schema], st.SearchStrategy[Any]]

_FORMATS = FormatChecker(formats=[])


@_FORMATS.checks("date-time", raises=ValueError)
def _rfc3339(value: object) -> bool:
    """jsonschema brings no check of its own for this format (it is in an extra)."""
    if not isinstance(value, str):
        return True
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("date", raises=ValueError)
def _full_date(value: object) -> bool:
    """RFC 3339 full-date; Python reads other forms of ISO 8601 too."""
    if not isinstance(value, str):
        return True
    return re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None and date.fromisoformat(value) is not None


def _validator(schema: Schema) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=_FORMATS)


@pytest.fixture(scope="session")
def validator() -> Validator:
    """Validators that also check `format`, which JSON Schema leaves to the reader's choice."""
    return _validator


@pytest.fixture(scope="session")
def instances() -> Instances:
    """A strategy of what a writer who follows the schema writes: valid, and no fields that the schema does not know."""
    return lambda schema: _instances(schema, schema)


def _instances(node: Any, document: Schema) -> st.SearchStrategy[Any]:
    if "$ref" in node:
        return _instances(document["$defs"][node["$ref"].rpartition("/")[2]], document)
    for union in ("anyOf", "oneOf"):
        if union in node:
            return st.one_of([_instances(branch, document) for branch in node[union]])
    if "enum" in node or "const" in node:
        return st.sampled_from(node.get("enum", [node.get("const")]))
    made: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "null": st.none,
        "boolean": st.booleans,
        "integer": lambda: st.integers(node.get("minimum", -(2**53)), node.get("maximum", 2**53)),
        "number": lambda: _numbers(node),
        "string": lambda: _strings(node),
        "array": lambda: _arrays(node, document),
        "object": lambda: _objects(node, document),
    }
    return made[node["type"]]()


def _numbers(node: Schema) -> st.SearchStrategy[float]:
    least = node.get("minimum", node.get("exclusiveMinimum"))
    outside = least is not None and "minimum" not in node
    return st.floats(least, node.get("maximum"), exclude_min=outside, allow_nan=False, allow_infinity=False)


def _strings(node: Schema) -> st.SearchStrategy[str]:
    if node.get("format") == "date-time":
        zones = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))])
        return st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=zones).map(datetime.isoformat)  # noqa: DTZ001
    if node.get("format") == "date":
        return st.dates().map(date.isoformat)
    if node.get("pattern") == r"\S":
        return st.text(min_size=1, max_size=node["maxLength"]).filter(lambda text: text.strip() != "")
    if "pattern" in node:
        return st.from_regex(node["pattern"].replace("$", r"\Z"))  # Python's $ also stands before a last line feed
    return st.text(min_size=node.get("minLength", 0), max_size=node.get("maxLength"))


def _arrays(node: Schema, document: Schema) -> st.SearchStrategy[list[Any]]:
    if "prefixItems" in node:
        return st.tuples(*(_instances(one, document) for one in node["prefixItems"])).map(list)
    least = node.get("minItems", 0)
    most = min(node.get("maxItems", least + 2), least + 2)
    return st.lists(_instances(node["items"], document), min_size=least, max_size=most)


def _objects(node: Schema, document: Schema) -> st.SearchStrategy[dict[str, Any]]:
    for pattern, values in node.get("patternProperties", {}).items():
        return st.dictionaries(_strings({"pattern": pattern}), _instances(values, document), max_size=3)
    fields = {name: _instances(one, document) for name, one in node.get("properties", {}).items()}
    required = {name: one for name, one in fields.items() if name in node.get("required", ())}
    return st.fixed_dictionaries(required, optional={name: one for name, one in fields.items() if name not in required})
