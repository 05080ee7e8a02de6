"""A JSON Schema as the branches it allows, one type each: references followed, unions and `allOf` taken apart."""

import json
from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

TYPES: Final = ("array", "boolean", "null", "number", "object", "string")
OF_TYPE: Final[dict[str, frozenset[str]]] = {
    "array": frozenset(("items", "prefixItems", "minItems", "maxItems", "uniqueItems")),
    "number": frozenset(("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")),
    "object": frozenset(
        ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties")
    ),
    "string": frozenset(("minLength", "maxLength", "pattern")),
}
"""Keywords that say nothing about values of other types."""

KNOWN: Final = frozenset[str]().union(*OF_TYPE.values(), ("type", "enum", "format"))
"""What a branch can have that its readers understand; a branch with other keywords has them unchanged."""

_SAY_NOTHING: Final = frozenset(
    (
        *("$id", "$schema", "$comment", "$defs", "title", "description", "examples", "default"),
        *("deprecated", "readOnly", "writeOnly", "discriminator"),
    )
)
_LOOK_AT_NEIGHBOURS: Final = (
    frozenset(("properties", "patternProperties", "additionalProperties")),
    frozenset(("items", "prefixItems")),
)
"""Keywords whose meaning depends on the others of their set in the same object: halves must not be merged."""


def branches(node: Any, document: Schema, trail: tuple[str, ...] = ()) -> list[Schema]:
    """The branches of a schema; `False` has none, `True` one for each type. `trail`: references being followed."""
    if isinstance(node, bool):
        node = {} if node else {"enum": []}
    rest = {key: value for key, value in node.items() if key not in _SAY_NOTHING}
    parts: list[list[Schema]] = []
    target = _target(rest.get("$ref"), document)
    if target is not None and rest["$ref"] not in trail:
        parts.append(branches(target, document, (*trail, rest.pop("$ref"))))
    # One of several is any of several only where a tag keeps them apart; another `oneOf` stays and is not understood.
    unions = {"anyOf", "oneOf"} if "discriminator" in node else {"anyOf"}
    parts += [_any_of(rest.pop(union), document, trail) for union in sorted(unions & rest.keys())]
    parts += [branches(part, document, trail) for part in rest.pop("allOf", ())]
    found = list(_typed(rest))
    for part in parts:
        found = [both for one in found for other in part if (both := _merged(one, other)) is not None]
    return found


def _any_of(nodes: list[Any], document: Schema, trail: tuple[str, ...]) -> list[Schema]:
    return [made for node in nodes for made in branches(node, document, trail)]


def _target(reference: Any, document: Schema) -> Any:
    prefix, _, name = str(reference).rpartition("/")
    return document.get("$defs", {}).get(name) if prefix == "#/$defs" else None


def _typed(node: Schema) -> Iterator[Schema]:
    values = _allowed(node)
    types = node.get("type", TYPES if values is None else sorted({type_of(value) for value in values}))
    for kind in [types] if isinstance(types, str) else types:
        foreign = {key for base, keys in OF_TYPE.items() if base != base_of(kind) for key in keys}
        branch = {key: node[key] for key in node.keys() - foreign - {"const", "enum"}} | {"type": kind}
        fitting = [v for v in values or () if type_of(v) == kind or (type_of(v), kind) == ("integer", "number")]
        if fitting and kind != "null":
            yield {**branch, "enum": fitting}
        elif fitting or values is None:
            yield branch


def _allowed(node: Schema) -> list[Any] | None:
    """The values of `enum` and `const`; None where neither is given."""
    if "const" not in node:
        return node.get("enum")
    const = node["const"]
    return [const] if "enum" not in node else [value for value in node["enum"] if words(value) == words(const)]


def _merged(one: Schema, other: Schema) -> Schema | None:
    """Both at once; None where nothing can be both. What cannot be merged stays as `allOf`, not understood."""
    if base_of(one["type"]) != base_of(other["type"]):
        return None
    kind = "integer" if "integer" in (one["type"], other["type"]) else one["type"]
    one, other = {**one, "type": kind}, {**other, "type": kind}
    torn = any(one.keys() & group and other.keys() & group for group in _LOOK_AT_NEIGHBOURS)
    if torn or any(words(one[key]) != words(other[key]) for key in one.keys() & other.keys()):
        return {"type": kind, "allOf": [one, other]}
    return {**one, **other}


def base_of(kind: str) -> str:
    """Integers are numbers; every other type stands alone."""
    return "number" if kind == "integer" else kind


def type_of(value: Any) -> str:
    """The type of a JSON value; `1.0` is an integer, as JSON Schema has it."""
    if isinstance(value, float) and value.is_integer():
        return "integer"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def tag(branch: Schema, document: Schema) -> dict[str, str]:
    """The required fields that can have one value only: they keep the variants of a union apart."""
    tags = {}
    for name in sorted(set(branch.get("required", ())) & branch.get("properties", {}).keys()):
        values = [made.get("enum", ()) for made in branches(branch["properties"][name], document)]
        if len(values) == 1 and len(values[0]) == 1:
            tags[name] = words(values[0][0])
    return tags


def words(value: Any) -> str:
    """A JSON value as text, equal for equal values; `...` stands for a value that is not given."""
    return "nothing" if value is ... else json.dumps(value, sort_keys=True, ensure_ascii=False)
