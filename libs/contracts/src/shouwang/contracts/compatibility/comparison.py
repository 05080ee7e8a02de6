"""What changed between two JSON Schemas, place by place, and which way each change goes."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from shouwang.contracts.compatibility.branches import KNOWN, TYPES, Schema, base_of, branches, tag, words

Effect = Literal["narrower", "wider", "unclear"]


@dataclass(frozen=True)
class Change:
    """One change: the JSON path of its place, which way it goes, and what it is in words."""

    path: str
    effect: Effect
    text: str


@dataclass(frozen=True)
class Comparison:
    """Two documents; places in them are compared with their references resolved, each in its own document."""

    old: Schema
    new: Schema
    under_way: set[tuple[int, int]] = field(default_factory=set)

    def changes(self) -> Iterator[Change]:
        """All changes; a place that is reached on several ways may be told more than once."""
        if self.old.get("$schema") != self.new.get("$schema"):
            yield Change("$", "unclear", "another dialect of JSON Schema")
        yield from self._nodes(self.old, self.new, "$")

    def _nodes(self, old: Any, new: Any, path: str) -> list[Change]:
        pair = (id(old), id(new))
        if pair in self.under_way:  # a recursive model: these two are being compared further up
            return []
        self.under_way.add(pair)
        found = list(self._unions(branches(old, self.old), branches(new, self.new), path))
        self.under_way.discard(pair)
        return found

    def _unions(self, old: list[Schema], new: list[Schema], path: str) -> Iterator[Change]:
        lost: list[str] = []
        gained: list[str] = []
        for base in TYPES:
            olds = [branch for branch in old if base_of(branch["type"]) == base]
            news = [branch for branch in new if base_of(branch["type"]) == base]
            if len(olds) == len(news) == 1:
                yield from self._branch(olds[0], news[0], path)
            elif olds and news:
                yield from self._variants(olds, news, path)
            else:
                lost += [branch["type"] for branch in olds]
                gained += [branch["type"] for branch in news]
        if lost and gained:
            yield Change(path, "unclear", f"type changed from {_or(lost)} to {_or(gained)}")
        elif lost:
            yield Change(path, "narrower", f"may no longer be {_or(lost)}")
        elif gained:
            yield Change(path, "wider", f"may now also be {_or(gained)}")

    def _variants(self, olds: list[Schema], news: list[Schema], path: str) -> Iterator[Change]:
        """Every old variant needs a new one that takes all of it, and the other way round."""
        old_tags, new_tags = [tag(old, self.old) for old in olds], [tag(new, self.new) for new in news]
        for old, tags in zip(olds, old_tags, strict=True):
            pairs = [self._branch(old, news[i], path) for i, other in enumerate(new_tags) if other == tags]
            yield from _closest(pairs, "wider", Change(path, "narrower", f"variant {_label(old, tags)} is gone"))
        for new, tags in zip(news, new_tags, strict=True):
            pairs = [self._branch(olds[i], new, path) for i, other in enumerate(old_tags) if other == tags]
            yield from _closest(pairs, "narrower", Change(path, "wider", f"new variant {_label(new, tags)}"))

    def _branch(self, old: Schema, new: Schema, path: str) -> list[Change]:
        """Two branches of one and the same base type."""
        found = [*_values(old, new, path), *_limits(old, new, path), *_exact(old, new, path)]
        found += self._not_understood(old, new, path)
        if old["type"] == "object":
            found += self._objects(old, new, path)
        elif old["type"] == "array":
            found += self._arrays(old, new, path)
        elif old["type"] != new["type"]:
            effect: Effect = "wider" if old["type"] == "integer" else "narrower"
            found.append(Change(path, effect, f"type changed from {old['type']} to {new['type']}"))
        return found

    def _not_understood(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        for key in sorted((old.keys() | new.keys()) - KNOWN):
            before, after = words(old.get(key, ...)), words(new.get(key, ...))
            # Equal words that point into definitions which differ need not mean the same.
            pointing = '"$ref"' in before and words(self.old.get("$defs", ...)) != words(self.new.get("$defs", ...))
            if before != after or pointing or key == "$ref":
                yield Change(path, "unclear", f'what keyword "{key}" changes cannot be judged')

    def _objects(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted({*before, *after, *old.get("required", ()), *new.get("required", ())}):
            where = f"{path}.{name}"
            if name in before and name not in after:
                yield Change(where, "narrower", "field removed or renamed")
            elif name in after and name not in before:
                yield from self._added(old, new, name, where)
            else:
                yield from _presence(old, new, name, where)
                yield from self._nodes(before.get(name, True), after.get(name, True), where)
        yield from self._other_fields(old, new, path)

    def _added(self, old: Schema, new: Schema, name: str, where: str) -> Iterator[Change]:
        # Nobody writes fields that his schema does not know, so an object open to any field says nothing of this one.
        others = old.get("additionalProperties", True)
        if name in new.get("required", ()):
            yield Change(where, "narrower", "new field is required, but what is already sent or stored lacks it")
        elif "patternProperties" in old:
            yield Change(where, "unclear", "a new field beside rules for keys cannot be judged")
        elif others is False:
            yield Change(where, "wider", "new field, and an old reader refuses fields it does not know")
        elif others not in (True, {}):
            yield from self._nodes(others, new["properties"][name], where)

    def _other_fields(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        before, after = old.get("patternProperties", {}), new.get("patternProperties", {})
        if before.keys() != after.keys():
            yield Change(path, "unclear", f"rules for keys changed from {_or(before)} to {_or(after)}")
        for pattern in sorted(before.keys() & after.keys()):
            yield from self._nodes(before[pattern], after[pattern], f"{path}.*")
        others_before, others_after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if others_before is not False and others_after is False:
            yield Change(path, "narrower", "unknown fields are refused now")
        elif others_before is False and others_after is not False:
            yield Change(path, "wider", "unknown fields are allowed now")
        else:
            yield from self._nodes(others_before, others_after, f"{path}.*")

    def _arrays(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        rest_before, rest_after = old.get("items", True), new.get("items", True)
        for place in range(max(len(before), len(after))):
            was = before[place] if place < len(before) else rest_before
            now = after[place] if place < len(after) else rest_after
            yield from self._nodes(was, now, f"{path}[{place}]")
        yield from self._nodes(rest_before, rest_after, f"{path}[*]")


# -- parts of one branch ---------------------------------------------------------------------------------------------


def _values(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    before, after = ({words(value) for value in side.get("enum", ())} for side in (old, new))
    if after and not before:
        yield Change(path, "narrower", f"may now only be {_or(sorted(after))}")
    elif before and not after:
        yield Change(path, "wider", f"may now be any {new['type']}, was {_or(sorted(before))}")
    else:
        for value in sorted(before - after):
            yield Change(path, "narrower", f"may no longer be {value}")
        for value in sorted(after - before):
            yield Change(path, "wider", f"may now also be {value}")


def _limits(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    for what in ("imum", "Length", "Items", "Properties"):
        for word, sign in ((f"min{what}", 1), (f"max{what}", -1)):
            before, after = _limit(old, word, sign), _limit(new, word, sign)
            if before != after:
                effect: Effect = "narrower" if after > before else "wider"
                yield Change(path, effect, f"{word} changed from {_said(before, sign)} to {_said(after, sign)}")


def _limit(schema: Schema, word: str, sign: int) -> tuple[float, bool]:
    """The limit so turned that larger is narrower, and whether the limit itself is outside."""
    none = 0 if word.startswith("min") and word != "minimum" else -math.inf
    exclusive = f"exclusive{word[0].upper()}{word[1:]}"
    given = [(sign * schema[key], key == exclusive) for key in (word, exclusive) if key in schema]
    return max([(none, False), *given])


def _exact(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    for word in ("pattern", "format", "multipleOf", "uniqueItems"):
        before, after = old.get(word) or None, new.get(word) or None
        if before != after:
            effect: Effect = "narrower" if before is None else "wider" if after is None else "unclear"
            yield Change(path, effect, f"{word} changed from {before or 'none'} to {after or 'none'}")


def _presence(old: Schema, new: Schema, name: str, where: str) -> Iterator[Change]:
    before, after = name in old.get("required", ()), name in new.get("required", ())
    if before and not after:
        yield Change(where, "wider", "was required, may now be missing")
    elif after and not before:
        yield Change(where, "narrower", "is now required, but what is already sent or stored may lack it")
    elif not before:
        was, now = _default(old, name), _default(new, name)
        if was != now:  # a message without the field now means something else
            yield Change(where, "unclear", f"default changed from {was} to {now}")


def _default(schema: Schema, name: str) -> str:
    field_schema = schema["properties"][name]
    return words(field_schema.get("default", ...) if isinstance(field_schema, dict) else ...)


def _closest(pairs: list[list[Change]], harmless: Effect, otherwise: Change) -> list[Change]:
    """The fewest changes that matter in this direction."""
    return min(([one for one in found if one.effect != harmless] for found in pairs), key=len, default=[otherwise])


# -- words -----------------------------------------------------------------------------------------------------------


def _label(branch: Schema, tags: dict[str, str]) -> str:
    return " ".join(f"{name} {value}" for name, value in tags.items()) or str(branch["type"])


def _said(limit: tuple[float, bool], sign: int) -> str:
    value, outside = limit
    return "none" if math.isinf(value) else f"{sign * value}{' (outside)' if outside else ''}"


def _or(names: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(names)) or "nothing"
