"""A proof by trial that no edit which passes does harm: whatever the writer writes, the reader reads."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shouwang.contracts.compatibility import breaks

Schema = dict[str, Any]

TEXT, NUMBER, INTEGER, NULL = ({"type": name} for name in ("string", "number", "integer", "null"))
LEAVES: list[Schema] = [
    TEXT,
    {**TEXT, "pattern": "^[a-z]+$"},
    NUMBER,
    INTEGER,
    NULL,
    {"type": "string", "enum": ["a", "b"]},
    {"type": "string", "enum": ["a", "b", "c"]},
    {"const": "a"},
    {**NUMBER, "minimum": 0},
    {**NUMBER, "exclusiveMinimum": 0},
    {**INTEGER, "minimum": 0, "maximum": 2},
    {**TEXT, "maxLength": 2},
]


def _grown(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    fields = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    objects = st.builds(
        lambda properties, required, other: {
            **{"type": "object", "properties": properties, "required": sorted(properties.keys() & required)},
            **({} if other else {"additionalProperties": False}),
        },
        fields,
        st.sets(st.sampled_from("abc")),
        st.booleans(),
    )
    arrays = st.builds(lambda one, most: {"type": "array", "items": one, "maxItems": most}, inner, st.integers(0, 3))
    return st.one_of(objects, arrays, st.lists(inner, min_size=1, max_size=3).map(lambda found: {"anyOf": found}))


SCHEMAS = st.recursive(st.sampled_from(LEAVES), _grown, max_leaves=6)


@st.composite
def edited(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A schema and the same after an edit somewhere in it."""
    old = draw(SCHEMAS)
    new = copy.deepcopy(old)
    whole: dict[str, Schema] = {"": new}
    places: list[tuple[Any, Any]] = [(whole, "")]
    for holder, key in places:
        node = holder[key]
        places += [(node["properties"], name) for name in node.get("properties", ())]
        places += [(node["anyOf"], index) for index in range(len(node.get("anyOf", ())))]
        places += [(node, "items")] if "items" in node else []
    holder, key = draw(st.sampled_from(places))
    node = holder[key]
    edits = [SCHEMAS, st.just({"anyOf": [node, NULL]}), st.just({"anyOf": [node, NUMBER]})]
    if node.get("type") == "object":
        edits += [st.just({**node, "required": sorted({*node["required"]} ^ {name})}) for name in node["properties"]]
        edits += [st.just({**node, "properties": {**node["properties"], "d": TEXT}})]
    if "anyOf" in node:
        edits.append(st.permutations(node["anyOf"]).map(lambda found: {"anyOf": found}))
    holder[key] = draw(st.one_of(edits))
    return old, whole[""]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(pair=edited(), data=st.data())
def test_what_passes_does_no_harm(
    pair: tuple[Schema, Schema], data: st.DataObject, instances: Callable[[Schema], st.SearchStrategy[Any]]
) -> None:
    """If an edit passes, what the old writer wrote is read by the new reader, and for facts the other way round."""
    old, new = pair
    if not breaks(old, new, "request"):
        written = data.draw(instances(old))
        assert Draft202012Validator(new).is_valid(written), written
    if not breaks(old, new, "fact"):
        written = data.draw(instances(new))
        assert Draft202012Validator(old).is_valid(written), written
