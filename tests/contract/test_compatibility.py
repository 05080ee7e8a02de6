"""The comparison of schemas: a table of edits with their verdicts, and the same edits on every contract."""

# ruff: noqa: E501 - a case is one line of the table

import copy
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from shouwang.contracts.catalogue import Message, messages, schema
from shouwang.contracts.compatibility import Kind, breaks

Schema = dict[str, Any]
Verdict = Literal["fine", "request only", "break"]
READ_BY_US: tuple[Kind, ...] = ("request", "incoming")
READ_BY_OTHERS: tuple[Kind, ...] = ("reply", "fact", "live")
MESSAGES = list(messages().values())


def obj(required: str = "", **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def closed(required: str = "", **properties: Any) -> Schema:
    return {**obj(required, **properties), "additionalProperties": False}


def union(*branches: Schema, word: str = "anyOf") -> Schema:
    return {word: list(branches)}


TEXT, NUMBER, INTEGER, NULL = ({"type": name} for name in ("string", "number", "integer", "null"))
TOKEN = {"type": "string", "pattern": "^[a-z]+$"}
AREA = {"Polygon": obj("type", type={"const": "Polygon"}, at=NUMBER), "Circle": obj("type", type={"const": "Circle"})}
TREE = {"$ref": "#/$defs/Tree"}


def tree(leaf: Schema) -> Schema:
    return {**TREE, "$defs": {"Tree": obj("leaf", leaf=leaf, inner={"type": "array", "items": TREE})}}


def areas(*names: str, **more: Schema) -> Schema:
    defs = {name: AREA[name] for name in names} | more
    return {"$defs": defs, **union(*({"$ref": f"#/$defs/{name}"} for name in defs), word="oneOf"), "discriminator": {}}


@dataclass(frozen=True)
class Case:
    """An edit; `says` is a part of one of the reasons."""

    edit: str
    old: Any
    new: Any
    verdict: Verdict
    says: str = ""


CASES = [
    # fields
    Case("nothing", obj("a", a=TEXT), obj("a", a=TEXT), "fine"),
    Case("other words", {**TEXT, "title": "A", "description": "a"}, {**TEXT, "title": "B", "examples": ["b"]}, "fine"),
    Case("field removed", obj("a", a=TEXT, b=TEXT), obj("a", a=TEXT), "break", "$.b: field removed or renamed"),
    Case("required field removed", obj("a", a=TEXT), obj(), "break", "$.a: field removed or renamed"),
    Case("field of a request removed", closed(a=TEXT), closed(), "break", "$.a: field removed or renamed"),
    Case("field renamed", obj(a=TEXT), obj(b=TEXT), "break", "$.a: field removed or renamed"),
    Case("optional field added", obj(a=TEXT), obj(a=TEXT, b=TEXT), "fine"),
    Case("optional field added to a request", closed(a=TEXT), closed(a=TEXT, b=TEXT), "request only", "$.b: new field"),
    Case("required field added", obj(a=TEXT), obj("b", a=TEXT, b=TEXT), "break", "$.b: new field is required"),
    Case("field becomes required", obj(a=TEXT), obj("a", a=TEXT), "break", "$.a: is now required"),
    Case("unnamed field becomes required", obj(), obj("a"), "break", "$.a: is now required"),
    Case("field becomes optional", obj("a", a=TEXT), obj(a=TEXT), "request only", "$.a: was required"),
    Case("field becomes nullable", obj("a", a=TEXT), obj("a", a=union(TEXT, NULL)), "request only", "may now also be null"),
    Case("null refused", obj(a=union(TEXT, NULL)), obj(a=TEXT), "break", "$.a: may no longer be null"),
    Case("default changes", obj(a={**NUMBER, "default": 1}), obj(a={**NUMBER, "default": 2}), "break", "default changed from 1 to 2"),
    Case("default goes", obj(a={**NUMBER, "default": 1}), obj(a=NUMBER), "break", "default changed from 1 to nothing"),
    Case("default of a field that was required", obj("a", a=NUMBER), obj(a={**NUMBER, "default": 1}), "request only", "was required"),
    Case("unknown fields refused", obj(a=TEXT), closed(a=TEXT), "break", "$: unknown fields are refused now"),
    Case("unknown fields allowed", closed(a=TEXT), obj(a=TEXT), "request only", "$: unknown fields are allowed now"),
    Case("deep field removed", obj(a=obj(b=obj(c=TEXT))), obj(a=obj(b=obj())), "break", "$.a.b.c: field removed"),
    # types
    Case("type changes", obj(a=TEXT), obj(a=NUMBER), "break", "$.a: type changed from string to number"),
    Case("integer to number", INTEGER, NUMBER, "request only", "$: type changed from integer to number"),
    Case("number to integer", NUMBER, INTEGER, "break", "$: type changed from number to integer"),
    Case("type added", TEXT, {"type": ["string", "number"]}, "request only", "$: may now also be number"),
    Case("type taken away", {"type": ["string", "number"]}, TEXT, "break", "$: may no longer be number"),
    Case("anything to text", {}, TEXT, "break", "may no longer be array or boolean"),
    Case("text to anything", obj(a=TEXT), obj(a=True), "request only", "may now also be array"),
    Case("anything to nothing", obj(a=True), obj(a=False), "break", "may no longer be array"),
    Case("types in another form", {"type": ["string", "null"]}, union(NULL, TEXT), "fine"),
    # values
    Case("value added", {"enum": ["a", "b"]}, {"enum": ["b", "c", "a"]}, "request only", '$: may now also be "c"'),
    Case("value taken away", {"enum": ["a", "b"]}, {"enum": ["a"]}, "break", '$: may no longer be "b"'),
    Case("const changes", {"const": "a"}, {"const": "b"}, "break", '$: may no longer be "a"'),
    Case("const to values", {"const": "a"}, {"type": "string", "enum": ["a", "b"]}, "request only", 'may now also be "b"'),
    Case("const written in another order", {"const": {"a": 1, "b": 2}}, {"const": {"b": 2, "a": 1}}, "fine"),
    Case("const in another form", {"const": "a"}, {"type": "string", "enum": ["a"]}, "fine"),
    Case("free text to values", TEXT, {"type": "string", "enum": ["a"]}, "break", '$: may now only be "a"'),
    Case("values to free text", {"type": "string", "enum": ["a"]}, TEXT, "request only", "$: may now be any string"),
    Case("values of another type", {"enum": ["a", 1]}, {"enum": ["a"]}, "break", "$: may no longer be integer"),
    Case("enum and const", {"enum": ["a", "b"], "const": "a"}, {"const": "a"}, "fine"),
    Case("null value in another form", {"enum": ["a", None]}, union({"const": "a"}, NULL), "fine"),
    # limits
    Case("minimum raised", {**NUMBER, "minimum": 0}, {**NUMBER, "minimum": 1}, "break", "minimum changed from 0 to 1"),
    Case("minimum lowered", {**NUMBER, "minimum": 0}, {**NUMBER, "minimum": -1}, "request only", "minimum changed from 0 to -1"),
    Case("minimum added", NUMBER, {**NUMBER, "minimum": 0}, "break", "minimum changed from none to 0"),
    Case("minimum now outside", {**NUMBER, "minimum": 0}, {**NUMBER, "exclusiveMinimum": 0}, "break", "0 (outside)"),
    Case("maximum lowered", {**NUMBER, "maximum": 90}, {**NUMBER, "maximum": 80}, "break", "maximum changed from 90 to 80"),
    Case("maximum goes", {**NUMBER, "maximum": 90}, NUMBER, "request only", "maximum changed from 90 to none"),
    Case("maximum now inside", {**NUMBER, "exclusiveMaximum": 9}, {**NUMBER, "maximum": 9}, "request only", "9 (outside)"),
    Case("shorter text", {**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}, "break", "maxLength changed from 9 to 8"),
    Case("empty text refused", TEXT, {**TEXT, "minLength": 1}, "break", "minLength changed from 0 to 1"),
    Case("no limit in another form", {**TEXT, "minLength": 0}, TEXT, "fine"),
    Case("limit of another type", {**TEXT, "minimum": 0}, {**TEXT, "minimum": 1}, "fine"),
    Case("more items", {"type": "array", "maxItems": 2}, {"type": "array", "maxItems": 3}, "request only", "maxItems"),
    Case("fewer fields", {"type": "object"}, {"type": "object", "maxProperties": 3}, "break", "maxProperties"),
    Case("steps added", NUMBER, {**NUMBER, "multipleOf": 5}, "break", "multipleOf changed from none to 5"),
    Case("repeated items refused", {"type": "array"}, {"type": "array", "uniqueItems": True}, "break", "uniqueItems"),
    Case("repeated items allowed", {"type": "array", "uniqueItems": True}, {"type": "array"}, "request only", "uniqueItems"),
    # patterns and formats
    Case("pattern changes", TOKEN, {**TOKEN, "pattern": "^[a-z0-9]+$"}, "break", "pattern changed from ^[a-z]+$ to"),
    Case("pattern added", TEXT, TOKEN, "break", "pattern changed from none to ^[a-z]+$"),
    Case("pattern goes", TOKEN, TEXT, "request only", "pattern changed from ^[a-z]+$ to none"),
    Case("format added", TEXT, {**TEXT, "format": "date-time"}, "break", "format changed from none to date-time"),
    Case("format changes", {**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}, "break", "format changed"),
    # arrays and maps
    Case("item narrowed", {"type": "array", "items": TEXT}, {"type": "array", "items": TOKEN}, "break", "$[*]: pattern"),
    Case("item widened", {"type": "array", "items": INTEGER}, {"type": "array", "items": NUMBER}, "request only", "$[*]: type"),
    Case("place narrowed", {"prefixItems": [NUMBER, NUMBER]}, {"prefixItems": [NUMBER, INTEGER]}, "break", "$[1]: type changed"),
    Case("place added", {"prefixItems": [NUMBER]}, {"prefixItems": [NUMBER, TEXT]}, "break", "$[1]: may no longer be array"),
    Case("place as an item", {"prefixItems": [TEXT], "items": TEXT}, {"items": TEXT}, "fine"),
    Case("map narrowed", {"additionalProperties": NUMBER}, {"additionalProperties": INTEGER}, "break", "$.*: type changed"),
    Case("field in a map", {"additionalProperties": TEXT}, {"properties": {"a": TOKEN}, "additionalProperties": TEXT}, "break", "$.a: pattern"),
    Case("keys change", {"patternProperties": {"^a": TEXT}}, {"patternProperties": {"^b": TEXT}}, "break", "rules for keys changed"),
    Case("map by pattern", {"patternProperties": {"^a": NUMBER}}, {"patternProperties": {"^a": INTEGER}}, "break", "$.*: type"),
    Case("field beside rules for keys", {"patternProperties": {"^a": TEXT}}, {"patternProperties": {"^a": TEXT}, "properties": {"ab": TEXT}}, "break", "cannot be judged"),
    # unions and references
    Case("union reordered", union(TEXT, NUMBER), union(NUMBER, TEXT), "fine"),
    Case("branch added", union(TEXT, NUMBER), union(TEXT, NUMBER, NULL), "request only", "may now also be null"),
    Case("branch taken away", union(TEXT, NUMBER), TEXT, "break", "may no longer be number"),
    Case("branch narrowed", union(TEXT, NUMBER), union(TOKEN, NUMBER), "break", "pattern changed from none"),
    Case("one of several texts narrowed", union(TOKEN, {**TEXT, "maxLength": 3}), union(TOKEN, {**TEXT, "maxLength": 2}), "break", "pattern changed from none"),
    Case("several texts reordered", union(TOKEN, {**TEXT, "maxLength": 3}), union({**TEXT, "maxLength": 3}, TOKEN), "fine"),
    Case("several objects reordered", union(obj("a b", a=TEXT), obj("c")), union(obj("c"), obj("a b", a=TEXT)), "fine"),
    Case("limit moves beside the union", union({**NUMBER, "minimum": 0}, NULL), {**union(NUMBER, NULL), "minimum": 0}, "fine"),
    Case("variant added", areas("Polygon"), areas("Polygon", "Circle"), "request only", 'new variant type "Circle"'),
    Case("variant taken away", areas("Polygon", "Circle"), areas("Polygon"), "break", 'variant type "Circle" is gone'),
    Case("field of a variant removed", areas("Polygon", "Circle"), areas("Circle", Polygon=obj("type", type={"const": "Polygon"})), "break", "$.at: field removed"),
    Case("any of, with a tag one of", areas("Polygon", "Circle"), union(*AREA.values()), "fine"),
    Case("definition renamed", {**obj(a={"$ref": "#/$defs/A"}), "$defs": {"A": TEXT}}, {**obj(a={"$ref": "#/$defs/B"}), "$defs": {"B": TEXT}}, "fine"),
    Case("definition written out", {**obj(a={"$ref": "#/$defs/A"}), "$defs": {"A": TEXT}}, obj(a=TEXT), "fine"),
    Case("definition narrowed", {**obj(a={"$ref": "#/$defs/A"}), "$defs": {"A": TEXT}}, {**obj(a={"$ref": "#/$defs/A"}), "$defs": {"A": TOKEN}}, "break", "$.a: pattern"),
    Case("all of", {"allOf": [TEXT, {"maxLength": 3}]}, {**TEXT, "maxLength": 3}, "fine"),
    Case("all of, objects", {"allOf": [obj(a=TEXT), {"maxProperties": 3}]}, {**obj(a=TEXT), "maxProperties": 3}, "fine"),
    Case("all of, narrowed", {"allOf": [TEXT]}, {"allOf": [TEXT, {"maxLength": 3}]}, "break", "maxLength"),
    Case("all of, impossible", {"allOf": [TEXT, NUMBER]}, TEXT, "request only", "may now also be string"),
    Case("all of, torn", {"allOf": [obj(a=TEXT), {"additionalProperties": False}]}, closed(a=TEXT), "break", '"allOf"'),
    Case("recursive, unchanged", tree(TEXT), tree(TEXT), "fine"),
    Case("recursive, narrowed", tree(TEXT), tree(TOKEN), "break", "$.leaf: pattern"),
    Case("endless reference", {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, TEXT, "break", '"$ref"'),
    # never silently
    Case("keyword that is not understood", TEXT, {**TEXT, "not": {"const": "a"}}, "break", 'keyword "not" changes cannot be judged'),
    Case("keyword that is not understood, equal", {**TEXT, "not": {"const": "a"}}, {**TEXT, "not": {"const": "a"}}, "fine"),
    Case("keyword that is not understood, pointing", {"not": {"$ref": "#/$defs/A"}, "$defs": {"A": TEXT}}, {"not": {"$ref": "#/$defs/A"}, "$defs": {"A": NULL}}, "break", '"not"'),
    Case("keyword that is not understood, not pointing", {**TEXT, "not": {"const": "a"}, "$defs": {"A": TEXT}}, {**TEXT, "not": {"const": "a"}}, "fine"),
    Case("keyword that is not understood, pointing to the same", {"not": TREE, "$defs": {"Tree": TEXT}}, {"not": TREE, "$defs": {"Tree": TEXT}}, "fine"),
    Case("one of without a tag", union(TEXT, NUMBER), union(TEXT, NUMBER, word="oneOf"), "break", '"oneOf"'),
    Case("reference outside", {"$ref": "other.json"}, {"$ref": "other.json"}, "break", '"$ref"'),
    Case("another dialect", {"$schema": "https://json-schema.org/draft/2020-12/schema"}, {"$schema": "draft-07"}, "break", "dialect"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.edit)
def test_edit(case: Case) -> None:
    for kind in (*READ_BY_US, *READ_BY_OTHERS):
        fine = case.verdict == "fine" or (case.verdict == "request only" and kind in READ_BY_US)
        reasons = breaks(case.old, case.new, kind)
        assert (not reasons) is fine, f"{kind}: {reasons}"
        assert fine or any(case.says in reason for reason in reasons), f"{kind}: {reasons}"


# -- the same on every contract --------------------------------------------------------------------------------------

by_name = pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)


@by_name
def test_edits_of_each_field_are_judged(message: Message) -> None:
    old = schema(message)
    for name in old["properties"]:
        for edit in (removed, renamed, retyped):
            assert breaks(old, edit(old, name), message.kind), f"{edit.__name__} {name}"
        toggled = breaks(old, required_or_not(old, name), message.kind)
        became_optional = name in old.get("required", ())
        assert bool(toggled) is not (became_optional and message.kind in READ_BY_US), f"toggled {name}: {toggled}"


def test_a_change_of_the_subject_is_a_break() -> None:
    for message in MESSAGES:
        moved = {**schema(message), "x-subject": f"elsewhere.{message.subject}"}
        assert breaks(schema(message), moved, message.kind) == ['$: what keyword "x-subject" changes cannot be judged']


def test_a_contract_is_compatible_with_itself() -> None:
    for message in MESSAGES:
        assert breaks(schema(message), schema(message), message.kind) == [], message.name


@by_name
def test_a_new_field_may_only_be_optional(message: Message) -> None:
    optional = copy.deepcopy(schema(message))
    optional["properties"]["new_m"] = {"type": "number"}
    assert breaks(schema(message), optional, message.kind) == []
    required = {**optional, "required": [*optional.get("required", ()), "new_m"]}
    assert breaks(schema(message), required, message.kind) != []


def removed(old: Schema, name: str) -> Schema:
    properties = {key: made for key, made in old["properties"].items() if key != name}
    return {**old, "properties": properties, "required": [key for key in old.get("required", ()) if key != name]}


def renamed(old: Schema, name: str) -> Schema:
    return {
        **removed(old, name),
        "properties": {**removed(old, name)["properties"], "renamed": old["properties"][name]},
    }


def retyped(old: Schema, name: str) -> Schema:
    return {**old, "properties": {**old["properties"], name: {"type": "boolean", "enum": [True]}}}


def required_or_not(old: Schema, name: str) -> Schema:
    return {**old, "required": sorted({*old.get("required", ())} ^ {name})}
