"""The golden examples: every message has one, the models read them, and what is written again fits the schema."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shouwang.contracts.catalogue import Message, messages, schema
from shouwang.contracts.shapes import Fact

HOME = Path(__file__).parents[2] / "libs/contracts/src/shouwang/contracts"
EXAMPLES = HOME / "examples"
MESSAGES = messages()
FILES = sorted(EXAMPLES.glob("*/*.json"))
FACT_FILES = [path for path in FILES if path.parent.name in MESSAGES and MESSAGES[path.parent.name].kind == "fact"]
Validator = Callable[[dict[str, Any]], Draft202012Validator]

by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
by_fact_file = pytest.mark.parametrize("path", FACT_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def committed_schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HOME / "schemas" / f"{name}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.name)
def test_every_message_has_an_example(message: Message) -> None:
    assert list((EXAMPLES / message.name).glob("*.json")), f"write examples/{message.name}/<case>.json"


def test_every_example_belongs_to_a_message() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} <= MESSAGES.keys()


@by_file
def test_example_is_read_and_what_is_written_again_fits_the_committed_schema(path: Path, validator: Validator) -> None:
    fits = validator(committed_schema(path.parent.name))
    fits.validate(json.loads(path.read_text("utf-8")))
    read = MESSAGES[path.parent.name].model.model_validate_json(path.read_text("utf-8"))
    for written in (read.model_dump_json(), read.model_dump_json(exclude_defaults=True)):
        fits.validate(json.loads(written))
        assert type(read).model_validate_json(written) == read


def test_examples_are_in_the_committed_form() -> None:
    for path in FILES:
        text = path.read_text("utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", path


def test_free_text_in_examples_is_marked_as_such() -> None:
    """Nobody shall take an example for something that happened."""
    free = {"summary", "note", "instruction", "name"}
    for path in FILES:
        for name, value in named_values(json.loads(path.read_text("utf-8"))):
            chinese = isinstance(value, str) and re.search(r"[\u4e00-\u9fff]", value)
            if isinstance(value, str) and (name in free or chinese):
                assert value.startswith("示例："), f"{path}: {name}: {value}"


def named_values(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from named_values(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from named_values(inner, name)
    else:
        yield name, node


# -- facts carry no personal data ------------------------------------------------------------------------------------

PERSONAL = {
    "mobile number": re.compile(r"(?<![0-9a-zA-Z])1[3-9]\d{9}(?![0-9a-zA-Z])"),
    "landline number": re.compile(r"(?<![0-9a-zA-Z-])0\d{2,3}-\d{7,8}(?![0-9a-zA-Z])"),
    "ID number": re.compile(r"(?<![0-9a-zA-Z])\d{17}[\dXx](?![0-9a-zA-Z])"),
    "Chinese text": re.compile(r"[\u4e00-\u9fff]"),
}


@pytest.mark.parametrize("text", ["13800138000", "call 13800138000!", "330381199001010010", "0577-65350110", "陈某"])
def test_the_scan_finds_personal_data(text: str) -> None:
    assert any(pattern.search(text) for pattern in PERSONAL.values())


@by_fact_file
def test_fact_examples_carry_no_personal_data(path: Path) -> None:
    for name, value in named_values(json.loads(path.read_text("utf-8"))):
        found = [what for what, pattern in PERSONAL.items() if pattern.search(str(value))]
        assert not found, f"{name}: {value} looks like a {found}"


@pytest.mark.parametrize("message", [m for m in MESSAGES.values() if m.kind == "fact"], ids=lambda m: m.name)
def test_facts_have_no_free_text(message: Message) -> None:
    """Free text may name people. A fact's strings are tokens, ids, times or one of a few words."""
    for name, field in schema(message)["properties"].items():
        for branch in field.get("anyOf", [field]):
            limited = branch.get("type") != "string" or branch.keys() & {"pattern", "enum", "const", "format"}
            assert limited, f"{name} is free text"


@by_fact_file
def test_fact_subject_is_made_of_safe_tokens(path: Path) -> None:
    fact = MESSAGES[path.parent.name].model.model_validate_json(path.read_text("utf-8"))
    assert isinstance(fact, Fact)
    assert fact.subject().startswith(f"{path.parent.name}.")
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token) for token in fact.subject().split("."))
    assert fact.key() in fact.subject()
